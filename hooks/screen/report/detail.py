"""What the panel of a child shows in words: evidence, risk, flags, issues. Only for cohorts small enough to carry it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cds import Protocol
from hooks.markdown import plain
from hooks.screen.report.child import FOR_THE_TREATING_TEAM, NOT_OF_A_CHILD, issue_of

CHILDREN = 5_000
"""Beyond this many the file would be too large for a browser; the panel then shows letters and names assessments.ndjson."""
WITHHELD = "A pregnancy result is for the treating team: see the child's record."


class Details:
    """Every text once, and each child as numbers of texts. Beyond CHILDREN nothing is kept at all."""

    def __init__(self, protocol: Protocol):
        self._order = [c.id for c in protocol.criteria]
        self._number: dict[str, int] = {}
        self._children: list[list[Any]] = []
        self.too_many = False

    def add(self, assessment: Mapping[str, Any]) -> None:
        if self.too_many or len(self._children) >= CHILDREN:
            self.too_many = True
            self._children, self._number = [], {}
            return
        by_id = {c["id"]: c for c in assessment["criteria"]}
        self._children.append([
            self._text(assessment["evaluated_as_of"]),
            self._text(assessment["risk"]["words"]),
            [self._criterion(by_id[id]) for id in self._order],
            [self._text(step["words"]) for step in assessment.get("next_steps", ()) if not _of_judgement(step, by_id)],
            [self._text(flag["words"]) for flag in assessment["flags"] if flag["id"] not in NOT_OF_A_CHILD],
            [[self._text(reference), self._text(words)] for reference, words in map(issue_of, assessment["issues"])],
            [self._text(f"{n['search']}: {n['words']}") for n in assessment["not_looked_up"]],
        ])  # fmt: skip

    def embedded(self) -> dict[str, Any] | None:
        return None if self.too_many else {"texts": [plain(text, 600) for text in self._number], "children": self._children}

    def _criterion(self, c: Mapping[str, Any]) -> list[Any]:
        if c["id"] in FOR_THE_TREATING_TEAM and c["reason"] != "judgement":
            return [self._text(WITHHELD), -1, []]
        evidence = [[self._text(e["reference"]), self._text(_dated(e))] for e in c["evidence"]]
        basis = c["basis"].replace("_", " ") if c["basis"] else None
        return [self._text(c["words"]), self._text(basis), evidence]

    def _text(self, text: str | None) -> int:
        """The number of a text; -1 for none."""
        return -1 if not text else self._number.setdefault(text, len(self._number))


def _of_judgement(step: Mapping[str, Any], criteria: Mapping[str, Any]) -> bool:
    """What a clinician is asked for anyway, criterion by criterion."""
    return bool(step["criteria"]) and all(criteria[id]["reason"] == "judgement" for id in step["criteria"])


def _dated(evidence: Mapping[str, Any]) -> str:
    words, day = evidence["words"], evidence["date"]
    return words if not day or day in words else f"{words} on {day}"
