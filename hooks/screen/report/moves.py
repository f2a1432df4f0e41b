"""The picture of who moved: a row for each status, then on the left and now on the right, a line for each way between them.

The best status is the highest row, so that a line that rises is good news. Where a line leaves and where it arrives stands
its number of children; every number has a place of its own, so that none covers another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

LOWEST = 48  # of a row: two lines of words on a telephone
PITCH = 24  # between two numbers, and more than the thickest line
THICKEST, THINNEST = 13.0, 1.5


@dataclass(frozen=True, slots=True)
class Move:
    was: str
    now: str
    n: int
    leaves: float
    arrives: float
    width: float


@dataclass(frozen=True, slots=True)
class Status:
    letter: str
    top: int
    height: int
    then: int | None  # children; None where they are not known
    now: int | None
    left: tuple[Move, ...]
    came: tuple[Move, ...]


@dataclass(frozen=True, slots=True)
class Moves:
    statuses: tuple[Status, ...]
    lines: tuple[Move, ...]  # the many first, so that the few are drawn over them
    height: int


def moves(moved: Mapping[tuple[str, str], int], now: Mapping[str, int], order: Sequence[str], outside: str) -> Moves:
    """`moved`: children by status then and now, where these differ; `now`: children by status. Of those outside only the moves count."""
    left = {a: [(a, b) for b in order if (a, b) in moved] for a in order}
    came = {b: [(a, b) for a in order if (a, b) in moved] for b in order}
    shown = [s for s in order if s != outside or left[s] or came[s]]
    heights = {s: max(LOWEST, PITCH * max(len(left[s]), len(came[s])) + PITCH // 2) for s in shown}
    tops = {s: sum(heights[before] for before in shown[:i]) for i, s in enumerate(shown)}
    leaves = {way: y for s in shown for way, y in _ports(left[s], tops[s], heights[s])}
    arrives = {way: y for s in shown for way, y in _ports(came[s], tops[s], heights[s])}
    most = max(moved.values(), default=1)
    lines = {way: Move(*way, n, leaves[way], arrives[way], max(THICKEST * n / most, THINNEST)) for way, n in moved.items()}
    statuses = tuple(
        Status(s, tops[s], heights[s], None if s == outside else now.get(s, 0) - _sum(moved, came[s]) + _sum(moved, left[s]),
               None if s == outside else now.get(s, 0), tuple(lines[way] for way in left[s]), tuple(lines[way] for way in came[s]))
        for s in shown
    )  # fmt: skip
    return Moves(statuses, tuple(sorted(lines.values(), key=lambda line: -line.n)), sum(heights.values()))


def _ports(ways: Sequence[tuple[str, str]], top: int, height: int) -> list[tuple[tuple[str, str], float]]:
    first = top + height / 2 - PITCH * (len(ways) - 1) / 2
    return [(way, first + PITCH * i) for i, way in enumerate(ways)]


def _sum(moved: Mapping[tuple[str, str], int], ways: Sequence[tuple[str, str]]) -> int:
    return sum(moved[way] for way in ways)
