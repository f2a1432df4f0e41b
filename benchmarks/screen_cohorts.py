"""The cohorts that are screened: written once for a run, read once so that no reading waits for a disk, and their answers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import orjson
from invented.folder import TRUTH, Cohort
from invented.truth import NOT_APPLICABLE

AS_OF = date(2025, 9, 1)  # the same children and the same answers in every run
OBSERVATIONS = 100  # around each leukaemia
POPULATION, TWICE, IN_SCOPE = "(a) population", "(a) twice the size", "(b) all in scope"


@dataclass(frozen=True)
class Source:
    """A folder of NDJSON files, and what must be concluded of every child of whom anything can be."""

    name: str
    folder: Path
    cohort: Cohort
    children: int
    bytes: int
    overall: dict[str, str]

    @property
    def files(self) -> list[Path]:
        return sorted(self.folder.glob("*.ndjson"))

    @property
    def size(self) -> str:
        return f"{self.children:,} children, {len(self.overall):,} with leukaemia, {self.bytes / 1e6:,.0f} MB"


def population(folder: Path, in_scope: int, bystanders: int) -> Iterator[Source]:
    """The first, then both together: twice the size costs the disk only once more."""
    first = _written(POPULATION, folder / "a", Cohort(in_scope, bystanders, 1, AS_OF, OBSERVATIONS))
    second = _written(TWICE, folder / "a-second", Cohort(in_scope, bystanders, 2, AS_OF, OBSERVATIONS))
    together = folder / "a-twice"
    together.mkdir()
    for source in (first, second):
        for file in source.files:
            os.link(file, together / f"{source.cohort.seed}-{file.name}")
    yield first
    yield Source(TWICE, together, second.cohort, first.children + second.children, first.bytes + second.bytes, first.overall | second.overall)


def in_scope(folder: Path, children: int) -> Source:
    return _written(IN_SCOPE, folder / "b", Cohort(children, 0, 1, AS_OF, OBSERVATIONS))


def _written(name: str, folder: Path, cohort: Cohort) -> Source:
    cohort.write(folder, processes=os.cpu_count() or 1)
    truth = folder.with_suffix(".truth")
    (folder / TRUTH).rename(truth)  # no child's record: it is not to be screened, searched or counted
    with truth.open("rb") as lines:
        overall = {told["patient"]: told["overall"] for told in map(orjson.loads, lines)}
    read = sum(len(block) for file in folder.iterdir() for block in _blocks(file))
    return Source(name, folder, cohort, len(cohort), read, {child: told for child, told in overall.items() if told != NOT_APPLICABLE})


def _blocks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as content:
        while block := content.read(1 << 20):
            yield block
