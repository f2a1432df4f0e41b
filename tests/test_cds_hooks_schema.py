"""The judge of calls and feedback can say no: each invariant of CDS Hooks (2.17 of our notes), broken once."""

from __future__ import annotations

import pytest

from cds_hooks_schema import check_feedback, check_request
from hook_calls import EHR, HOOK_INSTANCE, TOKEN

CALL = {"hook": "patient-view", "hookInstance": HOOK_INSTANCE, "context": {"userId": "Practitioner/1", "patientId": "c"},
        "fhirServer": EHR, "fhirAuthorization": {**TOKEN, "patient": "c"}, "prefetch": {"a": None, "b": {"resourceType": "Bundle"}}}  # fmt: skip
REASON = {"code": "patient-ineligible", "system": "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes"}
ENTRY = {"card": HOOK_INSTANCE, "outcome": "overridden", "outcomeTimestamp": "2025-09-01T10:00:00Z", "overrideReason": {"reason": REASON}}


@pytest.mark.parametrize("change", [
    {"hook": 5}, {"hookInstance": "x"}, {"context": {}}, {"fhirServer": None}, {"prefetch": {"a": "text"}}, {"prefetch": {"a": {}}},
    {"fhirAuthorization": {"access_token": "t"}}, {"fhirAuthorization": {**TOKEN, "token_type": "MAC"}}, {"fhirAuthorization": {**TOKEN, "patient": "other"}},
    {"context": {"userId": "1", "patientId": "c"}}, {"hook": "order-sign"}, {"hook": "encounter-start"},
], ids=repr)  # fmt: skip
def test_a_call_that_is_not_by_the_book(change):
    check_request(CALL)
    with pytest.raises(AssertionError):
        check_request({name: value for name, value in {**CALL, **change}.items() if value is not None})


@pytest.mark.parametrize("change", [
    {"card": "x"}, {"outcome": "ignored"}, {"outcome": "accepted"}, {"outcome": "accepted", "acceptedSuggestions": []}, {"overrideReason": {}},
    {"overrideReason": {"reason": {"code": "x"}}}, {"overrideReason": {"userComment": ""}}, {"outcomeTimestamp": "2025-09-01"}, {"outcomeTimestamp": None},
], ids=repr)  # fmt: skip
def test_feedback_that_is_not_by_the_book(change):
    check_feedback({"feedback": [ENTRY]})
    with pytest.raises(AssertionError):
        check_feedback({"feedback": [{name: value for name, value in {**ENTRY, **change}.items() if value is not None}]})
