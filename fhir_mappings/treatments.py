"""Drugs given or ordered, and the first-line treatment: dates, and what counts as having received something."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cds.day import Day
from cds.facts import Dose, Event, Taken
from cds.finding import Evidence
from cds.truth import MET, UNKNOWN
from fhir_mappings import codelists, dates, medications
from fhir_mappings.members import all_words, text
from fhir_mappings.record import Resource
from fhir_mappings.subject import Others, reference_of

DRUGS = ("idarubicin", "vincristine", "mercaptopurine", "methotrexate", "cytarabine", "asparaginase", "etoposide", "ifosfamide")
GIVEN = frozenset({"completed", "in-progress", "stopped"})  # at least part of the dose was given
OVER = frozenset({"completed", "stopped"})  # it is not taken any more
GIVEN_BY_TYPE = {  # what a status says of the drug; statuses that are not named say nothing of it
    "MedicationAdministration": dict.fromkeys((*GIVEN, "on-hold", "unknown"), "given"),
    "MedicationStatement": dict.fromkeys(("completed", "active", "stopped", "on-hold", "unknown"), "given") | {"intended": "ordered"},
    "MedicationRequest": dict.fromkeys(("active", "completed", "on-hold", "stopped"), "ordered"),
}
DENIED = {  # statuses by which a record says that nothing of this kind happened; one that is none at all denies nothing
    "MedicationAdministration": frozenset({"not-done", "entered-in-error"}),
    "MedicationStatement": frozenset({"not-taken", "entered-in-error"}),
    "MedicationRequest": frozenset({"cancelled", "draft", "entered-in-error", "unknown"}),
    "Procedure": frozenset({"preparation", "not-done", "entered-in-error"}),
}
WHEN = ("effectiveDateTime", "effectivePeriod", "authoredOn")
NAMES = {"blinatumomab": ("blinatumomab", "blincyto", "블리나투모맙", "블린사이토"), "other_cd19_therapy": ("tisagenlecleucel", "kymriah", "brexucabtagene")}
THERAPIES = ("blinatumomab", "other_cd19_therapy")


def drugs_of(administration: Resource, others: Others) -> list[str]:
    stated = {name for concept in medications.concepts(administration, others) for name, decides in codelists.statements(concept) if decides}
    return [drug for drug in DRUGS if drug in stated]


def doses(administration: Resource, others: Others) -> Iterator[Dose]:
    """The doses of drugs we date by; an administration without a usable date gives none (it becomes an issue)."""
    when = dates.day(administration.get("effectiveDateTime")) or dates.period(administration.get("effectivePeriod"))
    if text(administration.get("status")) not in GIVEN or when is None or when.first is None:
        return
    when = when if when.last else Day(when.first, when.first)
    for drug in drugs_of(administration, others):
        yield Dose(drug, when, Evidence(f"{drug} given", reference_of(administration), str(when)))


def taken(statement: Resource, others: Others) -> Iterator[Taken]:
    """The drugs that a statement says were taken. A single day ends only what is over; an end that is not told may be any day."""
    how, readable = _said(statement)
    if how != "given":
        return
    period = statement.get("effectivePeriod")
    start, end = (dates.day(period.get(side)) for side in ("start", "end")) if isinstance(period, dict) else (None, None)
    if moment := dates.day(statement.get("effectiveDateTime")):
        start, end = moment, moment if text(statement.get("status")) in OVER else None
    told = f"from {start or 'an unknown day'} to {end or 'an unknown day'}"
    for drug in drugs_of(statement, others):
        yield Taken(drug, start or Day(), end or Day(start and start.first), Evidence(f"{drug} taken {told}", reference_of(statement)), MET if readable else UNKNOWN)


def first_line_start(procedure: Resource) -> Day | None:
    """The first day of a first-line treatment that began, whether or not it is over."""
    period = procedure.get("performedPeriod")
    return dates.day(period.get("start")) if isinstance(period, dict) and text(procedure.get("status")) in GIVEN else None


def first_line_end(procedure: Resource) -> Day | None:
    """The last day of a completed first-line treatment, where its period says so."""
    period = procedure.get("performedPeriod")
    end = dates.day(period.get("end")) if isinstance(period, dict) else None
    if procedure.get("status") != "completed" or end is None:
        return None
    return Day(end.first, end.last, None, (Evidence("first-line treatment ended", reference_of(procedure), str(end)),))


def names_therapy(resource: Resource, others: Others) -> bool:
    concepts = list(medications.concepts(resource, others))
    return any(codelists.states(c, *THERAPIES) for c in concepts) or bool(written(concepts))


def written(concepts: list[Any]) -> tuple[str, ...]:
    """The therapies named in words. Where no code of ours stands beside them: not sure, and never overlooked."""
    said = " ".join([words for c in concepts for words in all_words(c)]).lower()
    return tuple(fact for fact in THERAPIES if any([name in said for name in NAMES[fact]]))


def _began(value: Any) -> Day | None:
    """The day a dose was given, or an infusion began."""
    if isinstance(value, dict):
        return dates.day(value.get("start")) or dates.period(value)
    return dates.day(value)


def _said(resource: Resource) -> tuple[str | None, bool]:
    """What its status says of the drug, and whether it can be read: given or ordered; None for nothing."""
    kind, status = str(resource.get("resourceType")), text(resource.get("status"))
    how = GIVEN_BY_TYPE.get(kind, {}).get(status)
    if how is None and kind in DENIED and status not in DENIED[kind]:  # a status that cannot be read: it may have been given
        return ("ordered" if kind == "MedicationRequest" else "given"), False
    return how, status != "unknown"


def therapies(resource: Resource, others: Others) -> Iterator[tuple[str, Event]]:
    """`(fact, event)`: blinatumomab and other CD19 therapy, given (administration, statement) or only ordered (request)."""
    given, readable = _said(resource)
    if given is None or resource.get("doNotPerform") is True:
        return
    concepts = list(medications.concepts(resource, others))
    when = next((day for element in WHEN if (day := _began(resource.get(element)))), None)
    for fact in THERAPIES:  # the fact has the name of its codelist
        coded = any(codelists.states(c, fact) for c in concepts)
        if coded or fact in written(concepts):
            source = Evidence(f"{fact.replace('_', ' ')} {given}", reference_of(resource), str(when) if when else None)
            yield fact, Event(given, source, when, MET if coded and readable else UNKNOWN)


def states_therapy(code: Any) -> bool:
    return codelists.states(code, "blinatumomab")


def procedure_therapies(procedure: Resource) -> Iterator[tuple[str, Event]]:
    """A procedure coded as giving blinatumomab."""
    status = text(procedure.get("status"))
    if status not in DENIED["Procedure"] and states_therapy(procedure.get("code")):
        when = dates.day(procedure.get("performedDateTime")) or dates.period(procedure.get("performedPeriod"))
        source = Evidence("blinatumomab given", reference_of(procedure), str(when) if when else None)
        yield "blinatumomab", Event("given", source, when, MET if status == "completed" else UNKNOWN)
