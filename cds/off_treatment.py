"""When frontline treatment ended, and whether the relapse came late: one year or more after that day.

A wrong "late" can assign standard risk, the dangerous error: it is proved by a recorded end that nothing contradicts.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from cds.day import Day
from cds.facts import Dose, PatientFacts
from cds.finding import Basis, Finding, Gap, Why, met, not_met, unknown
from cds.treatment import also, reconciled
from cds.truth import MET, UNKNOWN

FRONTLINE_DRUGS = frozenset({"vincristine", "mercaptopurine", "methotrexate", "cytarabine", "asparaginase", "idarubicin"})


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
    """The recorded last day of frontline treatment; every later day that what was given or taken leaves open."""
    off = recorded_end(facts, relapse)
    return off and _despite_history(_despite_doses(off, facts, relapse), facts, relapse)


def recorded_end(facts: PatientFacts, relapse: Day) -> Day | None:
    """What the record and the chart review call the last day of frontline treatment."""
    recorded = max(facts.first_line_end.items, key=lambda day: day.last or day.first, default=None)
    if recorded and facts.first_line_end.cut_short and relapse.last and recorded.surely_before(relapse):
        recorded = replace(recorded, last=relapse.last, gaps=also(recorded, facts.first_line_end.gap))  # a later end may not be here
    return reconciled("off-treatment date", recorded, facts.chart_review.answers.get("off-treatment-date"))


def _despite_doses(off: Day, facts: PatientFacts, relapse: Day) -> Day:
    """Treatment went on if a dose lies between: late needs proof, so one that may lie there is enough (protocol-reading 3)."""
    until = _latest(facts, relapse)
    later = [d for d in _frontline(facts) if until and off.surely_before(d.when) and d.when.first < until]
    if not later:
        return off
    last = max(later, key=lambda d: (d.when.surely_before(relapse), d.when.first))
    gap = Gap("off-treatment date", Why.CONFLICT, f"off treatment on {off}, yet {last.source}", off.evidence + (last.source,))
    if not last.when.surely_before(relapse):
        gap = Gap("off-treatment date", Why.IMPRECISE, f"{last.source}: before the relapse on {relapse}, or for it?", (last.source,))
    return off.either(Day(last.when.first, relapse.last, None, (last.source,)), gap)


def _despite_history(off: Day, facts: PatientFacts, relapse: Day) -> Day:
    """Nor is it sure that treatment had ended where a drug of it is said to have been taken later, or no end of that is told."""
    until = _latest(facts, relapse)
    later = [t for t in facts.taken.items if t.drug in FRONTLINE_DRUGS and until and (t.since.first or date.min) < until
             and (t.until.last is None or off.surely_before(t.until))]  # fmt: skip
    if not later or off.last is None:
        return off
    last = max(later, key=lambda t: t.until.last or date.max)
    conflict = Gap("off-treatment date", Why.CONFLICT, f"off treatment on {off}, yet {last.source}", off.evidence + (last.source,))
    open_end = Gap("off-treatment date", Why.MISSING, f"off treatment on {off}; {last.source}: until when?", off.evidence + (last.source,))
    ends = [t.until.last or relapse.last for t in later]
    end = None if None in ends else max(off.last, *filter(None, ends))
    return replace(off, last=end, instant=None, evidence=(*off.evidence, last.source), gaps=also(off, conflict if last.until.last else open_end))


def _latest(facts: PatientFacts, relapse: Day) -> date | None:
    """The latest day that the relapse may have been: what begins then or later is no frontline treatment."""
    begun = facts.chart_review.answers.get("reinduction-start-date")  # the relapse came before it, unless one of the dates is wrong
    return min((day.last for day in (relapse, begun) if day and day.last and not day.surely_before(relapse)), default=None)


def last_dose(facts: PatientFacts, before: Day) -> Dose | None:
    return max((d for d in _frontline(facts) if d.when.surely_before(before)), key=lambda d: d.when.first, default=None)


def _frontline(facts: PatientFacts) -> list[Dose]:
    return [d for d in facts.doses.items if d.drug in FRONTLINE_DRUGS]


def _a_year_after(off: Day, relapse: Day) -> Finding:
    finding = off.plus_years(1).by(relapse)
    if finding.truth is UNKNOWN:
        words = f"off treatment {off}, relapse {relapse}: not exact enough for one year"
        return finding if off.gaps or relapse.gaps else unknown(Gap("off-treatment date", Why.IMPRECISE, words, off.evidence + relapse.evidence))
    late = finding.truth is MET
    note = f"off treatment {off}, relapse {relapse}: {'one year or more' if late else 'less than one year'}"
    return (met if late else not_met)(*finding.evidence, note=note)
