"""The figures of a run, on the terminal and as the part of README.md between its two marks."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from goals import Verdict
from rounds import Cell
from servers import FLOOR, STAGES

README = Path(__file__).parent / "README.md"
BEGIN, END = "<!-- figures: written by hook.py --write -->", "<!-- end of figures -->"
COLUMNS = ("call", "workers", "connections", "server", "calls/s", "median ms", "of rounds", "p99 ms", "× floor")
WIDTH = 116  # of the table; a narrower terminal would fold every cell
WORDS = ("call", "server", "goal", "", "found", "over", "what")  # columns of words; all others are of figures
Row = tuple[str, ...]


def machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores, {memory:.0f} GB of memory, Python {platform.python_version()}"


def rows(cells: list[Cell]) -> list[Row]:
    floors = {(c.call.name, c.server.workers, c.connections): c.median for c in cells if c.server.kind == FLOOR}
    return [(
        c.call.name, str(c.server.workers), str(c.connections), c.server.kind, f"{c.per_second:,.0f}" if c.per_second >= 10 else f"{c.per_second:.1f}",
        f"{c.median:.2f}", f"{min(c.medians):.2f}–{max(c.medians):.2f}", f"{c.p99:.1f}",
        f"{c.median / floors[c.call.name, c.server.workers, c.connections]:.2f}",
    ) for c in cells]  # fmt: skip


def stage_rows(cells: list[Cell]) -> list[Row]:
    """One call at a time on the fewest workers: with others beside it a stage's time is mostly waiting."""
    fewest = min(c.server.workers for c in cells)
    alone = [c for c in cells if c.connections == 1 and c.server.workers == fewest and c.server.kind != FLOOR]
    return [(c.call.name, c.server.kind, *(f"{c.stages[s]:.2f}" for s in STAGES), f"{c.rest:.2f}") for c in alone]


STAGE_COLUMNS = ("call", "server", *STAGES, "the rest")
GOAL_COLUMNS = ("goal", "", "found")


def show(cells: list[Cell], verdicts: list[Verdict], console: Console) -> None:
    console.width = max(console.width, WIDTH)
    console.print(table(f"CDS Hooks calls; {machine()}", COLUMNS, rows(cells), every=len({c.server.kind for c in cells})))
    console.print(table("Stages of one call, ms", STAGE_COLUMNS, stage_rows(cells)))
    console.print(table("Goals", GOAL_COLUMNS, [(v.goal, v.word, v.found) for v in verdicts]))
    for verdict in missed(verdicts):
        console.print(f"Missed: {verdict.goal}: {verdict.why}", highlight=False)


def table(title: str, columns: Row, content: list[Row], every: int = 1) -> Table:
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, justify="left" if column in WORDS else "right", overflow="fold")
    for number, row in enumerate(content, start=1):
        table.add_row(*row, end_section=number % every == 0 and every > 1)
    return table


def write(cells: list[Cell], verdicts: list[Verdict], rounds: int) -> None:
    """Put the run into README.md, in place of the last one."""
    put(README, _page(cells, verdicts, rounds))


def put(readme: Path, figures: str, marks: tuple[str, str] = (BEGIN, END)) -> None:
    page = readme.read_text(encoding="utf-8")
    before, begin, rest = page.partition(marks[0])
    _, end, after = rest.partition(marks[1])
    if not (begin and end):
        raise ValueError(f"{readme.name} has lost the marks between which the figures stand")
    readme.write_text(f"{before}{begin}\n{figures}{end}{after}", encoding="utf-8")


def _page(cells: list[Cell], verdicts: list[Verdict], rounds: int) -> str:
    parts = [f"Run on {datetime.now(UTC):%Y-%m-%d %H:%M} UTC; {machine()}; {rounds} rounds.",
             markdown(GOAL_COLUMNS, [(v.goal, v.word, v.found) for v in verdicts])]  # fmt: skip
    short = missed(verdicts)
    if short:
        parts += ["Why a goal was missed: where the time of one such call goes, without others beside it.",
                  "\n".join(f"- {v.goal}: {v.why}." if v.why else f"- {v.goal}." for v in short)]  # fmt: skip
    parts += [markdown(COLUMNS, rows(cells)), "Stages of one call in milliseconds, from the service's own `/metrics`:",
              markdown(STAGE_COLUMNS, stage_rows(cells))]  # fmt: skip
    return "\n\n".join(parts) + "\n"


def missed(verdicts: list[Verdict]) -> list[Verdict]:
    return [verdict for verdict in verdicts if verdict.met is False]


def markdown(columns: Row, content: list[Row]) -> str:
    lines = [columns, tuple("---" for _ in columns), *content]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
