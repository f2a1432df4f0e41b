"""The files of an export: fetched once, gone on with in the middle, and told where they are not whole."""

from __future__ import annotations

import gzip
import time

import pytest

import hostile_fhir
from exported import CONDITIONS, FILES, PATIENTS, SECRET, STATE, WHOLE, Run, contents, outcome
from exporting_fhir import JOB, Exporting, ndjson
from hooks.screen.export_error import ExportError
from hostile_fhir import HostileFhir


@pytest.mark.parametrize("zipped", [False, True])
def test_a_download_that_broke_off_goes_on_from_there(tmp_path, zipped):
    behaviour = Exporting(FILES, zipped=zipped)
    behaviour.instead = {"/fhir/files/Patient.ndjson": [behaviour.cut("Patient.ndjson", 1000)]}
    with HostileFhir(behaviour) as server:
        Run(server, tmp_path)
        asked = [headers for path, headers in server.heard if path.endswith("Patient.ndjson")]
    assert [h.get("Range") for h in asked] == [None, "bytes=1000-"] and asked[1]["If-Range"] == '"v1"'
    assert contents(tmp_path) == WHOLE


@pytest.mark.parametrize("ranges, tag", [(False, '"v1"'), (True, '"v0"')])
def test_where_it_cannot_go_on_it_begins_anew(tmp_path, ranges, tag):
    """A server without ranges, or whose file is no longer the one a part is here of."""
    behaviour = Exporting(FILES, ranges=ranges)
    behaviour.instead = {"/fhir/files/Patient.ndjson": [behaviour.cut("Patient.ndjson", 1000, tag)]}
    with HostileFhir(behaviour) as server:
        Run(server, tmp_path)
    assert contents(tmp_path) == WHOLE


def test_after_a_crash_the_same_command_goes_on_in_the_middle_of_a_file(tmp_path):
    class Crash(BaseException):
        pass

    def crash(seconds):
        raise Crash

    behaviour = Exporting(FILES)
    behaviour.instead = {"/fhir/files/Patient.ndjson": [behaviour.cut("Patient.ndjson", 1000)]}
    with HostileFhir(behaviour) as server:
        with pytest.raises(Crash):
            Run(server, tmp_path, sleep=crash, at_once=1)
        assert SECRET not in (tmp_path / STATE).read_text() and (tmp_path / STATE).stat().st_mode & 0o77 == 0
        del server.heard[:]
        behaviour.files = dict(reversed(behaviour.files.items()))  # listed in another order this time
        Run(server, tmp_path)
        assert [headers["Range"] for path, headers in server.heard if path.endswith("Patient.ndjson")] == ["bytes=1000-"]
        assert not any("$export" in path for path, _ in server.heard)
    assert contents(tmp_path) == WHOLE


def test_what_is_here_is_not_fetched_again(tmp_path):
    behaviour = Exporting(FILES, instead={"/fhir/files/Condition.ndjson": [hostile_fhir.status(400)]})
    with HostileFhir(behaviour) as server:
        with pytest.raises(ExportError, match="answered 400"):
            Run(server, tmp_path, at_once=1)
        del server.heard[:]
        Run(server, tmp_path)
        assert [path for path, _ in server.heard] == [JOB, "/fhir/files/Condition.ndjson", JOB]
        del server.heard[:]
        again = Run(server, tmp_path)
        assert server.heard == [] and again.words == ["exported before, as of 2026-11-01T00:00:00Z; not exported again"]
    assert contents(tmp_path) == WHOLE and len(again.exported.files) == 2


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    with HostileFhir(Exporting(FILES)) as server:
        (tmp_path / "Patient.ndjson").write_text("{}")
        with pytest.raises(ExportError, match="NDJSON files of another origin"):
            Run(server, tmp_path)
        (tmp_path / "Patient.ndjson").unlink()
        Run(server, tmp_path)
        with pytest.raises(ExportError, match="holds another export"):
            Run(server, tmp_path, group="other")


def test_a_job_that_is_gone_at_the_next_command_is_begun_anew(tmp_path):
    behaviour = Exporting(FILES, instead={"/fhir/files/Condition.ndjson": [hostile_fhir.status(400)]})
    with HostileFhir(behaviour) as server:
        with pytest.raises(ExportError):
            Run(server, tmp_path, at_once=1)
        behaviour.polls = [hostile_fhir.status(404)]
        run = Run(server, tmp_path)
    assert "a new one is begun" in run.words[1] and contents(tmp_path) == WHOLE


