"""Logs and error answers tell what happened, never to whom: no name, no identifier, no token, no text of a chart.

Every conversation here is full of marker words. Afterwards all that was written to standard error, to standard output
and to Python's own logging, and every refusal, is searched for them.
"""

from __future__ import annotations

import io
import json
import logging
import sys
from copy import deepcopy

import pytest
import requests
import structlog

import hooks.answers
from command_line import run
from hook_calls import EHR, HOOK_INSTANCE, SERVICE, TOKEN, Chart, client, playing, tell
from hooks.logs import configure_logs
from signed_calls import token

MARKERS = ("Zwetschgenbaum", "zwetschge", "MRN-4711", "geheim-token", "0815-phone", "Pflaumenweg", "marked-practitioner", "marked-unit")
SECRET = {**TOKEN, "access_token": "geheim-token"}


@pytest.fixture
def written(capfd, caplog, monkeypatch):
    """Everything that a running service would have written down, at the most talkative setting."""
    told = io.StringIO()
    before = structlog.get_config()
    monkeypatch.setattr(sys, "stderr", told)  # what configure_logs prints to
    configure_logs()
    caplog.set_level(logging.DEBUG)
    yield lambda: told.getvalue() + caplog.text + "".join(capfd.readouterr())
    structlog.configure(**before)


def marked():
    """A relapsed child whose every human word is a marker."""
    chart = Chart("standard-risk")
    chart.resources = deepcopy(chart.resources)
    chart.id = "zwetschge-1"
    chart.resources[0] |= {
        "id": chart.id, "name": [{"family": "Zwetschgenbaum", "given": ["Zwetschgenbaum"]}], "telecom": [{"system": "phone", "value": "0815-phone"}],
        "identifier": [{"value": "MRN-4711"}], "address": [{"line": ["Pflaumenweg 1"]}],
    }  # fmt: skip
    for resource in chart.resources[1:]:
        for element in {"subject", "individual"} & set(resource):
            resource[element] = {"reference": f"Patient/{chart.id}", "display": "Zwetschgenbaum"}
        resource["id"] = f"zwetschge-{resource['id']}"
    return chart


def call_of(chart, **members):
    context = {"userId": "Practitioner/marked-practitioner", "patientId": chart.id}
    extension = {"com.epic.cdshooks.request.employee-id": "MRN-4711"}
    return chart.call(**{"context": context, "extension": extension, **members})


def free_of_markers(text):
    assert not [word for word in MARKERS if word.lower() in text.lower()], text[:3000]
    return text


def refused(answer):
    assert answer.status_code >= 400
    free_of_markers(answer.text + str(answer.headers))


def test_a_card_is_logged_as_a_card(written):
    chart = marked()
    assert tell(client(), call_of(chart, prefetch=chart.prefetch())).json["cards"]
    with playing(chart):
        assert tell(client(), call_of(chart, fhirServer=EHR, fhirAuthorization=SECRET)).json["cards"]
    lines = [json.loads(line) for line in free_of_markers(written()).splitlines() if line.startswith("{")]
    assert [line["event"] for line in lines] == ["answered", "answered"]
    assert {"level", "timestamp", "service", "cards", "overall"} <= set(lines[0])


def test_the_search_for_markers_finds_what_is_written(written):
    """Otherwise nothing here could fail."""
    structlog.get_logger().info("told", patient="Zwetschgenbaum")
    logging.getLogger("urllib3.connectionpool").debug("quiet")
    logging.getLogger("other").debug("geheim-token")
    text = written()
    assert "Zwetschgenbaum" in text and "geheim-token" in text
    with pytest.raises(AssertionError):
        free_of_markers(text)


@pytest.mark.parametrize("fault", [
    lambda: (500, {"Content-Type": "application/fhir+json"}, '{"resourceType": "OperationOutcome", "issue": [{"severity": "error", "diagnostics": "Zwetschgenbaum"}]}'),
    lambda: (401, {"WWW-Authenticate": "Bearer geheim-token"}, '"geheim-token"'),
    lambda: (302, {"Location": "https://elsewhere.example/Zwetschgenbaum"}, ""),
    lambda: (200, {"Content-Type": "text/html"}, "<h1>Zwetschgenbaum</h1>"),
    lambda: (200, {"Content-Type": "application/fhir+json"}, '{"resourceType": "Bundle", "entry": [{"resource": "Zwetschgenbaum"}, "MRN-4711"]}'),
    lambda: (200, {"Content-Type": "application/fhir+json"}, '{"Zwetschgenbaum": '),
    lambda: requests.ConnectionError("https://ehr.example/fhir/Patient/zwetschge-1 geheim-token"),
    lambda: RuntimeError("Zwetschgenbaum geheim-token"),
], ids=["500", "401", "redirect", "web page", "odd entries", "broken", "no connection", "a bug below us"])  # fmt: skip
@pytest.mark.parametrize("search", ["patient", "conditions", "laboratory"])
def test_a_server_in_trouble_is_logged_without_its_words(written, search, fault):
    chart = marked()
    with playing(chart, **{search: fault}):
        answer = tell(client(fetch_seconds=2), call_of(chart, fhirServer=EHR, fhirAuthorization=SECRET))
    if answer.status_code != 200:
        refused(answer)
    assert free_of_markers(written())


