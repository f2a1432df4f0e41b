"""The course of the disease: which records are of it, when it was diagnosed, and which day is that of the relapse.

Records rarely say so in one place. These rules put it together and say how (interfaces 7): conservative in both
directions, since a date taken from the first diagnosis would falsify the age, the timing and the risk group.
"""

from __future__ import annotations

from dataclasses import replace

from cds.day import Day, on
from cds.facts import Diagnosis, PatientFacts
from cds.finding import Basis, Gap, Why
from cds.series import Reading
from cds.truth import MET, UNKNOWN
from cds.values import amount

SAME_RELAPSE_DAYS = 60  # records this far apart or nearer are one relapse
NOT_THE_DIAGNOSIS_DAYS = 28  # an onset nearer than a frontline induction to earlier records may be the diagnosis itself
BLASTS_OF_LEUKAEMIA = amount("5 %")


def confirmed(facts: PatientFacts) -> list[Diagnosis]:
    """Confirmed records of the ALL family; leukaemia at a site outside the marrow is of it once another record is."""
    sure = [d for d in facts.diagnoses.items if d.confirmed is MET]
    family = any(d.family is MET for d in sure)
    return [d for d in sure if d.family is MET or (family and d.sites - {"marrow"})]


def relapse_records(facts: PatientFacts) -> list[Diagnosis]:
    return [d for d in confirmed(facts) if d.relapse]


def doubtful_relapses(facts: PatientFacts) -> list[Diagnosis]:
    """Recorded as relapse, but provisional, unconfirmed, or with a code that only hints at ALL."""
    return [d for d in facts.diagnoses.items if d.relapse and UNKNOWN in (d.confirmed, d.family)]


def documented(facts: PatientFacts) -> bool:
    ordinal = facts.chart_review.answers.get("relapse-ordinal")
    told = ordinal is not None and ordinal.options <= {"first", "second-or-later"}
    return told or "relapse-date" in facts.chart_review.answers or bool(relapse_records(facts))


def diagnosis_date(facts: PatientFacts) -> Day | None:
    """The earliest onset of an ALL record, else the earliest day one was recorded (then only a latest possible day)."""
    answered = facts.chart_review.answers.get("initial-diagnosis-date")
    of_first = [d for d in confirmed(facts) if not (d.relapse and cannot_be_first_diagnosis(d, facts))]
    onsets = [d.onset for d in of_first if d.onset and d.onset.known]
    recorded = [d.recorded for d in of_first if d.recorded and d.recorded.known]
    earliest = min(onsets or recorded, key=lambda day: day.first or day.last, default=None)
    return earliest or answered


def cannot_be_first_diagnosis(record: Diagnosis, facts: PatientFacts) -> bool:
    """An earlier ALL record, remission, treatment or marrow shows that this onset is not the first diagnosis."""
    if not record.onset:
        return False
    start = record.onset.plus_days(-NOT_THE_DIAGNOSIS_DAYS)
    others = [d for d in confirmed(facts) if d is not record]
    if any(d.remission and d.starts and d.starts.surely_before(record.onset) for d in others):
        return True
    earlier = [d.starts for d in others] + [dose.when for dose in facts.doses.items]
    earlier += [day for told in facts.taken.items if told.sure is MET for day in (told.since, told.until)]
    earlier += [*facts.first_line_start.items, *facts.first_line_end.items, *(r.when for r in facts.marrow_blasts.readings)]
    answered = facts.chart_review.answers.get("initial-diagnosis-date")
    return any(day is not None and day.surely_before(start) for day in earlier + [answered])


