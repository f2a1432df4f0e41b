"""For those who run it: alive, ready, figures, request ids; what browsers may do; and what a caller may leave in the logs."""

from __future__ import annotations

import re
import uuid

import pytest
import structlog

from hook_calls import EHR, SERVICE, TOKEN, Chart, client, playing, tell
from hooks import create_app
from hooks.cds_client import CdsClient
from hooks.config import Config
from hooks.services import SERVICES
from signed_calls import EC_JWK


def figures(service=None):
    """`/metrics` as {series: value}."""
    answer = (service or client()).get("/metrics")
    assert answer.status_code == 200 and answer.content_type.startswith("text/plain")
    lines = [line.rpartition(" ") for line in answer.text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in lines}


def grown(before, *needles):
    """By how much the series that have all these in their name have grown."""
    now = figures()
    return sum(value - before.get(name, 0) for name, value in now.items() if all(needle in name for needle in needles))


def test_alive_and_ready():
    assert client().get("/healthz").json == {"status": "alive"}
    answer = client().get("/readyz")
    assert (answer.status_code, answer.json["status"]) == (200, "ready")
    assert {check["name"] for check in answer.json["checks"]} == {"database", "keys of ehr"}


def test_not_ready_says_what_is_wrong():
    service = create_app(Config(database="sqlite:////nowhere/at/all.sqlite3")).test_client()
    answer = service.get("/readyz")
    assert (answer.status_code, service.get("/healthz").status_code) == (503, 200)
    wrong = {check["name"]: check["wrong"] for check in answer.json["checks"] if not check["ok"]}
    assert set(wrong) == {"database", "clients"} and all(len(words) > 20 for words in wrong.values())


def test_one_client_without_keys_sends_nobody_else_away():
    """A load balancer would otherwise drop a service that works for the other hospital."""
    good = CdsClient(name="ehr", issuer="https://ehr.example", keys=(EC_JWK,))
    other = CdsClient(name="other", issuer="https://other.example", jwks_url="http://127.0.0.1:9/keys")
    answer = create_app(Config(clients=(good, other), public_url="https://cds.example", database="sqlite://")).test_client().get("/readyz")
    assert answer.status_code == 200 and [c["ok"] for c in answer.json["checks"] if c["name"] == "keys of other"] == [False]


def test_a_refusal_says_in_the_log_what_and_whose():
    with structlog.testing.capture_logs() as logs:
        tell(client(), {"hook": "patient-view"})
    (line,) = [log for log in logs if log["event"] == "refused"]
    assert (line["status"], line["client"], line["service"]) == (400, "ehr", "nct05827549-patient-view") and "context" in line["why"]


def test_a_call_is_counted_with_what_was_found():
    before, chart = figures(), Chart("stale-creatinine")
    tell(client(), chart.call(chart.prefetch()))
    assert grown(before, "calls_total", 'status="200"', 'client="ehr"', "patient-view") == 1
    assert grown(before, "outcomes_total", 'overall="insufficient_data"') == 1
    assert grown(before, "cards_total", 'kind="assessment"') == 1
    assert grown(before, "unknowns_total", 'criterion="INC-06"', 'reason="stale"') == 1
    for stage in ("trust", "parse", "gather", "read", "judge", "write"):
        assert grown(before, "stage_seconds_count", f'stage="{stage}"') == 1, stage
    assert grown(before, "call_seconds_count") == 1


def test_refusals_are_counted():
    before = figures()
    client().post(SERVICE, json={}, headers={"Authorization": "Bearer a.b.c"})
    tell(client(), {"hook": "patient-view"})
    tell(client(), Chart("screening-complete").call())
    assert grown(before, "untrusted_total", 'reason="malformed"') == 1
    assert [grown(before, "calls_total", f'status="{status}"') for status in (401, 400, 412)] == [1, 1, 1]


def test_what_a_fhir_server_did_is_counted():
    before, chart = figures(), Chart("screening-complete")
    with playing(chart, laboratory=lambda: (500, {}, "")):
        tell(client(), chart.call(fhirServer=EHR, fhirAuthorization=TOKEN))
    of_server = f'server="{EHR}"'
    assert grown(before, "fhir_searches_total", of_server, 'search="laboratory"', 'outcome="failed"') == 1
    assert grown(before, "fhir_searches_total", of_server, 'search="conditions"', 'outcome="answered"') == 1
    before = figures()
    with playing(chart, conditions=lambda: (500, {}, "")):
        assert tell(client(), chart.call(fhirServer=EHR, fhirAuthorization=TOKEN)).status_code == 412
    assert grown(before, "fhir_searches_total", of_server, 'search="conditions"', 'outcome="failed"') == 1, "where no card came, too"


