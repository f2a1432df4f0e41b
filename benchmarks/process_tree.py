"""Run a program to its end: how long it took, when it said what, and how much memory it and its children held at most."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

EVERY = 0.05  # seconds between two looks at the memory
MEGABYTE = 1024 * 1024


class Failed(Exception):
    """The program ended with an error; its last words."""


@dataclass(frozen=True, slots=True)
class Ended:
    seconds: float
    said: tuple[tuple[float, str], ...]  # each line of standard error, and how many seconds after the start it came
    out: bytes
    peak: float  # megabytes resident, summed over the processes that were there at once; 0 where the system does not tell


def run(command: Sequence[str], environment: Mapping[str, str], folder: Path) -> Ended:
    """Pages that two processes share count twice in the peak: it is never told too small."""
    began = time.perf_counter()
    with (folder / ".printed").open("w+b") as printed:
        process = subprocess.Popen(command, env=environment, cwd=folder, stdin=subprocess.DEVNULL, stdout=printed, stderr=subprocess.PIPE)
        peak, ended = [0], Event()
        watching = Thread(target=_watch, args=(process.pid, peak, ended))
        watching.start()
        try:
            assert process.stderr is not None
            with process.stderr as lines:
                said = tuple((time.perf_counter() - began, line.decode("utf-8", "replace").rstrip()) for line in lines)
            process.wait()
        except BaseException:
            process.terminate()
            raise
        finally:
            ended.set()
            watching.join()
        seconds = time.perf_counter() - began
        printed.seek(0)
        out = printed.read()
    if process.returncode != 0:
        raise Failed(f"{command[0]} ended with {process.returncode}: " + "\n".join(words for _, words in said[-20:]))
    return Ended(seconds, said, out, peak[0] / MEGABYTE)


def _watch(pid: int, peak: list[int], ended: Event) -> None:
    page = os.sysconf("SC_PAGE_SIZE")
    while not ended.wait(EVERY):
        peak[0] = max(peak[0], sum(map(_resident_pages, _family(pid))) * page)


def _family(pid: int) -> list[int]:
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        children = {int(child) for task in tasks for child in (task / "children").read_text().split()}
    except OSError:  # it has ended, or the system has no /proc
        return []
    return [pid, *(one for child in children for one in _family(child))]


def _resident_pages(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0
