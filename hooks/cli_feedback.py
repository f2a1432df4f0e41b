"""`relapse-cds feedback`: which cards were taken up and which set aside, and why, for whoever looks after the service."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from hooks.command_line import CannotDo, configured, print_json
from hooks.config import Config
from hooks.markdown import plain

if TYPE_CHECKING:
    from hooks.state import Figures, Reason

UNKNOWN_KIND = "not in the card log"


@click.command()
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="Cards shown on this day or later (default: all that are kept).")
@click.option("--config", "config_file", type=click.Path(path_type=Path), help="Settings, a TOML file: which database.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def feedback(since: datetime | None, config_file: Path | None, form: str) -> None:
    """What became of the cards: accepted, overridden and with which reasons, by service and kind of card.

    Without --config the database is the one that RELAPSE_CDS_DATABASE names, or relapse-cds.sqlite3 in this folder.
    """
    config = configured(config_file)
    start = _midnight(since, config) if since else None
    rows = _rows(config, start)
    if form == "json":
        told = {"since": start.isoformat() if start else None, "cards": [_as_json(row) for row in rows]}
        print_json(told)
    else:
        _print(rows, Console())


def _midnight(day: datetime, config: Config) -> datetime:
    """Where the service runs. A day before computers, or after the last one, has no UTC; there are no cards of it either."""
    day = min(max(day, datetime(1970, 1, 2)), datetime(9999, 12, 30))
    return day.replace(tzinfo=ZoneInfo(config.time_zone)) if config.time_zone else day.astimezone()


def _rows(config: Config, since: datetime | None) -> tuple[Figures, ...]:
    from hooks.cards import OVERRIDE_REASONS
    from hooks.state import State, StateError  # here, so that the other commands need not wait for SQLAlchemy to load

    sent = (*OVERRIDE_REASONS, *(reason for client in config.clients for reason in client.override_reasons))
    displays = {(reason.system, reason.code): reason.display for reason in sent}
    try:
        state = State(config.database)
        if state.in_memory:
            raise CannotDo("the configured database is kept in the memory of the running service; nothing of it can be reported")
        if state.file and not state.file.exists():  # a report must not leave an empty database behind
            raise CannotDo(f"there is no feedback yet: the database {state.file} does not exist")
        try:
            return state.summary(since, displays)
        finally:
            state.close()
    except StateError as error:
        raise CannotDo(str(error)) from None


def _as_json(row: Figures) -> dict[str, Any]:
    told = asdict(row)
    reasons = told.pop("reasons")
    return told | {"unreported": row.unreported, "reasons": reasons}


def _print(rows: Sequence[Figures], console: Console) -> None:
    if not rows:
        console.print("No card has been shown in this time.")
        return
    trial = _trial(rows)
    shown = Table("service", "card", title=f"What became of the cards{trial and f' of {trial}'}", title_justify="left")
    for name in ("shown", "accepted", "overridden", "no report"):
        shown.add_column(name, justify="right")
    for row in rows:
        figures = (row.shown, row.accepted, row.overridden, row.unreported)
        shown.add_row(*_which(row, trial), *(str(figure) for figure in figures))
    console.print(shown)
    if any(row.reasons for row in rows):
        reasons = Table("service", "card", "reason", title="Why they were overridden", title_justify="left")
        for name in ("times", "commented"):
            reasons.add_column(name, justify="right")
        for row in rows:
            for reason in row.reasons:
                reasons.add_row(*_which(row, trial), _cell(_words(reason)), str(reason.times), str(reason.commented))
        console.print(reasons)
    console.print("“no report”: ignored, or not reported by the EHR. Comments are counted, never kept.", style="dim")


def _trial(rows: Sequence[Figures]) -> str:
    """The trial that all services are for: said once, since with it in every row no row fits a terminal of 80 columns."""
    trials = {row.service.partition("-")[0] for row in rows}
    return trials.pop() if len(trials) == 1 else ""


def _which(row: Figures, trial: str) -> tuple[str, str]:
    return _cell(row.service.removeprefix(f"{trial}-")), _cell(row.kind or UNKNOWN_KIND)


def _words(reason: Reason) -> str:
    if reason.code is None:
        return "none chosen"
    return f"{reason.display} ({reason.code})" if reason.display else f"{reason.code} ({reason.system})"


def _cell(text: str) -> str:
    """An EHR's words cannot style the terminal."""
    return escape(plain(text))
