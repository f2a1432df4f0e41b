"""Amounts and choices as everything the record leaves open; comparisons answer for every possibility.

`<0.01 %` is every amount from 0 up to, not including, 0.01 %. Nothing recorded is anything at all. A comparison is met
if it holds for all possibilities, not met if for none, unknown otherwise, with the gaps that left it open.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal

from cds.finding import Evidence, Finding, Gap, Why, met, not_met, unknown


@dataclass(frozen=True, slots=True)
class Amount:
    """A number in `unit` that lies between `low` and `high` (None: no limit on that side; open: the end excluded).

    Units are the fixed unit of the fact (`mg/dL`, `%`, `a` for completed years); converting is the mapping's work.
    `words` tells it in a sentence where its evidence would not do: an age, or the row of a table a limit comes from.
    """

    low: Decimal | None = None
    high: Decimal | None = None
    unit: str = ""
    low_open: bool = False
    high_open: bool = False
    words: str = ""
    evidence: tuple[Evidence, ...] = ()
    gaps: tuple[Gap, ...] = ()

    def __lt__(self, other: Amount) -> Finding:
        return self._compare("<", other, below(self, other), not_below=not_above(other, self))

    def __le__(self, other: Amount) -> Finding:
        return self._compare("≤", other, not_above(self, other), not_below=below(other, self))

    def __gt__(self, other: Amount) -> Finding:
        return self._compare(">", other, below(other, self), not_below=not_above(self, other))

    def __ge__(self, other: Amount) -> Finding:
        return self._compare("≥", other, not_above(other, self), not_below=below(self, other))

    def _compare(self, sign: str, other: Amount, holds: bool, not_below: bool) -> Finding:
        if self.unit and other.unit and self.unit != other.unit:
            raise ValueError(f"cannot compare {self.unit} with {other.unit}: convert in the mapping")
        if holds or not_below:
            limit = other.words or f"asked {sign} {other}"
            note = f"{self._told()}, {limit}"
            return (met if holds else not_met)(*self.evidence, *other.evidence, note=note)
        gaps = tuple(g for side in (self, other) if not side.exact for g in side.gaps)
        across = Gap("value", Why.IMPRECISE, f"{self._told()} can be on either side of {other}", self.evidence)
        return unknown(*(gaps or (across,)))

    def _told(self) -> str:
        return self.words or "; ".join(map(str, self.evidence)) or str(self)

    @property
    def exact(self) -> bool:
        return self.low is not None and self.low == self.high

    def either(self, other: Amount, gap: Gap) -> Amount:
        """The record leaves both open (two sources that differ): every amount between them, because of `gap`."""
        low, low_open = _outer(self.low, self.low_open, other.low, other.low_open, min)
        high, high_open = _outer(self.high, self.high_open, other.high, other.high_open, max)
        return Amount(low, high, self.unit or other.unit, low_open, high_open, "", self.evidence + other.evidence,
                      self.gaps + other.gaps + (gap,))

    def __str__(self) -> str:
        unit = {"": "", "a": " year" if self.exact and self.low == 1 else " years"}.get(self.unit, f" {self.unit}")
        if self.exact:
            return f"{self.low}{unit}"
        if self.low is None and self.high is None:
            return "not known"
        if self.low is None or self.low == 0 and self.high is not None:
            return f"{'<' if self.high_open else '≤'} {self.high}{unit}"
        if self.high is None:
            return f"{'>' if self.low_open else '≥'} {self.low}{unit}"
        return f"{self.low} to {self.high}{unit}"


def below(a: Amount, b: Amount) -> bool:
    """Every a is less than every b."""
    if a.high is None or b.low is None:
        return False
    return a.high < b.low or (a.high == b.low and (a.high_open or b.low_open))


def not_above(a: Amount, b: Amount) -> bool:
    """Every a is less than or equal to every b."""
    return a.high is not None and b.low is not None and a.high <= b.low


def _outer(a: Decimal | None, a_open: bool, b: Decimal | None, b_open: bool, pick: Callable) -> tuple[Decimal | None, bool]:
    if a is None or b is None:
        return None, False
    if a == b:
        return a, a_open and b_open
    return (a, a_open) if pick(a, b) == a else (b, b_open)


_AMOUNT = re.compile(r"\s*(<=|>=|<|>|≤|≥)?\s*(-?\d+(?:\.\d+)?)(?:\s*(?:-|–|to)\s*(\d+(?:\.\d+)?))?\s*(\S.*)?$")


def amount(text: str, *evidence: Evidence, unit: str | None = None) -> Amount:
    """Read the little grammar of limits and tests: a number, a comparator or a range, and a unit.

    >>> str(amount("<0.01 %")), str(amount("45-50 %")), amount("3.0 mg/dL").exact
    ('< 0.01 %', '45 to 50 %', True)

    Measured quantities are never negative, so `<` and `≤` start at 0.
    """
    found = _AMOUNT.match(text)
    if not found:
        raise ValueError(f"{text!r} is not an amount such as '<0.01 %' or '45-50 %'")
    sign, number, upper, said_unit = found.groups()
    return bounded(sign or "", Decimal(number), unit or said_unit or "", upper and Decimal(upper), evidence)


def bounded(sign: str, number: Decimal, unit: str, upper: Decimal | None = None, evidence: tuple[Evidence, ...] = ()) -> Amount:
    """The amounts that a comparator (FHIR `<` `<=` `>` `>=`, or none) and a number leave open."""
    if upper is not None:
        return Amount(number, upper, unit, evidence=evidence)
    match sign:
        case "<" | "<=" | "≤":
            return Amount(min(Decimal(0), number), number, unit, high_open=sign == "<", evidence=evidence)
        case ">" | ">=" | "≥":
            return Amount(number, None, unit, low_open=sign == ">", evidence=evidence)
        case "":
            return Amount(number, number, unit, evidence=evidence)
    raise ValueError(f"{sign!r} is not a comparator: use <, <=, >= or >")


def any_amount(*gaps: Gap) -> Amount:
    """Nothing usable is recorded: any amount at all, because of these gaps."""
    return Amount(gaps=gaps, evidence=tuple(e for gap in gaps for e in gap.seen))


@dataclass(frozen=True, slots=True)
class Choice:
    """The options the record leaves open; one when it is clear."""

    options: frozenset[str]
    evidence: tuple[Evidence, ...] = ()
    gaps: tuple[Gap, ...] = ()

    def is_(self, *wanted: str) -> Finding:
        """Is it one of these? Met if every possible option is, not met if none is."""
        if self.options <= set(wanted):
            return met(*self.evidence)
        if self.options.isdisjoint(wanted):
            return not_met(*self.evidence)
        return unknown(*self.gaps)

    def either(self, other: Choice, gap: Gap) -> Choice:
        return Choice(self.options | other.options, self.evidence + other.evidence, self.gaps + other.gaps + (gap,))

    def without_gaps(self) -> Choice:
        return replace(self, gaps=())

    @property
    def exact(self) -> bool:
        return len(self.options) == 1


def one(option: str, *evidence: Evidence) -> Choice:
    return Choice(frozenset({option}), evidence)


def any_of(options: frozenset[str] | set[str], *gaps: Gap) -> Choice:
    """Nothing decides between these options, because of these gaps."""
    return Choice(frozenset(options), tuple(e for gap in gaps for e in gap.seen), gaps)
