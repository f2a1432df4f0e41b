"""Validation of the selected few with `fhir.resources` (R4B), one by one: a rejected resource is named, never lost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fhir.resources.R4B.allergyintolerance import AllergyIntolerance
from fhir.resources.R4B.condition import Condition
from fhir.resources.R4B.consent import Consent
from fhir.resources.R4B.medicationadministration import MedicationAdministration
from fhir.resources.R4B.medicationrequest import MedicationRequest
from fhir.resources.R4B.medicationstatement import MedicationStatement
from fhir.resources.R4B.observation import Observation
from fhir.resources.R4B.patient import Patient
from fhir.resources.R4B.procedure import Procedure
from fhir.resources.R4B.questionnaireresponse import QuestionnaireResponse
from fhir.resources.R4B.researchsubject import ResearchSubject
from pydantic import ValidationError

from fhir_mappings.plain import is_plain
from fhir_mappings.record import Resource

MODELS: Mapping[str, Any] = {
    model.get_resource_type(): model
    for model in (Patient, Condition, Observation, Procedure, MedicationAdministration, MedicationStatement, MedicationRequest,
                  AllergyIntolerance, Consent, QuestionnaireResponse, ResearchSubject)
}

Check = Callable[[Resource], str | None]
"""Gives None for a valid resource, else what is wrong in words that quote no patient data."""


def validated(resource: Resource) -> str | None:
    model = MODELS.get(str(resource.get("resourceType")))
    if model is None:
        return "a resource type that is not read"
    if is_plain(resource, model):
        return None
    try:
        model.model_validate(resource)
    except ValidationError as invalid:
        first = invalid.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"] if isinstance(part, int) or str(part).isidentifier())
        return f"not valid FHIR R4 ({where or 'the whole resource'}: {first['type'].replace('_', ' ')})"
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
        return "not valid FHIR R4"
    return None