def test_an_expired_address_is_asked_for_again(tmp_path):
    behaviour = Exporting(FILES, instead={"/fhir/files/Condition.ndjson": [hostile_fhir.status(403)]})
    with HostileFhir(behaviour) as server:
        run = Run(server, tmp_path, at_once=1)
    assert "no longer good" in run.words[0] and contents(tmp_path) == WHOLE


def test_the_errors_of_the_export_are_counted_and_kept(tmp_path):
    told = ndjson(outcome("exception"), {"resourceType": "OperationOutcome", "issue": [{"severity": "warning"}, {"severity": "information"}]}) + b"<oops>\n"
    with HostileFhir(Exporting(FILES | {"errors.ndjson": told})) as server:
        run = Run(server, tmp_path)
    assert [file.read_bytes() for file in run.exported.errors] == [told] and contents(tmp_path) == WHOLE
    assert (run.exported.problems.errors, run.exported.problems.warnings) == (2, 1) and not run.exported.whole
    assert run.words == ["2 errors and 1 warnings of the FHIR server about its export"]


@pytest.mark.parametrize("content, count, why", [(b'{"a": 1}\n{"a"', None, "middle of a line"), (b'{"a": 1}\n', 2, "promised 2"), (b"<html>\n", None, "no resources")])
def test_a_file_that_stays_short_is_kept_and_told(tmp_path, content, count, why):
    behaviour = Exporting({"Patient.ndjson": content})
    with HostileFhir(behaviour) as server:
        behaviour.manifest = {"output": [{"type": "Patient", "url": f"{server.url}/files/Patient.ndjson", "count": count}]}
        run = Run(server, tmp_path)
        assert sum("/files/" in path for path, _ in server.heard) == 2
    assert not run.exported.whole and len(run.exported.lacking) == 1 and why in run.exported.lacking[0]


def test_a_file_that_is_packed_by_itself(tmp_path):
    with HostileFhir(Exporting({"Patient.ndjson": gzip.compress(PATIENTS)})) as server:
        Run(server, tmp_path)
    assert contents(tmp_path) == {"Patient.1.ndjson": PATIENTS}


def test_a_download_that_stalls_is_asked_for_again_and_one_that_only_is_slow_is_not(tmp_path):
    def slow(talk):
        talk.start(200, "application/fhir+ndjson", Content_Length=str(len(CONDITIONS)))
        for n in range(len(CONDITIONS)):
            talk.wfile.write(CONDITIONS[n:n + 1])
            talk.wfile.flush()
            time.sleep(0.02)

    def stalling(talk):
        talk.start(200, "application/fhir+ndjson", Content_Length=str(len(PATIENTS)), ETag='"v1"')
        talk.wfile.write(PATIENTS[:1000])
        talk.over.wait(20)
    behaviour = Exporting(FILES, instead={"/fhir/files/Condition.ndjson": [slow], "/fhir/files/Patient.ndjson": [stalling]})
    with HostileFhir(behaviour) as server:
        began_at = time.monotonic()
        Run(server, tmp_path, stall_seconds=0.5)
        assert time.monotonic() - began_at < 10
        assert sum(path.endswith("Condition.ndjson") for path, _ in server.heard) == 1
    assert contents(tmp_path) == WHOLE


@pytest.mark.parametrize("fault, why", [(hostile_fhir.web_page, "web page or XML"), (hostile_fhir.hang_up, "cannot be fetched"),
                                        (hostile_fhir.status(503), "answered 503")])  # fmt: skip
def test_a_file_that_cannot_be_had(tmp_path, fault, why):
    behaviour = Exporting(FILES, instead={"/fhir/files/Patient.ndjson": [fault] * 9})
    with HostileFhir(behaviour) as server, pytest.raises(ExportError, match=why):
        Run(server, tmp_path)
    assert behaviour.deleted == [] and (tmp_path / STATE).exists()


def test_web_pages_everywhere(tmp_path):
    with HostileFhir(hostile_fhir.web_page) as server, pytest.raises(ExportError, match="web page"):
        Run(server, tmp_path)
