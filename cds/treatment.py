"""Treatment dates that anchor the judgement: off treatment, reinduction, enrolment, and the day eligibility is frozen.

Eligibility is judged as of the earliest of today, enrolment and the first dose of reinduction, and stays frozen there:
otherwise the study's own treatment would later make the child look ineligible (protocol-reading 0.4).
"""

from __future__ import annotations

from dataclasses import replace

from cds.day import Day, on
from cds.facts import Dose, PatientFacts
from cds.finding import Basis, Finding, Gap, Why, met, not_met, unknown
from cds.truth import MET, UNKNOWN

FRONTLINE_DRUGS = frozenset({"vincristine", "mercaptopurine", "methotrexate", "cytarabine", "asparaginase", "idarubicin"})
REINDUCTION_DRUGS = frozenset({"idarubicin", "vincristine"})
RELAPSE_WINDOW_DAYS = 14  # before the relapse date: its samples, and treatment begun before its date was written down


def reinduction_start(facts: PatientFacts, relapse: Day) -> Day | None:
    """The chart review's date, else the first administered idarubicin or vincristine on or after the relapse."""
    answered = facts.chart_review.answers.get("reinduction-start-date")
    if answered:
        return answered
    doses = [d for d in facts.doses.items if d.drug in REINDUCTION_DRUGS and relapse.surely_by(d.when)]
    return _dated(min(doses, key=lambda d: d.when.first, default=None))


def enrolment(facts: PatientFacts) -> Day | None:
    """The start of taking part in this trial; the chart review and the record together when they differ."""
    recorded = min(facts.enrolment.items, key=lambda day: day.first or day.last, default=None)
    return _reconciled("enrolment date", recorded, facts.chart_review.answers.get("enrolment-date"))


def frozen_on(facts: PatientFacts, *starts: Day | None) -> Day:
    """T_eval: the earliest of the day asked about and these starts."""
    days = [on(facts.as_of), *(day for day in starts if day is not None and day.known)]
    firsts = [day.first for day in days]
    lasts = [day.last for day in days if day.last is not None]
    gaps = tuple(gap for day in days for gap in day.gaps)
    return Day(None if None in firsts else min(firsts), min(lasts), None, tuple(e for day in days for e in day.evidence), gaps)


def late_relapse(facts: PatientFacts, relapse: Day) -> Finding:
    """Was the relapse one year or more (same calendar day counts) after the last day of frontline treatment?

    A last recorded dose only shows that treatment went on until then: it can prove "not late", never "late".
    """
    on_treatment = facts.chart_review.answers.get("on-treatment-at-relapse")
    off = off_treatment(facts, relapse)
    if on_treatment is not None and on_treatment.options == {"yes"}:
        if off is not None and off.surely_before(relapse):
            words = f"off treatment on {off}, yet on treatment at relapse in the chart review"
            return unknown(Gap("off-treatment date", Why.CONFLICT, words, off.evidence + on_treatment.evidence))
        return not_met(*on_treatment.evidence, note="relapse on treatment")
    if off is not None:
        return _a_year_after(off, relapse)
    missing = facts.first_line_end.gap or Gap("off-treatment date", Why.MISSING, "off-treatment date not recorded")
    last = last_dose(facts, relapse)
    if last is None:
        return unknown(missing)
    bound = Day(last.when.first, relapse.last, None, (replace(last.source, basis=Basis.DERIVED),), (missing,))
    return _a_year_after(bound, relapse)


def off_treatment(facts: PatientFacts, relapse: Day) -> Day | None:
    """The recorded last day of frontline treatment; every day up to the relapse if a later dose contradicts it."""
    recorded = max(facts.first_line_end.items, key=lambda day: day.last or day.first, default=None)
    off = _reconciled("off-treatment date", recorded, facts.chart_review.answers.get("off-treatment-date"))
    before_relapse_treatment = relapse.plus_days(-RELAPSE_WINDOW_DAYS)
    last = off and last_dose(facts, before_relapse_treatment)
    if last and off.surely_before(last.when):
        words = f"off treatment on {off}, yet {last.source}"
        return off.either(Day(last.when.first, relapse.last, None, (last.source,)), Gap("off-treatment date", Why.CONFLICT, words, off.evidence + (last.source,)))
    return off


def last_dose(facts: PatientFacts, before: Day) -> Dose | None:
    doses = [d for d in facts.doses.items if d.drug in FRONTLINE_DRUGS and d.when.surely_before(before)]
    return max(doses, key=lambda d: d.when.first, default=None)


def _a_year_after(off: Day, relapse: Day) -> Finding:
    finding = off.plus_years(1).by(relapse)
    if finding.truth is UNKNOWN:
        words = f"off treatment {off}, relapse {relapse}: not exact enough for one year"
        return finding if off.gaps or relapse.gaps else unknown(Gap("off-treatment date", Why.IMPRECISE, words, off.evidence + relapse.evidence))
    late = finding.truth is MET
    note = f"off treatment {off}, relapse {relapse}: {'one year or more' if late else 'less than one year'}"
    return (met if late else not_met)(*finding.evidence, note=note)


def _dated(dose: Dose | None) -> Day | None:
    return dose and replace(dose.when, evidence=(replace(dose.source, basis=Basis.DERIVED),))


def _reconciled(fact: str, recorded: Day | None, answered: Day | None) -> Day | None:
    if recorded is None or answered is None:
        return recorded or answered
    if recorded.surely_before(answered) or answered.surely_before(recorded):
        words = f"{fact} {recorded} in the record, {answered} in the chart review"
        return recorded.either(answered, Gap(fact, Why.CONFLICT, words, recorded.evidence + answered.evidence))
    return recorded if recorded.exact else answered

