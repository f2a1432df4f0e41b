"""The course of the disease: which record is the relapse, when it was, whether it is the first.

Records rarely say so in one place. These rules put it together and say how (interfaces 7): conservative in both
directions, since a date taken from the first diagnosis would falsify the age, the timing and the risk group.
"""

from __future__ import annotations

from dataclasses import replace

from cds.day import Day
from cds.facts import Diagnosis, PatientFacts
from cds.finding import Basis, Evidence, Gap, Why
from cds.series import Reading
from cds.truth import MET, NOT_MET, UNKNOWN
from cds.values import Choice, amount, any_of, one

SAME_RELAPSE_DAYS = 60  # records this far apart or nearer are one relapse
NOT_THE_DIAGNOSIS_DAYS = 28  # an onset nearer than a frontline induction to earlier records may be the diagnosis itself
BLASTS_OF_LEUKAEMIA = amount("5 %")

STATUSES = frozenset({"none", "suspected", "first", "second_or_later", "refractory"})


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
    earlier += [r.when for r in facts.marrow_blasts.readings] + list(facts.first_line_end.items)
    answered = facts.chart_review.answers.get("initial-diagnosis-date")
    return any(day is not None and day.surely_before(start) for day in earlier + [answered])


def relapse_date(facts: PatientFacts) -> Day:
    """The relapse date, or the days it may have been.

    In this order: the onset of a relapse record that cannot be the first diagnosis; the chart review (more than 60 days
    apart is a conflict); for a documented relapse, the first marrow with at least 5 % blasts more than 60 days after
    the diagnosis; for a suspected one, that marrow, provisionally. A recording date alone is only an upper bound.
    """
    records = relapse_records(facts) or doubtful_relapses(facts)
    answered = facts.chart_review.answers.get("relapse-date")
    onsets = [d.onset for d in records if cannot_be_first_diagnosis(d, facts)]
    onset = min(onsets, key=lambda day: day.first or day.last, default=None)
    if onset and answered:
        if _apart(onset, answered):
            words = f"relapse on {onset} in the record, on {answered} in the chart review"
            return onset.either(answered, Gap("relapse date", Why.CONFLICT, words, onset.evidence + answered.evidence))
        return onset
    if onset or answered:
        return onset or answered
    uppers = [d.recorded.last for d in records if _recorded_as_relapse(d, facts)]
    suspicious = [r for r in suspicious_marrow(facts) if not uppers or r.when.first <= min(uppers)]
    if suspicious:
        first = min(suspicious, key=lambda r: r.when.first)
        return replace(first.when, evidence=(replace(first.source, basis=Basis.DERIVED),))
    missing = facts.diagnoses.gap or Gap("relapse date", Why.MISSING, "relapse date not recorded", tuple(d.source for d in records))
    firsts = [d.onset.first for d in confirmed(facts) if d.onset and d.onset.first]
    if uppers:
        return Day(min(firsts, default=None), min(uppers), None, tuple(replace(d.source, basis=Basis.DERIVED) for d in records), (missing,))
    return Day(gaps=(missing,))


def _recorded_as_relapse(record: Diagnosis, facts: PatientFacts) -> bool:
    """Its day of recording is that of a relapse: another record is earlier. One written down for the first diagnosis and
    set to "relapse" years later keeps the day of the diagnosis."""
    if record.onset or not record.recorded or not record.recorded.last:
        return False
    start = record.recorded.plus_days(-NOT_THE_DIAGNOSIS_DAYS)
    others = [d.onset or d.recorded for d in confirmed(facts) if d is not record]
    return any(day is not None and day.surely_before(start) for day in others)


def suspicious_marrow(facts: PatientFacts) -> list[Reading]:
    """Marrows with at least 5 % blasts more than 60 days after the diagnosis: a relapse, or a disease that never left."""
    return [r for r in late_marrow(facts) if _blasts(r)]


