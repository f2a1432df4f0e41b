"""Which sample is of the relapse and which of the end of induction, among all the marrows a child ever had."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from cds.day import Day, on
from cds.facts import ChartReview, PatientFacts
from cds.finding import Gap, Why
from cds.series import Candidates, Reading, Series
from cds.truth import MET, NOT_MET
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

    def cd19(self) -> Candidates:
        """Every usable CD19 of the relapse: blood and marrow may differ, and then both are shown."""
        relapse, perhaps = self._inside(self.facts.cd19)
        newest = relapse.latest(on(self.facts.as_of))
        usable = tuple(r for r in relapse.readings if r.problem is None)
        found = newest if newest.gaps else Candidates(relapse.name, usable)
        return _with_answer(_beside(found, perhaps, self._doubt), usable + perhaps, "cd19-on-relapse-blasts", self.facts.chart_review)

    def marrow(self) -> Amount:
        """Blasts (%) in the relapse window: at least 5 % in any marrow decides; else the newest of them."""
        inside, perhaps = self._inside(self.facts.marrow_blasts)
        window, answered = inside.readings, self.facts.chart_review.answers.get("relapse-marrow-blasts")
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
        if (told := recorded.value if recorded else answered) is None:
            return any_amount(*self._no_marrow(perhaps))
        if (told >= M2).truth is not MET and (more := [r for r in perhaps if r.problem or (r.value >= M2).truth is not NOT_MET]):
            return any_amount(*map(self._doubt, more))  # one of at least 5 % would decide
        return told

    def _inside(self, series: Series) -> tuple[Series, tuple[Reading, ...]]:
        """The results of the relapse, and those that may be of it."""
        unlabelled = series.having(r for r in series.readings if "eoi" not in r.labels)
        return unlabelled.between(*self.window), _telling(unlabelled.perhaps_between(*self.window))

    def _no_marrow(self, perhaps: tuple[Reading, ...]) -> tuple[Gap, ...]:
        recorded = self.facts.marrow_blasts
        if self.relapse.known:
            missing = recorded.gap or Gap("marrow blasts", Why.MISSING, "no marrow blast count around the relapse found")
            return tuple(map(self._doubt, perhaps)) or (missing,)
        seen = tuple(r.source for r in recorded.readings)
        unplaced = (Gap("marrow blasts", Why.IMPRECISE, "no relapse date: which marrow is that of the relapse?", seen),) if seen else ()
        return (*unplaced, *self.relapse.gaps, *((recorded.gap,) if recorded.gap else ()))

    def _doubt(self, reading: Reading) -> Gap:
        return _is_it(reading, "of this relapse", self.relapse, self.frozen_on)


@dataclass(frozen=True, slots=True)
class EndOfInduction:
    """`start` is that of the reinduction, None while it has not begun."""

    facts: PatientFacts
    windows: Windows
    relapse: Day
    start: Day | None

    def marrow(self) -> Candidates:
        """The latest adequate marrow at end of induction; an inadequate one counts only when it is the only one."""
        marrows, named, perhaps = self._samples(self.facts.marrow_blasts)
        adequate = _without_inadequate(marrows)
        also = tuple(r for r in perhaps if "inadequate" not in r.labels)
        return self._latest(adequate if adequate.readings else marrows, _without_inadequate(named), also, "eoi-marrow-category")

    def ngs_mrd(self) -> Candidates:
        accepted = set(self.windows.mrd_methods)
        accepting = self.facts.mrd.having((r for r in self.facts.mrd.only("marrow").readings if r.labels & accepted), "NGS-MRD")
        undetected = frozenset({"not_detected"} if self.facts.chart_review.mrd_not_detected else ())
        return self._latest(*self._samples(accepting), "eoi-ngs-mrd", undetected)

    def other_mrd(self) -> tuple[Reading, ...]:
        """Residual disease at end of induction by flow cytometry or PCR: shown, never decides."""
        mrd, named, perhaps = self._samples(self.facts.mrd)
        return tuple(r for r in dict.fromkeys((*mrd.readings, *named.readings, *perhaps)) if "ngs" not in r.labels)

    def _latest(self, samples: Series, named: Series, perhaps: tuple[Reading, ...], link_id: str, labels: frozenset[str] = frozenset()) -> Candidates:
        """The latest, and the latest of the day a clinician names: neither is preferred, so both must agree."""
        usable = tuple(r for r in dict.fromkeys(samples.readings + named.readings) if r.problem is None)
        asked = [each for each in (samples, named) if each.readings] or [samples]
        found = _each_of([each.latest(on(self.facts.as_of)) for each in asked])
        return _with_answer(_beside(found, perhaps, self._doubt), usable + perhaps, link_id, self.facts.chart_review, labels)

    def _samples(self, series: Series) -> tuple[Series, Series, tuple[Reading, ...]]:
        """Results labelled so, or in the window after the start; those of the day that a clinician names, which may be of
        another week and hides none of the window; and results of which their dates do not tell. The end of the frontline
        induction may carry the same label, and be taken for the day that was asked for: nothing before the start counts."""
        today = on(self.facts.as_of)
        since = self.start or self.relapse
        told = self.facts.chart_review.answers.get("eoi-date")
        first, last = self.windows.eoi_days
        possible = series.having(r for r in series.readings if not r.when.surely_by(since) and not r.when.surely_after(today))
        sure = [r for r in possible.only("eoi").readings if since.surely_before(r.when)]
        perhaps = [r for r in possible.only("eoi").readings if r not in sure]
        if self.start:
            window = self.start.plus_days(first), self.start.plus_days(last)
            timed = possible.having(r for r in possible.readings if "eoi" not in r.labels)
            sure += timed.between(*window).readings
            perhaps += timed.perhaps_between(*window).readings
        name = f"end-of-induction {series.name}"
        named = possible.between(told, told) if told else possible.having(())
        if told:
            perhaps += (r for r in possible.perhaps_between(told, told).readings if r not in perhaps)
        return series.having(sure, name), named.having(named.readings, name), _telling(series.having(perhaps))

    def _doubt(self, reading: Reading) -> Gap:
        return _is_it(reading, "of the end of this induction", self.start or self.relapse)


def _without_inadequate(marrows: Series) -> Series:
    return marrows.having(r for r in marrows.readings if "inadequate" not in r.labels)


def _telling(series: Series) -> tuple[Reading, ...]:
    """Without results that tell nothing whatever their date: a failed test, an inadequate sample."""
    return tuple(r for r in series.readings if not (r.problem and r.problem.reason is Why.MISSING))


def _is_it(reading: Reading, what: str, *days: Day) -> Gap:
    """Its date does not tell; or it does, and the days that it is compared with are in doubt, with their reason."""
    doubt = next((gap for day in days if not day.exact for gap in day.gaps), None) if reading.when.exact else None
    reason, because = (doubt.reason, f" ({doubt.words})") if doubt else (Why.IMPRECISE, "")
    return Gap(reading.problem.fact if reading.problem else "value", reason, f"{reading.source}: is it {what}?{because}", (reading.source,))


def _beside(found: Candidates, perhaps: tuple[Reading, ...], doubt: Callable[[Reading], Gap]) -> Candidates:
    """With results that may count as well: what was found must hold for them, too."""
    if not perhaps or not (found.readings or found.lacks(*SILENT)):
        return found
    if found.readings and not any(r.problem for r in perhaps):
        return Candidates(found.name, tuple(dict.fromkeys(found.readings + perhaps)))
    return Candidates(found.name, gaps=tuple(replace(doubt(r), fact=found.name) for r in perhaps))


def _each_of(several: list[Candidates]) -> Candidates:
    """Every reading of all of them; none, if one of them lacks its own: a newest result without an answer is not made up for."""
    gaps = dict.fromkeys(gap for found in several for gap in found.gaps)
    readings = dict.fromkeys(reading for found in several for reading in found.readings)
    return Candidates(several[0].name, () if gaps else tuple(readings), tuple(gaps))


def _with_answer(found: Candidates, on_record: tuple[Reading, ...], link_id: str, review: ChartReview, labels: frozenset[str] = frozenset()) -> Candidates:
    """The chart review's answer beside the record: stands where the record is silent, else both must agree."""
    answer = review.answers.get(link_id)
    if answer is None:
        return found
    reading = Reading(answer, Day(), answer.evidence[0], labels)
    if found.gaps:
        return Candidates(found.name, (reading,)) if found.lacks(*SILENT) and not on_record else found
    return Candidates(found.name, (*found.readings, reading))
