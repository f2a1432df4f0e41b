"""Feedback through the service: what an EHR reports of our cards is kept without a word that could be about the child."""

from __future__ import annotations

import sqlite3

import pytest

from cds_hooks_schema import check_feedback
from command_line import run
from hook_calls import SERVICE, Chart, client, owed_to_every_caller, refusal, tell

PATH = SERVICE + "/feedback"
WHEN = "2025-09-01T10:00:00Z"
REASON = {"code": "patient-ineligible", "system": "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes"}


@pytest.fixture
def database(tmp_path):
    return tmp_path / "state.sqlite3"


@pytest.fixture
def service(database):
    return client(database=f"sqlite:///{database}")


def card_of(service, child="screening-complete"):
    chart = Chart(child)
    (card,) = tell(service, chart.call(chart.prefetch())).json["cards"]
    return card


def reported(service, *entries):
    told = {"feedback": list(entries)}
    check_feedback(told)
    answer = service.post(PATH, json=told)
    if answer.status_code != 200:
        owed_to_every_caller(answer)
    else:
        assert answer.json == {} and answer.headers["Cache-Control"] == "no-store"
    return answer


def rows(database, table):
    with sqlite3.connect(database) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(f"select * from {table}")]


def test_a_card_is_logged_without_its_child(service, database):
    card = card_of(service)
    (row,) = rows(database, "cards")
    assert (row["card"], row["client"], row["overall"], row["kind"]) == (card["uuid"], "ehr", "eligible_pending_clinician_review", "assessment")
    assert len(row["inputs_hash"]) == 64 and row["protocol"] == "NCT05827549" and row["milliseconds"] >= 0
    assert "screening-complete" not in str(row)


def test_the_same_inputs_have_the_same_hash_and_others_another(service, database):
    for child in ("screening-complete", "screening-complete", "missing-echo"):
        card_of(service, child)
    first, again, other = (row["inputs_hash"] for row in rows(database, "cards"))
    assert first == again != other


def test_a_card_set_aside_with_a_reason(service, database):
    card = card_of(service)
    comment = "Zwetschgenbaum moved away"
    reported(service, {"card": card["uuid"], "outcome": "overridden", "outcomeTimestamp": WHEN, "overrideReason": {"reason": REASON, "userComment": comment}})
    (row,) = rows(database, "feedback")
    assert (row["card"], row["outcome"], row["reason_code"]) == (card["uuid"], "overridden", "patient-ineligible")
    assert comment not in database.read_bytes().decode("latin-1")


def test_an_accepted_suggestion(service, database):
    card = card_of(service, "missing-echo")
    suggestion = card["suggestions"][0]["uuid"]
    entry = {"card": card["uuid"], "outcome": "accepted", "acceptedSuggestions": [{"id": suggestion}], "outcomeTimestamp": WHEN}
    for _ in range(2):
        assert reported(service, entry).status_code == 200
    assert len(rows(database, "feedback")) == 1, "reported twice, kept once"


def test_the_figures_of_the_command(service, database, monkeypatch):
    card = card_of(service)
    reported(service, {"card": card["uuid"], "outcome": "overridden", "outcomeTimestamp": WHEN, "overrideReason": {"reason": REASON}})
    monkeypatch.setenv("RELAPSE_CDS_DATABASE", f"sqlite:///{database}")
    result = run("feedback", "--format", "json")
    assert result.exit_code == 0 and "patient-ineligible" in result.stdout and "assessment" in result.stdout


def test_a_card_we_never_sent_is_no_error(service):
    assert reported(service, {"card": "0f5d2a0e-0000-4000-8000-000000000000", "outcome": "accepted",
                              "acceptedSuggestions": [{"id": "0f5d2a0e-0000-4000-8000-000000000001"}], "outcomeTimestamp": WHEN}).status_code == 200  # fmt: skip


@pytest.mark.parametrize(("body", "named"), [
    ([], "object"), ({}, "feedback"), ({"feedback": {}}, "feedback"), ({"feedback": [5]}, "feedback.0"),
    ({"feedback": [{"card": "x", "outcome": "ignored", "outcomeTimestamp": WHEN}]}, "feedback.0.outcome"),
    ({"feedback": [{"card": "x", "outcome": "overridden"}]}, "feedback.0.outcomeTimestamp"),
])  # fmt: skip
def test_feedback_in_neither_shape_is_refused_by_field(service, body, named):
    answer = service.post(PATH, json=body)
    owed_to_every_caller(answer)
    assert answer.status_code == 400 and named in refusal(answer)


def test_feedback_to_a_service_that_is_none(service):
    assert service.post("/cds-services/other/feedback", json={"feedback": []}).status_code == 404


def test_a_database_that_is_down_loses_no_card_and_no_feedback_in_silence(tmp_path):
    broken = client(database=f"sqlite:///{tmp_path}/missing/state.sqlite3", dev=True)
    assert card_of(broken)
    answer = broken.post(PATH, json={"feedback": [{"card": "x", "outcome": "overridden", "outcomeTimestamp": WHEN}]})
    assert answer.status_code == 503
