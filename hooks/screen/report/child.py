"""One child of the report: an assessment reduced to letters, and whether one fact alone would decide.

Everything the page counts, filters and draws comes from here. A criterion is one letter, so that a cohort is a string.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cds import Protocol

DOES_NOT_BLOCK, BLOCKS, JUDGEMENT = ".", "X", "J"
REASONS = {  # why a criterion is unknown, as a letter
    "conflict": "c", "unit": "u", "wrong_instrument": "w", "imprecise": "i", "pending": "p", "stale": "s", "out_of_table": "o",
    "source_ambiguous": "a", "not_looked_up": "n", "missing": "m", "judgement": JUDGEMENT,
}  # fmt: skip
UNCLEAR = "source_ambiguous"  # the text itself: no fact of a chart settles it
FOUND_NOTHING, CANNOT_TELL, NOT_TODAY, BLOCKED = "F", "C", "T", "B"
STATUSES = {"eligible_pending_clinician_review": FOUND_NOTHING, "insufficient_data": CANNOT_TELL, "not_eligible": BLOCKED}

SAID_TWICE = {"EXC-06"}  # EXC-04 in other words: one rule, as on the card
FOR_THE_TREATING_TEAM = {"EXC-09"}
"""Of a pregnancy test only its bearing on the criterion is shown: its result is for the treating team alone (protocol-reading 5.4)."""
OF_A_PREGNANCY = "a record for EXC-09, which is for the treating team, was not used"
_PREGNANCY = re.compile(r"pregnan|hcg", re.IGNORECASE)
NOT_OF_A_CHILD = {"confirm_positive_hcg"}
"""The flag that would tell it all the same; the report counts it, the child's card shows it to the treating team."""


@dataclass(frozen=True, slots=True)
class Child:
    patient: str
    letters: str  # one for each criterion, in the document's order
    status: str
    near: str  # the one fact that would settle everything still open, the cheapest of them; "" if there is none
    settles: tuple[str, ...]  # what it would settle
    missing: tuple[tuple[str, str], ...]  # fact and reason, each once; judgements are not missing data
    risk: str  # in words, short enough for a column
    risk_needs: tuple[str, ...]
    flags: tuple[str, ...]
    issues: tuple[tuple[str | None, str], ...]
    not_looked_up: tuple[tuple[str, str], ...]

    @property
    def stops_at(self) -> int:
        """The first criterion that blocks, in the document's order; -1 if none does."""
        return self.letters.find(BLOCKS)


def child_of(assessment: Mapping[str, Any], facts: Mapping[str, str], protocol: Protocol) -> Child | None:
    """Nothing for a child the trial is not about. `facts`: what a clinician calls each gap."""
    if assessment["overall"] == "not_applicable":
        return None
    blocking = set(assessment["blocking"])
    by_id = {c["id"]: c for c in assessment["criteria"]}
    letters = "".join(_letter(by_id[c.id], blocking) for c in protocol.criteria)
    status = status_of(assessment["overall"], assessment["modifiable"])
    near, settles = _one_fact(assessment, status)
    unknown = (c for c in assessment["criteria"] if c["truth"] == "unknown")
    gaps = ((g["fact"] if g["reason"] == UNCLEAR else facts.get(g["fact"], g["fact"]), g["reason"])
            for c in unknown for g in c["gaps"] if g["reason"] != "judgement")
    risk = assessment["risk"]
    return Child(
        assessment["patient"], letters, status, near, settles, tuple(dict.fromkeys(gaps)), risk_column(risk),
        tuple(risk["needed"]) if risk["status"] == "provisional" else (),
        tuple(f["id"] for f in assessment["flags"]),
        tuple(map(issue_of, assessment["issues"])),
        tuple((n["search"], n["words"]) for n in assessment["not_looked_up"]),
    )  # fmt: skip


def issue_of(issue: Mapping[str, Any]) -> tuple[str | None, str]:
    """The record and what is wrong with it; of a pregnancy neither, since a page for coordinators gives no result of it."""
    return (None, OF_A_PREGNANCY) if _PREGNANCY.search(issue["words"]) else (issue["reference"], issue["words"])


def status_of(overall: str, modifiable: bool) -> str:
    return NOT_TODAY if modifiable else STATUSES[overall]


def risk_column(risk: Mapping[str, Any]) -> str:
    """What the rule gives, short: the group, the groups still possible, or that it gives none."""
    if risk["status"] == "suppressed":
        return "not given"
    if risk["status"] == "assigned":
        return str(risk["group"])
    if not risk["possible"]:
        return "no group"
    *first, last = ("no group" if group == "OUT_OF_SCOPE" else group for group in risk["possible"])
    return f"{', '.join(first)} or {last}" if first else f"{last}, to confirm"


def _letter(criterion: Mapping[str, Any], blocking: set[str]) -> str:
    if criterion["id"] in blocking:
        return BLOCKS
    return REASONS[criterion["reason"]] if criterion["truth"] == "unknown" else DOES_NOT_BLOCK


def _one_fact(assessment: Mapping[str, Any], status: str) -> tuple[str, tuple[str, ...]]:
    """A blocker that may lift is open too: a new creatinine settles it as it settles a missing one. Where the text is unclear,
    another birth date would settle the criterion, but nobody is going to find one: only the study team can answer."""
    unclear = any(gap["reason"] == UNCLEAR for c in assessment["criteria"] for gap in c["gaps"])
    if unclear or status not in (CANNOT_TELL, NOT_TODAY):
        return "", ()
    still_open = {c["id"] for c in assessment["criteria"] if c["truth"] == "unknown" and c["reason"] != "judgement"}
    still_open |= set(assessment["blocking"])
    for step in assessment.get("next_steps", ()):  # the protocol's order: the cheapest first
        if still_open <= set(step["criteria"]):
            return step["fact"], tuple(step["criteria"])
    return "", ()