def test_nothing_a_caller_makes_up_becomes_a_series():
    before = set(figures())
    for path in ("/cds-services/made-up", f"/cds-services/{uuid.uuid4()}", "/made-up"):
        client().post(path, json={})
    assert not [name for name in set(figures()) - before if "made-up" in name or re.search(r"[0-9a-f]{8}-", name)]


# --- request ids ----------------------------------------------------------------------------------------------------


def test_every_answer_has_a_request_id_and_its_log_lines_too():
    chart = Chart("screening-complete")
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as logs:
        answer = tell(client(), chart.call(chart.prefetch()))
    assert uuid.UUID(answer.headers["X-Request-Id"])
    assert {line["request_id"] for line in logs} == {answer.headers["X-Request-Id"]}


@pytest.mark.parametrize(("sent", "kept"), [("gateway-4711.a", True), ("short", False), ("x" * 65, False), ("<script>alert(1)", False), ("a b c d e f g", False)])
def test_a_callers_own_id_is_kept_if_it_can_be_nothing_but_an_id(sent, kept):
    answer = client().get("/healthz", headers={"X-Request-Id": sent})
    assert (answer.headers["X-Request-Id"] == sent) is kept


# --- addresses and browsers -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.id)
def test_a_slash_at_the_end_makes_no_difference(service):
    """A redirect would lose the body of some clients."""
    for path in (f"/cds-services/{service.id}/", f"/cds-services/{service.id}/feedback/"):
        assert client().post(path, json={}).status_code == 400
    assert client().get("/cds-services/").status_code == 200


def test_no_address_leads_to_another():
    """A redirect would be built from the Host header."""
    for path in ("/cds-services//nct05827549-patient-view", "//cds-services", "/about//nct05827549"):
        assert client().post(path, json={}).status_code in (404, 405)


@pytest.mark.parametrize("path", ["/cds-services", SERVICE])
def test_browsers_may_call_from_listed_pages_only(path):
    asked = {"Origin": "https://sandbox.example", "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    service = client(cors_origins=("https://sandbox.example",))
    answer = service.options(path, headers=asked)
    assert answer.status_code == 200 and answer.headers["Access-Control-Allow-Origin"] == "https://sandbox.example"
    assert "Authorization" in answer.headers["Access-Control-Allow-Headers"] and "Access-Control-Allow-Credentials" not in answer.headers
    for other, origin in ((service, "https://evil.example"), (client(), "https://sandbox.example")):
        assert "Access-Control-Allow-Origin" not in other.options(path, headers={**asked, "Origin": origin}).headers


def test_about_and_openapi_are_there():
    assert client().get("/about/nct05827549").mimetype == "text/html"
    assert client().get("/about/nct05827549.json").json["protocol"] == "NCT05827549"
    chart = Chart("screening-complete")
    (card,) = tell(client(), chart.call(chart.prefetch())).json["cards"]
    assert card["source"]["url"] == "https://cds.example/about/nct05827549"


# --- bodies ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br"])
def test_a_packed_body_is_refused(encoding):
    """A small body could unpack to any size."""
    assert client().post(SERVICE, data=b"{}", content_type="application/json", headers={"Content-Encoding": encoding}).status_code == 415


def test_a_server_that_is_left_alone_is_shown():
    chart = Chart("screening-complete")
    service = client(fetch_seconds=5, requests_per_fhir_server=4)  # settings of its own, so that no other test's server rests
    with playing(chart, patient=lambda: (503, {}, ""), conditions=lambda: (503, {}, "")):
        for _ in range(5):
            assert tell(service, chart.call(fhirServer=EHR, fhirAuthorization=TOKEN)).status_code == 412
    assert service.get("/readyz").json["fhir_servers_resting"] == [EHR]
    assert figures(service)[f'relapse_cds_fhir_server_resting{{server="{EHR}"}}'] == 1
