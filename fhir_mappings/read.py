"""From the record to the facts: sift, select by code on raw JSON, validate the selected few, read them, report the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from cds.day import Day
from cds.facts import ChartReview, Diagnosis, Dose, Listed, PatientFacts, Taken
from cds.truth import UNKNOWN
from fhir_mappings import codelists, treatments
from fhir_mappings.chart_review import COUNTS, chart_review, is_chart_review
from fhir_mappings.checked import Check, validated
from fhir_mappings.diagnoses import diagnosis, is_leukaemia, ph_positive_reading
from fhir_mappings.events import events
from fhir_mappings.medications import is_named
from fhir_mappings.members import text
from fhir_mappings.observed import observed
from fhir_mappings.person import read_person
from fhir_mappings.record import Record, Resource
from fhir_mappings.sifted import Sifted
from fhir_mappings.sources import SEARCHES
from fhir_mappings.studies import enrolment, is_this_trial
from fhir_mappings.subject import is_readable


def read_patient(record: Record, as_of: date, check: Check = validated) -> PatientFacts:
    """Everything the record says of one child, as facts. Never raises for what a record holds."""
    sifted = Sifted(record, check)
    diagnoses = _diagnoses(sifted)
    series = observed(sifted)
    series["bcr_abl1"] = series["bcr_abl1"].plus(*(r for d in diagnoses if (r := ph_positive_reading(d))))
    responses = [r for r in sifted.resources("answers") if r.get("resourceType") == "QuestionnaireResponse" and is_chart_review(r)]
    readable = [r for r in responses if sifted.valid(r) and r.get("status") in COUNTS]
    broken = [r for r in responses if r not in readable]
    review, unread = chart_review(readable, broken, sifted.failure("answers", "chart review"))
    if readable and sifted.cut_short("answers"):  # of each item the newest answer counts, and it may be missing
        review = ChartReview(gap=sifted.gap("answers", "chart review"))
        for response in readable:
            sifted.issue(response, "newer answers may be missing; it was not used")
    listed = {
        "diagnoses": Listed(diagnoses, sifted.dropped_leukaemia() or sifted.gap("conditions", "leukaemia diagnosis")),
        "doses": sifted.dated("administrations", "administered drugs", _doses(sifted)),
        "taken": Listed(tuple(_taken(sifted)), sifted.gap("statements", "medication history")),
        "first_line_start": sifted.dated("procedures", "start of first-line treatment", _first_line(sifted, treatments.first_line_start)),
        "first_line_end": sifted.dated("procedures", "end of first-line treatment", _first_line(sifted, treatments.first_line_end)),
        "enrolment": sifted.dated("studies", "enrolment", _enrolments(sifted), expected=False),
        **events(sifted),
    }
    return PatientFacts(
        patient=f"Patient/{record.patient_id}",
        as_of=as_of,
        **_person(sifted),
        **listed,
        **series,
        chart_review=review,
        issues=tuple(dict.fromkeys((*sifted.issues, *unread))),
        not_looked_up=tuple((s.words, a.shortfall) for s in SEARCHES if not (a := record.answer(s.name)).complete),
    )


def _person(record: Sifted) -> Mapping[str, Any]:
    versions = [r for r in record.resources("patient") if r.get("resourceType") == "Patient"]
    readable = [version for version in versions if record.valid(version)]
    return read_person(*versions) if versions and readable == versions else {}


def _diagnoses(record: Sifted) -> tuple[Diagnosis, ...]:
    found: list[Diagnosis] = []
    for condition in record.resources("conditions"):
        if condition.get("resourceType") == "Condition" and is_leukaemia(condition):
            read = diagnosis(condition, rejected=not record.valid(condition))
            found += [read] if read else []
    return tuple(found)


def _doses(record: Sifted) -> Iterator[Dose]:
    others = record.referred("administrations")
    for administration in record.resources("administrations"):
        if text(administration.get("status")) not in treatments.GIVEN:
            continue
        drugs = treatments.drugs_of(administration, others)
        if not drugs and not is_named(administration, others):
            record.issue(administration, "names its drug only by a reference that could not be followed; it was not used")
        elif drugs and record.valid(administration):
            given = list(treatments.doses(administration, others))
            if not given:
                record.issue(administration, "a dose without a usable date; it was not used")
            yield from given


def _taken(record: Sifted) -> Iterator[Taken]:
    """Of a statement that validation rejects nothing is sure."""
    others = record.referred("statements")
    for statement in record.resources("statements"):
        told = list(treatments.taken(statement, others))
        yield from told if not told or record.valid(statement) else [replace(each, sure=UNKNOWN) for each in told]


def _first_line(record: Sifted, side: Callable[[Resource], Day | None]) -> Iterator[Day]:
    for procedure in record.usable("procedures", lambda r: codelists.states(r.get("code"), "first_line_treatment")):
        if day := side(procedure):
            yield day


def _enrolments(record: Sifted) -> Iterator[Day]:
    others = record.referred("studies")
    for subject in record.usable("studies", lambda r: r.get("resourceType") == "ResearchSubject"):
        if not is_readable(subject, "study", is_this_trial(subject, others), others):
            record.issue(subject, "names its study only by a reference that could not be followed; it was not used")
        if start := enrolment(subject, others):
            yield start
