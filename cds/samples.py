"""Which sample is of the relapse and which of the end of induction, among all the marrows a child ever had."""

from __future__ import annotations

from dataclasses import dataclass

from cds.day import Day, on
from cds.facts import ChartReview, PatientFacts
from cds.finding import Gap, Why
from cds.series import Candidates, Reading, Series
from cds.truth import MET
from cds.values import Amount, amount, any_amount

M2 = amount("5 %")
SILENT = (Why.MISSING, Why.NOT_LOOKED_UP)  # the record says nothing: a clinician's answer stands


@dataclass(frozen=True, slots=True)
class Windows:
    """The windows in which samples belong to the relapse, or to the end of induction; a trial's policies are these and more."""

    relapse_sample_days_before: int = 14  # relapse samples: from so long before the relapse up to the reinduction
    mrd_methods: tuple[str, ...] = ("ngs",)  # the methods whose residual disease decides
    eoi_days: tuple[int, int] = (21, 56)  # end of induction: so long after the reinduction start, or labelled


@dataclass(frozen=True, slots=True)
class OfTheRelapse:
    """A marrow, or CD19, after `frozen_on` (the reinduction start, if there is one) is never that of the relapse."""

    facts: PatientFacts
    windows: Windows
    relapse: Day
    frozen_on: Day

    @property
    def window(self) -> tuple[Day, Day]:
        return self.relapse.plus_days(-self.windows.relapse_sample_days_before), self.frozen_on

    def _inside(self, series: Series) -> Series:
        inside = series.between(*self.window)
        return series.having(r for r in inside.readings if "eoi" not in r.labels)

    def cd19(self) -> Candidates:
        """Every usable CD19 of the relapse: blood and marrow may differ, and then both are shown."""
        relapse = self._inside(self.facts.cd19)
        newest = relapse.latest(on(self.facts.as_of))
        usable = tuple(r for r in relapse.readings if r.problem is None)
        found = newest if newest.gaps else Candidates(relapse.name, usable)
        return _with_answer(found, "cd19-on-relapse-blasts", self.facts.chart_review)

    def marrow(self) -> Amount:
        """Blasts (%) in the relapse window: at least 5 % in any marrow decides; else the newest of them."""
        window = self._inside(self.facts.marrow_blasts).readings
        answered = self.facts.chart_review.answers.get("relapse-marrow-blasts")
        proof = next((r for r in window if not r.problem and (r.value >= M2).truth is MET), None)
        recorded = proof or max((r for r in window if not r.problem), key=lambda r: r.when.first, default=None)
        problems = tuple(r.problem for r in window if r.problem)
        against = next((r for r in window if proof and not r.problem and (r.value < M2).truth is MET
                        and not r.when.surely_before(proof.when) and not proof.when.surely_before(r.when)), None)  # fmt: skip
        if against:
            words = f"{proof.source}, but {against.source}"
            return proof.value.either(against.value, Gap("marrow blasts", Why.CONFLICT, words, (proof.source, against.source)))
        if not proof and problems:
            return any_amount(*problems)
        if recorded and answered and (recorded.value >= M2).truth is not (answered >= M2).truth:
            words = f"{recorded.source}; chart review {answered}"
            return recorded.value.either(answered, Gap("marrow blasts", Why.CONFLICT, words, (recorded.source, *answered.evidence)))
        if recorded or answered:
            return recorded.value if recorded else answered
        return any_amount(*self._no_marrow())

    def _no_marrow(self) -> tuple[Gap, ...]:
        recorded = self.facts.marrow_blasts
        if self.relapse.known:
            return (recorded.gap or Gap("marrow blasts", Why.MISSING, "no marrow blast count around the relapse found"),)
        seen = tuple(r.source for r in recorded.readings)
        unplaced = (Gap("marrow blasts", Why.IMPRECISE, "no relapse date: which marrow is that of the relapse?", seen),) if seen else ()
        return (*unplaced, *self.relapse.gaps, *((recorded.gap,) if recorded.gap else ()))


@dataclass(frozen=True, slots=True)
class EndOfInduction:
    """`start` is that of the reinduction, None while it has not begun."""

    facts: PatientFacts
    windows: Windows
    relapse: Day
    start: Day | None

    def _samples(self, series: Series) -> Series:
        """Results labelled so, or of the day a clinician names; only without any, those in the window after the start."""
        today = on(self.facts.as_of)
        since = self.start or self.relapse  # the end of the frontline induction may carry the same label
        labelled = [r for r in series.only("eoi").readings if since.surely_before(r.when) and not r.when.surely_after(today)]
        told = self.facts.chart_review.answers.get("eoi-date")
        labelled += [r for r in series.readings if told and r not in labelled and told.surely_by(r.when) and r.when.surely_by(told)]
        if labelled:
            return series.having(labelled, f"end-of-induction {series.name}")
        first, last = self.windows.eoi_days
        timed = series.between(self.start.plus_days(first), self.start.plus_days(last)).readings if self.start else ()
        return series.having((r for r in timed if r.when.surely_by(today)), f"end-of-induction {series.name}")

    def marrow(self) -> Candidates:
        """The latest adequate marrow at end of induction; an inadequate one counts only when it is the only one."""
        marrows = self._samples(self.facts.marrow_blasts)
        adequate = marrows.having(r for r in marrows.readings if "inadequate" not in r.labels)
        found = (adequate if adequate.readings else marrows).latest(on(self.facts.as_of))
        return _with_answer(found, "eoi-marrow-category", self.facts.chart_review)

    def ngs_mrd(self) -> Candidates:
        mrd = self._samples(self.facts.mrd).only("marrow")
        accepted = tuple(r for r in mrd.readings if r.labels & set(self.windows.mrd_methods))
        found = mrd.having(accepted, "end-of-induction NGS-MRD").latest(on(self.facts.as_of))
        undetected = frozenset({"not_detected"} if self.facts.chart_review.mrd_not_detected else ())
        return _with_answer(found, "eoi-ngs-mrd", self.facts.chart_review, undetected)

    def other_mrd(self) -> tuple[Reading, ...]:
        """Residual disease at end of induction by flow cytometry or PCR: shown, never decides."""
        return tuple(r for r in self._samples(self.facts.mrd).readings if "ngs" not in r.labels)


def _with_answer(found: Candidates, link_id: str, review: ChartReview, labels: frozenset[str] = frozenset()) -> Candidates:
    """The chart review's answer beside the record: stands where the record is silent, else both must agree."""
    answer = review.answers.get(link_id)
    if answer is None:
        return found
    reading = Reading(answer, Day(), answer.evidence[0], labels)
    if found.gaps:
        return Candidates(found.name, (reading,)) if found.lacks(*SILENT) else found
    return Candidates(found.name, (*found.readings, reading))
