"""The processes of a screening: together they do every task once, and none outlives the first, however that ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path

import pytest

from hooks.screen.workers import ProcessEnded, workers
from screened import child_lines, written

INTERRUPTED = "relapse-cds: interrupted; start the same command again, and it goes on where it stopped\n"


def met(folder: Path, number: int, processes: int) -> int:
    """A task that ends when so many processes have come to one; each leaves word of who did it."""
    with open(folder / f"{number}", "a") as file:
        file.write(f"{os.getpid()}\n")
    until = time.monotonic() + 60
    while len(list(folder.iterdir())) < processes and time.monotonic() < until:
        time.sleep(0.01)
    return number * number


def failing_elsewhere(first: int) -> None:
    if os.getpid() != first:
        raise OSError(28, "No space left on device", "results")
    time.sleep(0.1)


def ending_elsewhere(first: int) -> None:
    if os.getpid() != first:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.1)


def those_of(folder: Path) -> list[str]:
    return [pid for file in folder.iterdir() for pid in file.read_text().split()]


@pytest.mark.parametrize("processes", [1, 2, 3])
def test_every_task_is_done_once_and_its_result_told_with_its_key(tmp_path, processes):
    with workers(processes, None) as run_tasks:
        for stage in ("a", "b"):
            (tmp_path / stage).mkdir()
            told = list(run_tasks(met, {f"{stage}{number}": (tmp_path / stage, number, processes) for number in range(20)}))
            assert sorted(told) == sorted((f"{stage}{number}", number * number) for number in range(20))
            assert len(those_of(tmp_path / stage)) == 20 and len(set(those_of(tmp_path / stage))) == processes
        assert list(run_tasks(met, {})) == []


def test_what_is_done_meanwhile_keeps_nobody_waiting(tmp_path):
    """The others have done all by the time that this process comes to it."""

    def long() -> None:
        until = time.monotonic() + 60
        while len(list(tmp_path.iterdir())) < 5 and time.monotonic() < until:
            time.sleep(0.01)

    with workers(2, None) as run_tasks:
        assert len(list(run_tasks(met, {number: (tmp_path, number, 1) for number in range(5)}, meanwhile=long))) == 5
    assert len(set(those_of(tmp_path))) == 1 and f"{os.getpid()}" not in those_of(tmp_path)


def test_an_error_in_another_process_is_an_error_here():
    with pytest.raises(OSError, match="No space left") as told, workers(3, None) as run_tasks:
        list(run_tasks(failing_elsewhere, {number: (os.getpid(),) for number in range(600)}))
    assert told.value.filename == "results" and "in failing_elsewhere" in told.value.__notes__[0]


def test_a_process_that_somebody_else_ends_is_told():
    with pytest.raises(ProcessEnded), workers(2, None) as run_tasks:
        list(run_tasks(ending_elsewhere, {number: (os.getpid(),) for number in range(600)}))


def test_ctrl_c_waits_until_the_others_are_started_whole(monkeypatch):
    process = get_context("forkserver").Process
    start = process.start

    def interrupted_start(self) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        start(self)

    monkeypatch.setattr(process, "start", interrupted_start)
    with pytest.raises(KeyboardInterrupt), workers(2, None):
        pytest.fail("the block begins although it was interrupted before")


def test_when_the_block_ends_no_other_process_is_left(tmp_path):
    with workers(3, None) as run_tasks:
        list(run_tasks(met, {number: (tmp_path, number, 3) for number in range(3)}))
    for pid in set(those_of(tmp_path)) - {f"{os.getpid()}"}:
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid), 0)


@pytest.fixture(scope="module")
def long_cohort(tmp_path_factory):
    """So many lines that nothing below comes after the end."""
    folder = written(tmp_path_factory.mktemp("long"), child_lines())
    with open(folder / "Encounter.001.ndjson", "w") as file:
        file.writelines('{"resourceType": "Encounter", "id": "e%d", "status": "finished", "note": "Condition C91 \\"91857003\\""}\n' % n for n in range(6_000_000))
    return folder


def started(source: Path, out: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "hooks", "screen", str(source), "--out", str(out), "--processes", "2", "--quiet"]
    return subprocess.Popen(command, start_new_session=True, stderr=subprocess.PIPE, text=True)


def comes(what: Callable[[], object], process: subprocess.Popen[str]) -> None:
    while not what() and process.poll() is None:
        time.sleep(0.005)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks into /proc")
@pytest.mark.parametrize("later", [0, 0.1, 0.2, 0.3])
def test_ctrl_c_while_it_loads_is_answered_in_one_line(long_cohort, tmp_path, later):
    """It goes to all processes of a terminal."""
    process = started(long_cohort, tmp_path / "out")
    comes(Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text, process)  # what comes before is Python's own
    interrupted(process, later)


def test_ctrl_c_while_it_works_is_answered_in_one_line(long_cohort, tmp_path):
    process = started(long_cohort, tmp_path / "out")
    comes((tmp_path / "out" / ".screen" / "plan.json").exists, process)
    interrupted(process, 0.1)


def interrupted(process: subprocess.Popen[str], later: float) -> None:
    time.sleep(later)
    os.killpg(process.pid, signal.SIGINT)
    _, told = process.communicate(timeout=60)  # all that any of them says
    assert told == INTERRUPTED and process.returncode in (1, -signal.SIGINT)  # the second where Python was just making a class


def test_when_the_first_process_is_killed_none_stays_behind(long_cohort, tmp_path):
    """They hold its standard error, which ends with the last of them."""
    process = started(long_cohort, tmp_path / "out")
    comes((tmp_path / "out" / ".screen" / "plan.json").exists, process)
    time.sleep(0.2)  # now they work
    process.kill()
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
