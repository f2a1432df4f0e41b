"""The FHIR server of a call: which one may be asked, with whose token, and what its faults do to the card.

How the client meets each fault on the wire is in `test_hooks_fhir_*`; here it is what the clinician gets to see of it.
"""

from __future__ import annotations

import json
from urllib.parse import urlsplit

import pytest
import requests
import structlog

import hooks.gather
import hostile_fhir
from fhir_mappings.sources import SEARCHES
from hook_calls import EHR, TOKEN, Chart, assessment, by_id, client, favourable, playing, refusal, tell, unanswered
from hostile_fhir import HostileFhir

CHILD = "screening-complete"
OPTIONAL = tuple(search.name for search in SEARCHES if not search.required)
READS = {"laboratory": {"INC-06", "INC-07"}, "examinations": {"INC-08"}, "leukaemia": {"EXC-02"}}  # what hangs on one search alone


def outcome(code):
    return json.dumps({"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": code}]})


def reply(status, body="", content_type="application/fhir+json", **headers):
    return lambda: (status, {"Content-Type": content_type, **headers}, body)


FAULTS = {
    "401 with an empty string": reply(401, '""'),
    "401": reply(401, outcome("login")),
    "403": reply(403, outcome("forbidden")),
    "404": reply(404, outcome("not-found")),
    "404 as a web page": reply(404, "<html>", "text/html"),
    "429 and come back tomorrow": reply(429, outcome("throttled"), **{"Retry-After": "86400"}),
    "500": reply(500, outcome("exception")),
    "502 as a web page": reply(502, "<html>", "text/html", **{"Retry-After": "86400"}),
    "a web page": reply(200, "<!DOCTYPE html><html>", "text/html"),
    "XML": reply(200, "<Bundle/>", "application/fhir+xml"),
    "text": reply(200, "gone fishing", "text/plain"),
    "broken JSON": reply(200, '{"resourceType": "Bundle", "entry": ['),
    "nothing at all": reply(200, ""),
    "null": reply(200, "null"),
    "an error as 200": reply(200, outcome("exception")),
    "a redirect": reply(302, "", Location="https://login.example/"),
    "a redirect within": reply(307, "", Location=f"{EHR}/Patient/other"),
    "no connection": lambda: requests.ConnectionError("refused"),
    "too slow": lambda: requests.ReadTimeout("late"),
    "no TLS": lambda: requests.exceptions.SSLError("certificate"),
}
every_fault = pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)


def fetched(chart, **faults):
    with playing(chart, **faults) as ehr:
        answer = tell(client(), chart.call(fhirServer=EHR, fhirAuthorization=TOKEN))
    assert {urlsplit(request.url).netloc for request in ehr.requests} <= {"ehr.example"}, "nothing is asked anywhere else"
    return answer


@every_fault
@pytest.mark.parametrize("search", OPTIONAL)
def test_a_search_that_fails_leaves_its_criteria_unknown(search, fault):
    found = assessment(fetched(Chart(CHILD), **{search: fault}))
    assert unanswered(found) == {search}
    for criterion in READS.get(search, ()):
        assert (by_id(found)[criterion]["truth"], by_id(found)[criterion]["reason"]) == ("unknown", "not_looked_up")


@pytest.mark.parametrize("fault", [f for f in FAULTS.values() if f is not FAULTS["no connection"]], ids=[f for f in FAULTS if f != "no connection"])  # tried again, so slow
@pytest.mark.parametrize("child", ["ph-positive", "high-creatinine", "two-lineages", "month-only"])
def test_a_search_that_fails_never_speaks_for_the_trial(child, fault):
    complete = favourable(assessment(fetched(Chart(child))))
    for search in OPTIONAL:
        assert favourable(assessment(fetched(Chart(child), **{search: fault}))) <= complete, search
    nothing_else = assessment(fetched(Chart(child), **dict.fromkeys(OPTIONAL, fault)))
    assert unanswered(nothing_else) == set(OPTIONAL) and favourable(nothing_else) <= complete


