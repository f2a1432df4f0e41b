"""Asking the EHR's FHIR server: what is sent, how refusals and faults are answered, what is tried again.

Rule numbers: "So the client must" in the notes on what public sandboxes do to a client. Rules 12 and 13 (units and
codes) are not a client's; 3 to 6 are in `test_hooks_fhir_pages`; what needs a real socket is in `test_hooks_fhir_wire`.
"""

from __future__ import annotations

import time
from decimal import Decimal
from email.utils import formatdate
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
import responses

from fhir_mappings.record import Answer, Outcome
from hooks.deadline import Deadline
from hooks.fhir_server import FhirServer
from hooks.fhir_urls import MAX_URL

BASE = "https://ehr.example/fhir"
SEARCH, PATIENT = f"{BASE}/Observation", f"{BASE}/Patient/7"
ANSWERED, PARTIAL, FAILED = Outcome.ANSWERED, Outcome.PARTIAL, Outcome.FAILED
BY_CODE, BY_CATEGORY = [("patient", "7"), ("code", "2160-0")], [("patient", "7"), ("category", "laboratory")]


def refusing(code: str) -> dict:
    return {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": code}]}


OUTCOME = refusing("processing")


@pytest.fixture
def ehr():
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture
def server():
    with FhirServer(BASE, "token", deadline=Deadline.after(20)) as server:
        yield server


def bundle(*identities: str) -> dict:
    return {"resourceType": "Bundle", "entry": [
        {"resource": {"resourceType": "Observation", "id": identity}} for identity in identities]}


def failure(why: str) -> Answer:
    return Answer(FAILED, why=why)


def test_read_asks_for_one_resource_and_keeps_its_digits(ehr, server):
    ehr.get(PATIENT, body=b'{"resourceType": "Patient", "id": "7", "x": 0.60}', content_type="application/fhir+json")
    assert server.read("Patient", "7").resources[0]["x"].as_tuple() == Decimal("0.60").as_tuple()


@pytest.mark.parametrize(("reply", "why"), [
    ({"status": 404, "json": OUTCOME}, "not found"),
    ({"status": 404, "body": "<html>", "content_type": "text/html"}, "not found"),
    ({"status": 410}, "not found"),
    ({"status": 401, "body": '""', "content_type": "application/json"}, "not authorised (401)"),
    ({"status": 403, "json": OUTCOME}, "forbidden (403)"),
    ({"status": 302, "headers": {"Location": "/fhir/Patient/8"}}, "answered with a redirect"),  # merged: Epic's 4107
    ({"status": 500, "json": OUTCOME}, "the FHIR server answered 500"),
    ({"status": 204}, "the FHIR server answered 204"),
    ({"json": OUTCOME}, "answered with a message instead of the Patient"),
    ({"json": {"resourceType": "Person"}}, "answered with something other than the Patient"),
    ({"json": []}, "answered with something other than the Patient"),
])
def test_read_says_why_it_failed(ehr, server, reply, why):
    ehr.get(PATIENT, **reply)
    assert server.read("Patient", "7") == failure(why)


@pytest.mark.parametrize("identity", ["", ".", "..", "../../other?x", "..\\other", "../1"])
def test_read_stays_within_the_resource_type(ehr, server, identity):
    assert server.read("Patient", identity) == failure("not found")


def test_read_escapes_the_id(ehr, server):
    ehr.get(f"{BASE}/Patient/some%2Fother%3Fx", json={"resourceType": "Patient"})
    assert server.read("Patient", "some/other?x").complete


def test_rule_1_asks_for_fhir_json_and_for_nothing_else(ehr, server):
    """Without an Accept header Epic sends XML. Nor does fhirclient fetch the CapabilityStatement behind our back."""
    ehr.get(SEARCH, json=bundle())
    server.search("Observation", BY_CODE)
    assert [call.request.headers["Accept"] for call in ehr.calls] == ["application/fhir+json"]
    assert ehr.calls[0].request.headers["Authorization"] == "Bearer token"


def test_without_a_token_nothing_is_signed(ehr):
    ehr.get(SEARCH, json=bundle())
    with FhirServer(BASE, deadline=Deadline.after(20)) as server:
        assert server.search("Observation", BY_CODE).complete
    assert "Authorization" not in ehr.calls[0].request.headers


@pytest.mark.parametrize("content_type", ["application/fhir+json", "application/json", "application/json+fhir",
                                          "Application/FHIR+JSON; charset=UTF-8; fhirVersion=4.0"])
def test_rule_1_json_by_any_of_its_names_is_read(ehr, server, content_type):
    ehr.get(SEARCH, body=b'\xef\xbb\xbf{"resourceType": "Bundle"}', content_type=content_type)
    assert server.search("Observation", BY_CODE).complete


@pytest.mark.parametrize(("content_type", "body", "why"), [
    ("text/html", "<!DOCTYPE html>", "answered with a web page instead of FHIR"),
    ("application/fhir+xml", "<Bundle/>", "answered with XML instead of JSON"),
    ("application/xml", "<Bundle/>", "answered with XML instead of JSON"),
    ("text/plain", "{}", "answered with something that is not FHIR JSON"),
    ("", "{}", "answered with something that is not FHIR JSON"),
    ("application/json", "<html>", "answered with broken JSON"),
    ("application/json", "", "answered with broken JSON"),
    ("application/json", b"\"\xff\"", "answered with broken JSON"),
    ("application/json", "[" * 100_000, "answered with broken JSON"),
    ("application/json", "[NaN]", "answered with broken JSON"),
    ("application/json", "[-Infinity]", "answered with broken JSON"),
    ("application/json", '{"total": 0, "total": 1}', "answered with broken JSON"),
    ("application/json", "1" * 5_000, "answered with broken JSON"),
    ("application/json", "1e99999999999999999999", "answered with broken JSON"),
    ("application/json", '""', "answered with something other than search results"),
])
def test_rule_1_what_is_not_fhir_json_is_a_failure_in_words(ehr, server, content_type, body, why):
    ehr.get(SEARCH, body=body, content_type=content_type)
    assert server.search("Observation", BY_CODE) == failure(why)


def test_rule_2_a_deadline_that_has_passed_asks_nothing(ehr):
    with FhirServer(BASE, "token", deadline=Deadline.after(0)) as server:
        assert server.search("Observation", BY_CODE, [BY_CATEGORY]) == failure("no answer in time")
        assert server.read("Patient", "7") == failure("no answer in time")


@pytest.mark.parametrize("error", [requests.ReadTimeout, requests.ConnectTimeout])
def test_rule_2_a_timeout_is_a_failure(ehr, server, error):
    ehr.get(SEARCH, body=error(f"{SEARCH}?patient=7"))
    assert server.search("Observation", BY_CODE) == failure("no answer in time")


def test_rules_7_and_8_exactly_the_parameters_given_are_sent_and_the_order_is_left_alone(ehr, server):
    params = [("patient", "7"), ("date", "ge2020-01-01T00:00:00+01:00"), ("date", "lt2021"),
              ("code", "http://loinc.org|2160-0,38483-4")]
    ehr.get(SEARCH, json=bundle("b", "a"))
    assert [found["id"] for found in server.search("Observation", params).resources] == ["b", "a"]
    assert parse_qsl(urlsplit(ehr.calls[0].request.url).query) == params


@pytest.mark.parametrize("refusal", [
    {"status": 400, "body": "Must have either code or category", "content_type": "text/plain"},
    {"status": 400, "json": OUTCOME},
    {"status": 422, "json": refusing("required")},
    {"status": 501, "json": refusing("not-supported")},
    {"json": refusing("required")},
    {"json": {"resourceType": "Bundle", "entry": [{"resource": refusing("not-supported")}]}},
])
def test_rule_9_a_refused_search_is_asked_differently(ehr, server, refusal):
    for params, reply in ((BY_CODE, refusal), (BY_CATEGORY, {"json": bundle("1")})):
        ehr.get(SEARCH, match=[responses.matchers.query_param_matcher(dict(params))], **reply)
    answer = server.search("Observation", BY_CODE, [BY_CATEGORY])
    assert (answer.outcome, len(answer.resources)) == (ANSWERED, 1)


def test_rule_9_when_every_question_is_refused_the_search_has_failed(ehr, server):
    ehr.get(SEARCH, status=400)
    assert server.search("Observation", BY_CODE, [BY_CATEGORY]) == failure("the FHIR server answered 400")
    assert len(ehr.calls) == 2


def test_a_kind_of_record_that_is_not_kept_is_no_failure_and_no_empty_answer(ehr, server):
    """404 on a search, as for an unknown type: this server will never have it, so nothing about it was looked up."""
    ehr.get(SEARCH, status=404, json=OUTCOME)
    assert server.search("Observation", BY_CODE, [BY_CATEGORY]).outcome is Outcome.NOT_KEPT


@pytest.mark.parametrize("status", [401, 403, 500])
def test_rule_9_other_failures_are_not_asked_differently(ehr, server, status):
    ehr.get(SEARCH, status=status)
    assert server.search("Observation", BY_CODE, [BY_CATEGORY]).outcome is FAILED
    assert len(ehr.calls) == 1


CODES = [f"http://loinc.org|{number}-0" for number in range(200)]


def test_rule_10_a_long_code_list_is_split_and_merged(ehr, server):
    ehr.get(SEARCH, json=bundle("seen by every part"))
    answer = server.search("Observation", [("patient", "7"), ("code", ",".join(CODES)), ("_sort", "-date,code")])
    asked = [dict(parse_qsl(urlsplit(call.request.url).query)) for call in ehr.calls]
    assert max(len(call.request.url) for call in ehr.calls) <= MAX_URL
    assert [code for each in asked for code in each["code"].split(",")] == CODES
    assert {(each["patient"], each["_sort"]) for each in asked} == {("7", "-date,code")}
    assert (answer.outcome, len(answer.resources)) == (ANSWERED, 1)


def test_rule_10_a_part_that_fails_makes_the_whole_partial(ehr, server):
    ehr.get(SEARCH, json=bundle("1"))
    ehr.get(SEARCH, status=500)
    answer = server.search("Observation", [("code", ",".join(CODES[:80]))])
    assert (answer.outcome, answer.why) == (PARTIAL, "a part of the search failed: the FHIR server answered 500")
    assert len(answer.resources) == 1


def test_rule_10_a_long_value_that_is_no_list_is_sent_as_it_is(ehr, server):
    ehr.get(SEARCH, json=bundle())
    assert server.search("Observation", [("identifier", "\\,".join(["x" * 50] * 50))]).complete
    assert server.search("Observation", [("_elements", ",".join(["x" * 50] * 50))]).complete
    assert len(ehr.calls) == 2


@pytest.mark.parametrize("status", [429, 502, 503, 504])
@pytest.mark.parametrize("headers", [{"Retry-After": "0"}, {"Retry-After": formatdate(usegmt=True)},
                                     {"Retry-After": "soon"}, {"RateLimit": '"fhir";r=0;t=0'}, {}])
def test_rule_11_a_busy_server_is_asked_again(ehr, server, status, headers):
    ehr.get(SEARCH, status=status, headers=headers)
    ehr.get(SEARCH, json=bundle())
    assert server.search("Observation", BY_CODE).complete


def test_rule_11_retries_are_bounded(ehr, server):
    ehr.get(SEARCH, status=503, headers={"Retry-After": "0"})
    assert server.search("Observation", BY_CODE) == failure("the FHIR server answered 503")
    assert len(ehr.calls) == 3


@pytest.mark.parametrize("headers", [{"Retry-After": "60"}, {"Retry-After": formatdate(time.time() + 600, usegmt=True)},
                                     {"Retry-After": "9" * 5_000}, {"RateLimit": '"fhir";r=0;t=60'}])
def test_rule_11_a_pause_beyond_the_deadline_is_not_begun(ehr, headers):
    ehr.get(SEARCH, status=429, headers=headers)
    with FhirServer(BASE, deadline=Deadline.after(0.15)) as server:
        assert server.search("Observation", BY_CODE) == failure("the FHIR server answered 429")
    assert len(ehr.calls) == 1


def test_rule_11_a_broken_connection_is_tried_again(ehr, server):
    ehr.get(SEARCH, body=requests.ConnectionError(f"{SEARCH}?patient=7"))
    ehr.get(SEARCH, json=bundle("1"))
    assert server.search("Observation", BY_CODE).complete


@pytest.mark.parametrize(("status", "why"), [(401, "not authorised (401)"), (403, "forbidden (403)")])
def test_rule_11_a_refused_token_is_not_sent_again(ehr, server, status, why):
    ehr.get(SEARCH, status=status, headers={"Retry-After": "0"})
    assert server.search("Observation", BY_CODE) == failure(why)
    assert len(ehr.calls) == 1


@pytest.mark.parametrize("token", ["two words", "line\nfeed", "snow\N{SNOWMAN}", "tab\t"])
def test_a_token_that_cannot_be_a_header_is_never_sent_nor_quoted(ehr, token):
    with FhirServer(BASE, token, deadline=Deadline.after(20)) as server:
        assert server.search("Observation", BY_CODE) == failure("the access token is malformed")


@pytest.mark.parametrize("reference", ["Patient/7", f"{BASE}/Patient/7", "urn:uuid:7", "#p", "", 7, None])
def test_rule_14_references_of_any_form_pass_through(ehr, server, reference):
    body = bundle("1")
    body["entry"][0]["resource"]["subject"] = {"reference": reference}
    ehr.get(SEARCH, json=body)
    assert server.search("Observation", BY_CODE).resources[0]["subject"] == {"reference": reference}
