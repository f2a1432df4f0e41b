"""Conditions, procedures, drugs, studies, allergies and consents to events, each with what was not looked up.

A resource that validation rejects still raises its question: it is an event that is not sure. What it would deny ("no known
allergy") it does not deny.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from cds.facts import Event, Listed, not_looked_up
from cds.finding import Gap
from cds.truth import MET, UNKNOWN
from fhir_mappings import medications, treatments
from fhir_mappings.allergies import allergy
from fhir_mappings.conditions import condition_events, procedure_events, stated_by
from fhir_mappings.record import Resource
from fhir_mappings.sifted import Sifted
from fhir_mappings.studies import consent, other_study

EVENT_SEARCHES = {  # a fact, and the searches whose silence it needs
    "transplants": ("procedures", "conditions"),
    "blinatumomab": ("administrations", "statements", "orders", "procedures"),
    "other_cd19_therapy": ("administrations", "statements", "orders"),
    "syndromes": ("conditions",),
    "hiv_infection": ("conditions",),
    "pregnancy": ("conditions",),
    "sterilised": ("procedures", "conditions"),
    "neurological": ("conditions",),
    "other_studies": ("studies",),
    "allergies": ("allergies",),
    "consent": ("consents",),
}
NAMES = {fact: fact.replace("_", " ") for fact in EVENT_SEARCHES} | {
    "transplants": "allogeneic transplant",
    "syndromes": "genetic syndrome",
    "hiv_infection": "HIV infection",
}
DENIALS = frozenset({"none_known"})


def events(record: Sifted) -> dict[str, Listed]:
    """What the record says besides the leukaemia and the results, by field of `PatientFacts`."""
    found: dict[str, list[Event]] = {fact: [] for fact in EVENT_SEARCHES}
    for fact, event in _stated(record):
        found[fact].append(event)
    gaps: dict[str, Gap | None] = {fact: next((g for s in searches if (g := record.gap(s, NAMES[fact]))), None) for fact, searches in EVENT_SEARCHES.items()}
    gaps["blinatumomab"] = gaps["blinatumomab"] or _unnamed_drug(record)
    return {fact: Listed(tuple(stated), gaps[fact]) for fact, stated in found.items()}


def _unnamed_drug(record: Sifted) -> Gap | None:
    """A drug that was given and is named only by a reference that could not be followed may be any drug."""
    for search in ("administrations", "statements"):
        others = record.referred(search)
        for resource in record.resources(search):
            if not medications.is_named(resource, others):
                return not_looked_up("blinatumomab", "blinatumomab: a drug was given that the record names only by reference")
    return None


def _stated(record: Sifted) -> Iterator[tuple[str, Event]]:
    for condition in record.resources("conditions"):
        if stated_by(condition.get("code")):
            yield from _checked(record, condition, condition_events)
    for procedure in record.resources("procedures"):
        if stated_by(procedure.get("code")) or treatments.states_therapy(procedure.get("code")):
            yield from _checked(record, procedure, lambda r: (*procedure_events(r), *treatments.procedure_therapies(r)))
    for search in ("administrations", "statements", "orders"):
        others = record.referred(search)
        for resource in record.resources(search):
            if treatments.names_therapy(resource, others):
                yield from _checked(record, resource, lambda r: treatments.therapies(r, others))
    studies = record.referred("studies")
    for fact, kind, read in (("other_studies", "ResearchSubject", lambda r: other_study(r, studies)),
                             ("allergies", "AllergyIntolerance", allergy), ("consent", "Consent", consent)):  # fmt: skip
        for resource in record.resources(EVENT_SEARCHES[fact][0]):
            if resource.get("resourceType") == kind:
                yield from _checked(record, resource, _single(fact, read))


def _single(fact: str, read: Callable[[Resource], Event | None]) -> Callable[[Resource], Iterable[tuple[str, Event]]]:
    return lambda resource: ((fact, event),) if (event := read(resource)) else ()


def _checked(record: Sifted, resource: Resource, read: Callable[[Resource], Iterable[tuple[str, Event]]]) -> Iterator[tuple[str, Event]]:
    stated = list(read(resource))
    valid = not stated or record.valid(resource)
    for fact, event in stated:
        if valid:
            yield fact, event
        elif fact == "allergies" and event.kind not in DENIALS:
            yield fact, replace(event, kind="unreadable", sure=UNKNOWN)  # to which drug, and whether: nothing of it is sure
        elif event.kind not in DENIALS:
            yield fact, replace(event, sure=UNKNOWN if event.sure is MET else event.sure)