@every_fault
@pytest.mark.parametrize("search", ["patient", "conditions"])
@pytest.mark.parametrize("child", [CHILD, "asthma"])
def test_without_the_child_or_the_problem_list_it_is_412(child, search, fault):
    answer = fetched(Chart(child), **{search: fault})
    assert answer.status_code == 412 and refusal(answer).startswith(f"{search}: ")


@pytest.mark.parametrize(("sent", "words"), [
    ({}, "conditions: the FHIR server answered 500. Send the prefetch key conditions (Condition?"),
    ({"conditions": outcome("exception")}, "conditions: the EHR could not look this up. The prefetch key conditions (Condition?"),
    ({"conditions": '"gone fishing"'}, "conditions: answered with something other than search results. The prefetch key conditions (Condition?"),
], ids=["not sent, and refused by the server", "the EHR sent an error", "the EHR sent rubbish"])  # fmt: skip
def test_the_412_says_what_to_do_about_its_own_cause(sent, words):
    """Whoever sent the key is not told to send it."""
    chart = Chart(CHILD)
    prefetch = {"patient": chart.prefetch()["patient"], **{key: json.loads(value) for key, value in sent.items()}}
    with playing(chart, conditions=FAULTS["500"]):
        for members in ({"fhirServer": EHR, "fhirAuthorization": TOKEN}, {}) if sent else ({"fhirServer": EHR, "fhirAuthorization": TOKEN},):
            answer = tell(client(), chart.call(prefetch, **members))
            assert answer.status_code == 412 and refusal(answer).startswith(words), refusal(answer)
            assert refusal(answer).endswith(") was sent, but without its results" if sent else ")"), refusal(answer)


def test_both_missing_names_the_first():
    assert refusal(fetched(Chart(CHILD), patient=FAULTS["500"], conditions=FAULTS["500"])).startswith("patient: ")


def test_a_problem_list_cut_short_is_412_unless_leukaemia_is_on_it():
    """The next page leads away from the server, so it stays unread."""
    for child, expected in ((CHILD, 200), ("asthma", 412)):
        chart = Chart(child)
        page = {**chart.prefetch()["conditions"], "link": [{"relation": "next", "url": "https://elsewhere.example/fhir/Condition?page=2"}]}
        answer = fetched(chart, conditions=reply(200, json.dumps(page)))
        assert answer.status_code == expected
        if expected == 200:
            assert "conditions" in unanswered(assessment(answer))


@pytest.mark.parametrize("behaviour", [hostile_fhir.hang, hostile_fhir.drip_headers, hostile_fhir.drip_body], ids=["hangs", "drips headers", "drips"])
def test_a_server_that_never_finishes_is_not_waited_for(behaviour):
    """On a real socket: what was sent is judged, what hangs is not looked up."""
    chart = Chart(CHILD)
    sent = chart.prefetch()
    with HostileFhir(behaviour) as server:
        service = client(fhir_servers=(server.url,), fetch_seconds=0.3)
        required_only = {key: sent[key] for key in ("patient", "conditions")}
        found = assessment(tell(service, chart.call(required_only, fhirServer=server.url, fhirAuthorization=TOKEN)))
        assert unanswered(found) == set(OPTIONAL)
        answer = tell(service, chart.call(fhirServer=server.url, fhirAuthorization=TOKEN))
        assert answer.status_code == 412 and refusal(answer).startswith("patient: ")


# --- which server, whose token ----------------------------------------------------------------------------------------------

NOT_LISTED = (
    "https://evil.example/fhir", "http://ehr.example/fhir", "https://ehr.example:8443/fhir", "https://ehr.example/", "https://ehr.example/fhir/../other",
    "https://ehr.example.evil.example/fhir", "https://ehr.example@evil.example/fhir", "https://evil.example\\@ehr.example/fhir",
    "https://user:secret@ehr.example/fhir", "https://ehr.example/fhir?x=1", "https://ehr.example/fhir#x", "https://ehr.example/FHIR",
    "http://127.0.0.1/fhir", "http://localhost/fhir", "http://169.254.169.254/latest/meta-data", "file:///etc/passwd", "ftp://ehr.example/fhir", "ehr", "",
)  # fmt: skip


