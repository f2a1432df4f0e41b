"""The time one hook call may take, all its searches together.

An EHR waits for our cards while a clinician waits for the chart, so there is one budget per call, not one per request.
"""

from __future__ import annotations

import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment on the monotonic clock, which no correction of the wall clock can move."""

    moment: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        return cls(time.monotonic() + seconds)

    def remaining(self) -> float:
        """Seconds left, never below zero."""
        return max(0.0, self.moment - time.monotonic())

    @property
    def passed(self) -> bool:
        return self.remaining() == 0.0