def relapse_date(facts: PatientFacts) -> Day:
    """The relapse date, or the days it may have been.

    In this order: the onset of a relapse record that cannot be the first diagnosis; the chart review (more than 60 days
    apart is a conflict); the onset of a record that is not confirmed or only hints; for a documented relapse, the first marrow with at least 5 % blasts more than 60 days after
    the diagnosis; for a suspected one, that marrow, provisionally. A recording date alone is only an upper bound.
    """
    answered = facts.chart_review.answers.get("relapse-date")
    records = relapse_records(facts) or ([] if answered else doubtful_relapses(facts))
    onsets = [d.onset for d in records if cannot_be_first_diagnosis(d, facts)]
    onset = min(onsets, key=lambda day: day.first or day.last, default=None)
    if onset and onset.surely_after(on(facts.as_of)):
        words = f"relapse recorded on {onset}, after the day asked about"
        return Day(gaps=(Gap("relapse date", Why.CONFLICT, words, onset.evidence),))
    if onset and answered:
        if apart(onset, answered):
            words = f"relapse on {onset} in the record, on {answered} in the chart review"
            return onset.either(answered, Gap("relapse date", Why.CONFLICT, words, onset.evidence + answered.evidence))
        return onset
    if onset or answered:
        return onset or answered
    uppers = [d.recorded.last for d in records if recorded_as_relapse(d, facts)]
    suspicious = [r for r in suspicious_marrow(facts) if not uppers or r.when.first <= min(uppers)]
    if suspicious:
        first = min(suspicious, key=lambda r: r.when.first)
        return replace(first.when, evidence=(replace(first.source, basis=Basis.DERIVED),))
    missing = facts.diagnoses.gap or Gap("relapse date", Why.MISSING, "relapse date not recorded", tuple(d.source for d in records))
    firsts = [d.onset.first for d in confirmed(facts) if d.onset and d.onset.first]
    if uppers:
        return Day(min(firsts, default=None), min(uppers), None, tuple(replace(d.source, basis=Basis.DERIVED) for d in records), (missing,))
    return Day(gaps=(missing,))


def recorded_as_relapse(record: Diagnosis, facts: PatientFacts) -> bool:
    """Its day of recording is that of a relapse: another record is earlier. One written down for the first diagnosis and
    set to "relapse" years later keeps the day of the diagnosis."""
    if record.onset or not record.recorded or not record.recorded.last:
        return False
    start = record.recorded.plus_days(-NOT_THE_DIAGNOSIS_DAYS)
    others = [d.onset or d.recorded for d in confirmed(facts) if d is not record]
    return any(day is not None and day.surely_before(start) for day in others)


def suspicious_marrow(facts: PatientFacts) -> list[Reading]:
    """Marrows with at least 5 % blasts more than 60 days after the diagnosis: a relapse, or a disease that never left."""
    return [r for r in late_marrow(facts) if has_blasts(r)]


def late_marrow(facts: PatientFacts) -> list[Reading]:
    """Every marrow more than 60 days after the diagnosis, readable or not, but for those labelled end of induction."""
    return [r for since in _late_since(facts) for r in _marrows(facts) if since.surely_by(r.when) and "eoi" not in r.labels]


def perhaps_late_marrow(facts: PatientFacts) -> list[Reading]:
    """Marrows of which their date does not tell whether they are that late: it says only when they were reported."""
    return [r for since in _late_since(facts) for r in _marrows(facts)
            if not since.surely_by(r.when) and not r.when.surely_before(since) and "eoi" not in r.labels]  # fmt: skip


def late_labelled_marrow(facts: PatientFacts) -> list[Reading]:
    """Labelled end of induction, and more than a year after the diagnosis: no first induction ends so late."""
    diagnosed = diagnosis_date(facts)
    return [r for r in _marrows(facts) if diagnosed and "eoi" in r.labels and diagnosed.plus_years(1).surely_before(r.when)]


def _marrows(facts: PatientFacts) -> tuple[Reading, ...]:
    """Without those of a day to come: asked for a day of the past, the record goes on after it."""
    return facts.marrow_blasts.until(on(facts.as_of)).readings


def _late_since(facts: PatientFacts) -> list[Day]:
    """The first day that is late; none while the day of the diagnosis is not known."""
    diagnosed = diagnosis_date(facts)
    return [diagnosed.plus_days(SAME_RELAPSE_DAYS + 1)] if diagnosed is not None and diagnosed.last is not None else []


def apart(a: Day, b: Day) -> bool:
    """Surely more than 60 days apart."""
    return a.plus_days(SAME_RELAPSE_DAYS).surely_before(b) or b.plus_days(SAME_RELAPSE_DAYS).surely_before(a)


def has_blasts(reading: Reading) -> bool:
    return reading.problem is None and (reading.value >= BLASTS_OF_LEUKAEMIA).truth is MET
