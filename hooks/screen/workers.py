"""Several processes that work through the tasks of one screening: this one, and as many beside it as make up the number."""

from __future__ import annotations

import signal
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import get_all_start_methods, get_context
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

Result = TypeVar("Result")
Task = Callable[..., Any]
Tasks = dict[Any, tuple[Any, ...]]

FORKS = "forkserver" in get_all_start_methods()  # not on Windows: there each process loads everything for itself


class Run(Protocol):
    """Run one task for each key, in as many processes as asked; give the results as they come. Where there is more than one
    process, this one does `meanwhile` first, which is to be done anyhow."""

    def __call__(self, task: Callable[..., Result], of: Tasks, meanwhile: Callable[[], None] = ...) -> Iterator[tuple[Any, Result]]: ...


class ProcessEnded(Exception):
    """One of the other processes was ended by somebody else."""


class Done(NamedTuple):
    """What another process says: of which task, by its number, and what came of it. Without a task: there is none left."""

    number: int | None = None
    result: Any = None
    error: Exception | None = None


def load_beside(processes: int) -> None:
    """Start loading what the other processes will need, in a process that does nothing else, while this one loads its own.

    They are then forked from it in no time. A fork copies all memory and only the thread that asks for it, so it is safe where
    no other thread could hold a lock: this process has some as soon as it draws a bar, that one never has.
    """
    if processes > 1 and FORKS:
        from multiprocessing import forkserver, resource_tracker

        get_context("forkserver").set_forkserver_preload(["hooks.screen.loaded"])
        resource_tracker.ensure_running()  # would be started by the other, and end the blocking below
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # stays so in all others: Ctrl-C is for the first alone
        try:
            forkserver.ensure_running()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def workers(processes: int, site_codes: Path | None) -> Iterator[Run]:
    """What runs tasks, with the site's codes in use, until the block ends."""
    from hooks.screen import tasks

    tasks.at_start(site_codes)
    if processes == 1:
        yield lambda task, of, meanwhile=_nothing: ((key, task(*arguments)) for key, arguments in of.items())
        return
    context = get_context("forkserver" if FORKS else "spawn")
    turn = context.Value("Q")
    others, ends = [], list[Connection]()
    try:
        with _no_interruption():
            for _ in range(processes - 1):
                end, other_end = context.Pipe()
                others.append(context.Process(target=_work, args=(other_end, turn, site_codes), daemon=True))
                others[-1].start()
                other_end.close()  # so that the other process holds the only one, and we notice when it is gone
                ends.append(end)
        yield lambda task, of, meanwhile=_nothing: _shared(task, of, meanwhile, turn, ends)
    finally:
        for other in others:  # with nothing left to do, or interrupted: what is half-written is written anew
            other.terminate()
        for other in others:
            other.join()


@contextmanager
def _no_interruption() -> Iterator[None]:
    """Ctrl-C waits for the end of the block: within it a process would be left half-started."""
    came = list[int]()
    before = signal.signal(signal.SIGINT, lambda number, frame: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if came and callable(before):
        before(signal.SIGINT, None)


def _nothing() -> None: ...


def _shared(task: Task, of: Tasks, meanwhile: Callable[[], None], turn: Any, ends: Sequence[Connection]) -> Iterator[tuple[Any, Any]]:
    """Every process takes the next task when it is free, so that none waits for this one, which may be long at its own."""
    keys, arguments, busy = list(of), list(of.values()), list(ends)
    turn.value = 0
    for end in ends:
        with _whoever_is_gone():
            end.send((task, arguments))
    meanwhile()
    for number in _turns(turn, len(keys)):
        yield keys[number], task(*arguments[number])
        yield from ((keys[number], result) for number, result in _done(busy, 0))
    while busy:
        yield from ((keys[number], result) for number, result in _done(busy, None))


def _done(busy: list[Connection], seconds: float | None) -> Iterator[tuple[int, Any]]:
    """What the others have done since; whoever says that nothing is left is not `busy` any more."""
    for end in wait(busy, seconds):
        with _whoever_is_gone():
            done: Done = end.recv()
        if done.error is not None:
            raise done.error
        if done.number is None:
            busy.remove(end)
        else:
            yield done.number, done.result


@contextmanager
def _whoever_is_gone() -> Iterator[None]:
    try:
        yield
    except (EOFError, ConnectionError):
        raise ProcessEnded from None


def _work(end: Connection, turn: Any, site_codes: Path | None) -> None:
    """What another process does, until there is nobody left to do it for."""
    from hooks.screen import tasks

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    tasks.at_start(site_codes)
    try:
        while True:
            task, arguments = end.recv()
            for number in _turns(turn, len(arguments)):
                end.send(_tried(number, task, arguments[number]))
            end.send(Done())
    except (EOFError, ConnectionError):
        pass  # the first process was killed


def _tried(number: int, task: Task, arguments: tuple[Any, ...]) -> Done:
    try:
        return Done(number, task(*arguments))
    except Exception as error:
        error.add_note(traceback.format_exc())  # which does not travel with it
        return Done(number, error=error)


def _turns(turn: Any, end: int) -> Iterator[int]:
    """The numbers of the tasks that are this process's."""
    while True:
        with turn.get_lock():
            number = turn.value
            turn.value += 1
        if number >= end:
            return
        yield number
