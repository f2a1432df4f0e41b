"""One child as a criterion sees them: the facts, and what follows from them, under the settings of one trial.

`p.age_at_relapse`, `p.lineage`, `p.marrow_at_relapse`: a criterion asks for these by name and compares. Everything is
computed once, on first use.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from functools import cached_property
from typing import Any

from cds import course, disease, history, treatment
from cds.day import Day, completed_years, on
from cds.echo import by_echocardiogram, of_the_same_study
from cds.facts import Listed, PatientFacts, in_order
from cds.finding import Basis, Evidence, Finding, Gap, Why, not_met, unknown
from cds.happened import by_the_day_asked
from cds.off_treatment import off_treatment, recorded_end
from cds.relapse import relapse_status
from cds.samples import SILENT, EndOfInduction, OfTheRelapse, Windows
from cds.series import Candidates, Reading, Series
from cds.truth import MET, NOT_MET, UNKNOWN
from cds.values import Amount, Choice, any_amount, any_of, one

COURSE = frozenset({"as_of", "diagnoses", "doses", "taken", "first_line_start", "first_line_end", "enrolment", "marrow_blasts", "chart_review"})
OF_THE_COURSE = ("relapse_date", "reinduction_start", "evaluated_on", "relapse")
"""What is read from these facts and no others (tested), once for each child."""


class Case:
    def __init__(self, facts: PatientFacts, windows: Windows = Windows()):
        self.facts = in_order(by_the_day_asked(facts))
        self.windows = windows
        self.findings: dict[str, Finding] = {}  # of the criteria asked so far

    def supposing(self, facts: Mapping[str, Any]) -> Case:
        """The same child with these facts otherwise, each in order already. What hangs on none of them is not looked for again."""
        other = object.__new__(type(self))
        other.facts, other.windows, other.findings = self.facts.otherwise(facts), self.windows, {}
        if facts.keys().isdisjoint(COURSE):
            other.__dict__.update({name: self.__dict__[name] for name in OF_THE_COURSE if name in self.__dict__})
        return other

    # --- anchors -------------------------------------------------------------------------------------------------

    @cached_property
    def relapse_date(self) -> Day:
        return course.relapse_date(self.facts)

    @cached_property
    def reinduction_start(self) -> Day | None:
        return treatment.reinduction_start(self.facts, self.relapse_date)

    @property
    def anchors(self) -> tuple[Evidence, ...]:
        """The dates the judgement hangs on, each with where it comes from, for a clinician to check."""
        off = off_treatment(self.facts, self.relapse_date)
        named = (("relapse", self.relapse_date), ("off treatment", off), ("reinduction start", self.reinduction_start),
                 ("enrolment", treatment.enrolment(self.facts)))  # fmt: skip
        return tuple(Evidence(f"{name} {day} ({'; '.join(e.words for e in day.evidence) or 'not exact'})")
                     for name, day in named if day is not None and day.known)  # fmt: skip

    @cached_property
    def evaluated_on(self) -> Day:
        """T_eval, the day on which eligibility is frozen."""
        return treatment.frozen_on(self.facts, self.relapse_date)

    # --- the child and the disease -------------------------------------------------------------------------------

    def age_on(self, day: Day) -> Amount:
        """Completed years on a day; a range while either date is partial."""
        born = self.facts.birth_date
        gaps = (() if born.known else born.gaps) + (() if day.known else day.gaps)
        if not (born.known and day.known):
            return any_amount(*gaps)
        low = born.last and day.first and max(0, completed_years(born.last, day.first))
        high = born.first and day.last and completed_years(born.first, day.last)
        if high is not None and high < 0:
            words = f"{day} is before the birth date {born}"
            return any_amount(Gap("age", Why.CONFLICT, words, born.evidence + day.evidence))
        open_gaps = born.gaps + day.gaps
        words = f"born {born}, {day}: age not exact enough"
        why = open_gaps or (Gap("age", Why.IMPRECISE, words, born.evidence + day.evidence),)
        return Amount(_years(low), _years(high), "a", evidence=born.evidence + day.evidence, gaps=why if low != high else ())

    @cached_property
    def age_at_relapse(self) -> Amount:
        age = self.age_on(self.relapse_date)
        words = f"{age} old at relapse (born {self.facts.birth_date}, relapse {self.relapse_date})"
        return replace(age, words=words, evidence=tuple(replace(e, basis=_derived(e.basis)) for e in age.evidence))

    @property
    def sex(self) -> Choice:
        return self.facts.sex

    @cached_property
    def lineage(self) -> Choice:
        """One of LINEAGES, or every one the record leaves open."""
        return disease.lineage(self.facts)

    @cached_property
    def mixed_at_one_time(self) -> Finding:
        """Mixed phenotype at diagnosis or at relapse, even if the lineage was another at the other time."""
        return disease.mixed_at_one_time(self.facts)

    @cached_property
    def relapse(self) -> Choice:
        """none | suspected | first | second_or_later | refractory."""
        return relapse_status(self.facts, self.evaluated_on)

    @cached_property
    def relapse_sites(self) -> Choice:
        """isolated_marrow | combined | extramedullary_only."""
        return disease.relapse_sites(self.facts, self.extramedullary_sites)

    @cached_property
    def extramedullary_sites(self) -> Choice:
        """cns, testis, other: an empty set of options when none is on record for this relapse."""
        return disease.extramedullary_sites(self.facts, *self._of_the_relapse.window)

    # --- results -------------------------------------------------------------------------------------------------

    def current(self, series: Series, days: int) -> Candidates:
        """The newest result on the day eligibility is frozen, if not older than `days`."""
        return series.current(self.evaluated_on, days)

    def latest_echo(self, days: int) -> tuple[Candidates, Candidates]:
        """Shortening and ejection fraction of the most recent echocardiogram; one of an earlier study does not count."""
        shortening, ejection = by_echocardiogram(self.facts.shortening_fraction), by_echocardiogram(self.facts.ejection_fraction)
        current = self.current(shortening, days), self.current(ejection, days)
        until = self.evaluated_on  # a study after the freeze supersedes nothing
        return of_the_same_study(current[0], ejection.until(until)), of_the_same_study(current[1], shortening.until(until))

    def heart_seen_otherwise(self, days: int) -> tuple[Gap, ...]:
        """The newest fractions, where another method found them."""
        newest = (self.current(series, days) for series in (self.facts.shortening_fraction, self.facts.ejection_fraction))
        return tuple(gap for found in newest for gap in found.gaps if gap.reason is Why.WRONG_INSTRUMENT)

    def undated(self, series: Series, days: int) -> tuple[Reading, ...]:
        """Results, readable or not, that may be the newest, as far as their dates tell, and may not."""
        first, last = self.evaluated_on.plus_days(-days), self.evaluated_on
        given = (r for r in series.readings if not (r.problem and r.problem.reason is Why.MISSING))
        return tuple(r for r in given if not r.when.exact and not r.when.surely_before(first) and not r.when.surely_after(last))

    @cached_property
    def _of_the_relapse(self) -> OfTheRelapse:
        return OfTheRelapse(self.facts, self.windows, self.relapse_date, self.evaluated_on)

    @cached_property
    def _end_of_induction(self) -> EndOfInduction:
        start = self.reinduction_start
        begun = start is not None and start.last is not None  # else it is not sure that there was a reinduction
        return EndOfInduction(self.facts, self.windows, self.relapse_date, start if begun else None)

    @cached_property
    def cd19_at_relapse(self) -> Candidates:
        return self._of_the_relapse.cd19()

    @cached_property
    def marrow_at_relapse(self) -> Amount:
        return self._of_the_relapse.marrow()

    @cached_property
    def eoi_marrow(self) -> Candidates:
        return self._end_of_induction.marrow()

    @cached_property
    def eoi_ngs_mrd(self) -> Candidates:
        return self._end_of_induction.ngs_mrd()

    @cached_property
    def eoi_other_mrd(self) -> tuple[Reading, ...]:
        return self._end_of_induction.other_mrd()

    def ever(self, series: Series, option: str, link_id: str) -> Finding:
        """Was `option` ever found? Positive once is positive for good; no result at all is unknown, never no."""
        recorded = history.ever_found(series.until(on(self.facts.as_of)), option)
        if recorded.truth is not MET:  # found is found, even after the freeze; not found is only what was seen by then
            recorded = history.ever_found(series.until(self.evaluated_on), option)
        answered = self.facts.chart_review.answers.get(link_id)
        if answered is None:
            return recorded
        told = answered.is_(option)
        if recorded.truth is UNKNOWN:
            return told if recorded.reason in SILENT else recorded
        if recorded.truth is told.truth:
            return recorded
        seen = recorded.evidence + answered.evidence
        return unknown(Gap(series.name, Why.CONFLICT, " but ".join(str(e) for e in seen), seen))

    # --- what only people know -----------------------------------------------------------------------------------

    def answered(self, link_id: str, fact: str, option: str) -> Finding:
        """Did a clinician answer this? Without an answer, missing."""
        answer = self.facts.chart_review.answers.get(link_id)
        if answer is not None:
            return answer.is_(option)
        return unknown(self.facts.chart_review.gap or Gap(fact, Why.MISSING, f"{fact}: not answered"))

    def attested(self, link_id: str, question: str, shown: tuple[Evidence, ...] = ()) -> Finding:
        return history.attested(link_id, question, self.facts.chart_review.answers.get(link_id), self.relapse_date, shown)

    def ever_received(self, fact: str, events: Listed, received: str, link_id: str) -> Finding:
        answers = self.facts.chart_review.answers
        history_is_complete = answers.get("treatment-history-complete")
        complete = history_is_complete is not None and history_is_complete.options == {"yes"}
        return history.ever_received(fact, events, received, self.evaluated_on, answers.get(link_id), complete)

    @cached_property
    def relapse_within_a_month_of_induction(self) -> Finding:
        """By the end of the frontline induction; without it, a relapse long after treatment ended shows the opposite."""
        end = self.facts.chart_review.answers.get("frontline-induction-end-date")
        off, told = off_treatment(self.facts, self.relapse_date), recorded_end(self.facts, self.relapse_date)
        if end is not None and told is not None and told.surely_before(end):
            words = f"induction ended {end}, yet off treatment on {told}"
            return unknown(Gap("end of frontline induction", Why.CONFLICT, words, end.evidence + told.evidence))
        if end is not None:
            within = self.relapse_date.by(end.plus_months(1)).about("end of frontline induction")
            return within if within.truth is UNKNOWN else within.noting(f"induction ended {end}, relapse {self.relapse_date}")
        gap = self.facts.chart_review.gap or Gap("end of frontline induction", Why.MISSING, "end of frontline induction not recorded")
        if off is not None and self.relapse_date.by(off.plus_months(1)).truth is NOT_MET:
            seen = (*off.evidence, *self.relapse_date.evidence)
            words = f"off treatment {off}, so induction ended earlier; relapse {self.relapse_date}"
            return not_met(*seen, note=words).as_basis(Basis.DERIVED)
        return unknown(gap)


def _derived(basis: Basis) -> Basis:
    """Computed from what is recorded; what a clinician attested stays attested."""
    return Basis.DERIVED if basis is Basis.RECORDED else basis


def truth_as_choice(finding: Finding, if_met: str, if_not: str, words: str = "") -> Choice:
    """A finding as an input of the risk rules: one option when decided, told in `words`; both when unknown."""
    if finding.truth is UNKNOWN:
        return any_of({if_met, if_not}, *finding.gaps)
    return one(if_met if finding.truth is MET else if_not, Evidence(words or finding.words))


def _years(years: int | None) -> Decimal | None:
    return None if years is None else Decimal(years)