@pytest.mark.parametrize("change", [
    {"hook": "Zwetschgenbaum"}, {"hookInstance": "MRN-4711"}, {"context": {"patientId": "Zwetschgenbaum!", "userId": "Practitioner/marked-practitioner"}},
    {"context": {"patientId": "zwetschge-1", "userId": "Zwetschgenbaum!"}}, {"prefetch": "Zwetschgenbaum"}, {"fhirServer": ["Zwetschgenbaum"]},
    {"fhirServer": EHR, "fhirAuthorization": {**SECRET, "token_type": "geheim-token"}}, {"fhirAuthorization": SECRET},
    {"fhirServer": EHR, "fhirAuthorization": {**SECRET, "patient": "MRN-4711"}}, {},
    {"fhirServer": "https://Zwetschgenbaum:geheim-token@unlisted.example/fhir?patient=MRN-4711", "fhirAuthorization": SECRET},
    {"prefetch": {"patient": {"resourceType": "Patient", "id": "MRN-4711"}}},
    {"prefetch": {"patient": {"resourceType": "Patient", "id": "zwetschge-1"}, "conditions": {"resourceType": "Zwetschgenbaum"}}},
])  # fmt: skip
def test_a_refusal_quotes_nothing(written, change):
    refused(tell(client(), {**call_of(marked()), **change}))
    free_of_markers(written())


@pytest.mark.parametrize("body", ['{"Zwetschgenbaum": ', '"Zwetschgenbaum"', '{"Zwetschgenbaum": NaN}', "Zwetschgenbaum" * 20_000])
def test_a_body_that_cannot_be_read_is_not_quoted(written, body):
    for service in (client(), client(max_body_bytes=100_000)):
        refused(service.post(SERVICE, data=body, content_type="application/json"))
    refused(client().post(SERVICE, data=body, content_type="text/plain; x=Zwetschgenbaum"))
    refused(client().post("/cds-services/Zwetschgenbaum", data=body))
    refused(client().get("/Zwetschgenbaum?x=MRN-4711"))
    free_of_markers(written())


@pytest.mark.parametrize("where", ["gather", "read_patient", "assess", "cards"])
def test_a_failure_is_logged_by_kind_and_place(written, monkeypatch, where):
    def broken(*_, **__):
        raise ValueError("Zwetschgenbaum, MRN-4711")

    monkeypatch.setattr(hooks.answers, where, broken)
    chart = marked()
    refused(tell(client(), call_of(chart, prefetch=chart.prefetch())))
    (line,) = [json.loads(line) for line in free_of_markers(written()).splitlines() if line.startswith("{")]
    assert (line["event"], line["level"], line["kind"]) == ("failed", "error", "ValueError") and line["where"]


def test_broken_resources_are_counted_and_not_shown(written):
    chart = marked()
    sent = chart.prefetch()
    for key in ("laboratory", "examinations", "answers", "procedures"):
        for entry in sent[key]["entry"]:
            entry["resource"] |= {"status": "Zwetschgenbaum", "Zwetschgenbaum": "MRN-4711", "code": entry["resource"].get("code", {})}
            if "valueQuantity" in entry["resource"]:
                entry["resource"]["valueQuantity"]["code"] = "marked-unit"
    assert tell(client(), call_of(chart, prefetch=sent)).json["cards"]
    assert '"issues": ' in free_of_markers(written())


def test_another_childs_data_is_a_line_without_the_child(written):
    chart = marked()
    with playing(chart) as ehr:
        others = {"resourceType": "Observation", "id": "MRN-4711", "subject": {"reference": "Patient/Zwetschgenbaum"}, "status": "final",
                  "code": {"coding": [{"system": "http://loinc.org", "code": "2160-0"}]}}  # fmt: skip
        ehr.held.by_patient["Observation", chart.id].append(others)
        ehr.held.by_id["Observation"]["MRN-4711"] = others
        tell(client(), call_of(chart, fhirServer=EHR, fhirAuthorization=SECRET))
    assert '"wrong_patient_from_fhir_server"' in free_of_markers(written())


