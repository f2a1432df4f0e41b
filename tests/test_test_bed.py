"""The test bed itself: a broken bed would let every other test pass or skip for the wrong reason."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import requests

import bystanders as ordinary_children
from recorded_sandboxes import fhir_base

GIRL = {
    "resourceType": "Bundle",
    "type": "collection",
    "entry": [
        {
            "fullUrl": "urn:uuid:0b0f9d5e-58a5-4d0f-8f3e-6a1b8f1f2a01",
            "resource": {"resourceType": "Patient", "id": "bed-girl", "gender": "female", "birthDate": "2016-03"},
        },
        {
            "resource": {
                "resourceType": "Observation",
                "status": "final",
                "code": {"coding": [{"system": "http://loinc.org", "code": "2160-0"}]},
                "subject": {"reference": "urn:uuid:0b0f9d5e-58a5-4d0f-8f3e-6a1b8f1f2a01"},
                "effectiveDateTime": "2025-08-28",
                "valueQuantity": {"value": Decimal("0.45"), "unit": "mg/dL"},
            }
        },
    ],
}


def creatinine(server: Any) -> dict[str, Any]:
    found = server.get("Observation?patient=bed-girl&code=http://loinc.org|2160-0")
    return found["entry"][0]["resource"]


def test_the_server_introduces_itself(fhir_server):
    assert fhir_server.get("metadata")["fhirVersion"].startswith("4.0")


def test_what_is_loaded_is_found(fhir_server):
    patient, observation = fhir_server.load(GIRL)
    assert patient == "Patient/bed-girl"
    found = creatinine(fhir_server)
    assert f"Observation/{found['id']}" == observation
    assert found["subject"]["reference"] == patient
    assert found["valueQuantity"]["value"] == Decimal("0.45")


def test_references_can_be_absolute(absolute_fhir_server):
    absolute_fhir_server.load(GIRL)
    subject = creatinine(absolute_fhir_server)["subject"]["reference"]
    assert subject == f"{absolute_fhir_server.base_url}/Patient/bed-girl"


def test_pages_lead_on_to_the_same_server(fhir_server, bystanders):
    page = fhir_server.get(f"Observation?patient={bystanders[0]}&_count=5")
    following = next(link["url"] for link in page["link"] if link["relation"] == "next")
    assert following.startswith(fhir_server.base_url)
    assert fhir_server.get(following)["entry"]


def test_a_broken_resource_is_refused_unless_asked_for(fhir_server, start_fhir_server):
    broken = {"entry": [{"resource": {"resourceType": "Patient", "id": "bed-broken", "birthDate": "next spring"}}]}
    with pytest.raises(AssertionError, match="400"):
        fhir_server.load(broken)
    lenient = start_fhir_server(validation="off")
    assert lenient.load(broken) == ("Patient/bed-broken",)


def test_there_are_bystanders_of_the_right_age(fhir_server, bystanders):
    assert len(set(bystanders)) >= 20
    assert fhir_server.get("Condition?_summary=count")["total"] > 100
    for patient_id in bystanders:
        born = date.fromisoformat(fhir_server.get(f"Patient/{patient_id}")["birthDate"])
        assert 1 <= (ordinary_children.AS_OF - born).days / 365.25 < 22


def test_no_bystander_has_leukaemia(bystander_files):
    for file in bystander_files:
        for condition in ordinary_children.of_type(ordinary_children.read_bystander(file), "Condition"):
            assert "leuk" not in json.dumps(condition["code"]).lower(), file.name


def test_recordings_are_read(recordings):
    counted = Counter(recording.vendor for recording in recordings)
    assert counted["epic"] >= 30 and counted["cerner"] >= 15
    assert {recording.status for recording in recordings} >= {200, 400, 404}
    assert any(isinstance(recording.body, str) for recording in recordings), "the HTML page of a 404 is missing"


def test_recordings_are_replayed_as_they_were(recordings, replay):
    bases = {vendor: replay(vendor) for vendor in {recording.vendor for recording in recordings}}
    seen = set()
    for vendor, name, request, status, body in recordings:
        if request in seen:
            continue  # asked twice on different days; the first recording is the one replayed
        seen.add(request)
        answer = requests.get(request.replace(fhir_base(request), bases[vendor]), timeout=10)
        assert answer.status_code == status, name
        assert (answer.text if isinstance(body, str) else answer.json(parse_float=Decimal)) == body, name


def test_what_was_not_recorded_says_so(replay):
    answer = requests.get(f"{replay('epic')}/Patient/nobody", timeout=10)
    assert answer.status_code == 404
    assert "was not recorded" in answer.json()["issue"][0]["diagnostics"]
