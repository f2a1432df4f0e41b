"""Waiting for an export: as long as the server asks, otherwise longer and longer, never beyond the time limit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import requests

from hooks.fhir_json import NotFhirJson, parse
from hooks.fhir_session import body_of
from hooks.no_answer import NoAnswer
from hooks.screen.export_error import ExportError
from hooks.screen.export_wire import ExportWire

MAX_BYTES = 64 * 1024 * 1024  # of a list of files
LONGEST_PAUSE = 30.0  # seconds between two questions, unless the server asks for more
LEAST_PAUSE = 1.0  # and unless it asks for less: "Retry-After: 0" must not make us a nuisance
MOST_FAILURES = 20  # in a row, after which the server is taken for dead: about nine minutes
MOST_AT_FIRST = 4  # of a server that has not answered once: some seconds, while somebody waits at the terminal
Sleep = Callable[[float], object]


@dataclass
class Backoff:
    """Waits between questions: as long as the server asks, otherwise 1, 2, 4 ... 30 seconds, never beyond the time limit."""

    wire: ExportWire
    sleep: Sleep
    most: int = MOST_FAILURES  # in a row
    next: float = LEAST_PAUSE
    failures: int = 0

    def pause(self, asked: float | None = None, failed: str = "") -> None:
        self.failures = self.failures + 1 if failed else 0
        if self.failures == self.most:
            raise ExportError(f"{failed}, {self.most} times in a row; the same command continues when it is well again")
        seconds = self.next if asked is None else max(asked, LEAST_PAUSE)
        self.next = min(2 * self.next, LONGEST_PAUSE)
        if seconds >= self.wire.limit.remaining():
            raise ExportError("the export was not ready within the time limit; the same command continues to wait for it")
        self.sleep(seconds)


def json_of(response: requests.Response, wire: ExportWire, *, always: bool) -> Any:
    """Its JSON. `always`: without it the answer is of no use."""
    try:
        return parse(response.headers.get("Content-Type", ""), body_of(response, MAX_BYTES, wire.short()))
    except NotFhirJson as error:
        if always or response.status_code == 200:
            raise NoAnswer(str(error)) from None
        return None