def late_marrow(facts: PatientFacts) -> list[Reading]:
    """Every marrow more than 60 days after the diagnosis, readable or not, but for those labelled end of induction."""
    diagnosed = diagnosis_date(facts)
    if diagnosed is None or diagnosed.last is None:
        return []
    since = diagnosed.plus_days(SAME_RELAPSE_DAYS + 1)
    return [r for r in facts.marrow_blasts.readings if since.surely_by(r.when) and "eoi" not in r.labels]


def relapse_status(facts: PatientFacts, until: Day) -> Choice:
    """None, suspected, first, second or later, or refractory: what the record and the chart review leave open.

    `until` freezes the question: relapses after it are another story.
    """
    recorded = _recorded_status(facts, until)
    answered = facts.chart_review.answers.get("relapse-ordinal")
    if answered is None:
        return recorded
    answer = Choice(frozenset({_ANSWERS[option] for option in answered.options}), answered.evidence)
    silent = recorded.options <= {"none", "suspected"} or {gap.reason for gap in recorded.gaps} == {Why.MISSING}
    other_relapse_told = recorded.options == {"first"} and answer.options == {"second_or_later"} and _only_derived(recorded)
    if (silent and answer.options != {"suspected"}) or other_relapse_told:
        return answer
    if recorded.options & answer.options:
        return Choice(recorded.options & answer.options, recorded.evidence + answer.evidence, recorded.gaps)
    if recorded.options == {"none"}:
        return answer
    words = f"{_told(recorded)} in the record, {_told(answer)} in the chart review"
    return recorded.either(answer, Gap("relapse", Why.CONFLICT, words, recorded.evidence + answer.evidence))


_ANSWERS = {"first": "first", "second-or-later": "second_or_later", "refractory": "refractory", "suspected": "suspected"}
_TOLD = {"none": "no relapse", "suspected": "suspected relapse", "first": "first relapse", "second_or_later": "second or later relapse", "refractory": "refractory disease"}


def _told(status: Choice) -> str:
    return " or ".join(_TOLD[option] for option in sorted(status.options))


def _recorded_status(facts: PatientFacts, until: Day) -> Choice:
    records = _of_this_question(relapse_records(facts), until)
    told = facts.chart_review.answers.get("relapse-ordinal")
    only_suspected = told is not None and told.options == {"suspected"}
    answered_date = None if only_suspected else facts.chart_review.answers.get("relapse-date")
    refractory = [d for d in confirmed(facts) if d.refractory]
    evidence = tuple(d.source for d in records) + (answered_date.evidence if answered_date else ())
    if refractory:
        sources = tuple(d.source for d in refractory)
        if not records:
            return one("refractory", *sources)
        gap = Gap("relapse", Why.CONFLICT, "both refractory disease and a relapse are recorded", sources + evidence)
        return any_of({"refractory", "first", "second_or_later"}, gap)
    if records or answered_date:
        return _ordinal(facts, records, evidence, until)
    return _without_relapse_record(facts)


def _of_this_question(records: list[Diagnosis], until: Day) -> list[Diagnosis]:
    """Without relapses long after eligibility was frozen. The earliest stays: treatment may begin before it is written down."""
    earliest = min((d.onset for d in records if d.onset), key=lambda day: day.first or day.last, default=None)
    limit = until.plus_days(SAME_RELAPSE_DAYS)
    return [d for d in records if not (d.onset and d.onset is not earliest and d.onset.surely_after(limit))]


