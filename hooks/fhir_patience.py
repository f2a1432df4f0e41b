"""Asking again while a FHIR server is busy: a few times, as late as it wishes, never beyond the deadline."""

from __future__ import annotations

import re

import requests
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt
from urllib3.exceptions import HTTPError
from urllib3.util import Retry

from hooks.deadline import Deadline
from hooks.no_answer import Unwell

RETRIES = 2
RETRY_STATUS = frozenset({429, 502, 503, 504})


class Busy(Unwell):
    """The same request may succeed in a moment; `pause` is how many seconds the server asked for, if it did."""

    def __init__(self, why: str, pause: float | None = None) -> None:
        super().__init__(why)
        self.pause = pause


def patiently(deadline: Deadline) -> Retrying:
    """Calls what it is given again while that raises Busy and the deadline allows."""

    def pause_is_too_long(attempt: RetryCallState) -> bool:
        return attempt.upcoming_sleep >= deadline.remaining()

    return Retrying(
        retry=retry_if_exception_type(Busy),
        wait=_pause,
        stop=stop_after_attempt(1 + RETRIES) | pause_is_too_long,
        reraise=True,
    )


def asked_pause(response: requests.Response) -> float | None:
    """Retry-After as seconds or HTTP date, else the `t=` of Medplum's RateLimit header."""
    if (asked := response.headers.get("Retry-After")) is not None:
        try:
            return Retry().parse_retry_after(asked)
        except (HTTPError, ValueError, OverflowError):  # unreadable: as if it had not been sent
            return None
    resets = re.findall(r"\bt=(\d{1,9})\b", response.headers.get("RateLimit", ""))
    return max(map(float, resets), default=None)


def _pause(attempt: RetryCallState) -> float:
    busy = attempt.outcome.exception()
    return 0.2 * attempt.attempt_number if busy.pause is None else busy.pause
