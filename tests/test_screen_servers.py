"""Screening straight from a FHIR server: by `$export` with our own access, and by a search where a server exports nothing."""

from __future__ import annotations

import json

import pytest

import hostile_fhir
from command_line import cannot, run
from hook_calls import TODAY
from hooks.demo.children import transaction
from hostile_fhir import HostileFhir
from screened import assessments, screened
from smart_access import server_that_knows_us

RESOURCES = [entry["resource"] for entry in transaction(TODAY)["entry"]]


def answers(found):
    """What was judged, without where the evidence stands: a server names resources in its own way."""
    return {id: (a["overall"], [(c["id"], c["truth"], c["reason"]) for c in a["criteria"]], a["risk"]) for id, a in found.items()}


def test_an_export_with_our_own_access(start_fhir_server, tmp_path, plain):
    server = server_that_knows_us(start_fhir_server, tmp_path / "key.pem")
    server.load(transaction(TODAY))
    (tmp_path / "settings.toml").write_text(
        f'[[backend_services]]\nfhir_server = "{server.base_url}"\nclient_id = "relapse-cds"\nkid = "ours"\nkey_file = "key.pem"\n'
    )
    result = screened(server.base_url, tmp_path / "out", "--config", str(tmp_path / "settings.toml"))
    found = assessments(tmp_path / "out")
    assert set(found) == set(plain)
    told = {(n["search"], n["words"]) for a in found.values() for n in a["not_looked_up"]}
    assert told == {(search, "the FHIR server does not keep this kind of record") for search in ("research studies", "chart review answers")}
    needs_no_answers = {"INC-01", "INC-02", "INC-06", "INC-07", "INC-08", "INC-09", "EXC-02", "EXC-13"}
    for id, (_, criteria, _) in answers(found).items():
        assert [c for c in criteria if c[0] in needs_no_answers] == [c for c in answers(plain)[id][1] if c[0] in needs_no_answers]
    assert "children with a leukaemia diagnosis" in result.stderr and not (tmp_path / "out" / ".export").exists(), "the records do not stay behind"


def without_export(talk):
    (hostile_fhir.status(404) if "$export" in talk.path else hostile_fhir.keeping(RESOURCES))(talk)


def test_a_server_without_export_is_searched(tmp_path, plain):
    with HostileFhir(without_export) as server:
        result = screened(server.url, tmp_path / "out")
    assert {id: a["overall"] for id, a in assessments(tmp_path / "out").items()} == {id: a["overall"] for id, a in plain.items()}
    assert "instead" in result.stderr


@pytest.mark.parametrize("source", ["http://127.0.0.1:9/fhir", "https://user@ehr.example/fhir", "http://"])
def test_a_server_that_is_none(source, tmp_path):
    assert "127.0.0.1:9" in (line := cannot(run("screen", source, "--out", tmp_path / "out", "--quiet"))) or "FHIR base URL" in line
    assert not (tmp_path / "out" / "assessments.ndjson").exists()


def test_a_token_is_taken_from_the_environment_and_told_to_nobody(tmp_path, monkeypatch):
    monkeypatch.setenv("FHIR_TOKEN", "geheim-token")
    with HostileFhir(without_export) as server:
        result = screened(server.url, tmp_path / "out")
        assert {headers.get("Authorization") for _, headers in server.heard} == {"Bearer geheim-token"}
    told = result.stderr + result.stdout + "".join(path.read_text(errors="replace") for path in (tmp_path / "out").iterdir())
    assert "geheim-token" not in told and json.loads((tmp_path / "out" / "summary.json").read_text())["children"] == 15
