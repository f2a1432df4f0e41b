"""Taking part in studies, and consent: this trial apart from others, treatment apart from follow-up."""

from __future__ import annotations

import json
from collections.abc import Mapping

from cds.day import Day
from cds.facts import Event
from cds.finding import Evidence
from cds.truth import MET, UNKNOWN
from fhir_mappings import dates
from fhir_mappings.members import each, text
from fhir_mappings.record import Resource
from fhir_mappings.subject import Others, is_readable, reference_of, referred

TRIAL = "NCT05827549"
TAKING_PART = frozenset({"on-study", "on-study-intervention", "on-study-observation", "follow-up", "off-study"})
IN_ANOTHER = {  # ResearchSubject.status: kind, and whether it is sure
    "on-study-intervention": ("treatment", MET),
    "on-study": ("treatment", UNKNOWN),
    "pending-on-study": ("treatment", UNKNOWN),
    "screening": ("treatment", UNKNOWN),
    "on-study-observation": ("follow_up", MET),
    "follow-up": ("follow_up", MET),
    "off-study": ("follow_up", MET),
}
OUTSIDE = frozenset({"candidate", "eligible", "ineligible", "not-registered", "potential-candidate", "withdrawn"})
"""Statuses of one who does not take part. What is in neither table cannot be read, and denies nothing."""


def enrolment(research_subject: Resource, others: Others) -> Day | None:
    """The start of taking part in this trial, any day if it does not say; None for another study, or without taking part."""
    if text(research_subject.get("status")) not in TAKING_PART or not is_this_trial(research_subject, others):
        return None
    period = research_subject.get("period")
    began = dates.day(period.get("start")) if isinstance(period, dict) else None
    source = Evidence("enrolled in this trial", reference_of(research_subject), str(began) if began else None)
    return Day(began and began.first, began and began.last, None, (source,))


def other_study(research_subject: Resource, others: Others) -> Event | None:
    """Taking part in another study; an observational one is never treatment."""
    status = text(research_subject.get("status"))
    if is_this_trial(research_subject, others) or status in OUTSIDE:
        return None
    kind, sure = IN_ANOTHER.get(status or "", ("treatment", UNKNOWN))
    study = referred(research_subject, "study", others) or {}
    if _is_observational(study):
        kind, sure = "follow_up", MET
    if kind == "treatment" and not is_readable(research_subject, "study", _says_which(research_subject), others):
        sure = UNKNOWN  # it may be this very trial
    reference = research_subject.get("study")
    named = text(study.get("title")) or (text(reference.get("display")) if isinstance(reference, dict) else None) or "another study"
    period = dates.period(research_subject.get("period"))
    source = Evidence(f"{named}: {status or 'status not readable'}", reference_of(research_subject), str(period) if period else None)
    return Event(kind, source, period, sure)


def is_this_trial(research_subject: Resource, others: Others) -> bool:
    """By the study's identifier, or by the reference's own identifier or display."""
    study = research_subject.get("study")
    if not isinstance(study, dict):
        return False
    identifier = study.get("identifier")
    told = [identifier.get("value") if isinstance(identifier, dict) else None, study.get("display")]
    resolved = referred(research_subject, "study", others) or {}
    told += [i.get("value") for i in each(resolved.get("identifier"))]
    return any(isinstance(words, str) and TRIAL in words for words in told)


def _says_which(research_subject: Resource) -> bool:
    study = research_subject.get("study")
    return isinstance(study, dict) and bool(study.get("identifier") or study.get("display"))


def consent(resource: Resource) -> Event | None:
    """A consent to this trial: refused, or a document to be looked at. None for any other consent."""
    if resource.get("status") == "entered-in-error" or not _names_the_trial(resource):
        return None
    when = dates.day(resource.get("dateTime"))
    kind = "refused" if resource.get("status") == "rejected" else "document"
    words = "consent to this trial refused" if kind == "refused" else "consent document found – verify completeness, assent and date"
    return Event(kind, Evidence(words, reference_of(resource), str(when) if when else None), when)


def _names_the_trial(resource: Resource) -> bool:
    told = {key: resource.get(key) for key in ("policy", "identifier", "sourceReference", "sourceAttachment", "provision")}
    try:
        return TRIAL in json.dumps(told, default=str)
    except RecursionError:
        return False


def _is_observational(study: Mapping[str, object]) -> bool:
    told = json.dumps([study.get("category"), study.get("primaryPurposeType")], default=str).lower()
    return "observational" in told
