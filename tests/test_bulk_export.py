"""A cohort by `$export`: from a real server whose tokens end in the middle, and from a small one that misbehaves on request."""

from __future__ import annotations

import gzip
import json
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

import hostile_fhir
from exporting_fhir import JOB, Exporting, ndjson
from hooks.backend_registration import BackendServices
from hooks.backend_services import TokenSource
from hooks.demo.children import transaction
from hooks.screen.bulk_export import export_to
from hooks.screen.export_error import ExportError, NoExport
from hooks.screen.progress import Progress
from hook_calls import TODAY
from hostile_fhir import HostileFhir
from own_ca import OwnCa
from smart_access import OURS, server_that_knows_us

SECRET = "token-that-nobody-else-may-see"
PATIENTS = ndjson(*({"resourceType": "Patient", "id": f"p{n}", "text": "a" * 500} for n in range(400)))
CONDITIONS = ndjson({"resourceType": "Condition", "id": "c1"}, {"resourceType": "Condition", "id": "c2"})
FILES = {"Patient.ndjson": PATIENTS, "Condition.ndjson": CONDITIONS}
STATE = "export.json"


class Run:
    """One export, what was told, and how long was waited."""

    def __init__(self, server, folder, access=SECRET, **settings):
        self.told, self.slept = [], []
        settings = {"types": ("Patient", "Condition"), "sleep": self.slept.append, **settings}
        self.exported = export_to(folder, server if isinstance(server, str) else server.url, access, told=self.told.append, **settings)

    @property
    def words(self):
        return [told for told in self.told if isinstance(told, str)]


def contents(folder):
    return {file.name: file.read_bytes() for file in folder.glob("*.ndjson")}


WHOLE = {"Patient.1.ndjson": PATIENTS, "Condition.1.ndjson": CONDITIONS}


# --- a real server --------------------------------------------------------------------------------------------------------------


def resources_of(bundle):
    return [entry["resource"] for entry in bundle["entry"]]


def exported_resources(exported):
    return {(r["resourceType"], r["id"]) for file in exported.files for r in map(json.loads, file.read_text().splitlines())}


@pytest.fixture(scope="module")
def children():
    return transaction(TODAY)


@pytest.fixture(scope="module")
def open_server(start_fhir_server, children):
    server = start_fhir_server()
    server.load(children)
    return server


KINDS = ("Patient", "Condition", "Observation", "Procedure")


def test_a_real_server_exports_what_it_holds(open_server, children, tmp_path):
    run = Run(open_server.base_url, tmp_path, None, types=KINDS, sleep=time.sleep)
    assert exported_resources(run.exported) == {(r["resourceType"], r["id"]) for r in resources_of(children) if r["resourceType"] in KINDS}
    assert run.exported.whole and run.exported.unknown_types == () and run.exported.transaction_time
    assert any(isinstance(told, Progress) and told.what == "export" and told.words for told in run.told)
    assert open_server.log.read_text(errors="replace").count("DELETE /fhir/bulk-status/") == 1


def test_a_real_server_exports_a_group(open_server, tmp_path):
    member = [{"entity": {"reference": "Patient/t-cell"}}]
    open_server.load({"entry": [{"resource": {"resourceType": "Group", "id": "trial", "type": "person", "actual": True, "member": member}}]})
    run = Run(open_server.base_url, tmp_path, None, types=KINDS, group="trial", sleep=time.sleep)
    assert [i for kind, i in exported_resources(run.exported) if kind == "Patient"] == ["t-cell"]
    with pytest.raises(ExportError, match="no group of this id") as refused:
        Run(open_server.base_url, tmp_path / "other", None, group="nobody")
    assert not isinstance(refused.value, NoExport)


def test_a_token_that_ends_in_the_middle_is_renewed(start_fhir_server, children, tmp_path):
    server = server_that_knows_us(start_fhir_server, tmp_path / "key.pem")
    server.load(children)
    backend = BackendServices(fhir_server=server.base_url, key_file=tmp_path / "key.pem", **OURS)
    source = TokenSource(backend, clock=lambda: 0.0)  # our clock stands still: only the server's 401 tells that it ended
    run = Run(server.base_url, tmp_path / "out", source, types=KINDS, sleep=lambda seconds: time.sleep(5))
    assert exported_resources(run.exported) == {(r["resourceType"], r["id"]) for r in resources_of(children) if r["resourceType"] in KINDS}
    log = server.log.read_text(errors="replace")
    assert log.count("POST /auth/token") == 2 and " 401" in log
    assert "eyJ" not in (tmp_path / "out" / STATE).read_text()


