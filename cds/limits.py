"""A printed table of limits, looked up by an age and a sex that may both be uncertain."""

from __future__ import annotations

from decimal import Decimal

from cds.finding import Gap, Why
from cds.values import Amount, Choice, any_amount

BOY_OR_GIRL = {"male": "boy", "female": "girl"}


class LimitByAgeAndSex:
    """Rows of `(from year, to year, male, female)`, as printed; the last row may be open (`None`)."""

    def __init__(self, unit: str, *rows: tuple[int, int | None, str, str]):
        self.unit = unit
        self.rows = rows

    def at(self, age: Amount, sex: Choice) -> Amount:
        """The range of limits that could apply to this age (completed years) and sex; anything where no row fits."""
        rows = [row for row in self.rows if not _misses(row, age)]
        first_row = self.rows[0][0]
        if not rows:
            words = f"the text has no limit for this age ({age}): its table starts at {first_row} year"
            return any_amount(Gap("age", Why.OUT_OF_TABLE, words, age.evidence))
        if age.low is None or age.low < first_row:
            gap = Gap("age", Why.IMPRECISE, f"age {age} is not exact enough for the table of limits", age.evidence)
            return any_amount(*(age.gaps or (gap,)))
        limits = {Decimal(limit) for row in rows for limit in _limits(row, sex)}
        low, high = min(limits), max(limits)
        who = BOY_OR_GIRL[next(iter(sex.options))] if sex.exact else "sex not known"
        words = f"limit {low if low == high else f'{low} to {high}'} ({who}, {age})"
        return Amount(low, high, self.unit, words=words, gaps=() if low == high else self._why_open(rows, sex, age))

    def _why_open(self, rows: list, sex: Choice, age: Amount) -> tuple[Gap, ...]:
        if len(rows) == 1:
            return sex.gaps
        words = f"age {age} falls in more than one row of the table of limits"
        return sex.gaps + (age.gaps or (Gap("age", Why.IMPRECISE, words, age.evidence),))


def _misses(row: tuple, age: Amount) -> bool:
    start, end = row[:2]
    return (age.high is not None and age.high < start) or (end is not None and age.low is not None and age.low >= end)


def _limits(row: tuple, sex: Choice) -> tuple[str, ...]:
    return tuple(row[2 if option == "male" else 3] for option in sex.options)
