"""The flow diagram, after the CONSORT figure: who was read, who leaves at which step and why, who remains.

Each box counts what the box above counts less what leaves beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cds import Protocol
from hooks.screen.report.child import BLOCKED, CANNOT_TELL, FOUND_NOTHING, NOT_TODAY
from hooks.screen.report.tally import Tally
from hooks.words import NOT_MET_TODAY, STATUS


@dataclass(frozen=True, slots=True)
class Leaving:
    words: str
    n: int
    why: tuple[tuple[str, int, Mapping[str, Any]], ...]  # words, children, and the filter that lists them
    show: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Box:
    words: str
    n: int
    leaving: Leaving | None = None
    show: Mapping[str, Any] | None = None


def flow(tally: Tally, summary: Mapping[str, Any], protocol: Protocol) -> list[Box]:
    seen, open_now = summary.get("patients_seen"), tally.still_open - tally.status[NOT_TODAY]
    outside = seen - tally.children if isinstance(seen, int) else tally.not_about
    not_about = Leaving("Not about this trial: no leukaemia of this kind, no relapse, or deceased", outside, ())
    first = [Box("patients were read", outside + tally.children, not_about)]
    return [
        *(first if outside > 0 else ()),
        Box("children in scope: leukaemia of the lymphoblastic family, evidence of a relapse", tally.children,
            Leaving(STATUS["not_eligible"], tally.status[BLOCKED], _stops(tally, protocol, today=False), {"status": BLOCKED}), {}),
        Box("children without a lasting obstacle on record", tally.still_open,
            Leaving(NOT_MET_TODAY, tally.status[NOT_TODAY], _stops(tally, protocol, today=True), {"status": NOT_TODAY}), {"status": "open"}),
        Box("children with no blocking criterion so far", open_now,
            Leaving(STATUS["insufficient_data"], tally.status[CANNOT_TELL], _missing(tally), {"status": CANNOT_TELL}), {"status": "FC"}),
        Box(STATUS["eligible_pending_clinician_review"], tally.status[FOUND_NOTHING], None, {"status": FOUND_NOTHING}),
    ]  # fmt: skip


def _stops(tally: Tally, protocol: Protocol, *, today: bool) -> tuple[tuple[str, int, Mapping[str, Any]], ...]:
    """By the first criterion that blocks, so that the lines add up to the box."""
    status = NOT_TODAY if today else BLOCKED
    found = [(f"{c.id} {c.name}", counts.not_today if today else counts.stop_here - counts.not_today,
              {"status": status, "criterion": i, "answer": "stops"})
             for i, (c, counts) in enumerate(zip(protocol.criteria, tally.criteria, strict=True))]  # fmt: skip
    return tuple(sorted((row for row in found if row[1]), key=lambda row: -row[1]))


def _missing(tally: Tally) -> tuple[tuple[str, int, Mapping[str, Any]], ...]:
    near = tally.near_status[CANNOT_TELL]
    unclear = tally.cannot_tell_unclear
    rows = (
        ("one fact would decide", near, {"status": CANNOT_TELL, "near": "any"}),
        ("no single fact would decide", tally.status[CANNOT_TELL] - near - unclear, {"status": CANNOT_TELL, "near": "more"}),
        ("the text itself is unclear: a question for the study team", unclear, {"status": CANNOT_TELL, "answer": "unclear"}),
    )
    return tuple(row for row in rows if row[1])
