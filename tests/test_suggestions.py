"""Suggestions: a draft request for a missing or stale test that would settle a criterion. It is offered, never written."""

from __future__ import annotations

import pytest
from fhir.resources.R4B.servicerequest import ServiceRequest

from cds.trials import NCT05827549
from fhir_mappings import codelists
from fhir_mappings.code_systems import LOINC
from fhir_mappings.requestable import TESTS, service_request
from hook_calls import RELAPSED, Chart, assessment, client, tell

CONCEPTS = {  # the concept that a result of the requested test would state, so that it is read when it comes back
    "creatinine": "creatinine_serum_mass", "direct bilirubin": "bilirubin_direct_mass", "echocardiogram": "lvef_echo",
    "HIV test": "hiv_test", "pregnancy test": "hcg_serum_qualitative", "BCR::ABL1": "bcr_abl1_result",
}  # fmt: skip


def offered(chart_id, **settings):
    chart = Chart(chart_id)
    answer = tell(client(**settings), chart.call(chart.prefetch()))
    (card,) = answer.json["cards"]
    return card, {s["actions"][0]["resource"]["code"]["text"] for s in card.get("suggestions", ())}


@pytest.mark.parametrize(("child", "tests"), [
    ("stale-creatinine", {"creatinine"}), ("missing-echo", {"echocardiogram"}), ("high-creatinine", {"creatinine"}),
    ("screening-complete", set()), ("ph-positive", set()), ("discordant-heart", set()),
])  # fmt: skip
def test_the_missing_test_is_offered(child, tests):
    assert offered(child)[1] == tests


@pytest.mark.parametrize("child", RELAPSED)
def test_every_suggestion_is_a_draft_for_this_child(child):
    card, _ = offered(child)
    for suggestion in card.get("suggestions", ()):
        (action,) = suggestion["actions"]  # Epic takes one action for each
        assert (suggestion["isRecommended"], action["type"]) == (False, "create")
        request = action["resource"]
        assert (request["resourceType"], request["status"], request["intent"]) == ("ServiceRequest", "draft", "proposal")
        assert request["subject"] == {"reference": f"Patient/{child}"}
        ServiceRequest.model_validate(request)
        criteria = {c["id"]: c for c in card["extension"]["org.relapse-cds.assessment"]["criteria"]}
        assert any(id in suggestion["label"] for id in criteria)
    uuids = [s["uuid"] for s in card.get("suggestions", ())]
    assert len(set(uuids)) == len(uuids)


def test_a_client_may_want_none():
    card, tests = offered("missing-echo", suggestions=False)
    assert tests == set() and "selectionBehavior" not in card


@pytest.mark.parametrize("fact", TESTS)
def test_a_requested_test_answers_the_fact(fact):
    code = TESTS[fact]
    assert codelists.states({"coding": [{"system": LOINC, "code": code}]}, CONCEPTS[fact])
    assert fact in {open_fact.fact for open_fact in NCT05827549.open_facts}
    assert service_request(fact, "Patient/1")["code"]["coding"][0]["display"] != fact, "the codelist's own name of the test"


def test_no_request_for_what_no_test_answers():
    assert service_request("consent and assent", "Patient/1") is None


def test_a_pending_result_is_waited_for():
    chart = Chart("missing-echo")
    (found,) = [c for c in assessment(tell(client(), chart.call(chart.prefetch())))["criteria"] if c["id"] == "INC-08"]
    assert found["reason"] == "missing"
    echo = {"resourceType": "Observation", "id": "echo", "status": "registered", "subject": {"reference": f"Patient/{chart.id}"},
            "code": {"coding": [{"system": LOINC, "code": "18043-0"}]}, "effectiveDateTime": "2025-08-31"}  # fmt: skip
    chart.resources.append(echo)
    (card,) = tell(client(), chart.call(chart.prefetch())).json["cards"]
    assert "suggestions" not in card