def _other_relapse_signs(facts: PatientFacts, when: Day, until: Day) -> list[Evidence]:
    """What may be another relapse than the one of `when`: records and marrows more than 60 days from it."""
    diagnosed = diagnosis_date(facts)
    doubtful = [d for d in facts.diagnoses.items if d.relapse and d not in confirmed(facts) and d.confirmed is not NOT_MET]
    outside = [d for d in confirmed(facts) if d.sites - {"marrow"} and not d.relapse and not d.remission
               and d.onset and diagnosed and _apart(d.onset, diagnosed)]  # fmt: skip
    records = [d.source for d in doubtful + outside if d.starts and _apart(d.starts, when)]
    records += [d.source for d in facts.diagnoses.items if d.unreadable and _may_be_another(d.starts, when, diagnosed)]
    after = when.plus_days(SAME_RELAPSE_DAYS)
    marrows = [r.source for r in late_marrow(facts) if after.surely_before(r.when) and r.when.surely_by(until)
               and (_blasts(r) or (r.problem and r.problem.reason is not Why.MISSING))]  # fmt: skip
    relapses = [d.recorded for d in relapse_records(facts) if d.recorded]
    between = [d.source for d in confirmed(facts) if d.remission and not d.relapse and d.recorded
               and any(_apart(a, b) and a.surely_before(d.recorded) and d.recorded.surely_before(b) for a in relapses for b in relapses)]  # fmt: skip
    return records + marrows + between


def _ordinal(facts: PatientFacts, records: list[Diagnosis], evidence: tuple[Evidence, ...], until: Day) -> Choice:
    told = {d.ordinal for d in records if d.ordinal}
    onsets = [d.onset for d in records if cannot_be_first_diagnosis(d, facts)]
    two = any(_apart(a, b) for a in onsets for b in onsets)
    if told == {"first"} and two:
        gap = Gap("relapse ordinal", Why.CONFLICT, "relapses more than 60 days apart, each recorded as the first", evidence)
        return any_of({"first", "second_or_later"}, gap)
    if "later" in told or two:
        return one("second_or_later", *evidence)
    if told == {"first"}:
        return one("first", *evidence)
    when = relapse_date(facts)
    signs = _other_relapse_signs(facts, when, until)
    if signs:
        words = f"{signs[0]}: is this another relapse than that of {when}?"
        return any_of({"first", "second_or_later"}, Gap("relapse ordinal", Why.MISSING, words, (*evidence, *signs)))
    diagnosed = diagnosis_date(facts)
    earlier_diagnosis = diagnosed is not None and when.known and diagnosed.surely_before(when)
    if earlier_diagnosis or any(d.remission for d in confirmed(facts)):
        if gap := facts.diagnoses.gap or facts.chart_review.gap:
            return any_of({"first", "second_or_later"}, gap)
        return one("first", *(replace(e, basis=Basis.DERIVED) for e in evidence))
    gap = Gap("relapse ordinal", Why.MISSING, "not recorded whether this is the first relapse", evidence)
    return any_of({"first", "second_or_later"}, gap)


def _without_relapse_record(facts: PatientFacts) -> Choice:
    doubtful = doubtful_relapses(facts)
    marrows = suspicious_marrow(facts)
    if doubtful or marrows:
        return one("suspected", *(d.source for d in doubtful), *(r.source for r in marrows))
    if facts.diagnoses.gap:
        return any_of(STATUSES, facts.diagnoses.gap)
    sources = tuple(d.source for d in confirmed(facts))
    unreadable = [r.problem for r in late_marrow(facts) if r.problem and r.problem.reason is not Why.MISSING]
    gaps = tuple(gap for gap in (facts.marrow_blasts.gap, facts.chart_review.gap, *unreadable) if gap)
    if gaps:
        return Choice(frozenset({"none", "suspected"}), sources, gaps)
    return one("none", *sources)


def _only_derived(status: Choice) -> bool:
    return all(e.basis is Basis.DERIVED for e in status.evidence)


def _may_be_another(starts: Day | None, when: Day, diagnosed: Day | None) -> bool:
    """Of an unreadable record: neither that relapse nor the first diagnosis, as far as its date tells."""
    return starts is None or not starts.known or (_apart(starts, when) and not (diagnosed and not _apart(starts, diagnosed)))


def _apart(a: Day, b: Day) -> bool:
    """Surely more than 60 days apart."""
    return a.plus_days(SAME_RELAPSE_DAYS).surely_before(b) or b.plus_days(SAME_RELAPSE_DAYS).surely_before(a)


def _blasts(reading: Reading) -> bool:
    return reading.problem is None and (reading.value >= BLASTS_OF_LEUKAEMIA).truth is MET
