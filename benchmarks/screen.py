"""How fast a cohort is screened, beside grep, a JSON parser and cql-execution: `python benchmarks/screen.py`.

Invents its children, screens them, checks every answer, tells the goals met and missed, and removes everything.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import click
from rich.console import Console

sys.path.append(str(Path(__file__).resolve().parent.parent))  # so that it also runs where the project is not installed

import cql  # noqa: E402
import screen_cohorts  # noqa: E402
import screen_figures  # noqa: E402
import screen_goals  # noqa: E402
import screen_rounds  # noqa: E402

POPULATION, WITH_LEUKAEMIA, CHILDREN, CQL_CHILDREN, ROUNDS = 200_000, 200, 10_000, 500, 3
QUICK_SCALE, QUICK_ROUNDS = 0.02, 1
COUNT = click.IntRange(min=1)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--population", default=POPULATION, show_default=True, type=COUNT, help="Ordinary children of (a).")
@click.option("--in-scope", default=WITH_LEUKAEMIA, show_default=True, type=COUNT, help="Children with leukaemia among them.")
@click.option("--children", default=CHILDREN, show_default=True, type=COUNT, help="Children of (b), all with leukaemia.")
@click.option("--cql-children", default=CQL_CHILDREN, show_default=True, type=click.IntRange(0), help="Of (b), for cql-execution; 0 leaves it out.")
@click.option("--scale", type=click.FloatRange(0, 1, min_open=True), help=f"Of these sizes but the last (default 1, quick {QUICK_SCALE}).")
@click.option("--rounds", type=COUNT, help=f"Default {ROUNDS}, quick {QUICK_ROUNDS}.")
@click.option("--quick", is_flag=True, help="A short try of one round.")
@click.option("--write", is_flag=True, help="Put the figures into benchmarks/README.md.")
def main(population: int, in_scope: int, children: int, cql_children: int, scale: float | None, rounds: int | None, quick: bool, write: bool) -> None:
    """Measure `relapse-cds screen`. Needs the project's [test] install, grep, and npm for cql-execution."""
    console, progress, began = Console(), Console(stderr=True), time.perf_counter()

    def told(words: str) -> None:
        progress.print(f"{time.perf_counter() - began:6.0f} s  {words}", highlight=False)

    part = scale or (QUICK_SCALE if quick else 1)
    number = rounds or (QUICK_ROUNDS if quick else ROUNDS)
    population, in_scope, children = (max(1, round(size * part)) for size in (population, in_scope, children))
    with tempfile.TemporaryDirectory(prefix="relapse-cds-benchmark-") as name:
        folder = Path(name)
        told("inventing the children")
        sources = [*screen_cohorts.population(folder, in_scope, population), screen_cohorts.in_scope(folder, children)]
        for source in sources:
            told(f"{source.name}: {source.size}")
        cells = screen_rounds.cells(sources, folder, _engine(folder, sources[-1], min(cql_children, children), told))
        screen_rounds.run(cells, number, told)
    verdicts = screen_goals.verdicts(cells)
    screen_figures.show(sources, cells, verdicts, console)
    if write:
        screen_figures.write(sources, cells, verdicts, number)
    told("done; everything that was written for it is removed")


def _engine(folder: Path, source: screen_cohorts.Source, children: int, told: Callable[[str], None]) -> cql.Installed | None:
    if not children:
        return None
    try:
        return cql.installed(folder / "cql", source, children)
    except cql.NotInstalled as why:
        told(f"cql-execution is not measured: {why}")
        return None


if __name__ == "__main__":
    main()
