"""The figures of a run of screen.py, on the terminal and as the part of README.md between its own two marks."""

from __future__ import annotations

from datetime import UTC, datetime

from rich.console import Console

from figures import GOAL_COLUMNS, README, WIDTH, Row, machine, markdown, missed, put, table
from goals import Verdict
from screen_cohorts import Source
from screen_rounds import Cell
from screen_runs import STAGES

MARKS = "<!-- figures: written by screen.py --write -->", "<!-- end of the figures of screen.py -->"
COLUMNS = ("over", "what", "seconds", "of rounds", "children/s", "MB/s", "most MB held")
STAGE_COLUMNS = ("over", "what", *STAGES.values())


def rows(cells: list[Cell]) -> list[Row]:
    return [(
        cell.source, cell.what, f"{cell.seconds:.2f}", f"{cell.range[0]:.2f}–{cell.range[1]:.2f}", f"{cell.per_second:,.0f}",
        f"{cell.bytes / 1e6 / cell.seconds:,.0f}" if cell.bytes else "", f"{cell.peak:.0f}" if cell.peak else "",
    ) for cell in cells]  # fmt: skip


def stage_rows(cells: list[Cell]) -> list[Row]:
    return [(cell.source, cell.what, *(f"{cell.stages.get(stage, 0):.2f}" for stage in STAGES.values())) for cell in cells if cell.stages]


def show(sources: list[Source], cells: list[Cell], verdicts: list[Verdict], console: Console) -> None:
    console.width = max(console.width, WIDTH)
    console.print(table(f"Screening; {machine()}", COLUMNS, rows(cells)))
    for source in sources:
        console.print(f"{source.name}: {source.size}", highlight=False)
    console.print(table("Stages of screen, seconds", STAGE_COLUMNS, stage_rows(cells)))
    console.print(table("Goals", GOAL_COLUMNS, [(v.goal, v.word, v.found) for v in verdicts]))
    for verdict in missed(verdicts):
        console.print(f"Missed: {verdict.goal}: {verdict.why}", highlight=False)


def write(sources: list[Source], cells: list[Cell], verdicts: list[Verdict], rounds: int) -> None:
    """Put the run into README.md, in place of the last one."""
    put(README, _page(sources, cells, verdicts, rounds), MARKS)


def _page(sources: list[Source], cells: list[Cell], verdicts: list[Verdict], rounds: int) -> str:
    parts = [f"Run on {datetime.now(UTC):%Y-%m-%d %H:%M} UTC; {machine()}; {rounds} rounds.",
             "\n".join(f"- {source.name}: {source.size}" for source in sources),
             markdown(GOAL_COLUMNS, [(v.goal, v.word, v.found) for v in verdicts])]  # fmt: skip
    if lacking := missed(verdicts):
        parts += ["Why a goal was missed: where the time goes.",
                  "\n".join(f"- {v.goal}: {v.why}." if v.why else f"- {v.goal}." for v in lacking)]  # fmt: skip
    parts += [markdown(COLUMNS, rows(cells)), "Stages of `screen` in seconds, from what it says while it works:",
              markdown(STAGE_COLUMNS, stage_rows(cells))]  # fmt: skip
    return "\n\n".join(parts) + "\n"
