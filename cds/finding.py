"""An answer with its reasons: what the record says (Evidence), what it leaves open (Gap), and how answers combine.

Combining keeps what decided: a "not met" carries only what failed, an "unknown" only what is missing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum
from typing import TypeVar

from cds.truth import MET, NOT_MET, UNKNOWN, Truth

T = TypeVar("T")


class Why(Enum):
    """Why something is unknown, the most telling first: when several apply, the first one is shown."""

    CONFLICT = "conflict"  # the data contradict each other
    UNIT = "unit"  # no usable unit or value
    WRONG_INSTRUMENT = "wrong_instrument"  # another scale or method than the text names
    IMPRECISE = "imprecise"  # a partial date or censored value lies across the limit
    PENDING = "pending"  # ordered, preliminary or unconfirmed
    STALE = "stale"  # outside the look-back window
    OUT_OF_TABLE = "out_of_table"  # the text has no row for this child
    SOURCE_AMBIGUOUS = "source_ambiguous"  # the text itself is unclear
    NOT_LOOKED_UP = "not_looked_up"  # the search failed or was never made
    MISSING = "missing"  # looked for, none found
    JUDGEMENT = "judgement"  # the text leaves it to a person


class Basis(Enum):
    """How an answer came about, the least direct first: a finding is as direct as its least direct part."""

    ASSUMED_ABSENT = "assumed_absent"
    INFERRED = "inferred"
    ATTESTED = "attested"
    DERIVED = "derived"
    RECORDED = "recorded"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the record says, where (`Observation/123`) and when (as precisely as recorded)."""

    words: str
    reference: str | None = None
    date: str | None = None
    basis: Basis = Basis.RECORDED

    def __str__(self) -> str:
        return self.words if not self.date or self.date in self.words else f"{self.words} on {self.date}"


@dataclass(frozen=True, slots=True)
class Gap:
    """A fact that is missing or cannot decide, with the reason; `seen` is what was found and did not decide."""

    fact: str
    reason: Why
    words: str
    seen: tuple[Evidence, ...] = ()


_MOST_TELLING_FIRST, _LEAST_DIRECT_FIRST = tuple(Why), tuple(Basis)
NAMELESS = ("value", "date")  # what a comparison calls what it compares, when it knows no better


@dataclass(frozen=True, slots=True)
class Finding:
    """An answer. Decided ones carry evidence; unknown ones carry gaps (the evidence then is only shown)."""

    truth: Truth
    evidence: tuple[Evidence, ...] = ()
    gaps: tuple[Gap, ...] = ()
    notes: tuple[str, ...] = ()  # the sentence of the answer: value, date, limit

    def __and__(self, other: Finding) -> Finding:
        truth = self.truth & other.truth
        return _keep(truth, [f for f in (self, other) if f.truth is truth])

    def __or__(self, other: Finding) -> Finding:
        truth = self.truth | other.truth
        return _keep(truth, [f for f in (self, other) if f.truth is truth])

    def __invert__(self) -> Finding:
        return Finding(~self.truth, self.evidence, self.gaps, self.notes)

    def __bool__(self) -> bool:
        raise TypeError("a Finding has three values: combine with & | ~, or use choose()")

    @property
    def reason(self) -> Why | None:
        """The most telling reason of an unknown, None when decided."""
        if self.truth is not UNKNOWN:
            return None
        reasons = [gap.reason for gap in self.gaps]
        return next((why for why in _MOST_TELLING_FIRST if why in reasons), None)

    @property
    def basis(self) -> Basis | None:
        if self.truth is UNKNOWN:
            return None
        bases = [e.basis for e in self.evidence]
        return next((basis for basis in _LEAST_DIRECT_FIRST if basis in bases), None)

    @property
    def words(self) -> str:
        if self.truth is UNKNOWN:
            return "; ".join(dict.fromkeys(gap.words for gap in self.gaps))
        return "; ".join(dict.fromkeys(self.notes or (str(e) for e in self.evidence)))

    def noting(self, *notes: str) -> Finding:
        return replace(self, notes=notes)

    def about(self, fact: str) -> Finding:
        """The same answer, its nameless gaps (of a value or a date compared) named after the fact that was compared."""
        if not any(gap.fact in NAMELESS for gap in self.gaps):
            return self
        return replace(self, gaps=tuple(replace(g, fact=fact) if g.fact in NAMELESS else g for g in self.gaps))

    def as_basis(self, basis: Basis) -> Finding:
        """The same answer, known only in this way (for instance inferred from another test)."""
        return replace(self, evidence=tuple(replace(e, basis=basis) for e in self.evidence))


def _keep(truth: Truth, deciding: list[Finding]) -> Finding:
    return Finding(
        truth,
        _distinct(e for f in deciding for e in f.evidence),
        _distinct(g for f in deciding for g in f.gaps) if truth is UNKNOWN else (),
        _distinct(n for f in deciding for n in f.notes or map(str, f.evidence)),
    )


def _distinct(items: Iterable[T]) -> tuple[T, ...]:
    each = tuple(items)
    return each if len(each) < 2 else tuple(dict.fromkeys(each))


def met(*evidence: Evidence, note: str = "") -> Finding:
    return Finding(MET, evidence, notes=(note,) if note else ())


def not_met(*evidence: Evidence, note: str = "") -> Finding:
    return Finding(NOT_MET, evidence, notes=(note,) if note else ())


def unknown(*gaps: Gap) -> Finding:
    return Finding(UNKNOWN, _distinct(e for gap in gaps for e in gap.seen), _distinct(gaps))


def choose(condition: Finding, then: Finding, otherwise: Finding) -> Finding:
    """`then` if the condition is met, `otherwise` if not; while it is unknown, what both branches agree on."""
    if condition.truth is MET:
        return then
    if condition.truth is NOT_MET:
        return otherwise
    if then.truth is otherwise.truth and then.truth is not UNKNOWN:
        return _keep(then.truth, [then, otherwise])
    return condition


def given(condition: Finding, then: Finding) -> Finding:
    """`then`, once the condition is met; until then only what the condition says (the text asks for it first)."""
    return condition & then if condition.truth is MET else condition


def every_possibility(possible: Iterable[Finding], gap: Gap) -> Finding:
    """The answer if every possibility gives the same one; otherwise unknown: their own gaps, or else `gap`."""
    findings = list(possible)
    truths = {f.truth for f in findings}
    if len(truths) == 1 and UNKNOWN not in truths:
        return _keep(findings[0].truth, findings)
    gaps = _distinct(g for f in findings for g in f.gaps if f.truth is UNKNOWN)
    return Finding(UNKNOWN, _distinct(e for f in findings for e in f.evidence), gaps or (gap,))
