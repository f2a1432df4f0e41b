"""An export that takes its time: how long it is waited for, what goes on later, and what is left behind when it is stopped."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

import hostile_fhir
from exported import FILES, STATE, WHOLE, Run, contents, going_on, outcome
from exporting_fhir import JOB, Exporting
from hooks.screen.bulk_export import export_to
from hooks.screen.export_error import ExportError
from hooks.screen.progress import Progress
from hostile_fhir import HostileFhir


def test_it_waits_as_long_as_the_server_asks(tmp_path):
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    polls = [going_on(Retry_After="7", X_Progress="40 %\x1b[2J done"), hostile_fhir.status(429, Retry_After="11"), hostile_fhir.status(503, Retry_After=later),
             going_on(Retry_After="0"), going_on(Retry_After="soon")]  # fmt: skip
    with HostileFhir(Exporting(FILES, polls=polls)) as server:
        run = Run(server, tmp_path)
    assert run.slept[:2] == [7, 11] and 90 < run.slept[2] <= 100 and run.slept[3] == 1
    assert Progress("export", words="40 % [2J done") in run.told and contents(tmp_path) == WHOLE


def test_otherwise_it_waits_longer_and_longer(tmp_path):
    with HostileFhir(Exporting(FILES, polls=[going_on()] * 7)) as server:
        assert Run(server, tmp_path).slept == [1, 2, 4, 8, 16, 30, 30]


def test_an_export_that_never_ends_is_left_at_the_time_limit_and_continued_later(tmp_path):
    behaviour = Exporting(FILES, polls=[going_on(Retry_After="1")] * 1000)
    with HostileFhir(behaviour) as server:
        began_at = time.monotonic()
        with pytest.raises(ExportError, match="not ready within the time limit; the same command continues"):
            Run(server, tmp_path, limit_seconds=2.5, sleep=time.sleep)
        assert time.monotonic() - began_at < 5 and behaviour.deleted == []
        behaviour.polls.clear()
        run = Run(server, tmp_path)
        assert sum("$export" in path for path, _ in server.heard) == 1
    assert contents(tmp_path) == WHOLE and "continuing" in run.words[0] and behaviour.deleted == [JOB]


@pytest.mark.parametrize("poll, why", [(hostile_fhir.status(500), "failed at the FHIR server"), (hostile_fhir.status(404), "no longer knows")])
def test_a_job_that_failed_is_forgotten(tmp_path, poll, why):
    behaviour = Exporting(FILES, polls=[poll])
    with HostileFhir(behaviour) as server:
        with pytest.raises(ExportError, match=why):
            Run(server, tmp_path)
        assert behaviour.deleted == [JOB] and not (tmp_path / STATE).exists()
        assert Run(server, tmp_path).exported.whole


def test_a_fault_that_passes_is_waited_out(tmp_path):
    with HostileFhir(Exporting(FILES, polls=[hostile_fhir.status(500, outcome("transient")), hostile_fhir.hang_up, hostile_fhir.status(502)])) as server:
        assert Run(server, tmp_path).exported.whole


@pytest.mark.parametrize("poll", [hostile_fhir.web_page, hostile_fhir.answer({"output": 7}), hostile_fhir.answer({"output": [7]}), hostile_fhir.cut_short,
                                  hostile_fhir.redirect_to("https://login.example/"), hostile_fhir.answer({"output": [{"type": "../x", "url": "a"}]})])  # fmt: skip
def test_something_other_than_a_list_of_files(tmp_path, poll):
    with HostileFhir(Exporting(FILES, polls=[poll])) as server, pytest.raises(ExportError):
        Run(server, tmp_path)
    assert contents(tmp_path) == {}


def test_a_list_of_files_in_pages(tmp_path):
    def page(talk):
        hostile_fhir.answer({**behaviour.listed(talk.base), "output": [{"type": "Patient", "url": f"{talk.base}/files/Patient.ndjson"}],
                             "link": [{"relation": "next", "url": "/fhir/jobs/1?page=2"}]})(talk)
    behaviour = Exporting(FILES, polls=[page], output=[{"type": "Condition", "url": "/fhir/files/Condition.ndjson"}])
    with HostileFhir(behaviour) as server:
        Run(server, tmp_path)
    assert contents(tmp_path) == WHOLE


def test_stopped_by_hand_the_export_is_deleted(tmp_path):
    def stop(seconds):
        raise KeyboardInterrupt
    behaviour = Exporting(FILES, polls=[going_on()])
    with HostileFhir(behaviour) as server, pytest.raises(KeyboardInterrupt):
        Run(server, tmp_path, sleep=stop)
    assert behaviour.deleted == [JOB] and not (tmp_path / STATE).exists()


def test_stopped_by_hand_in_the_middle_of_a_long_pause_it_ends_at_once(tmp_path):
    def later(talk):
        time.sleep(0.5)
        behaviour.file(talk, "Condition.ndjson")
    waited_for = hostile_fhir.status(503, Retry_After="1000")
    behaviour = Exporting(FILES, instead={"/fhir/files/Patient.ndjson": [waited_for], "/fhir/files/Condition.ndjson": [later]})

    def stop(told):
        if isinstance(told, Progress) and told.what == "files":
            raise KeyboardInterrupt

    with HostileFhir(behaviour) as server:
        began_at = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            export_to(tmp_path, server.url, None, types=(), told=stop)
        assert time.monotonic() - began_at < 10
    assert behaviour.deleted == [JOB] and not (tmp_path / STATE).exists() and contents(tmp_path) == {}


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ExportError, match="cannot be written"):
        Run("https://ehr.example/fhir", tmp_path / "file")
    with pytest.raises(ExportError, match="base URL"):
        Run("ftp://ehr.example/fhir", tmp_path)