@pytest.mark.parametrize("address", NOT_LISTED)
def test_a_server_that_is_not_listed_is_never_called(address):
    """Judged as if no server had been named: from a whole prefetch, a card; without one, 412."""
    chart = Chart(CHILD)
    with playing(chart) as ehr:
        answer = tell(client(), chart.call(chart.prefetch(), fhirServer=address, fhirAuthorization=TOKEN), by_the_book=False)
        assert assessment(answer)["not_looked_up"] == []
        part = {key: value for key, value in chart.prefetch().items() if key != "examinations"}
        answer = tell(client(), chart.call(part, fhirServer=address, fhirAuthorization=TOKEN), by_the_book=False)
        assert unanswered(assessment(answer)) == {"examinations"}
        assert tell(client(), chart.call(fhirServer=address, fhirAuthorization=TOKEN)).status_code == 412
    assert ehr.requests == []


@pytest.mark.parametrize(("address", "named"), [
    ("https://evil.example/fhir", "https://evil.example/fhir"),
    ("https://ehr.example/FHIR", "https://ehr.example/FHIR"),
    ("https://user:secret@ehr.example/fhir", "https://***@ehr.example/fhir"),
    ("user:secret@ehr.example", "***@ehr.example"),
    ("https://evil.example\\@ehr.example/fhir", "https://***@ehr.example/fhir"),
    ("https://ehr.example/fhir?patient=secret", "https://ehr.example/fhir"),
    ("https://ehr.example/fhir#secret", "https://ehr.example/fhir"),
    ("https://evil.example/\u202e\r\nlevel=info \u00e4", "https://evil.example/???level=info ?"),
    ("https://evil.example/" + "x" * 500, "https://evil.example/" + "x" * 79 + "..."),
    ("ehr", "ehr"),
])  # fmt: skip
def test_a_server_that_is_not_listed_is_named_in_the_log(address, named):
    """So that a site which forgot to list it, or spells it otherwise, can see so; without what may be a secret or a patient."""
    chart = Chart(CHILD)
    with structlog.testing.capture_logs() as logs:
        tell(client(), chart.call(chart.prefetch(), fhirServer=address, fhirAuthorization=TOKEN), by_the_book=False)
    (line,) = [log for log in logs if log["event"] == "fhir_server_not_allowed"]
    assert line["server"] == named and "secret" not in str(logs)


@pytest.mark.parametrize("address", [EHR, f"{EHR}/", "https://EHR.example/fhir", "https://ehr.example:443/fhir"])
def test_a_listed_server_is_called_however_it_is_spelled(address):
    chart = Chart(CHILD)
    with playing(chart) as ehr:
        assert assessment(tell(client(), chart.call(fhirServer=address, fhirAuthorization=TOKEN)))["not_looked_up"] == []
    assert {request.url.partition("/fhir/")[0] for request in ehr.requests} == {"https://ehr.example"}


def test_no_server_is_listed_unless_a_site_lists_one():
    chart = Chart(CHILD)
    with playing(chart) as ehr:
        assert tell(client(fhir_servers=()), chart.call(fhirServer=EHR, fhirAuthorization=TOKEN)).status_code == 412
    assert ehr.requests == []


def test_in_development_loopback_is_open_and_nothing_else():
    chart = Chart(CHILD)
    service = client(fhir_servers=(), dev=True)
    with playing(chart) as ehr:
        assert tell(service, chart.call(fhirServer="http://127.0.0.1:9/fhir")).status_code == 200
        assert tell(service, chart.call(fhirServer="http://10.0.0.1/fhir")).status_code == 412
        assert tell(client(fhir_servers=()), chart.call(fhirServer="http://127.0.0.1:9/fhir")).status_code == 412
    assert {urlsplit(request.url).netloc for request in ehr.requests} == {"127.0.0.1:9"}


