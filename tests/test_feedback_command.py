"""`relapse-cds feedback`: the figures for people and for machines, and one sentence where there are none to be had."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from command_line import cannot, run
from hooks.cards import REASONS
from hooks.feedback import Feedback
from hooks.services import SERVICES
from hooks.state import CardLogged, State

NOW = datetime(2026, 3, 1, 16, 30, tzinfo=UTC)  # the day after, in Seoul
SERVICE = "nct05827549-patient-view"


@pytest.fixture(autouse=True)
def nowhere(tmp_path, monkeypatch):
    """Neither this folder's database nor this machine's setting."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RELAPSE_CDS_DATABASE", raising=False)
    monkeypatch.setenv("COLUMNS", "200")


def fill(url):
    state = State(url)
    for n in range(3):
        at = NOW - timedelta(days=10 * n)
        state.keep_card(CardLogged(f"card-{n}", at, "hospital", SERVICE, "NCT05827549", "1", "0.1.0", "ab12", "eligible", 42, "assessment"))
    state.keep_feedback("hospital", SERVICE, [
        Feedback("card-0", "overridden", NOW, (), "https://x.example", "done", "[red]Already\x1b[31m screened", True),
        Feedback("card-1", "accepted", NOW, ("s",)),
    ])  # fmt: skip
    state.close()
    return url


@pytest.fixture(params=["file", "postgresql"])
def filled(request, tmp_path):
    return fill(request.getfixturevalue("postgres") if request.param == "postgresql" else f"sqlite:///{tmp_path}/x.sqlite3")


def test_for_machines(filled, monkeypatch):
    monkeypatch.setenv("RELAPSE_CDS_DATABASE", filled)
    told = json.loads(run("feedback", "--format", "json").stdout)
    assert told == {"since": None, "cards": [
        {"service": SERVICE, "kind": "assessment", "shown": 3, "accepted": 1, "overridden": 1, "unreported": 1, "reasons": [
            {"system": "https://x.example", "code": "done", "display": "[red]Already\x1b[31m screened", "times": 1, "commented": 1}]}]}  # fmt: skip


def test_for_people(filled, monkeypatch):
    monkeypatch.setenv("RELAPSE_CDS_DATABASE", filled)
    result = run("feedback")
    assert result.exit_code == 0 and "\x1b" not in result.stdout
    assert [cell.strip() for cell in next(line for line in result.stdout.splitlines() if "assessment" in line).strip("│").split("│")] == [
        "patient-view", "assessment", "3", "1", "1", "1"]  # fmt: skip
    assert "What became of the cards of nct05827549" in result.stdout
    assert "[red]Already" in result.stdout and "(done)" in result.stdout


def test_the_database_of_a_settings_file(tmp_path):
    file = tmp_path / "settings.toml"
    fill("sqlite:///other.sqlite3")
    file.write_text('database = "sqlite:///other.sqlite3"\ntime_zone = "Asia/Seoul"\n')
    assert json.loads(run("feedback", "--config", file, "--format", "json").stdout)["cards"][0]["shown"] == 3
    for day, shown in (("2026-03-02", 1), ("2026-03-03", 0), ("2026-02-20", 2), ("0001-01-01", 3), ("9999-12-31", 0)):
        told = json.loads(run("feedback", "--config", file, "--since", day, "--format", "json").stdout)
        assert sum(row["shown"] for row in told["cards"]) == shown, day
        assert told["since"].endswith(":00")


def test_the_names_of_our_own_reasons(tmp_path):
    """An EHR may leave the display out; the settings know it."""
    state = State("sqlite:///x.sqlite3")
    state.keep_feedback("hospital", SERVICE, [Feedback("c", "overridden", NOW, (), "https://x.example", "done")])
    state.close()
    (tmp_path / "settings.toml").write_text("""
database = "sqlite:///x.sqlite3"
public_url = "https://cds.example"
[[clients]]
name = "hospital"
issuer = "https://ehr.example"
jwks_url = "https://ehr.example/jwks"
override_reasons = [{code = "done", system = "https://x.example", display = "Done before"}]
""")
    text = run("feedback", "--config", tmp_path / "settings.toml").stdout
    assert "Done before (done)" in text and "not in the card log" in text


@pytest.mark.parametrize("columns", [80, 100, 200])
def test_our_reasons_without_a_display_and_long_names_of_services(columns, monkeypatch):
    """The reasons that we send by default need no settings to be named; no name is broken within a word."""
    monkeypatch.setenv("RELAPSE_CDS_DATABASE", "sqlite:///x.sqlite3")
    monkeypatch.setenv("COLUMNS", str(columns))
    state = State("sqlite:///x.sqlite3")
    services = [service.id for service in SERVICES]
    for service in services:
        state.keep_feedback("hospital", service, [Feedback(service, "overridden", NOW, (), REASONS, "patient-refuses")])
    state.close()
    told = run("feedback").stdout
    names = [service.removeprefix("nct05827549-") for service in services]
    assert max(map(len, told.splitlines())) <= columns and all(f"│ {name} " in told for name in names)
    assert "Patient or" in told and "(patient-refuses)" in told and "terminology.hl7" not in told
    rows = json.loads(run("feedback", "--format", "json").stdout)["cards"]
    assert [row["reasons"][0]["display"] for row in rows] == ["Patient or family refuses"] * len(services)


def test_nothing_yet(tmp_path, monkeypatch):
    assert "there is no feedback yet" in cannot(run("feedback")) and not list(tmp_path.iterdir()), "no database is left behind"
    monkeypatch.setenv("RELAPSE_CDS_DATABASE", "sqlite:///empty.sqlite3")
    empty = State("sqlite:///empty.sqlite3")
    empty.check()
    empty.close()
    assert "No card has been shown in this time." in run("feedback").stdout
    assert json.loads(run("feedback", "--format", "json").stdout) == {"since": None, "cards": []}


@pytest.mark.parametrize(("database", "words"), [
    ("sqlite://", "memory"), ("mysql://u:geheim@h/d", "sqlite:///FILE or postgresql://"),
    ("postgresql://u:geheim@127.0.0.1:1/d", "cannot be reached"),
])  # fmt: skip
def test_a_database_that_cannot_be_asked(monkeypatch, database, words):
    monkeypatch.setenv("RELAPSE_CDS_DATABASE", database)
    line = cannot(run("feedback"))
    assert words in line and "geheim" not in line


def test_a_settings_file_that_cannot_be_read(tmp_path):
    assert "nowhere.toml" in cannot(run("feedback", "--config", tmp_path / "nowhere.toml"))


@pytest.mark.parametrize("arguments", [["--since", "yesterday"], ["--format", "xml"], ["extra"]])
def test_wrong_usage(arguments):
    assert run("feedback", *arguments).exit_code == 2
