"""Met, not met, unknown: the three answers a criterion can have, and how they combine (strong Kleene logic).

`bool()` of a Truth raises, so that `if finding:` can never silently treat unknown as true.
"""

from __future__ import annotations

from enum import Enum


class Truth(Enum):
    MET = "met"
    NOT_MET = "not_met"
    UNKNOWN = "unknown"

    def __and__(self, other: Truth) -> Truth:
        if self is NOT_MET or other is NOT_MET:
            return NOT_MET
        return MET if self is MET and other is MET else UNKNOWN

    def __or__(self, other: Truth) -> Truth:
        return ~(~self & ~other)

    def __invert__(self) -> Truth:
        return UNKNOWN if self is UNKNOWN else NOT_MET if self is MET else MET

    def __bool__(self) -> bool:
        raise TypeError("a Truth has three values: compare with `is MET`, combine with & | ~, or use choose()")


MET, NOT_MET, UNKNOWN = Truth.MET, Truth.NOT_MET, Truth.UNKNOWN
