"""Which relapse it is: none, suspected, the first, a later one, or a disease that never left."""

from __future__ import annotations

from dataclasses import replace

from cds.course import (
    SAME_RELAPSE_DAYS, apart, cannot_be_first_diagnosis, confirmed, diagnosis_date, doubtful_relapses, has_blasts, late_labelled_marrow, late_marrow,
    perhaps_late_marrow, recorded_as_relapse, relapse_date, relapse_records, suspicious_marrow,
)  # fmt: skip
from cds.day import Day
from cds.facts import Diagnosis, PatientFacts
from cds.finding import Basis, Evidence, Gap, Why
from cds.truth import NOT_MET
from cds.values import Choice, any_of, one

STATUSES = frozenset({"none", "suspected", "first", "second_or_later", "refractory"})


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
    contradicts_itself = any(gap.reason is Why.CONFLICT for gap in recorded.gaps)  # two relapses on record: "first" may be said of the earlier
    stands = ("refractory" in recorded.options and answer.options != {"refractory"}) or (contradicts_itself and answer.options == {"first"})
    if recorded.options & answer.options and not stands:
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
               and d.onset and diagnosed and apart(d.onset, diagnosed)]  # fmt: skip
    records = [d.source for d in doubtful + outside if d.starts and apart(d.starts, when)]
    records += [d.source for d in facts.diagnoses.items if d.unreadable and _may_be_another(d.starts, when, diagnosed)]
    if any(d.onset for d in relapse_records(facts)):  # beside a relapse that has its day, one that has none
        records += [d.source for d in relapse_records(facts) if not d.onset and (
            d.recorded is None or (apart(d.recorded, when) and recorded_as_relapse(d, facts)))]  # fmt: skip
    marrows = [r.source for r in late_marrow(facts) if apart(r.when, when) and r.when.surely_by(until)
               and (has_blasts(r) or (r.problem and r.problem.reason is not Why.MISSING))]  # fmt: skip
    relapses = [d.recorded for d in relapse_records(facts) if d.recorded]
    between = [d.source for d in confirmed(facts) if d.remission and not d.relapse and d.recorded
               and any(apart(a, b) and a.surely_before(d.recorded) and d.recorded.surely_before(b) for a in relapses for b in relapses)]  # fmt: skip
    return records + marrows + between


def _ordinal(facts: PatientFacts, records: list[Diagnosis], evidence: tuple[Evidence, ...], until: Day) -> Choice:
    told = {d.ordinal for d in records if d.ordinal}
    onsets = [d.onset for d in records if cannot_be_first_diagnosis(d, facts)]
    two = any(apart(a, b) for a in onsets for b in onsets)
    if told == {"first"} and two:
        gap = Gap("relapse ordinal", Why.CONFLICT, "relapses more than 60 days apart, yet recorded as the first", evidence)
        return any_of({"first", "second_or_later"}, gap)
    if "later" in told or two:
        return one("second_or_later", *evidence)
    if told == {"first"}:
        return one("first", *evidence)
    when = relapse_date(facts)
    if conflict := next((gap for gap in when.gaps if gap.reason is Why.CONFLICT), None):
        return any_of({"first", "second_or_later"}, conflict)
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
    unplaced = (*perhaps_late_marrow(facts), *late_labelled_marrow(facts))
    undated = [Gap("relapse", Why.IMPRECISE, f"{r.source}: of the first treatment, or of a relapse?", (r.source,)) for r in unplaced if has_blasts(r)]
    gaps = tuple(gap for gap in (facts.marrow_blasts.gap, facts.chart_review.gap, *unreadable, *undated) if gap)
    if gaps:
        return Choice(frozenset({"none", "suspected"}), sources, gaps)
    return one("none", *sources)


def _only_derived(status: Choice) -> bool:
    return all(e.basis is Basis.DERIVED for e in status.evidence)


def _may_be_another(starts: Day | None, when: Day, diagnosed: Day | None) -> bool:
    """Of an unreadable record: neither that relapse nor the first diagnosis, as far as its date tells."""
    return starts is None or not starts.known or (apart(starts, when) and not (diagnosed and not apart(starts, diagnosed)))
