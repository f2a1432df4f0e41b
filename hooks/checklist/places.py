"""How many checklists of one process may wait for an EHR at the same time: one that is slow must not keep hook calls waiting."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from hooks.checklist.launch import AGAIN, NotOpened

AT_ONCE, IN_LINE = 3, 2  # together fewer than the threads of a process (`server.THREADS`)
PATIENCE = 5.0  # seconds in line


class Places:
    def __init__(self) -> None:
        self._all, self._at_once = BoundedSemaphore(AT_ONCE + IN_LINE), BoundedSemaphore(AT_ONCE)

    @contextmanager
    def place(self) -> Iterator[None]:
        """Raise NotOpened when the line is full, at once, or has not moved."""
        if not self._all.acquire(blocking=False):
            raise NotOpened(*BUSY, 503)
        try:
            if not self._at_once.acquire(timeout=PATIENCE):
                raise NotOpened(*BUSY, 503)
            try:
                yield
            finally:
                self._at_once.release()
        finally:
            self._all.release()


BUSY = ("Too many checklists are being opened or read just now.", f"Wait a moment. {AGAIN}")
