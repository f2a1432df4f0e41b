"""Recorded answers of the Epic and Oracle Health sandboxes, read as if they had just come over the wire.

The folder is named by SANDBOX_RECORDINGS. The recordings are the vendors' own test patients (project "The Map",
CC BY 4.0) and are not copied into this project.
"""

from __future__ import annotations

import json
import os
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from fhir_mappings.record import Outcome
from hooks.fhir_json import parse
from hooks.paging import next_link, read_bundle

FOLDER = os.environ.get("SANDBOX_RECORDINGS")
WITHHELD = "the FHIR server withheld some results"

pytestmark = pytest.mark.skipif(not FOLDER, reason="SANDBOX_RECORDINGS names no folder with recorded answers")


def recording(name: str) -> dict:
    return parse("application/json", (Path(FOLDER) / name).read_bytes())


def recordings() -> list[str]:
    return sorted(str(path.relative_to(FOLDER)) for path in Path(FOLDER).glob("*/*.json")) if FOLDER else []


def resource_type(recorded: dict) -> str:
    return urlsplit(recorded["_request"]["url"]).path.rsplit("/", 1)[-1]


@pytest.mark.parametrize("name", recordings())
def test_every_recording_is_read(name):
    recorded = recording(name)
    body = recorded.get("body", recorded)
    searched = resource_type(recorded) if "_request" in recorded else "Observation"
    page = read_bundle(body, searched)
    assert page.rejected == ()
    assert {entry["resourceType"] for entry in page.entries} <= {searched}
    if body.get("resourceType") != "Bundle":  # a single resource, an error, or a page of HTML
        assert page.entries == () and page.verdict.outcome is Outcome.FAILED
        return
    matches = [entry for entry in body["entry"] if entry["search"]["mode"] == "match"]
    assert len(page.entries) == len(matches)


@pytest.mark.parametrize("name", ["epic/observation-lab.json", "epic/condition-health-concern.json",
                                  "epic/procedure.json"])
def test_epic_empty_because_withheld_is_not_nothing_found(name):
    page = read_bundle(recording(name)["body"], resource_type(recording(name)))
    assert page.entries == ()
    assert (page.verdict.outcome, page.verdict.why) == (Outcome.PARTIAL, WITHHELD)


def test_epic_withholds_something_from_every_recorded_search():
    """The open sandbox app lacks the scopes for outside records, so not one of these searches proves an absence."""
    searches = [recording(name) for name in recordings() if name.startswith("epic/")]
    pages = [read_bundle(each["body"], resource_type(each)) for each in searches
             if each.get("body", {}).get("resourceType") == "Bundle"]
    assert len(pages) > 20
    assert {page.verdict.why for page in pages} == {WITHHELD}


def test_epic_bad_search_is_refused_and_its_ignored_parameter_is_not_the_reason():
    recorded = recording("epic/error-search-with-unsupported-param.json")
    verdict = read_bundle(recorded["body"], "Patient").verdict
    assert recorded["_request"]["status"] == 400
    assert verdict.why == "the FHIR server reported an error"


def test_epic_next_carries_a_session_instead_of_our_parameters_and_total_is_the_page_size():
    recorded = recording("epic/observation-vital-signs-paginated-with-total-2026-05-02.json")["page_count_5"]
    assert recorded["bundle_total"] == recorded["entry_count"] == 5
    target = next_link({"link": recorded["link_relations"]}, recorded["url"])
    assert target.partition("?")[2].startswith("sessionID=")


@pytest.mark.parametrize("name", ["cerner/observation-lab-12724066.json", "cerner/medicationrequest-12742399.json"])
def test_oracle_sends_no_total_and_a_next_with_an_opaque_context(name):
    recorded = recording(name)
    assert "total" not in recorded["body"]
    assert "-pageContext=" in next_link(recorded["body"], recorded["_request"]["url"])
    assert read_bundle(recorded["body"], resource_type(recorded)).verdict.outcome is Outcome.ANSWERED


def test_oracle_creatinine_keeps_its_digits_and_its_unit_text_differs_from_the_code():
    page = read_bundle(recording("cerner/observation-lab-12724066.json")["body"], "Observation")
    quantities = [entry["valueQuantity"] for entry in page.entries if "mcmol" in json.dumps(entry, default=str)]
    assert quantities and {quantity["code"] for quantity in quantities} == {"umol/L"}
    assert all(isinstance(quantity["value"], (int, Decimal)) for quantity in quantities)
