"""Doses, first-line treatment and taking part in the trial, as far as dates depend on them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cds.day import Day
from cds.facts import Dose
from cds.finding import Evidence
from fhir_mappings import codelists, dates
from fhir_mappings.members import each, text
from fhir_mappings.record import Resource
from fhir_mappings.subject import contained, reference_of, target

DRUGS = ("idarubicin", "vincristine", "mercaptopurine", "methotrexate", "cytarabine", "asparaginase", "etoposide", "ifosfamide")
GIVEN = frozenset({"completed", "in-progress", "stopped"})  # at least part of the dose was given
INGREDIENT = "krcore-medicationIngredient"  # KR Core: the ATC code sits in this extension
TRIAL = "NCT05827549"
TAKING_PART = frozenset({"on-study", "on-study-intervention", "on-study-observation", "follow-up", "off-study"})


Others = Mapping[str, Resource]
"""Resources that others refer to, by `Type/id`."""


def drugs_of(administration: Resource, others: Others) -> list[str]:
    concepts = list(_medication_concepts(administration, others))
    return [drug for drug in DRUGS if any(codelists.states(concept, drug) for concept in concepts)]


def doses(administration: Resource, others: Others) -> Iterator[Dose]:
    """The doses of drugs we date by; an administration without a usable date gives none (it becomes an issue)."""
    when = dates.day(administration.get("effectiveDateTime")) or dates.period(administration.get("effectivePeriod"))
    if text(administration.get("status")) not in GIVEN or when is None or when.first is None:
        return
    when = when if when.last else Day(when.first, when.first)
    for drug in drugs_of(administration, others):
        yield Dose(drug, when, Evidence(f"{drug} given", reference_of(administration), str(when)))


def first_line_end(procedure: Resource) -> Day | None:
    """The last day of a completed first-line treatment, where its period says so."""
    period = procedure.get("performedPeriod")
    end = dates.day(period.get("end")) if isinstance(period, Mapping) else None
    if procedure.get("status") != "completed" or end is None:
        return None
    return Day(end.first, end.last, None, (Evidence("first-line treatment ended", reference_of(procedure), str(end)),))


def enrolment(research_subject: Resource, others: Others) -> Day | None:
    """The start of taking part in this trial, any day if it does not say; None for another study, or without taking part."""
    if text(research_subject.get("status")) not in TAKING_PART or not is_this_trial(research_subject, others):
        return None
    period = research_subject.get("period")
    began = dates.day(period.get("start")) if isinstance(period, Mapping) else None
    source = Evidence("enrolled in this trial", reference_of(research_subject), str(began) if began else None)
    return Day(began and began.first, began and began.last, None, (source,))


def is_this_trial(research_subject: Resource, others: Others) -> bool:
    """By the study's identifier, or by the reference's own identifier or display."""
    study = research_subject.get("study")
    if not isinstance(study, Mapping):
        return False
    identifier = study.get("identifier")
    told = [identifier.get("value") if isinstance(identifier, Mapping) else None, study.get("display")]
    resolved = referred(research_subject, "study", others) or {}
    told += [i.get("value") for i in each(resolved.get("identifier"))]
    return any(isinstance(text, str) and TRIAL in text for text in told)


def referred(resource: Resource, element: str, others: Others) -> Resource | None:
    """The resource an element refers to, if it came along."""
    reference = target(resource, element)
    return contained(resource, reference) or others.get(str(reference))


def is_readable(resource: Resource, element: str, told_otherwise: bool, others: Others) -> bool:
    """False for a resource that says what matters only by a reference to something that did not come along."""
    return told_otherwise or target(resource, element) is None or referred(resource, element, others) is not None


def _medication_concepts(administration: Resource, others: Others) -> Iterator[Any]:
    concept = administration.get("medicationCodeableConcept")
    yield concept
    medication = referred(administration, "medicationReference", others)
    if medication:
        yield medication.get("code")
        yield from (i.get("itemCodeableConcept") for i in each(medication.get("ingredient")))
    for extension in each(concept.get("extension")) if isinstance(concept, Mapping) else ():
        if str(extension.get("url", "")).endswith(INGREDIENT):
            yield extension.get("valueCodeableConcept")

