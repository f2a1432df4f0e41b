"""Results in time: which one counts, and what may count when the record leaves that open.

A `Series` is every result of one test. Criteria ask for the current one, for all in a window, or for the latest; the
answer is a set of `Candidates`, because two results of the same time, or one without a date, leave more than one open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from cds.day import Day
from cds.finding import Evidence, Finding, Gap, Why, every_possibility, unknown
from cds.values import Amount, Choice


@dataclass(frozen=True, slots=True)
class Reading:
    """One result. `problem` says why it cannot be used; its value then is anything at all."""

    value: Amount | Choice
    when: Day
    source: Evidence
    labels: frozenset[str] = frozenset()
    problem: Gap | None = None


@dataclass(frozen=True, slots=True)
class Candidates:
    """The readings of which one is the result that counts; none, with the gaps that say why."""

    name: str
    readings: tuple[Reading, ...] = ()
    gaps: tuple[Gap, ...] = ()

    def each(self, test: Callable[[Reading], Finding]) -> Finding:
        """What `test` says of every reading that may count: decided only if all agree."""
        if self.gaps:
            return unknown(*self.gaps)
        seen = tuple(r.source for r in self.readings)
        words = f"{self.name}: {' and '.join(str(e) for e in seen)} disagree"
        return every_possibility((test(r) for r in self.readings), Gap(self.name, Why.CONFLICT, words, seen)).about(self.name)

    def __lt__(self, limit: Amount) -> Finding:
        return self.each(lambda r: r.value < limit)

    def __le__(self, limit: Amount) -> Finding:
        return self.each(lambda r: r.value <= limit)

    def __ge__(self, limit: Amount) -> Finding:
        return self.each(lambda r: r.value >= limit)

    def is_(self, *options: str) -> Finding:
        return self.each(lambda r: r.value.is_(*options))

    def lacks(self, *reasons: Why) -> bool:
        """Nothing can be used, and only for these reasons."""
        return bool(self.gaps) and {gap.reason for gap in self.gaps} <= set(reasons)


@dataclass(frozen=True, slots=True)
class Series:
    """All results of one test. `gap` is set when not all were looked up; `cut_short` when those that were not may be newer."""

    name: str
    readings: tuple[Reading, ...] = ()
    gap: Gap | None = None
    cut_short: bool = False

    def __bool__(self) -> bool:
        raise TypeError("ask a Series for .readings, .current() or .latest()")

    def having(self, readings: Iterable[Reading], name: str = "") -> Series:
        """Some of these results, under another name perhaps; what is missing from the search is missing from them, too."""
        return Series(name or self.name, tuple(readings), self.gap, self.cut_short)

    def only(self, *labels: str) -> Series:
        return self.having(r for r in self.readings if r.labels.issuperset(labels))

    def until(self, day: Day) -> Series:
        """Without what was surely taken later: a sample after the freeze does not count."""
        return self.having(r for r in self.readings if not r.when.surely_after(day))

    def plus(self, *readings: Reading) -> Series:
        return self.having(self.readings + readings)

    def latest(self, until: Day) -> Candidates:
        """The newest result on or before `until`, whatever its age.

        A newer result that cannot be used (no unit, rejected, preliminary) leaves the fact unknown; the older good one
        is shown and does not decide. A preliminary one beside a final one of the same time does not count.
        """
        known = [r for r in self.readings if not (r.when.first and until.last and r.when.first > until.last)]
        sure = [r for r in known if r.when.surely_by(until)]
        newest = _without_superseded(known, sure)
        usable = tuple(r for r in newest if r.problem is None)
        problems = tuple(r.problem for r in newest if r.problem and not (usable and r.problem.reason is Why.PENDING and _beside(r, usable)))
        if problems:
            older = tuple(r.source for r in known if r.problem is None)
            return Candidates(self.name, gaps=tuple(_showing(self.name, p, older) for p in problems))
        if not usable:
            return Candidates(self.name, gaps=(self.gap or Gap(self.name, Why.MISSING, f"no {self.name} found"),))
        if self.gap and self.cut_short:
            return Candidates(self.name, gaps=(_showing(self.name, self.gap, tuple(r.source for r in usable)),))
        return Candidates(self.name, usable)

    def current(self, until: Day, days: int) -> Candidates:
        """The newest result, if `0 <= until - its day <= days`; otherwise stale, and shown with its date."""
        newest = self.latest(until)
        gaps = [gap for r in newest.readings for gap in _freshness(self.name, r, until, days)]
        return Candidates(self.name, newest.readings, tuple(gaps)) if gaps else newest

    def between(self, first: Day, last: Day) -> Series:
        """The results surely taken in this window (both ends included); open ends let everything through."""
        return self.having(r for r in self.readings if first.surely_by(r.when) and r.when.surely_by(last))

    def perhaps_between(self, first: Day, last: Day) -> Series:
        """Those of which neither their own dates nor those of the window tell whether they lie in it."""
        return self.having(r for r in self.readings if not (first.surely_by(r.when) and r.when.surely_by(last))
                           and not r.when.surely_before(first) and not r.when.surely_after(last))  # fmt: skip


def _without_superseded(readings: list[Reading], sure: list[Reading]) -> list[Reading]:
    """Those that are `surely_before` none of the sure ones; in one pass, since a child may have thousands of results."""
    instant = max((r.when.instant for r in sure if r.when.instant), default=None)
    day = max((r.when.first for r in sure if r.when.first), default=None)
    day_without_instant = max((r.when.first for r in sure if r.when.first and not r.when.instant), default=None)

    def superseded(when: Day) -> bool:
        if when.instant and instant and when.instant < instant:
            return True
        latest = day_without_instant if when.instant else day
        return when.last is not None and latest is not None and when.last < latest

    return [r for r in readings if not superseded(r.when)]


def _beside(reading: Reading, others: tuple[Reading, ...]) -> bool:
    """Surely not newer than one of them."""
    return any(reading.when.surely_by(o.when) and not o.when.surely_before(reading.when) for o in others)


def _showing(name: str, problem: Gap, older: tuple[Evidence, ...]) -> Gap:
    aside = f" (not decided by {', '.join(str(e) for e in older)})" if older else ""
    return Gap(name, problem.reason, problem.words + aside, problem.seen + older)


def _freshness(name: str, reading: Reading, until: Day, days: int) -> list[Gap]:
    oldest = until.plus_days(-days)
    if oldest.surely_by(reading.when) and reading.when.surely_by(until):
        return []
    if reading.when.last and oldest.first and reading.when.last < oldest.first:
        age = (until.first - reading.when.last).days if until.first else "more"
        return [Gap(name, Why.STALE, f"{reading.source} is {age} days old (limit {days})", (reading.source,))]
    if not until.exact and until.gaps:
        return list(until.gaps)  # the day it is counted from is in doubt, and that is why
    if reading.when.exact:
        words = f"{reading.source} may be older than {days} days, or taken later: the day to count from is not exact ({until})"
    else:
        words = f"{reading.source} has no exact date, so it may be older than {days} days"
    return [Gap(name, Why.IMPRECISE, words, (reading.source,))]
