"""Calendar days as far as the record states them: `2024-08` is any day of August 2024.

Ages and periods follow protocol-reading 0.6: completed anniversaries by month and day; born on 29 February, the
anniversary is 1 March in other years; "1 year after" is the same calendar day one year later, never 365 days.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from cds.finding import Evidence, Finding, Gap, Why, met, not_met, unknown


@dataclass(frozen=True, slots=True)
class Day:
    """One day that is at least known to lie between `first` and `last`; None leaves that side open.

    `instant` (with its UTC offset) orders two results of the same day; the day itself is the calendar day written in
    the record's own offset. `evidence` says where it was found, `gaps` why it is not exact.
    """

    first: date | None = None
    last: date | None = None
    instant: datetime | None = None
    evidence: tuple[Evidence, ...] = ()
    gaps: tuple[Gap, ...] = ()

    @property
    def exact(self) -> bool:
        return self.first is not None and self.first == self.last

    @property
    def known(self) -> bool:
        """At least one side is bounded."""
        return self.first is not None or self.last is not None

    def __str__(self) -> str:
        if self.first and self.first == self.last:
            return self.first.isoformat()
        if self.first and self.last:
            if self.first.day == 1 and self.last == _month_end(self.last):
                if self.first.year == self.last.year and (self.first.month, self.last.month) == (1, 12):
                    return f"{self.first.year:04d}"
                if (self.first.year, self.first.month) == (self.last.year, self.last.month):
                    return f"{self.first.year:04d}-{self.first.month:02d}"
            return f"{self.first} to {self.last}"
        if self.first:
            return f"{self.first} or later"
        return f"{self.last} or earlier" if self.last else "unknown date"

    def surely_before(self, other: Day) -> bool:
        if self.instant and other.instant:
            return self.instant < other.instant
        return self.last is not None and other.first is not None and self.last < other.first

    def surely_by(self, other: Day) -> bool:
        """On the same day or before, whichever days they are."""
        return self.last is not None and other.first is not None and self.last <= other.first

    def surely_after(self, other: Day) -> bool:
        return other.surely_before(self)

    def by(self, other: Day) -> Finding:
        """Is this day on or before the other? Met if for all possible days, not met if for none."""
        evidence = self.evidence + other.evidence
        if self.surely_by(other):
            return met(*evidence)
        if other.last is not None and self.first is not None and self.first > other.last:
            return not_met(*evidence)
        gaps = (() if self.exact else self.gaps) + (() if other.exact else other.gaps)
        return unknown(*(gaps or (Gap("date", Why.IMPRECISE, f"{self} or {other} is not exact enough", evidence),)))

    def either(self, other: Day, gap: Gap) -> Day:
        """The record leaves both open (two sources that differ): any day between them, because of `gap`."""
        first = None if self.first is None or other.first is None else min(self.first, other.first)
        last = None if self.last is None or other.last is None else max(self.last, other.last)
        return Day(first, last, None, self.evidence + other.evidence, self.gaps + other.gaps + (gap,))

    def plus_years(self, years: int) -> Day:
        return self._moved(lambda d: add_years(d, years))

    def plus_months(self, months: int) -> Day:
        return self._moved(lambda d: add_months(d, months))

    def plus_days(self, days: int) -> Day:
        return self._moved(lambda d: d + timedelta(days=days))

    def _moved(self, move) -> Day:
        return Day(self.first and move(self.first), self.last and move(self.last), None, self.evidence, self.gaps)


def on(day: date | str, *evidence: Evidence) -> Day:
    """An exact day.

    >>> str(on("2024-02-29"))
    '2024-02-29'
    """
    exact = date.fromisoformat(day) if isinstance(day, str) else day
    return Day(exact, exact, None, evidence)


def partial(text: str, *evidence: Evidence) -> Day:
    """The days a FHIR date of the form YYYY, YYYY-MM or YYYY-MM-DD leaves open; ValueError otherwise.

    >>> partial("2024-02").last.isoformat()
    '2024-02-29'
    """
    parts = [int(part) for part in text.split("-")]
    if len(text) == 4 and len(parts) == 1:
        return Day(date(parts[0], 1, 1), date(parts[0], 12, 31), None, evidence)
    if len(text) == 7 and len(parts) == 2:
        first = date(parts[0], parts[1], 1)
        return Day(first, _month_end(first), None, evidence)
    return on(text, *evidence)


def add_years(day: date, years: int) -> date:
    """The anniversary; 29 February becomes 1 March in a year without it.

    >>> add_years(date(2024, 2, 29), 1).isoformat()
    '2025-03-01'
    """
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)


def add_months(day: date, months: int) -> date:
    """The same day of a later month, or its last day.

    >>> add_months(date(2025, 1, 31), 1).isoformat()
    '2025-02-28'
    """
    month = day.year * 12 + day.month - 1 + months
    first = date(month // 12, month % 12 + 1, 1)
    return first.replace(day=min(day.day, _month_end(first).day))


def completed_years(born: date, when: date) -> int:
    """Whole years between two days, negative when `when` comes first.

    >>> completed_years(date(2003, 9, 1), date(2025, 8, 31))
    21
    """
    years = when.year - born.year
    return years if add_years(born, years) <= when else years - 1


def _month_end(day: date) -> date:
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])
