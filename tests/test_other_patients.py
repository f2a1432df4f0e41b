"""The short look at a call's text never overlooks another patient whom the long look through its values would find."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hooks.other_patients import nobody_else_in, refuse_other_patients
from hooks.problem import Problem

REFERENCES = ["Patient/1", "Patient/2", "Patient/12", "https://ehr.example/fhir/Patient/1", "https://ehr.example/fhir/Patient/2", "Patient/1/_history/3", "Patient/2/_history/1",
              "Patient/2/Patient/1", "Patient/1/Patient/2", "Patient//2", 'Patient/1"', "Patient/1\\", "patient/2", "Group/2", "urn:uuid:2", "", "Patient/", "Pati\u0065nt/2"]  # fmt: skip
HOLDERS = st.sampled_from(["subject", "patient", "individual", "performer", "x"])
RESOURCES = st.recursive(
    st.fixed_dictionaries({"resourceType": st.sampled_from(["Observation", "Patient", "Bundle", 5])}, optional={"id": st.sampled_from(["1", "2", 1])}),
    lambda inner: st.builds(
        lambda kind, holder, reference, key, more: {"resourceType": kind, holder: {"reference": reference, "type": "Patient"}, key: more},
        st.sampled_from(["Observation", "Condition"]), HOLDERS, st.sampled_from(REFERENCES), st.sampled_from(["contained", "entry", "resource", "x"]), st.lists(inner, max_size=2),
    ),
    max_leaves=5,
)  # fmt: skip
SPELT = [lambda text: text, lambda text: text.replace("/", "\\/"), lambda text: text.replace("P", "\\u0050"), lambda text: text.replace(":", " : ")]


def is_refused(prefetch) -> bool:
    try:
        refuse_other_patients(prefetch, "1", "prefetch")
    except Problem:
        return True
    return False


@settings(max_examples=600)
@given(st.dictionaries(st.sampled_from(["patient", "conditions", "laboratory"]), RESOURCES | st.none(), max_size=3), st.sampled_from(SPELT))
def test_whom_the_long_look_finds_the_short_one_does_not_overlook(prefetch, spelt):
    if nobody_else_in(spelt(json.dumps({"prefetch": prefetch})).encode(), prefetch, "1"):
        assert not is_refused(prefetch)


CHILD = {"resourceType": "Patient", "id": "1"}
RESULT = {"resourceType": "Observation", "subject": {"reference": "Patient/1"}}


@pytest.mark.parametrize("prefetch", [{}, {"patient": CHILD}, {"patient": CHILD, "laboratory": {"resourceType": "Bundle", "entry": [{"resource": RESULT}]}}], ids=str)
def test_an_ordinary_call_needs_no_long_look(prefetch):
    assert nobody_else_in(json.dumps({"context": {"patientId": "1"}, "prefetch": prefetch}).encode(), prefetch, "1")


@pytest.mark.parametrize("prefetch", [
    {"patient": {**CHILD, "id": "2"}}, {"conditions": CHILD}, {"patient": CHILD, "x": [{"resourceType": "Patient", "id": "2"}]}, {"laboratory": {**RESULT, "subject": {"reference": "Patient/2"}}},
    {"laboratory": {**RESULT, "subject": {"reference": "Patient/1/_history/2"}}}, {"laboratory": {**RESULT, "subject": {"reference": "Patient/11"}}},
], ids=str)  # fmt: skip
def test_whatever_is_not_ordinary_does(prefetch):
    assert not nobody_else_in(json.dumps({"prefetch": prefetch}).encode(), prefetch, "1")
