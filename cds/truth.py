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
        return _AND[self, other]

    def __or__(self, other: Truth) -> Truth:
        return ~(~self & ~other)

    def __invert__(self) -> Truth:
        return _NOT[self]

    def __bool__(self) -> bool:
        raise TypeError("a Truth has three values: compare with `is MET`, combine with & | ~, or use choose()")


MET, NOT_MET, UNKNOWN = Truth.MET, Truth.NOT_MET, Truth.UNKNOWN

_AND = {
    (MET, MET): MET,
    (MET, UNKNOWN): UNKNOWN,
    (MET, NOT_MET): NOT_MET,
    (UNKNOWN, MET): UNKNOWN,
    (UNKNOWN, UNKNOWN): UNKNOWN,
    (UNKNOWN, NOT_MET): NOT_MET,
    (NOT_MET, MET): NOT_MET,
    (NOT_MET, UNKNOWN): NOT_MET,
    (NOT_MET, NOT_MET): NOT_MET,
}
_NOT = {MET: NOT_MET, UNKNOWN: UNKNOWN, NOT_MET: MET}
