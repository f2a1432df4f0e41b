"""Whose resource is this? References come relative, absolute, versioned, or as the full URL of a Bundle entry."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from fhir_mappings.members import each, text
from fhir_mappings.record import Resource

Others = Mapping[str, Resource]
"""Resources that others refer to, by `Type/id`."""

_PATIENT = re.compile(r"Patient/[^/?#]")
SUBJECT_ELEMENTS = ("subject", "patient", "individual")


def names(patient_id: str, full_urls: Iterable[str] = ()) -> frozenset[str]:
    """Every way a reference may name this patient."""
    return frozenset({f"Patient/{patient_id}", *full_urls})


def subject_of(resource: Resource) -> str | None:
    """The patient a resource is about, as `Patient/id` (or the reference as written); None when it names nobody."""
    if resource.get("resourceType") == "Patient":
        return f"Patient/{resource.get('id')}" if isinstance(resource.get("id"), str) else None
    for element in SUBJECT_ELEMENTS:
        value = resource.get(element)
        if isinstance(value, dict) and (reference := text(value.get("reference"))):
            return normal(reference)
    return None


def normal(reference: str) -> str:
    """`Patient/123` out of relative, absolute and versioned references; anything else stays as it is.

    >>> normal("https://ehr.example/fhir/Patient/123/_history/2")
    'Patient/123'
    """
    if reference.startswith("Patient/") and reference.count("/") == 1:
        return reference  # nearly every one
    parts = reference.split("/_history/")[0].rstrip("/").split("/")
    return f"Patient/{parts[-1]}" if len(parts) > 1 and parts[-2] == "Patient" else reference


def is_about(resource: Resource, patient: frozenset[str]) -> bool | None:
    """True, or False where it names another Patient; None when a clinical resource names no patient, or is of a kind that has
    none. An address that leads to nobody (`urn:uuid:…` of no entry, `Group/1`, `#p`) may be this child's."""
    subject = subject_of(resource)
    if subject is None:
        return None
    return subject in patient or (False if _PATIENT.match(subject) else None)


def target(resource: Resource, element: str) -> str | None:
    """What an element refers to, as `Type/id`, whether written relative, absolute or versioned; `#id` when contained."""
    value = resource.get(element)
    written = value.get("reference") if isinstance(value, dict) else None
    if not isinstance(written, str):
        return None
    return written if written.startswith("#") else "/".join(written.split("/_history/")[0].split("/")[-2:])


def contained(resource: Resource, reference: str | None) -> Resource | None:
    return next((c for c in each(resource.get("contained")) if reference == f"#{c.get('id')}"), None)


def referred(resource: Resource, element: str, others: Others) -> Resource | None:
    """The resource an element refers to, if it came along."""
    reference = target(resource, element)
    return contained(resource, reference) or others.get(str(reference))


def is_readable(resource: Resource, element: str, told_otherwise: bool, others: Others) -> bool:
    """False for a resource that says what matters only by a reference to something that did not come along."""
    return told_otherwise or target(resource, element) is None or referred(resource, element, others) is not None


def reference_of(resource: Resource) -> str:
    kind, identity = resource.get("resourceType"), resource.get("id")
    return f"{kind}/{identity}" if isinstance(identity, str) else f"{kind} without id"
