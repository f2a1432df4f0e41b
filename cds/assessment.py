"""The assessment of one child, and its JSON shape (interfaces 3), which other programs rely on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from cds.criterion import Criterion
from cds.finding import Evidence, Finding, Gap


@dataclass(frozen=True, slots=True)
class Judged:
    """One criterion with its finding."""

    criterion: Criterion
    finding: Finding

    @property
    def blocks(self) -> bool:
        return self.finding.truth is self.criterion.blocks_when


@dataclass(frozen=True, slots=True)
class Risk:
    status: str  # assigned | provisional | not_assignable | suppressed
    group: str | None
    possible: tuple[str, ...]
    needed: tuple[str, ...]  # the unknown inputs that could change the group
    words: str
    known: tuple[tuple[str, tuple[Evidence, ...]], ...] = ()  # each known input in words, with its evidence
    gaps: tuple[Gap, ...] = ()


@dataclass(frozen=True, slots=True)
class Raised:
    """A flag that was raised, with what raised it."""

    id: str
    words: str
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class NextStep:
    """One fact that alone would settle criteria, and may change the overall status or the risk group."""

    fact: str
    criteria: tuple[str, ...]
    words: str


@dataclass(frozen=True, slots=True)
class Assessment:
    protocol: str
    text_version: str
    patient: str
    as_of: date
    evaluated_as_of: str
    overall: str  # not_applicable | not_eligible | insufficient_data | eligible_pending_clinician_review
    criteria: tuple[Judged, ...]
    risk: Risk
    flags: tuple[Raised, ...]
    next_steps: tuple[NextStep, ...] = ()
    issues: tuple[Evidence, ...] = ()
    not_looked_up: tuple[tuple[str, str], ...] = ()
    anchors: tuple[Evidence, ...] = ()  # the dates the judgement hangs on, with where they come from

    @property
    def blocking(self) -> tuple[Judged, ...]:
        return tuple(j for j in self.criteria if j.blocks)

    @property
    def modifiable(self) -> bool:
        return bool(self.blocking) and all(j.criterion.modifiable for j in self.blocking)

    def as_json(self, software_version: str) -> dict[str, Any]:
        return {
            "protocol": self.protocol,
            "text_version": self.text_version,
            "software_version": software_version,
            "patient": self.patient,
            "as_of": self.as_of.isoformat(),
            "evaluated_as_of": self.evaluated_as_of,
            "overall": self.overall,
            "modifiable": self.modifiable,
            "blocking": [j.criterion.id for j in self.blocking],
            "criteria": [_criterion(j) for j in self.criteria],
            "risk": {"status": self.risk.status, "group": self.risk.group, "possible": list(self.risk.possible),
                     "needed": list(self.risk.needed), "words": self.risk.words},
            "flags": [{"id": f.id, "words": f.words} for f in self.flags],
            "next_steps": [{"fact": s.fact, "criteria": list(s.criteria), "words": s.words} for s in self.next_steps],
            "issues": [{"reference": i.reference, "words": i.words} for i in self.issues],
            "not_looked_up": [{"search": search, "words": words} for search, words in self.not_looked_up],
        }


def _criterion(judged: Judged) -> dict[str, Any]:
    criterion, finding = judged.criterion, judged.finding
    return {
        "id": criterion.id,
        "kind": criterion.kind,
        "name": criterion.name,
        "truth": finding.truth.value,
        "reason": finding.reason.value if finding.reason else None,
        "basis": finding.basis.value if finding.basis else None,
        "words": finding.words,
        "evidence": [{"reference": e.reference, "date": e.date, "words": e.words} for e in finding.evidence],
        "gaps": [{"fact": fact, "reason": reason.value, "words": words}
                 for fact, reason, words in dict.fromkeys((g.fact, g.reason, g.words) for g in finding.gaps)],
    }
