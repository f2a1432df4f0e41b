"""What the right answer is for an invented child, and how the single answers add up, written from the document alone.

Nothing here imports the software that is measured: the sums below are a second reading of `protocol-reading.md`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any

INCLUSION = tuple(f"INC-{n:02d}" for n in range(1, 13))
EXCLUSION = tuple(f"EXC-{n:02d}" for n in range(1, 14))
MODIFIABLE = frozenset({"INC-06", "INC-07", "INC-08", "INC-09", "EXC-10"})
GROUPS = ("SR", "HR", "VHR", "OUT_OF_SCOPE")

Answers = Mapping[str, tuple[str, str | None]]
"""Criterion: (truth, reason). A criterion that the story does not determine is not there."""


@dataclass(frozen=True)
class Truth:
    overall: str
    modifiable: bool = False
    criteria: Answers = field(default_factory=dict)
    risk: str = "suppressed"  # assigned | provisional | suppressed
    group: str | None = None
    possible: tuple[str, ...] = ()
    story: tuple[str, ...] = ()  # what is unusual about this child, for a person who reads a failure

    @property
    def blocking(self) -> tuple[str, ...]:
        return tuple(c for c in (*INCLUSION, *EXCLUSION) if c in self.criteria and blocks(c, self.criteria[c][0]))

    def as_json(self) -> dict[str, Any]:
        return {
            "overall": self.overall,
            "modifiable": self.modifiable,
            "blocking": list(self.blocking),
            "criteria": {c: {"truth": truth, "reason": reason} for c, (truth, reason) in self.criteria.items()},
            "risk": {"status": self.risk, "group": self.group, "possible": list(self.possible)},
            "story": list(self.story),
        }


def blocks(criterion: str, truth: str) -> bool:
    return truth == ("not_met" if criterion in INCLUSION else "met")


def overall_of(criteria: Answers) -> str:
    """Section 5.1: one blocker decides; a judgement that is still open does not."""
    if any(blocks(c, truth) for c, (truth, _) in criteria.items()):
        return "not_eligible"
    if any(truth == "unknown" and reason != "judgement" for truth, reason in criteria.values()):
        return "insufficient_data"
    return "eligible_pending_clinician_review"


@dataclass(frozen=True)
class RiskFacts:
    """The five inputs of section 3, each as every value it can still have."""

    lineage: str = "BT"  # "B", "T", or both
    marrow: tuple[bool, ...] = (True, False)  # marrow involved in this relapse
    late: tuple[bool, ...] = (True, False)  # one year or more off treatment
    mrd_low: tuple[bool, ...] = (True, False)  # end-of-induction NGS-MRD below 0.01 %
    m2: tuple[bool, ...] = (True, False)  # end-of-induction marrow with 5 % blasts or more

    @property
    def possible(self) -> tuple[str, ...]:
        found = {_group(*inputs) for inputs in product(self.lineage, self.marrow, self.late, self.mrd_low, self.m2)}
        return tuple(group for group in GROUPS if group in found)


def _group(lineage: str, marrow: bool, late: bool, mrd_low: bool, m2: bool) -> str:
    if not marrow:
        return "OUT_OF_SCOPE"
    if lineage == "T":
        return "HR"
    if m2:
        return "VHR"
    return "SR" if late and mrd_low else "HR"


def conclude(criteria: Answers, risk: RiskFacts, story: Iterable[str]) -> Truth:
    overall = overall_of(criteria)
    blocking = [c for c, (truth, _) in criteria.items() if blocks(c, truth)]
    ordered = {c: criteria[c] for c in (*INCLUSION, *EXCLUSION) if c in criteria}
    if blocking:
        return Truth(overall, set(blocking) <= MODIFIABLE, ordered, story=tuple(story))
    possible = risk.possible
    status = "provisional" if len(possible) > 1 else "not_assignable" if possible == ("OUT_OF_SCOPE",) else "assigned"
    return Truth(overall, False, ordered, status, possible[0] if status == "assigned" else None, possible, tuple(story))


NOT_APPLICABLE = "not_applicable"
