"""Everything that is measured once in each round, each round the other way about."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import cql
import screen_runs
from screen_cohorts import TWICE, Source
from screen_runs import Ran

ONE, TWO = "screen, 1 process", "screen, 2 processes"
GREP, ORJSON = "grep -c of the codes", "orjson.loads of each line"
CQL, CQL_READING, CQL_PROCESS = "cql-execution, two criteria", "… with reading the Bundles", "… with node's start and warming up"


@dataclass
class Cell:
    """One row of the table."""

    source: str
    what: str
    children: int
    bytes: int  # 0 where they are not the same bytes
    measure: Callable[[], Iterable[Ran]]  # more than one where a single run gives several figures
    rounds: list[Ran] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        return median(ran.seconds for ran in self.rounds)

    @property
    def range(self) -> tuple[float, float]:
        return min(ran.seconds for ran in self.rounds), max(ran.seconds for ran in self.rounds)

    @property
    def peak(self) -> float:
        """The highest of all rounds."""
        return max(ran.peak for ran in self.rounds)

    @property
    def stages(self) -> dict[str, float]:
        return {stage: median(ran.stages.get(stage, 0) for ran in self.rounds) for stage in self.rounds[0].stages}

    @property
    def per_second(self) -> float:
        return self.children / self.seconds


def cells(sources: Iterable[Source], folder: Path, engine: cql.Installed | None) -> list[Cell]:
    codes, told = screen_runs.patterns(folder), list[Cell]()
    for source in sources:
        def measured(what: str, ran: Callable[[], Ran], of: Source = source) -> None:
            told.append(Cell(of.name, what, of.children, of.bytes, lambda: [ran()]))

        if source.name != TWICE:  # which is about memory
            measured(GREP, lambda of=source: screen_runs.searched(of, codes, folder))
            measured(ORJSON, lambda of=source: screen_runs.parsed(of))
            measured(ONE, lambda of=source: screen_runs.screened(of, 1, folder))
        measured(TWO, lambda of=source: screen_runs.screened(of, 2, folder))
    if engine:
        name, children = told[-1].source, len(engine.expected)
        told.append(Cell(name, CQL, children, 0, lambda: _three(engine)))
        told += [Cell(name, what, children, 0, lambda: ()) for what in (CQL_READING, CQL_PROCESS)]
    return told


def _three(engine: cql.Installed) -> list[Ran]:
    judged = engine.judge()
    return [Ran(judged.seconds), Ran(judged.with_reading), Ran(judged.whole_process)]


def run(measured: list[Cell], rounds: int, told: Callable[[str], None]) -> None:
    for number in range(rounds):
        told(f"round {number + 1} of {rounds}")
        for place, cell in list(enumerate(measured))[:: 1 if number % 2 == 0 else -1]:
            for further, ran in enumerate(cell.measure()):
                measured[place + further].rounds.append(ran)
                told(f"  {measured[place + further].source}: {measured[place + further].what}: {ran.seconds:.2f} s")
