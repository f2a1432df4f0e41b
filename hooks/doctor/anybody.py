"""A patient to ask about, where the person at the terminal named none."""

from __future__ import annotations

from collections.abc import Callable

from fhir_mappings import codelists
from fhir_mappings.code_systems import ICD_10_CM, SNOMED, is_category
from fhir_mappings.diagnoses import LEUKAEMIA
from fhir_mappings.subject import subject_of
from hooks.deadline import Deadline
from hooks.fhir_server import FhirServer


def somebody(connect: Callable[[Deadline], FhirServer], wait: float) -> str | None:
    """A patient to ask about: one with leukaemia if the server can be asked for that, else any."""
    codes = [c for system in (SNOMED, ICD_10_CM) for concept in LEUKAEMIA for c in _searchable(concept, system)]
    questions = (("Condition", (("code", ",".join(dict.fromkeys(codes))), ("_count", "1"))), ("Patient", (("_count", "1"),)))
    for kind, params in questions:
        with connect(Deadline.after(wait)) as server:
            for resource in server.search(kind, params).resources:
                kind_of_subject, _, identity = (subject_of(resource) or "").rpartition("/")
                if kind_of_subject == "Patient" and identity:
                    return identity
    return None


def _searchable(concept: str, system: str) -> list[str]:
    codes = codelists.in_use().lookup
    decided = {where: {s.concept for s in said if s.decides} for where, said in codes.items()}
    return sorted(code for (of, code), concepts in decided.items() if of == system and concept in concepts and not is_category(code))
