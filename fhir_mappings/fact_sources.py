"""Fact by fact, where each comes from: which searches of a FHIR server, and which codelists.

The searches are found out, not listed: a fact comes from every search whose failure it notices.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import date

from cds.facts import PatientFacts
from fhir_mappings import codelists
from fhir_mappings.allergies import LIKELY, LISTED, NONE_KNOWN
from fhir_mappings.conditions import EVENTS
from fhir_mappings.diagnoses import LEUKAEMIA, SITES
from fhir_mappings.read import read_patient
from fhir_mappings.record import Answer, Outcome, Record
from fhir_mappings.sources import OBSERVED, SEARCHES
from fhir_mappings.treatments import DRUGS, THERAPIES

FACTS = tuple(f.name for f in fields(PatientFacts) if f.name not in ("patient", "as_of", "issues", "not_looked_up"))
"""In the order of the vocabulary."""

ALSO_SAID_BY = {  # what is found there counts, though its silence is not asked for
    "bcr_abl1": ("conditions",),  # a Philadelphia-positive diagnosis
}
SEVERAL = {  # facts that a reader of their own makes out of several codelists
    "diagnoses": (*LEUKAEMIA, *SITES, "relapse_ordinal_first", "relapse_ordinal_later"),
    "marrow_blasts": ("end_of_induction",),
    "mrd": ("mrd_limit_of_detection", "end_of_induction"),
    "doses": DRUGS,
    "taken": DRUGS,
    "first_line_start": ("first_line_treatment",),
    "first_line_end": ("first_line_treatment",),
    "bcr_abl1": ("ph_positive_all",),
    "allergies": (*LISTED, *LIKELY, *NONE_KNOWN, "related_drug_or_excipient", "drug_allergy_substance_not_stated"),
    "sex": ("sex_male", "sex_female"),
    **{therapy: (therapy,) for therapy in THERAPIES},
}


def searches_of() -> dict[str, tuple[str, ...]]:
    """The searches each fact needs, in the order they are made."""
    whole = _read(failed=None)
    noticed = {s.name: _read(failed=s.name) for s in SEARCHES}
    return {
        fact: tuple(s.name for s in SEARCHES
                    if getattr(noticed[s.name], fact) != getattr(whole, fact) or s.name in ALSO_SAID_BY.get(fact, ()))
        for fact in FACTS
    }  # fmt: skip


def codelists_of(fact: str) -> tuple[str, ...]:
    """The codelists that state this fact, or hint at it; none where its resources are read without any."""
    observed = (c for o in OBSERVED if o.fact == fact for c in (*o.concepts, *o.hints, *o.unsettled))
    events = (concept for concept, states in EVENTS.items() if states.fact == fact)
    return tuple(dict.fromkeys((*observed, *events, *SEVERAL.get(fact, ()))))


def codes_by_system(codelist: str) -> Mapping[str, tuple[str, ...]]:
    """The codes of one codelist in use (a site's own included), by code system."""
    found: dict[str, list[str]] = {}
    for (system, code), stated in codelists.in_use().lookup.items():
        if any(concept == codelist for concept, _ in stated):
            found.setdefault(system, []).append(code)
    return {system: tuple(sorted(codes)) for system, codes in sorted(found.items())}


def _read(failed: str | None) -> PatientFacts:
    """A child of whom nothing is on record, and one search that failed."""
    child = {"resourceType": "Patient", "id": "nobody"}
    answers = {s.name: Answer(Outcome.ANSWERED, (child,) if s.resource_type == "Patient" else ()) for s in SEARCHES}
    if failed:
        answers[failed] = Answer(Outcome.FAILED, why="failed")
    return read_patient(Record("nobody", answers), date(2000, 1, 1))
