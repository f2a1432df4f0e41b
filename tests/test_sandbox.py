"""The service against a public FHIR server, or any other that FHIR_SANDBOX names: real patients of a test system.

Nobody knows what such a server holds today, or whether it is up. What must hold all the same: every patient gets a
valid answer, or a 412 that says what could not be had. Skipped, saying so, while FHIR_SANDBOX is not set.
"""

from __future__ import annotations

import json
import os

import pytest
import requests
from werkzeug.test import TestResponse

from command_line import run
from hook_calls import HOOK_INSTANCE, client, refusal, tell
from hooks.fhir_address import normalised_base

pytestmark = pytest.mark.sandbox
PATIENTS = 5
PATIENCE = 60  # seconds per patient; these servers are often slow


@pytest.fixture(scope="module")
def base_url() -> str:
    named = os.environ["FHIR_SANDBOX"]
    base = normalised_base(named)
    assert base, f"FHIR_SANDBOX is no FHIR base URL: {named}"
    return base


@pytest.fixture(scope="module")
def patients(base_url: str) -> list[str]:
    """The ids of the first few patients; a server that gives none cannot be tested against."""
    try:
        answer = requests.get(f"{base_url}/Patient?_count={PATIENTS}", headers={"Accept": "application/fhir+json"}, timeout=PATIENCE)
        entries = answer.json().get("entry", []) if answer.status_code == 200 else []
    except (requests.RequestException, ValueError):
        entries = []
    found = [e["resource"]["id"] for e in entries if e["resource"]["resourceType"] == "Patient"]
    if not found:
        pytest.skip(f"{base_url} gave no patients, so there was nobody to judge")
    return found[:PATIENTS]


@pytest.fixture(scope="module")
def answers(base_url: str, patients: list[str]) -> dict[str, TestResponse]:
    service = client(fhir_servers=(base_url,), fetch_seconds=PATIENCE, dev=True)
    told = {}
    for patient_id in patients:
        context = {"userId": "Practitioner/sandbox", "patientId": patient_id}
        call = {"hook": "patient-view", "hookInstance": HOOK_INSTANCE, "context": context, "fhirServer": base_url}
        told[patient_id] = tell(service, call)  # valid, whatever it says
    return told


def test_every_patient_is_answered_or_said_to_be_out_of_reach(answers):
    for patient_id, answer in answers.items():
        assert answer.status_code in (200, 412), (patient_id, answer.text[:500])
        if answer.status_code == 412:
            assert refusal(answer).startswith(("patient: ", "conditions: "))


def test_the_command_line_says_the_same(base_url, answers):
    for patient_id, answer in answers.items():
        result = run("assess", patient_id, "--fhir-base", base_url, "--format", "cards", "--as-of", "2025-09-01")
        if answer.status_code == 200 and result.exit_code == 0:  # it may have gone down in between
            assert len(json.loads(result.stdout)["cards"]) == len(answer.json["cards"])
