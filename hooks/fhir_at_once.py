"""Several questions to one server at the same time, answered when the deadline says so, whatever has come by then."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait

import structlog

from fhir_mappings import Answer, Outcome
from hooks.deadline import Deadline

log = structlog.get_logger()
MOST_AT_ONCE = 8  # requests of one call to one server
TOO_LATE = Answer(Outcome.FAILED, why="no answer in time")
BROKEN = Answer(Outcome.FAILED, why="the search could not be made")


def at_once(questions: Mapping[str, Callable[[], Answer]], deadline: Deadline) -> dict[str, Answer]:
    """The answers by name. A thread that hangs is left behind: the call is answered without it."""
    if not questions:
        return {}
    pool = ThreadPoolExecutor(min(len(questions), MOST_AT_ONCE), thread_name_prefix="fhir")
    asked = {name: pool.submit(question) for name, question in questions.items()}
    wait(asked.values(), timeout=deadline.remaining())
    pool.shutdown(wait=False, cancel_futures=True)
    return {name: _answer(future) for name, future in asked.items()}


def _answer(future: Future[Answer]) -> Answer:
    if not future.done() or future.cancelled():
        return TOO_LATE
    try:
        return future.result()
    except Exception as error:  # one search must not take the others, or the call, with it
        log.error("search_failed", kind=type(error).__name__)
        return BROKEN
