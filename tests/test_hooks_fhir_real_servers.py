"""What real servers said, and say: the recorded Epic and Oracle Health sandboxes, and a FHIR server that runs here."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from fhir_mappings.record import Answer, Outcome
from hooks.deadline import Deadline
from hooks.fhir_server import FhirServer
from hooks.paging import next_link, read_bundle
from recorded_sandboxes import Recording

WITHHELD = "the FHIR server withheld some results"


def resource_type(recording: Recording) -> str:
    return urlsplit(recording.request).path.rsplit("/", 1)[-1]


def is_search_result(recording: Recording) -> bool:
    return isinstance(recording.body, dict) and recording.body.get("resourceType") == "Bundle"


def search(base_url: str, recording: Recording) -> Answer:
    with FhirServer(base_url, deadline=Deadline.after(20)) as server:
        return server.search(resource_type(recording), parse_qsl(urlsplit(recording.request).query))


@pytest.fixture
def recorded(recordings):
    by_name = {(each.vendor, each.name): each for each in recordings}
    return lambda vendor, name: by_name[vendor, name]


def test_every_recording_is_read(recordings):
    for each in recordings:
        page = read_bundle(each.body, resource_type(each))
        assert page.rejected == (), each.name
        if is_search_result(each):
            matches = [entry for entry in each.body["entry"] if entry["search"]["mode"] == "match"]
            assert len(page.entries) == len(matches), each.name
        else:  # a single resource, an error, or a page of HTML
            assert page.entries == () and page.verdict.outcome is Outcome.FAILED, each.name


@pytest.mark.parametrize("vendor", ["epic", "cerner"])
def test_every_recorded_search_is_answered_over_the_wire(recordings, replay, vendor):
    base_url = replay(vendor)
    for each in recordings:
        if each.vendor == vendor and is_search_result(each):
            answer = search(base_url, each)
            assert answer.resources == read_bundle(each.body, resource_type(each)).entries, each.name


@pytest.mark.parametrize("name", ["observation-lab", "condition-health-concern", "procedure"])
def test_epic_empty_because_withheld_is_not_nothing_found(recorded, replay, name):
    assert search(replay("epic"), recorded("epic", name)) == Answer(Outcome.PARTIAL, why=WITHHELD)


def test_epic_withholds_something_from_every_recorded_search(recordings):
    """The sandbox app lacks the scopes for outside records, so not one of these searches proves an absence."""
    found = [read_bundle(each.body, resource_type(each)) for each in recordings
             if each.vendor == "epic" and is_search_result(each)]
    assert len(found) > 20
    assert {page.verdict.why for page in found} == {WITHHELD}


@pytest.mark.parametrize(("vendor", "why"), [("epic", "the FHIR server answered 400"),
                                             ("cerner", "the FHIR server answered 400")])
def test_a_bad_search_is_refused(recorded, replay, vendor, why):
    assert search(replay(vendor), recorded(vendor, "error-search-with-unsupported-param")).why == why


def test_epic_answers_an_unknown_type_with_a_web_page(recorded, replay):
    unknown = recorded("epic", "error-request-unsupported-resource-type")
    assert unknown.body.startswith("<")
    assert search(replay("epic"), unknown).why == "the FHIR server does not keep this kind of record"


@pytest.mark.parametrize("vendor", ["epic", "cerner"])
def test_a_patient_who_is_not_there_is_not_found(recorded, replay, vendor):
    patient_id = resource_type(recorded(vendor, "error-404-on-nonexistent-patient-id"))  # the last part of the path
    with FhirServer(replay(vendor), deadline=Deadline.after(20)) as server:
        assert server.read("Patient", patient_id) == Answer(Outcome.FAILED, why="not found")


@pytest.mark.parametrize("name", ["observation-lab-12724066", "medicationrequest-12742399"])
def test_oracle_sends_no_total_and_a_next_with_an_opaque_context(recorded, replay, name):
    page = recorded("cerner", name)
    assert "total" not in page.body
    assert "-pageContext=" in next_link(page.body, page.request)
    assert search(replay("cerner"), page).why == "the next page is on another server"  # it leads from here to Oracle


def test_oracle_creatinine_keeps_its_digits_and_its_unit_text_differs_from_the_code(recorded):
    page = read_bundle(recorded("cerner", "observation-lab-12724066").body, "Observation")
    quantities = [entry["valueQuantity"] for entry in page.entries if "valueQuantity" in entry]
    molar = [quantity for quantity in quantities if quantity.get("unit") == "mcmol/L"]
    assert molar and {quantity["code"] for quantity in molar} == {"umol/L"}
    assert all(isinstance(quantity["value"], (int, Decimal)) for quantity in molar)


def test_a_running_server_is_read_page_by_page(fhir_server: Any):
    weights = [{"resource": {
        "resourceType": "Observation", "id": f"page-weight-{number}", "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
        "subject": {"reference": "Patient/page-boy"},
        "valueQuantity": {"value": Decimal("10.50"), "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"},
    }} for number in range(5)]
    boy = {"resource": {"resourceType": "Patient", "id": "page-boy", "gender": "male"}}
    fhir_server.load({"resourceType": "Bundle", "type": "collection", "entry": [boy, *weights]})
    with FhirServer(fhir_server.base_url, deadline=Deadline.after(60)) as server:
        answer = server.search("Observation", [("patient", "page-boy"), ("code", "29463-7"), ("_count", "2")])
        assert (answer.outcome, len(answer.resources)) == (Outcome.ANSWERED, 5)
        assert server.read("Patient", "page-boy").complete
        assert server.read("Patient", "page-girl").why == "not found"