def test_without_a_token_a_real_server_says_why(start_fhir_server, tmp_path):
    server = start_fhir_server(server_auth={"types": ["bearer"], "tokens": ["loader"]})
    with pytest.raises(ExportError, match=r"not authorised to export \(401\); check the access token"):
        Run(server.base_url, tmp_path, None)


# --- begun ------------------------------------------------------------------------------------------------------------------------


def test_what_is_asked_for(tmp_path):
    behaviour = Exporting(FILES)
    with HostileFhir(behaviour) as server:
        run = Run(server, tmp_path, since="2026-01-01T00:00:00+09:00")
        path, headers = server.heard[0]
    assert path == "/fhir/Patient/$export?_type=Patient,Condition&_since=2026-01-01T00:00:00%2B09:00&_outputFormat=application/fhir%2Bndjson"
    assert headers["Accept"] == "application/fhir+json" and headers["Prefer"] == "respond-async" and headers["Authorization"] == f"Bearer {SECRET}"
    assert contents(tmp_path) == WHOLE and behaviour.deleted == [JOB] and run.exported.whole
    assert not list(tmp_path.rglob("*.part"))


def outcome(code):
    return {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": code}]}


EXPORTS = hostile_fhir.answer({"resourceType": "CapabilityStatement", "rest": [{"resource": [{"type": "Patient", "operation": [{"name": "export"}]}]}]})
EXPORTS_NOT = hostile_fhir.answer({"resourceType": "CapabilityStatement", "rest": [{"resource": [{"type": "Patient"}]}]})
NONE = {
    "404": (hostile_fhir.status(404), EXPORTS),
    "405": (hostile_fhir.status(405), EXPORTS),
    "501": (hostile_fhir.status(501), EXPORTS),
    "400 not-supported": (hostile_fhir.status(400, outcome("not-supported")), EXPORTS),
    "400 and no such operation declared": (hostile_fhir.status(400, outcome("invalid")), EXPORTS_NOT),
    "500 and no such operation declared": (hostile_fhir.status(500), EXPORTS_NOT),
    "a searchset": (hostile_fhir.answer({"resourceType": "Bundle", "type": "searchset"}), EXPORTS),
}


@pytest.mark.parametrize("name", NONE)
def test_a_server_without_export(tmp_path, name):
    kick_off, capability = NONE[name]
    with HostileFhir(Exporting(kick_off=[kick_off] * 2, capability=capability)) as server, pytest.raises(NoExport, match="this FHIR server has no export"):
        Run(server, tmp_path)
    assert not (tmp_path / STATE).exists()


REFUSALS = {
    "401": (hostile_fhir.status(401), r"not authorised to export \(401\)"),
    "400": (hostile_fhir.status(400, outcome("invalid")), r"refused the export \(400\)"),
    "500": (hostile_fhir.status(500), r"refused the export \(500\)"),
    "a redirect": (hostile_fhir.redirect_to("https://login.example/"), "with a redirect"),
    "a web page": (hostile_fhir.web_page, "web page instead of FHIR"),
    "no address": (lambda talk: talk.start(202), "does not say where"),
    "another server's address": (lambda talk: talk.start(202, Content_Location="https://elsewhere.example/jobs/1"), "sends us to another server"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_an_export_that_cannot_be_begun(tmp_path, name):
    kick_off, why = REFUSALS[name]
    with HostileFhir(Exporting(kick_off=[kick_off] * 2, capability=EXPORTS)) as server, pytest.raises(ExportError, match=why) as refused:
        Run(server, tmp_path)
    assert not isinstance(refused.value, NoExport) and SECRET not in str(refused.value)


def test_a_type_it_does_not_know_may_be_left_out(tmp_path):
    behaviour = Exporting(FILES, kick_off=[hostile_fhir.status(400, outcome("not-supported"))], capability=EXPORTS)
    with HostileFhir(behaviour) as server:
        run = Run(server, tmp_path)
        assert server.heard[1][1]["Prefer"] == "respond-async, handling=lenient"
    assert run.exported.unknown_types == ("Condition",) and contents(tmp_path) == WHOLE


# --- waited for -------------------------------------------------------------------------------------------------------------------


def going_on(**headers):
    return lambda talk: talk.start(202, **headers)


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


# --- fetched ----------------------------------------------------------------------------------------------------------------------


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


# --- elsewhere --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("needed, why", [(True, "access token to be shown to another server"), (None, "access token to be shown"), (False, "without TLS")])
def test_a_file_on_another_server_is_not_fetched_with_our_token_nor_without_tls(tmp_path, needed, why):
    with HostileFhir(Exporting(FILES)) as elsewhere:
        with HostileFhir(Exporting(output=[{"type": "Patient", "url": f"{elsewhere.url}/files/Patient.ndjson"}], requiresAccessToken=needed)) as server:
            with pytest.raises(ExportError, match=why) as refused:
                Run(server, tmp_path)
        assert elsewhere.heard == [] and elsewhere.url not in str(refused.value)


def test_a_file_in_a_store_is_fetched_without_our_token(tmp_path):
    ca = OwnCa(tmp_path / "ca")
    with ca.serving(Exporting(FILES)) as store:
        output = [{"type": "Patient", "url": f"{store.url}/files/Patient.ndjson?signature=key-to-the-data"}]
        with HostileFhir(Exporting(output=output, requiresAccessToken=False)) as server:
            run = Run(server, tmp_path / "out", ca_bundle=str(ca.bundle))
            assert all(headers["Authorization"] == f"Bearer {SECRET}" for _, headers in server.heard)
        ((path, headers),) = store.heard
    assert "Authorization" not in headers and SECRET not in repr(headers) and path.endswith("key-to-the-data")
    assert contents(tmp_path / "out") == {"Patient.1.ndjson": PATIENTS}
    assert "key-to-the-data" not in (tmp_path / "out" / STATE).read_text() + repr(run.told)


def test_a_file_of_the_server_itself_that_needs_no_token_gets_none(tmp_path):
    with HostileFhir(Exporting(FILES, requiresAccessToken=False)) as server:
        Run(server, tmp_path)
        assert all("Authorization" not in headers for path, headers in server.heard if "/files/" in path)


def test_a_redirect_of_a_file_to_a_store_is_followed_without_our_token(tmp_path):
    ca = OwnCa(tmp_path / "ca")
    with ca.serving(Exporting(FILES)) as store:
        moved = hostile_fhir.redirect_to(f"{store.url}/files/Patient.ndjson")
        with HostileFhir(Exporting(FILES, instead={"/fhir/files/Patient.ndjson": [moved]})) as server:
            Run(server, tmp_path / "out", ca_bundle=str(ca.bundle))
        ((_, headers),) = store.heard
    assert "Authorization" not in headers and contents(tmp_path / "out") == WHOLE


def test_a_redirect_of_a_file_without_tls_is_not_followed(tmp_path):
    with HostileFhir(Exporting(FILES)) as elsewhere:
        moved = hostile_fhir.redirect_to(f"{elsewhere.url}/files/Patient.ndjson")
        with HostileFhir(Exporting(FILES, instead={"/fhir/files/Patient.ndjson": [moved]})) as server, pytest.raises(ExportError, match="without TLS"):
            Run(server, tmp_path)
        assert elsewhere.heard == []


def test_nothing_secret_is_told_or_kept(tmp_path, caplog, capsys):
    caplog.set_level("DEBUG")
    with HostileFhir(Exporting(FILES, polls=[going_on()])) as server:
        run = Run(server, tmp_path)
        for bad in ("a\r\nb", ""):
            with pytest.raises(ExportError, match="^the access token is malformed$"):
                Run(server, tmp_path / "bad", bad)
    seen = caplog.text + "".join(capsys.readouterr()) + repr(run.told) + (tmp_path / STATE).read_text()
    assert SECRET not in seen and "p17" not in seen and "files/" not in seen
