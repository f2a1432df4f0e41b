"""The record of one child as it reached us: raw FHIR resources, and how each search for them ended.

Six kinds of nothing must stay apart (absent, null, empty, outcome, partial, wrong patient), so a search is never
just a list: it is an `Answer` that says whether the list is all there is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Mapping

IN_PART = "in part: "  # how the words of a search begin that gave some of what there is

Resource = Mapping[str, Any]
"""One FHIR resource as parsed JSON; numbers with a fraction are `decimal.Decimal`, exactly as printed."""


class Outcome(Enum):
    ANSWERED = "answered"  # everything that matches is here, possibly nothing
    PARTIAL = "partial"  # what is here may be used; what is not here proves nothing
    FAILED = "failed"  # asked, and refused, broken or too late
    NOT_ASKED = "not asked"  # neither sent to us nor within our reach
    NOT_KEPT = "not kept"  # asked, and the server has no such kind of record at all


@dataclass(frozen=True, slots=True)
class Answer:
    """What one search gave. `why` is a plain-English reason for every outcome but ANSWERED."""

    outcome: Outcome
    resources: tuple[Resource, ...] = ()
    why: str = ""
    rejected: tuple[str, ...] = ()  # entries that were no resource at all, in words; they become issues
    cut_short: bool = False  # PARTIAL, and what is missing may be newer than what is here: more pages, a lost rest

    @property
    def complete(self) -> bool:
        return self.outcome is Outcome.ANSWERED

    @property
    def shortfall(self) -> str:
        """`why`, and whether something is here all the same."""
        return f"{IN_PART}{self.why}" if self.outcome is Outcome.PARTIAL else self.why


NOT_ASKED = Answer(Outcome.NOT_ASKED, why="not sent by the EHR, and no FHIR server to ask")
NOT_KEPT = Answer(Outcome.NOT_KEPT, why="the FHIR server does not keep this kind of record")
FRUITLESS = frozenset({Outcome.FAILED, Outcome.NOT_ASKED, Outcome.NOT_KEPT})  # these give nothing at all


@dataclass(frozen=True, slots=True)
class Record:
    """All answers about one child, by the name of the search (`fhir_mappings.sources.SEARCHES`)."""

    patient_id: str
    answers: Mapping[str, Answer] = field(default_factory=dict)
    full_urls: frozenset[str] = frozenset()  # what references inside a Bundle may call this patient

    def answer(self, search: str) -> Answer:
        return self.answers.get(search, NOT_ASKED)
