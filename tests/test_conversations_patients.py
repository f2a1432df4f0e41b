"""One child's card is never made of another child's data.

In a prefetch any resource of another child, under any key, ends the call: 400 and no card. A FHIR server that answers
with another child's data has failed at that search, which the log says loudly.
"""

from __future__ import annotations

from copy import deepcopy

import pytest
import structlog

from hook_calls import EHR, TOKEN, Chart, assessment, by_id, client, playing, refusal, tell, unanswered
from fhir_mappings.sources import SEARCHES

CHILD = "screening-complete"
OTHER_CREATININE = {
    "resourceType": "Observation", "id": "others", "status": "final", "effectiveDateTime": "2025-08-31",
    "code": {"coding": [{"system": "http://loinc.org", "code": "2160-0"}]},
    "valueQuantity": {"value": 9.9, "unit": "mg/dL", "system": "http://unitsofmeasure.org", "code": "mg/dL"},
}  # fmt: skip
OTHERS = {
    "relative": "Patient/other",
    "absolute": "https://ehr.example/fhir/Patient/other",
    "on another server": "https://elsewhere.example/r4/Patient/other",
    "versioned": "Patient/other/_history/2",
    "absolute and versioned": "https://ehr.example/fhir/Patient/other/_history/2",
    "a longer id": f"Patient/{CHILD}2",
    "another case": f"Patient/{CHILD.title()}",
    "an id in capitals": f"Patient/{CHILD.upper()}",
    "a prefix of the id": "Patient/screening",
}
every_other = pytest.mark.parametrize("reference", OTHERS.values(), ids=OTHERS)


def creatinine_of(reference, element="subject", **more):
    return {**OTHER_CREATININE, element: {"reference": reference}, **more}


