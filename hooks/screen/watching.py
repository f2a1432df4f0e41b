"""What a person sees of a long run: a bar with rate and remaining time on a terminal, plain lines anywhere else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table


class Watcher:
    """Says nothing when quiet. Results go to files; all this goes to standard error."""

    def __init__(self, console: Console, quiet: bool, bars: Progress | None):
        self._console, self._quiet, self._bars = console, quiet, bars
        self._task: TaskID | None = None
        self._words, self._total, self._done, self._told = "", 0, 0, 0

    def stage(self, words: str, total: int) -> None:
        if self._bars:
            if self._task is not None:
                self._bars.update(self._task, completed=self._total)
            self._task = self._bars.add_task(words, total=total or None)
        elif not self._quiet and total:
            self._console.print(f"{words} …")
        self._words, self._total, self._done, self._told = words, total, 0, 0

    def advance(self, amount: int) -> None:
        self._done += amount
        if self._bars and self._task is not None:
            self._bars.update(self._task, completed=self._done)
        elif not self._quiet and self._total and (tenths := self._done * 10 // self._total) > self._told < 10:
            self._told = tenths
            self._console.print(f"{self._words}: {min(tenths, 10) * 10} %")

    def say(self, words: str) -> None:
        if not self._quiet:
            self._console.print(words, markup=False, highlight=False)

    def show(self, table: Table) -> None:
        if not self._quiet:
            self._console.print(table)


@contextmanager
def watched(quiet: bool) -> Iterator[Watcher]:
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield Watcher(console, quiet, None)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(show_speed=True), MofNCompleteColumn(),
               TimeElapsedColumn(), TimeRemainingColumn())  # fmt: skip
    with Progress(*columns, console=console) as bars:
        yield Watcher(console, quiet, bars)
