"""One screening from its source to its results: where the records come from, and what is written when all are judged."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from hooks.command_line import CannotDo, use_site_codes
from hooks.config import Config
from hooks.screen.closing_words import tell
from hooks.screen.cohort import WORK
from hooks.screen.comparison import NoPrevious, Previous, compare, read_previous
from hooks.screen.found import Found, TooManyErrors
from hooks.screen.from_folder import from_folder
from hooks.screen.screenable import is_fhir, refuse_what_cannot_be
from hooks.screen.spark_run import judged_on_spark
from hooks.screen.spark_source import ADDRESS
from hooks.screen.watching import Watcher
from hooks.screen.workers import ProcessEnded

AGAIN = ". When that is mended, start the same command again: it "


@dataclass(frozen=True, slots=True)
class Asked:
    """The options of the command."""

    source: str
    out: Path
    previous: Path | None
    as_of: date
    config: Config
    processes: int
    max_errors: int | None = None
    record_link: str | None = None
    spark: Any = None  # a Spark session that judges instead of processes of ours


def run(asked: Asked, watcher: Watcher) -> None:
    """Raise CannotDo, and leave earlier results as they are, when the screening cannot be done."""
    if asked.record_link is not None and not re.fullmatch(r"https://[^/{}]+/.*\{id\}.*", asked.record_link):
        raise CannotDo("--record-link: must be an https address with {id} where the child's id belongs, such as https://ehr.example/chart/{id}")
    began, started = time.monotonic(), datetime.now(UTC)
    again = "begins anew" if asked.spark else "goes on where it stopped"
    use_site_codes(asked.config)
    refuse_what_cannot_be(asked)
    try:
        previous = read_previous(asked.previous) if asked.previous else None
        asked.out.mkdir(parents=True, exist_ok=True)
    except NoPrevious as error:
        raise CannotDo(str(error)) from None
    except OSError as error:
        raise CannotDo(f"{asked.out}: cannot be made ({(error.strerror or 'unknown error').lower()})") from None
    try:
        summary = _screened(asked, watcher, previous, started, began)
    except TooManyErrors as told:
        raise CannotDo(f"{told}. More than --max-errors {asked.max_errors}, so there are no results") from None
    except OSError as error:
        raise CannotDo(f"{error.filename or asked.out}: {(error.strerror or 'cannot be read or written').lower()}{AGAIN}{again}") from None
    except ProcessEnded:
        raise CannotDo(f"a process was ended from outside, perhaps for want of memory: try fewer --processes{AGAIN}{again}") from None
    tell(summary, watcher)


def _screened(asked: Asked, watcher: Watcher, previous: Previous | None, started: datetime, began: float) -> dict[str, Any]:
    """The summary, when all results are written."""
    assessments, found = _judged(asked, watcher)
    from hooks.screen.report import read_assessments  # not before: where several processes judge, it is loaded meanwhile
    from hooks.screen.results import publish, summed_up

    compared = compare(previous, read_assessments(assessments)) if previous is not None else None
    summary = summed_up(asked, found, assessments, started, time.monotonic() - began, compared)
    publish(asked, assessments, summary, compared)
    return summary


def _judged(asked: Asked, watcher: Watcher) -> tuple[Path, Found]:
    if is_fhir(asked.source):
        from hooks.screen.from_server import from_server

        return from_server(asked, watcher)
    if asked.spark and ADDRESS.match(asked.source):
        return judged_on_spark(asked, asked.source, asked.out / WORK, watcher)
    return from_folder(asked, Path(asked.source), watcher)