def searchset(*resources):
    return {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": r, "search": {"mode": "match"}} for r in resources]}


def sent_with(key, value):
    chart = Chart(CHILD)
    return tell(client(), chart.call({**chart.prefetch(), key: value}))


def refused(answer):
    return answer.status_code == 400 and "another patient" in refusal(answer) and "other" not in refusal(answer).replace("another", "")


@every_other
@pytest.mark.parametrize("key", [*(s.name for s in SEARCHES if s.name != "patient"), "-user", "somethingElse"])
def test_another_child_in_a_search_result_ends_the_call(reference, key):
    chart = Chart(CHILD)
    value = deepcopy(chart.prefetch().get(key)) or searchset()
    value.setdefault("entry", []).append({"resource": creatinine_of(reference)})
    with playing(chart) as ehr:
        answer = tell(client(), chart.call({**chart.prefetch(), key: value}, fhirServer=EHR, fhirAuthorization=TOKEN))
    assert refused(answer) and ehr.asked == [], answer.text[:300]


@pytest.mark.parametrize("value", [
    {"resourceType": "Patient", "id": "other"},
    {"resourceType": "Patient", "id": CHILD.upper()},
    searchset({"resourceType": "Patient", "id": "other"}),
    creatinine_of("Patient/other"),
    {"resourceType": "AllergyIntolerance", "id": "a", "patient": {"reference": "Patient/other"}},
    {"resourceType": "RelatedPerson", "id": "m", "patient": {"reference": "Patient/other"}},
    {"resourceType": "ResearchSubject", "id": "r", "individual": {"reference": "Patient/other"}},
    searchset(creatinine_of(f"Patient/{CHILD}"), creatinine_of("Patient/other")),
    {**searchset(creatinine_of("Patient/other")), "type": "collection"},
    {"resourceType": "Bundle", "entry": [{"resource": creatinine_of("Patient/other"), "search": {"mode": "include"}}]},
], ids=lambda value: value["resourceType"])  # fmt: skip
@pytest.mark.parametrize("key", ["patient", "laboratory", "unheardOf"])
def test_another_child_in_any_shape_under_any_key_ends_the_call(key, value):
    assert refused(sent_with(key, value))


@pytest.mark.parametrize("value", [
    {"response": {"status": "200"}, "resource": searchset(creatinine_of("Patient/other"))},  # the wrapper of before 1.0
    [creatinine_of("Patient/other")],
    searchset(searchset(creatinine_of("Patient/other"))),
    searchset({"resourceType": "Parameters", "parameter": [{"name": "x", "resource": creatinine_of("Patient/other")}]}),
], ids=["wrapper", "list", "Bundle in a Bundle", "Parameters"])  # fmt: skip
@pytest.mark.parametrize("key", ["laboratory", "unheardOf"])
def test_another_child_hidden_inside_ends_the_call(key, value):
    """"Any resource of another child under any key": also where we would not have read it."""
    assert refused(sent_with(key, value))


@pytest.mark.parametrize("reference", [
    f"Patient/{CHILD}", f"{EHR}/Patient/{CHILD}", f"Patient/{CHILD}/_history/7", f"{EHR}/Patient/{CHILD}/_history/7",
])  # fmt: skip
def test_every_way_to_name_this_child_is_this_child(reference):
    chart = Chart(CHILD)
    prefetch = chart.prefetch()
    expected = assessment(tell(client(), chart.call(prefetch)))
    for key in set(prefetch) - {"patient"}:
        for entry in prefetch[key].get("entry", []):
            for element in {"subject", "individual", "patient"} & set(entry["resource"]):
                entry["resource"][element] = {"reference": reference}
    assert assessment(tell(client(), chart.call(prefetch))) == expected


@pytest.mark.parametrize("subject", [
    {"reference": "urn:uuid:0b0f9d5e-58a5-4d0f-8f3e-6a1b8f1f2a01"}, {"reference": "#p"}, {"reference": "Group/1"}, {"reference": ""},
    {"display": "the child"}, {"identifier": {"value": "INV-1"}}, {}, None,
])  # fmt: skip
def test_a_result_that_does_not_name_this_child_is_never_used(subject):
    """A clinical resource without subject is rejected, which is an issue; another child's it is not proven to be."""
    chart = Chart(CHILD)
    result = {**OTHER_CREATININE, "subject": subject} if subject is not None else OTHER_CREATININE
    prefetch = chart.prefetch()
    prefetch["laboratory"]["entry"].append({"resource": result})
    answer = tell(client(), chart.call(prefetch))
    if answer.status_code == 400:
        return
    found = assessment(answer)
    assert "9.9" not in by_id(found)["INC-06"]["words"]
    assert [issue["reference"] for issue in found["issues"]] == ["Observation/others"]


def test_a_token_of_another_child_ends_the_call():
    chart = Chart(CHILD)
    answer = tell(client(), chart.call(fhirServer=EHR, fhirAuthorization={**TOKEN, "patient": "asthma"}))
    assert answer.status_code == 400


# --- from the FHIR server -----------------------------------------------------------------------------------------------


def from_server(service, **also):
    """The card of a server that answers these searches with this child's results and another's among them."""
    chart = Chart(CHILD)
    with playing(chart) as ehr:
        for key, resource in also.items():
            kind = next(s.resource_type for s in SEARCHES if s.name == key)
            ehr.held.by_patient[kind, CHILD].append(resource)
            ehr.held.by_id[kind][resource["id"]] = resource
        with structlog.testing.capture_logs() as logs:
            return tell(service, chart.call(fhirServer=EHR, fhirAuthorization=TOKEN)), logs


@every_other
def test_a_server_that_mixes_children_has_failed_at_that_search(reference):
    answer, logs = from_server(client(), laboratory=creatinine_of(reference))
    found = assessment(answer)
    assert unanswered(found) == {"laboratory"}
    assert (by_id(found)["INC-06"]["truth"], by_id(found)["INC-06"]["reason"]) == ("unknown", "not_looked_up")
    assert [(log["event"], log["log_level"]) for log in logs if "patient" in log["event"]] == [("wrong_patient_from_fhir_server", "error")]
    assert reference not in str(logs) and CHILD not in str(logs)


def test_a_server_that_mixes_the_problem_lists_is_412():
    others = {"resourceType": "Condition", "id": "c", "subject": {"reference": "Patient/other"},
              "code": {"coding": [{"system": "http://snomed.info/sct", "code": "277571004"}]}}  # fmt: skip
    answer, _ = from_server(client(), conditions=others)
    assert answer.status_code == 412 and refusal(answer).startswith("conditions: ")


def test_a_server_that_answers_with_another_patient_is_412():
    chart = Chart(CHILD)
    with playing(chart) as ehr:
        ehr.held.by_id["Patient"][CHILD] = {"resourceType": "Patient", "id": "other", "birthDate": "2015-01-01"}
        answer = tell(client(), chart.call(fhirServer=EHR, fhirAuthorization=TOKEN))
    assert answer.status_code == 412 and refusal(answer).startswith("patient: ")
