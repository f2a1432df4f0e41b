"""The goals, and whether a run met them; of those missed, which stages of a call took the time."""

from __future__ import annotations

from dataclasses import dataclass

from rounds import Cell
from servers import FLOOR, SIGNED, UNSIGNED
from weighing import FLAT, Weighed

COMPLETE, NO_LEUKAEMIA, P99_MS = 2.0, 1.3, 50


@dataclass(frozen=True, slots=True)
class Verdict:
    goal: str
    found: str
    met: bool | None  # None: not measured
    why: str = ""

    @property
    def word(self) -> str:
        return {True: "met", False: "MISSED", None: "not measured"}[self.met]


def verdicts(cells: list[Cell], weighed: Weighed | None) -> list[Verdict]:
    told: list[Verdict] = []
    fewest = min(cell.server.workers for cell in cells)
    most, crowd = max(cell.server.workers for cell in cells), max(cell.connections for cell in cells)
    for name, most_times in (("relapsed, 500", COMPLETE), ("no leukaemia, 500", NO_LEUKAEMIA), ("no leukaemia, typical", NO_LEUKAEMIA)):
        for kind in (UNSIGNED, SIGNED):
            goal = f"{name}: median at most {most_times} × floor ({kind}, 1 connection, {_workers(fewest)})"
            told.append(_times_the_floor(goal, _cell(cells, name, kind, fewest, 1), _cell(cells, name, FLOOR, fewest, 1), most_times))
    for kind in (UNSIGNED, SIGNED):
        cell = _cell(cells, "relapsed, 100", kind, most, crowd)
        goal = f"relapsed, 100: p99 below {P99_MS} ms ({kind}, {crowd} connections, {_workers(most)})"
        told.append(Verdict(goal, f"{cell.p99:.1f} ms", cell.p99 < P99_MS, where_the_time_goes(_cell(cells, "relapsed, 100", kind, most, 1))))
    return [*told, _flat(weighed)]


def _times_the_floor(goal: str, cell: Cell, floor: Cell, most: float) -> Verdict:
    times = cell.median / floor.median
    found = f"{times:.2f} × ({cell.median:.2f} and {floor.median:.2f} ms)"
    return Verdict(goal, found, times <= most, where_the_time_goes(cell))


def _flat(weighed: Weighed | None) -> Verdict:
    goal = f"memory flat: largest worker at most {FLAT:.2f} × its size after the first tenth of the calls"
    if weighed is None or not weighed.sizes:
        return Verdict(goal, "", None)
    found = (f"{weighed.growth:.3f} × after {weighed.calls:,} calls in {weighed.seconds:.0f} s "
             f"(start {weighed.sizes[0]:.1f}, first tenth {weighed.warm:.1f}, end {weighed.sizes[-1]:.1f}, most {max(weighed.sizes):.1f} MB)")  # fmt: skip
    return Verdict(goal, found, weighed.growth <= FLAT)


def where_the_time_goes(cell: Cell) -> str:
    """The stages of one call without others beside it, the longest first; what no stage accounts for is the rest."""
    stages = sorted({**cell.stages, "the rest": cell.rest}.items(), key=lambda stage: -stage[1])
    return ", ".join(f"{stage} {milliseconds:.2f} ms" for stage, milliseconds in stages if milliseconds >= 0.01)


def _cell(cells: list[Cell], name: str, kind: str, workers: int, connections: int) -> Cell:
    wanted = (name, kind, workers, connections)
    return next(c for c in cells if (c.call.name, c.server.kind, c.server.workers, c.connections) == wanted)


def _workers(number: int) -> str:
    return "1 worker" if number == 1 else f"{number} workers"