def test_the_token_goes_along_with_every_request_and_into_no_answer():
    chart = Chart(CHILD)
    with playing(chart) as ehr:
        answer = tell(client(), chart.call(fhirServer=EHR, fhirAuthorization=TOKEN))
    assert len(ehr.requests) == len(SEARCHES)
    assert {request.headers["Authorization"] for request in ehr.requests} == {"Bearer token-of-the-ehr"}
    assert "token-of-the-ehr" not in answer.text + str(answer.headers)


def test_without_a_token_nothing_is_asked():
    """In production. An open server would give the whole chart to anybody, and that it gave it to us is nothing to build on."""
    chart = Chart(CHILD)
    part = {key: value for key, value in chart.prefetch().items() if key != "examinations"}
    with playing(chart) as ehr:
        found = assessment(tell(client(), chart.call(part, fhirServer=EHR)))
        answer = tell(client(), chart.call(fhirServer=EHR))
    assert ehr.requests == []
    assert [told["words"] for told in found["not_looked_up"]] == ["not sent by the EHR, and no token to ask the server with"]
    assert answer.status_code == 412
    assert refusal(answer).startswith("patient: not sent by the EHR, and no token to ask the server with. Send the prefetch key patient (")


def test_in_development_an_open_server_is_asked_without_a_token():
    chart = Chart(CHILD)
    with playing(chart) as ehr:
        assert assessment(tell(client(dev=True), chart.call(fhirServer=EHR)))["not_looked_up"] == []
    assert len(ehr.requests) == len(SEARCHES) and not [request for request in ehr.requests if "Authorization" in request.headers]


@pytest.mark.parametrize("seconds", [0, -5, -(10**30)])
@pytest.mark.parametrize("dev", [False, True])
def test_a_token_that_has_expired_is_never_used(dev, seconds):
    chart = Chart(CHILD)
    part = {key: value for key, value in chart.prefetch().items() if key != "examinations"}
    expired = {**TOKEN, "expires_in": seconds}
    with playing(chart) as ehr:
        found = assessment(tell(client(dev=dev), chart.call(part, fhirServer=EHR, fhirAuthorization=expired)))
        answer = tell(client(dev=dev), chart.call(fhirServer=EHR, fhirAuthorization=expired))
    assert ehr.requests == []
    assert [told["words"] for told in found["not_looked_up"]] == ["not sent by the EHR, and its token for the server had expired"]
    assert answer.status_code == 412 and refusal(answer).startswith("patient: not sent by the EHR, and its token for the server had expired. ")


def test_a_token_about_to_expire_shortens_the_time_for_fetching():
    """Searches that would outlive it are given up with it."""
    chart = Chart(CHILD)
    seconds = []
    with playing(chart), pytest.MonkeyPatch.context() as patch:
        patch.setattr(hooks.gather.Deadline, "after", lambda told, after=hooks.gather.Deadline.after: (seconds.append(told), after(told))[1])
        for expires_in in (3, 300):
            tell(client(fetch_seconds=20), chart.call(fhirServer=EHR, fhirAuthorization={**TOKEN, "expires_in": expires_in}))
    assert seconds == [3, 20]


@pytest.mark.parametrize("where", ["https://evil.example/fhir/Observation?page=2", "//evil.example/page", "http://ehr.example/fhir/Observation?page=2"])
def test_a_next_page_on_another_host_sees_neither_request_nor_token(where):
    chart = Chart(CHILD)
    page = {**chart.prefetch()["laboratory"], "link": [{"relation": "next", "url": where}]}
    with playing(chart, laboratory=reply(200, json.dumps(page))) as ehr:
        found = assessment(tell(client(), chart.call(fhirServer=EHR, fhirAuthorization=TOKEN)))
    assert all(request.url.startswith(f"{EHR}/") for request in ehr.requests)
    assert unanswered(found) == {"laboratory"}