def test_the_command_line_does_not_tell_the_token(monkeypatch):
    monkeypatch.setenv("FHIR_TOKEN", "geheim-token")
    for fault in ({}, {"patient": lambda: (500, {}, "Zwetschgenbaum")}, {"laboratory": lambda: requests.ConnectionError("geheim-token")}):
        with playing(marked(), **fault):
            result = run("assess", "zwetschge-1", "--fhir-base", EHR, "--format", "json")
        assert "geheim-token" not in result.output and "Zwetschgenbaum" not in result.stderr


def test_the_hook_instance_is_no_secret_and_no_key(written):
    """It may be logged; no answer depends on it."""
    chart = marked()
    answers = [tell(client(), call_of(chart, prefetch=chart.prefetch(), hookInstance=HOOK_INSTANCE[:-1] + last)) for last in "abc"]
    assert len({answer.json["cards"][0]["summary"] for answer in answers}) == 1
    free_of_markers(written())


# --- every kind of conversation, and every place that could keep a word of it -----------------------------------------

WHEN = "2025-09-01T10:00:00Z"
BLINATUMOMAB = {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "1597258", "display": "Zwetschgenbaum"}]}


def conversations(service, chart):
    """`(path, body)` of one call of each hook and feedback in both shapes, each full of markers; the last three are refused."""
    sent, base = chart.prefetch(), SERVICE.removesuffix("patient-view")
    order = {"resourceType": "MedicationRequest", "id": "MRN-4711", "status": "draft", "intent": "order", "note": [{"text": "Zwetschgenbaum"}],
             "subject": {"reference": f"Patient/{chart.id}", "display": "Zwetschgenbaum"}, "medicationCodeableConcept": BLINATUMOMAB}  # fmt: skip
    context = {"userId": "Practitioner/marked-practitioner", "patientId": chart.id, "encounterId": "zwetschge-encounter",
               "draftOrders": {"resourceType": "Bundle", "entry": [{"resource": order}]}, "selections": ["MedicationRequest/MRN-4711"]}  # fmt: skip
    cards = []
    for hook in ("patient-view", "encounter-start", "order-select", "order-sign"):
        call = call_of(chart, hook=hook, context=context, prefetch=sent)
        yield base + hook, call
        cards.append(service.post(base + hook, json=call).json["cards"][0]["uuid"] if hook == "patient-view" else None)
    card, told = {"card": cards[0], "outcome": "overridden", "outcomeTimestamp": WHEN}, {"userComment": "Zwetschgenbaum MRN-4711"}
    epic = {"userComment": "0815-phone", "extension": {"com.epic.cdshooks.feedback.overrideReason.reasonTitle": "Ineligible"}}
    yield SERVICE + "/feedback", {"feedback": [{**card, "overrideReason": told}]}
    yield SERVICE + "/feedback", {"feedback": [{**card, "outcomeTimestamp": "2025-09-01T11:00:00Z", "overrideReasons": epic}]}
    yield SERVICE + "/feedback", {"feedback": [{**card, "outcome": "Zwetschgenbaum", "overrideReason": told}]}
    yield base + "order-sign", call_of(chart, hook="order-sign", context={**context, "draftOrders": "Zwetschgenbaum"})
    yield base + "encounter-start", call_of(chart, hook="encounter-start", context={**context, "encounterId": ["MRN-4711"]})


def test_no_conversation_leaves_a_word_anywhere(written, tmp_path):
    """Not in the logs, the figures, the database, the headers, the refusals, or on the page that says whether we are ready."""
    service, chart, tokens, answers = client(database=f"sqlite:///{tmp_path}/state.sqlite3"), marked(), [], []
    for path, body in conversations(service, chart):
        tokens.append(token(path))
        answers.append(service.post(path, json=body, headers={"Authorization": f"Bearer {tokens[-1]}"}))
        again = service.post(path, json=body, headers={"Authorization": f"Bearer {tokens[-1]}"})
        assert again.status_code == 401
        answers.append(again)
    assert [a.status_code for a in answers[::2]] == [200] * 6 + [400] * 3
    kept = [file.read_bytes().decode("latin-1") for file in tmp_path.iterdir()]
    pages = [service.get(page).text for page in ("/metrics", "/readyz", "/healthz")]
    told = [str(a.headers) + (a.text if a.status_code >= 400 else "") for a in answers]
    everything = "\n".join([written(), *kept, *pages, *told])
    assert "overridden" in everything and "answered" in everything, "it is the right place to look"
    free_of_markers(everything)
    for once in tokens:
        assert once not in everything and once.rpartition(".")[2] not in everything, "a token, or its signature"
