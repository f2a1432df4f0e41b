"""Several processes that work through the tasks of one screening, each with the site's codes in use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

from hooks.screen import tasks

Result = TypeVar("Result")
Run = Callable[[Callable[..., Result], dict[Any, tuple[Any, ...]]], Iterator[tuple[Any, Result]]]


@contextmanager
def workers(processes: int, site_codes: Path | None) -> Iterator[Run]:
    """A function that runs one task for each key, in as many processes as asked, and gives the results as they come."""
    if processes == 1:
        tasks.at_start(site_codes)
        yield lambda task, of: ((key, task(*arguments)) for key, arguments in of.items())
        return
    with ProcessPoolExecutor(processes, get_context("spawn"), tasks.at_start, (site_codes,)) as pool:

        def run(task: Callable[..., Result], of: dict[Any, tuple[Any, ...]]) -> Iterator[tuple[Any, Result]]:
            waiting: dict[Future[Result], Any] = {}
            left = iter(of.items())
            while True:
                while len(waiting) < 2 * processes and (item := next(left, None)):  # arguments are large: few at a time
                    waiting[pool.submit(task, *item[1])] = item[0]
                if not waiting:
                    return
                for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                    yield waiting.pop(future), future.result()

        try:
            yield run
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
