"""A cohort by `$export`: from a real server whose tokens end in the middle, and how an export is begun at a small one that misbehaves."""

from __future__ import annotations

import json
import time

import pytest

import hostile_fhir
from exported import FILES, SECRET, STATE, WHOLE, Run, contents, outcome
from exporting_fhir import JOB, Exporting
from hook_calls import TODAY
from hooks.backend_registration import BackendServices
from hooks.backend_services import TokenSource
from hooks.demo.children import transaction
from hooks.screen.export_error import ExportError, NoExport
from hooks.screen.progress import Progress
from hostile_fhir import HostileFhir
from smart_access import OURS, server_that_knows_us

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
