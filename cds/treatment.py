"""Treatment dates that anchor the judgement: reinduction, enrolment, and the day eligibility is frozen.

Eligibility is judged as of the earliest of today, enrolment and the first dose of reinduction, and stays frozen there:
otherwise the study's own treatment would later make the child look ineligible (protocol-reading 0.4).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from cds.day import Day, on
from cds.facts import Dose, PatientFacts
from cds.finding import Basis, Gap, Why

REINDUCTION_DRUGS = frozenset({"idarubicin", "vincristine"})
SAME_COURSE_DAYS = 60  # treatment may begin before the relapse is written down, but not this long before


def reinduction_start(facts: PatientFacts, relapse: Day) -> Day | None:
    """The chart review's date, or the first administered idarubicin or vincristine on or after the relapse; where the
    dates do not tell whether a dose came before the relapse, and no clinician does, every day since the first that may count."""
    answered = facts.chart_review.answers.get("reinduction-start-date")
    given = [d for d in facts.doses.items if d.drug in REINDUCTION_DRUGS and not d.when.surely_before(relapse)]
    sure = [d for d in given if relapse.surely_by(d.when)]
    first = _dated(min(sure, key=lambda d: d.when.first, default=None))
    if len(sure) < len(given) and not answered:
        first = _or_before(first, min((d for d in given if d not in sure), key=lambda d: d.when.first), relapse)
    if first and facts.doses.cut_short:
        first = _or_earlier(first, relapse.first, facts.doses.gap)
    return reconciled("reinduction start", first, answered)


def _or_before(first: Day | None, dose: Dose, relapse: Day) -> Day:
    """That day, or that of an earlier dose, unless this came before the relapse; without that day, perhaps no day at all."""
    if not relapse.known:  # of which relapse is it, then, or of none?
        return Day(gaps=(Gap("reinduction start", Why.MISSING, f"{dose.source}, and no relapse date: is it reinduction?", (dose.source,)),))
    gap = Gap("reinduction start", Why.IMPRECISE, f"{dose.source}: before the relapse on {relapse}, or for it?", (dose.source,))
    since = max(day for day in (dose.when.first, relapse.first) if day)
    return Day(since, first and first.last, None, (replace(dose.source, basis=Basis.DERIVED), *(first.evidence if first else ())), (gap,))


def enrolment(facts: PatientFacts) -> Day | None:
    """The start of taking part in this trial; the chart review and the record together when they differ."""
    recorded = min(facts.enrolment.items, key=lambda day: day.first or day.last or date.max, default=None)
    if recorded and facts.enrolment.cut_short:
        recorded = _or_earlier(recorded, None, facts.enrolment.gap)
    return reconciled("enrolment date", recorded, facts.chart_review.answers.get("enrolment-date"))


def frozen_on(facts: PatientFacts, relapse: Day) -> Day:
    """T_eval: the earliest of the day asked about, enrolment and reinduction start; every day it may be, where one of
    these is known to exist and not known by date."""
    starts = [day for day in (enrolment(facts), reinduction_start(facts, relapse)) if day is not None]
    days = [on(facts.as_of), *(day for day in starts if day.known)]
    first, last = min((day.first for day in days), default=None, key=lambda d: d or date.min), min(d.last for d in days if d.last)
    doubts = tuple(_undated(facts, relapse, starts))
    evidence = tuple(e for day in starts for e in day.evidence)
    if doubts:
        return Day(None, last, None, evidence, doubts)
    return Day(first, last, None, evidence, tuple(gap for day in days for gap in day.gaps))


def _undated(facts: PatientFacts, relapse: Day, starts: list[Day]) -> Iterator[Gap]:
    """Why the freeze may lie earlier than any date we know."""
    for day in starts:
        if not day.known:
            yield from day.gaps or (Gap("enrolment date", Why.MISSING, "taking part in this trial, since an unknown date", day.evidence),)
        elif day.surely_before(relapse.plus_days(-SAME_COURSE_DAYS)):
            yield Gap("enrolment date", Why.CONFLICT, f"a start on {day}, well before the relapse on {relapse}", day.evidence)
    if not starts:
        yield from (found.gap for found in (facts.doses, facts.enrolment) if (found.unseen or found.cut_short) and found.gap)


def _dated(dose: Dose | None) -> Day | None:
    return dose and replace(dose.when, evidence=(replace(dose.source, basis=Basis.DERIVED),))


def _or_earlier(day: Day, first: date | None, gap: Gap | None) -> Day:
    """That day, or one since `first` of which the record that came does not tell."""
    return replace(day, first=first, instant=None, gaps=also(day, gap))


def also(day: Day, gap: Gap | None) -> tuple[Gap, ...]:
    return (*day.gaps, gap) if gap else day.gaps


def reconciled(fact: str, recorded: Day | None, answered: Day | None) -> Day | None:
    if recorded is None or answered is None or not recorded.known:
        return answered or recorded
    if recorded.surely_before(answered) or answered.surely_before(recorded):
        words = f"{fact} {recorded} in the record, {answered} in the chart review"
        return recorded.either(answered, Gap(fact, Why.CONFLICT, words, recorded.evidence + answered.evidence))
    return recorded if recorded.exact else answered

