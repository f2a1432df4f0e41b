"""How fast the hook answers, beside a bare Flask route that reads the same body: `python benchmarks/hook.py`.

Starts its servers, measures, tells the goals met and missed, and stops everything.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import click
from rich.console import Console

sys.path.append(str(Path(__file__).resolve().parent.parent))  # so that it also runs where the project is not installed

import figures  # noqa: E402
import goals  # noqa: E402
import hook_bodies  # noqa: E402
import rounds  # noqa: E402
from hook_bodies import Call  # noqa: E402
from servers import SIGNED, running  # noqa: E402
from weighing import Weighed, weigh  # noqa: E402

ROUNDS, SECONDS, CALLS = 5, 0.5, 100_000
QUICK_ROUNDS, QUICK_SECONDS, QUICK_CALLS = 2, 0.1, 2000


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--quick", is_flag=True, help="A short try: two workers only, no 5,000 resources, few calls.")
@click.option("--calls", type=click.IntRange(min=0), help=f"Calls of the memory run (default {CALLS:,}, quick {QUICK_CALLS:,}); 0 leaves it out.")
@click.option("--rounds", "rounds_", type=click.IntRange(min=1), help=f"Default {ROUNDS}, quick {QUICK_ROUNDS}.")
@click.option("--write", is_flag=True, help="Put the figures into benchmarks/README.md.")
def main(quick: bool, calls: int | None, rounds_: int | None, write: bool) -> None:
    """Measure the hook against the floor. Needs the project's [test] install."""
    console, progress, began = Console(), Console(stderr=True), time.perf_counter()

    def told(words: str) -> None:
        progress.print(f"{time.perf_counter() - began:6.0f} s  {words}", highlight=False)

    today = date.today()
    hundred, five_hundred = hook_bodies.full(100, today), hook_bodies.full(500, today)
    other, typical = hook_bodies.without_leukaemia(500, today), hook_bodies.typical(today)
    measured = [hundred, five_hundred, other, typical] if quick else [hundred, five_hundred, hook_bodies.full(5000, today), other, typical]
    workers, seconds = ((2,), QUICK_SECONDS) if quick else ((1, 2), SECONDS)
    number = rounds_ or (QUICK_ROUNDS if quick else ROUNDS)
    calls = (QUICK_CALLS if quick else CALLS) if calls is None else calls

    with tempfile.TemporaryDirectory(prefix="relapse-cds-benchmark-") as folder, running(Path(folder), workers) as servers:
        told(f"{len(servers)} servers are up; warming up")
        cells = rounds.cells(servers, measured, workers, connections=(1, 16))
        rounds.run(cells, number, seconds, told)
    weighed = _weighed(max(workers), typical, (hundred, other), calls, told) if calls else None
    verdicts = goals.verdicts(cells, weighed)
    figures.show(cells, verdicts, console)
    if write:
        figures.write(cells, verdicts, number)
    told("done; every server has stopped")


def _weighed(workers: int, usual: Call, others: tuple[Call, ...], calls: int, told: Callable[[str], None]) -> Weighed:
    """On a server of its own: what one large call once took would leave room in which a leak could hide."""
    with tempfile.TemporaryDirectory(prefix="relapse-cds-benchmark-") as folder, running(Path(folder), (workers,), (SIGNED,)) as servers:
        return weigh(servers[SIGNED, workers], usual, others, calls, told)


if __name__ == "__main__":
    main()
