"""A screening that is killed, stopped or refused half-way: nothing is half-written, and what starting again does is told as it is."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from command_line import cannot, run
from hook_calls import TODAY
from hooks.command_line import CannotDo
from hooks.config import Config
from hooks.screen.run import Asked
from hooks.screen.run import run as run_screening
from hooks.screen.watching import watched
from screened import IN_SCOPE, add, assessments, screened


@pytest.mark.parametrize("moment", [0.6, 1.2, 1.8, 2.4])
def test_killed_and_started_again(cohort, plain, tmp_path, moment):
    """Whenever it is killed, nothing is half-written, and the same command finishes."""
    command = [sys.executable, "-m", "hooks", "screen", str(cohort), "--out", str(tmp_path / "out"), "--as-of", TODAY.isoformat(), "--processes", "2", "--quiet"]
    process = subprocess.Popen(command, start_new_session=True)
    time.sleep(moment)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if (tmp_path / "out" / "assessments.ndjson").exists():
        assert assessments(tmp_path / "out") == plain
    screened(cohort, tmp_path / "out")
    assert assessments(tmp_path / "out") == plain
    assert not (tmp_path / "out" / ".screen").exists()


def test_what_is_finished_is_not_done_again(cohort, tmp_path, monkeypatch):
    import hooks.screen.tasks as tasks

    real, calls = tasks.judge_bucket, []

    def stops(*arguments):
        calls.append(arguments[4])
        if len(calls) == 4:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(tasks, "judge_bucket", stops)
    run("screen", cohort, "--out", tmp_path, "--as-of", TODAY.isoformat(), "--processes", "1")
    done = set(calls[:3])
    calls.clear()
    monkeypatch.setattr(tasks, "judge_bucket", lambda *arguments: calls.append(arguments[4]) or real(*arguments))
    screened(cohort, tmp_path)
    assert calls and not done & set(calls)


GOES_ON = {"local": "it goes on where it stopped", "spark": "it begins anew"}  # Spark keeps nothing between two sessions


@pytest.mark.parametrize("engine", GOES_ON)
def test_what_starting_again_does_is_told_as_it_is(copied, tmp_path, monkeypatch, engine):
    def stopped(asked, *more):
        raise KeyboardInterrupt

    monkeypatch.setattr("hooks.screen.run.run", stopped)
    monkeypatch.setattr("hooks.screen.spark_run.run_on_spark", stopped)
    line = cannot(run("screen", copied, "--out", tmp_path / "out", "--engine", engine, "--quiet"))
    assert line.endswith(f"interrupted; start the same command again, and {GOES_ON[engine]}")


@pytest.mark.parametrize("engine", GOES_ON)
def test_what_starting_again_does_is_told_as_it_is_when_the_disk_is_full(copied, tmp_path, monkeypatch, engine):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("hooks.screen.run._judged", full)
    asked = Asked(str(copied), tmp_path / "out", None, TODAY, Config(), 1, spark=object() if engine == "spark" else None)
    with pytest.raises(CannotDo, match=f"no space left on device. When that is mended, start the same command again: {GOES_ON[engine]}$"), watched(quiet=True) as watcher:
        run_screening(asked, watcher)


def test_other_files_are_another_screening(copied, tmp_path, plain):
    import hooks.screen.cohort as cohort_module

    screened(copied, tmp_path / "out")
    add(copied, "Patient.000.ndjson", json.dumps({"resourceType": "Patient", "id": "new", "birthDate": "2015-01-01"}) + "\n")
    add(copied, "Condition.000.ndjson", json.dumps({"resourceType": "Condition", "id": "c", "subject": {"reference": "Patient/new"},
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "91857003"}]}}) + "\n")  # fmt: skip
    assert cohort_module.WORK == ".screen"
    screened(copied, tmp_path / "out")
    assert set(assessments(tmp_path / "out")) == IN_SCOPE | {"new"}


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied", "out/.screen"), OSError(28, "No space left on device")])
def test_results_that_cannot_be_written(copied, tmp_path, monkeypatch, error):
    def refusing(*arguments):
        raise error

    monkeypatch.setattr("hooks.screen.cohort.work_folder", refusing)
    line = cannot(run("screen", copied, "--out", tmp_path / "out", "--processes", "1", "--quiet"))
    where, why = error.filename or tmp_path / "out", error.strerror.lower()
    assert line.endswith(f"{where}: {why}. When that is mended, start the same command again: it goes on where it stopped")


def test_a_process_that_is_ended_from_outside(copied, tmp_path, monkeypatch):
    from hooks.screen.workers import ProcessEnded

    def ended(*arguments):
        raise ProcessEnded

    monkeypatch.setattr("hooks.screen.cohort._judge", ended)
    assert "try fewer --processes" in cannot(run("screen", copied, "--out", tmp_path / "out", "--processes", "1", "--quiet"))


@pytest.mark.parametrize("note", ["", "{", "null"])
def test_a_damaged_note_of_an_earlier_run_is_no_obstacle(cohort, plain, tmp_path, note):
    (tmp_path / ".screen").mkdir()
    (tmp_path / ".screen" / "plan.json").write_text(note)
    screened(cohort, tmp_path)
    assert assessments(tmp_path) == plain
