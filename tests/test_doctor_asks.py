"""What `relapse-cds doctor` asks of a FHIR server, and what of the answers it never shows: names, identifiers, the token."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

import pytest

from diagnosed import (
    ALL,
    LOCAL,
    NAME,
    NUMBER,
    ONLY_PEOPLE_KNOW,
    TOKEN,
    advice_on,
    diagnosed,
    doctor,
    judged_from,
    observation,
    search,
    statuses,
)
from hooks.deadline import Deadline
from hooks.demo.fhir_search import outcome
from hooks.fhir_server import FhirServer
from hooks.gather import fetch
from misbehaving_ehr import CHILD, answering, chart, ehr, refuse

SIGN_IN = "/fhir/.well-known/smart-configuration"


@pytest.mark.parametrize("odd", [{}, {"Observation": refuse("code")}], ids=["as it should", "refused by code"])
def test_it_asks_what_the_service_asks(odd):
    with ehr(**odd) as server:
        with FhirServer(server.url, deadline=(deadline := Deadline.after(20))) as client:
            fetch(client, CHILD, {}, deadline, everything=True)
        asked = sorted(path for path, _ in server.heard)
        server.heard.clear()
        diagnosed(server.url)
        also = [path for path, _ in server.heard]
    for path in asked:
        also.remove(path)
    also.remove(SIGN_IN)
    assert {urlsplit(path).path for path in also} <= {"/fhir/metadata", "/fhir/Observation"}
    assert all("category=" in path or "metadata" in path for path in also)


def test_a_patient_is_found_if_none_is_named():
    with ehr() as server:
        told = diagnosed(server.url, patient=None)
        assert told["patient"] == "found" and CHILD not in json.dumps(told) and search(told, "conditions")["results"] > 0
    with ehr([]) as server:
        told, text = diagnosed(server.url, patient=None), doctor(server.url, patient=None).stdout
    assert told["patient"] == "none" and statuses(told)["patient"] == "untested" and "--patient" in told["advice"][0]
    assert judged_from(told)["server"] == ALL - ONLY_PEOPLE_KNOW and "not tried" in text


def test_a_patient_whom_the_server_does_not_know():
    with ehr() as server:
        told = diagnosed(server.url, patient="nobody-here")
    assert "check --patient" in told["advice"][0] and not told["summary"]["card"]


def test_the_token_is_sent_and_not_shown(monkeypatch):
    monkeypatch.setenv("FHIR_TOKEN", TOKEN)
    with ehr(Consent=refuse("patient", f"token {TOKEN} is too weak")) as server:
        told, text = doctor(server.url, "--format", "json").stdout, doctor(server.url).stdout
        assert {headers.get("Authorization") for path, headers in server.heard if path != SIGN_IN} == {f"Bearer {TOKEN}"}
        assert {headers.get("Authorization") for path, headers in server.heard if path == SIGN_IN} == {None}, "that page is for everybody"
    assert TOKEN not in told + text and "is too weak" in told and json.loads(told)["server"]["token"]


def test_no_name_and_no_identifier_is_shown(monkeypatch):
    resources = chart(observation("o1", {"system": LOCAL, "code": "BL1", "display": f"Creatinine of {NAME}"}))
    (patient,) = (r for r in resources if r["resourceType"] == "Patient")
    patient |= {"name": [{"family": "Quagga", "given": [NAME]}], "identifier": [{"value": NUMBER}]}
    words = f"Patient {CHILD} ({NAME} QUAGGA, {NUMBER}, born {patient['birthDate']}): see https://a.example/Consent?name=Okapi"
    with ehr(resources, Consent=refuse("patient", words)) as server:
        shown = doctor(server.url, "--format", "json").stdout + doctor(server.url).stdout
    for secret in (NAME, "Quagga", NUMBER, CHILD, patient["birthDate"], "Okapi"):
        assert secret.lower() not in shown.lower(), secret
    assert "Creatinine of …" in shown and "Patient …: see …" in shown


WHO = "Kim Minjun, MRN 00412345, born 2015-03-04, of 12 Long Street"


@pytest.mark.parametrize("status", [200, 403, 404, 500])
@pytest.mark.parametrize(("words", "told"), [
    (f"You are not authorized to read data of {WHO}", "You are not authorized to read data of …"),
    (f"{WHO}", None),
    (f"No access to record http://ehr.example/Patient/00412345 ({WHO})", "No access to record …"),
])  # fmt: skip
def test_a_server_that_names_the_patient_is_not_repeated(status, words, told):
    """Also where the patient cannot be read, so that nobody told what the patient is called."""
    here = answering(status, outcome("forbidden", words)) if status != 200 else None
    odd = {"Consent": refuse("patient", words)} | ({"Patient": here} if here else {})
    strange = observation("o1", {"system": LOCAL, "code": "BL1", "display": "Kim Minjun"}, valueQuantity={"value": 1, "unit": "Minjun"})
    resources = chart(strange)
    (patient,) = (r for r in resources if r["resourceType"] == "Patient")
    patient |= {"name": [{"family": "Kim", "given": ["Minjun"]}]}
    with ehr(resources, **odd) as server:
        as_data, text = doctor(server.url, "--format", "json").stdout, doctor(server.url).stdout
    for secret in ("Kim", "Minjun", "00412345", "2015-03-04", "Long Street", CHILD):
        assert secret not in as_data and secret not in text, secret
    assert [a["said"] for a in search(json.loads(as_data), "consents")["asked"]] == [[told] if told else []]


def test_a_closed_door_without_a_token_asks_for_one(monkeypatch):
    for token, words in ((None, "Set FHIR_TOKEN"), (TOKEN, "Ask for the scope")):
        monkeypatch.delenv("FHIR_TOKEN", raising=False)
        if token:
            monkeypatch.setenv("FHIR_TOKEN", token)
        with ehr(Procedure=answering(401, {})) as server:
            told = diagnosed(server.url)
        assert words in advice_on(told, "procedures: ") and ("this token" in advice_on(told, "procedures: ")) is bool(token)
