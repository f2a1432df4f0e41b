"""The tests that can be ordered for an open fact, as draft ServiceRequests with a LOINC code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fhir_mappings import codelists
from fhir_mappings.code_systems import LOINC

TESTS: Mapping[str, str] = {  # an open fact of a protocol, and the one test a clinician would order for it
    "creatinine": "2160-0",
    "direct bilirubin": "1968-7",
    "echocardiogram": "18043-0",
    "HIV test": "56888-1",
    "pregnancy test": "2118-8",
    "BCR::ABL1": "21821-4",
}


def service_request(fact: str, patient: str) -> dict[str, Any] | None:
    """A draft for a person to look at and sign; None where no single test settles the fact."""
    code = TESTS.get(fact)
    if code is None:
        return None
    display = codelists.label(LOINC, code) or fact
    return {
        "resourceType": "ServiceRequest",
        "status": "draft",
        "intent": "proposal",
        "code": {"coding": [{"system": LOINC, "code": code, "display": display}], "text": fact},
        "subject": {"reference": patient},
    }
