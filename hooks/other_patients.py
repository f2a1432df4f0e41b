"""One child's card must never be made of another's data: a call that holds any is refused, wherever in it they hide."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fhir_mappings.record import Resource
from fhir_mappings.subject import is_about, names, subject_of
from hooks.problem import Problem

_HOLDERS = (dict, list)


def refuse_other_patients(value: Any, patient_id: str, member: str) -> None:
    """Raise Problem(400) if any resource in this member of the call is another patient's."""
    patient = names(patient_id)
    for resource in _resources(value):
        if str(subject_of(resource)).startswith("Patient/") and not is_about(resource, patient):
            raise Problem(400, f"{member}: holds data of another patient than context.patientId")


def nobody_else_in(body: bytes, prefetch: Mapping[str, Any], patient_id: str) -> bool:
    """True only if the text of a call names no other patient; False says nothing. A large chart has thousands of places to
    look into, and this looks at none of them: no resource can be another's if every `Patient/` in the text is followed by
    this id, and the one Patient is this one.
    """
    if b"\\u" in body or b"\\/" in body:  # a name may be spelt so that it is not seen
        return False
    if body.count(b"Patient/") != body.count(f'Patient/{patient_id}"'.encode()):
        return False
    patient = prefetch.get("patient")
    own = isinstance(patient, dict) and patient.get("resourceType") == "Patient" and patient.get("id") == patient_id
    return body.count(b'"Patient"') == own


def _resources(value: Any) -> Iterator[Resource]:
    """Every resource in a value, wherever it hides: in a Bundle, a list, an old wrapper. Contained ones have no patient of
    their own."""
    unseen = [value]
    while unseen:
        found = unseen.pop()
        if isinstance(found, dict):
            if isinstance(found.get("resourceType"), str):
                yield found
            for key, inner in found.items():  # a large chart has thousands of these, in every call
                if isinstance(inner, _HOLDERS) and key != "contained":
                    unseen.append(inner)
        elif isinstance(found, list):
            unseen += found
