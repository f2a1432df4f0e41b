"""Conditions, procedures, drugs, studies, allergies and consents to events, each with what was not looked up.

A resource that validation rejects still raises its question: it is an event that is not sure. What it would deny ("no known
allergy") it does not deny.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from cds.facts import Event, Listed, not_looked_up
from cds.finding import Gap
from cds.truth import MET, NOT_MET, UNKNOWN
from fhir_mappings import medications, treatments
from fhir_mappings.allergies import allergy
from fhir_mappings.called import names_leukaemia
from fhir_mappings.conditions import condition_events, procedure_events, stated_by
from fhir_mappings.record import Resource
from fhir_mappings.sifted import Sifted
from fhir_mappings.studies import consent, other_study
from fhir_mappings.subject import Others

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
DRUG_SEARCHES = ("administrations", "statements", "orders")
RECEIVED = ("transplants", "blinatumomab")  # of which a clinician may say "never"
LONGEST_NAME = 60
Reader = Callable[[Resource], Iterable[tuple[str, Event]]]


def events(record: Sifted) -> dict[str, Listed]:
    """What the record says besides the leukaemia and the results, by field of `PatientFacts`."""
    found: dict[str, list[Event]] = {fact: [] for fact in EVENT_SEARCHES}
    for fact, event in _stated(record):
        found[fact].append(event)
    for fact, event in _of_nobody(record):
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
        if words := names_leukaemia(condition.get("code")):
            record.issue(condition, f"“{words[:LONGEST_NAME]}” carries no code that is read here; it was not used")
    for search in ("conditions", "procedures", *DRUG_SEARCHES):
        for resource, read in _telling(search, record.resources(search), record.referred(search)):
            yield from _checked(record, resource, read)
    studies = record.referred("studies")
    for fact, kind, read in (("other_studies", "ResearchSubject", lambda r: other_study(r, studies)),
                             ("allergies", "AllergyIntolerance", allergy), ("consent", "Consent", consent)):  # fmt: skip
        for resource in record.resources(EVENT_SEARCHES[fact][0]):
            if resource.get("resourceType") == kind:
                yield from _checked(record, resource, _single(fact, read))


def _telling(search: str, resources: Iterable[Resource], others: Others) -> Iterator[tuple[Resource, Reader]]:
    """Those that state an event, by what they are coded or called, each with how to read it."""
    for resource in resources:
        if search == "conditions" and stated_by(resource.get("code")):
            yield resource, condition_events
        elif search == "procedures" and (stated_by(resource.get("code")) or treatments.states_therapy(resource.get("code"))):
            yield resource, lambda r: (*procedure_events(r), *treatments.procedure_therapies(r))
        elif search in DRUG_SEARCHES and treatments.names_therapy(resource, others):
            yield resource, lambda r: treatments.therapies(r, others)


def _of_nobody(record: Sifted) -> Iterator[tuple[str, Event]]:
    """A treatment in a record that does not say whose it is: no clinician's "never" stands beside it unquestioned."""
    for search in ("conditions", "procedures", *DRUG_SEARCHES):
        for resource, read in _telling(search, record.of_nobody(search), record.referred(search)):
            for fact, event in read(resource):
                if fact in RECEIVED and event.sure is not NOT_MET:
                    source = replace(event.source, words=f"{event.source.words} (the record does not say to whom)")
                    yield fact, replace(event, source=source, sure=UNKNOWN)


def _single(fact: str, read: Callable[[Resource], Event | None]) -> Reader:
    return lambda resource: ((fact, event),) if (event := read(resource)) else ()


def _checked(record: Sifted, resource: Resource, read: Reader) -> Iterator[tuple[str, Event]]:
    stated = list(read(resource))
    valid = not stated or record.valid(resource)
    for fact, event in stated:
        if valid:
            yield fact, event
        elif fact == "allergies" and event.kind not in DENIALS:
            yield fact, replace(event, kind="unreadable", sure=UNKNOWN)  # to which drug, and whether: nothing of it is sure
        elif event.kind not in DENIALS:
            yield fact, replace(event, sure=UNKNOWN if event.sure is MET else event.sure)
