"""How hard one worker process leans on each FHIR server: so many requests at a time, and none while it is unwell.

Both protect the EHR from us, and us from it: a server that answers nobody must not hold every thread we have until its
deadline. Whoever is turned away judges what was sent with the call; the searches have failed, and say why.

Calls are counted, not searches: the thirteen searches of one slow call fail together and are one piece of news. A call
to which anything at all was answered, a refusal such as 401 or 404 included, is a success: a server that is slow with some
searches is still worth asking for the others, and one that refuses us is up.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Literal

import structlog

from hooks.deadline import Deadline
from hooks.no_answer import NoAnswer

log = structlog.get_logger()
State = Literal["closed", "open", "half-open"]
_Part = Literal["usual", "trial", "refused"]
FAILURES = 5  # calls in a row to which nothing was answered
ALONE = 1_000  # places for whoever shares the server with nobody, such as one person at a terminal
PAUSE = 30.0  # seconds without asking, after which one call tries
LAST_MOMENT = 0.05  # seconds before the deadline after which a free place is of no use
BUSY = "the FHIR server is busy with other calls"
UNWELL = "the FHIR server did not answer recently; asked again in a moment"


class FhirLoad:
    """Lives as long as the process. Servers come from the allow-lists, so there are few of them."""

    def __init__(self, at_once: int = ALONE, clock: Callable[[], float] = time.monotonic) -> None:
        self._at_once, self._clock = at_once, clock
        self._servers: dict[str, tuple[threading.BoundedSemaphore, _Breaker]] = {}
        self._lock = threading.Lock()

    def call(self, base_url: str) -> Share:
        """The part of one hook call, to be used in a `with` block."""
        with self._lock:
            if base_url not in self._servers:
                self._servers[base_url] = threading.BoundedSemaphore(self._at_once), _Breaker(self._clock)
            return Share(*self._servers[base_url])

    def states(self) -> dict[str, State]:
        """By base URL; "open" is a server that is not asked."""
        with self._lock:
            servers = dict(self._servers)
        return {base_url: breaker.state for base_url, (_, breaker) in servers.items()}


class Share:
    """One hook call's use of one server; its searches ask from several threads."""

    def __init__(self, places: threading.BoundedSemaphore, breaker: _Breaker) -> None:
        self._places, self._breaker = places, breaker
        self._lock = threading.Lock()
        self._part: _Part | None = None  # decided at the first request: a call that asks nothing tries nothing
        self._asked = self._answered = False

    def __enter__(self) -> Share:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        with self._lock:  # a thread that was left behind may still ask; its place is taken, its news is old
            part, self._part = self._part, "refused"
        if part:
            self._breaker.told(part, self._asked, self._answered)

    @contextmanager
    def turn(self, deadline: Deadline) -> Iterator[None]:
        """One request. Raises NoAnswer when the server is not to be asked, or no place comes free in time."""
        with self._lock:
            self._part = self._part or self._breaker.part()
        if self._part == "refused":
            raise NoAnswer(UNWELL)
        if not self._places.acquire(timeout=max(0.0, deadline.remaining() - LAST_MOMENT)):
            raise NoAnswer(BUSY)
        self._asked = True
        try:
            yield
        finally:
            self._places.release()

    def answered(self) -> None:
        """The server is up: it gave an answer, or a refusal."""
        self._answered = True


class _Breaker:
    """Closed: everybody asks. Open: nobody does. Half-open: one call tries, and its success closes it."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._opened: float | None = None
        self._tried = False

    @property
    def state(self) -> State:
        with self._lock:
            return "closed" if self._opened is None else "open" if self._paused(self._opened) else "half-open"

    def part(self) -> _Part:
        with self._lock:
            if self._opened is None:
                return "usual"
            if self._paused(self._opened) or self._tried:
                return "refused"
            self._tried = True
            return "trial"

    def told(self, part: _Part, asked: bool, answered: bool) -> None:
        """How a call ended. One that began before the server fell ill does not lengthen the pause, but may end it."""
        with self._lock:
            if part == "trial":
                self._tried = False
            if answered:
                self._failures, self._opened = 0, None
            elif asked:
                self._failures += 1
                if self._failures >= FAILURES and (self._opened is None or part == "trial"):
                    self._opened = self._clock()
                    log.warning("fhir_server_unwell", pause_seconds=PAUSE)

    def _paused(self, opened: float) -> bool:
        return self._clock() - opened < PAUSE
