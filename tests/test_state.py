"""The database of the service, in SQLite and in PostgreSQL: a token is used once, a card is kept once, nothing is kept for ever.

Every test runs on each kind of database, unless it is about one of them.
"""

from __future__ import annotations

import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from hooks.feedback import Feedback
from hooks.state import CardLogged, Figures, Reason, State, StateError
from state_races import TOKENS, race

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
SEOUL = ZoneInfo("Asia/Seoul")
EHR = "https://ehr.example"
CARD = "6a1b8f1f-58a5-4d0f-8f3e-0b0f9d5e2a01"
SERVICE = "nct05827549-patient-view"
SHOWN = CardLogged(CARD, NOW, "hospital", SERVICE, "NCT05827549", "1", "0.1.0", "ab12", "eligible", 42, "assessment")
DONE = ("https://relapse-cds.example/reasons", "already-screened", "Already screened")
ACCEPTED = Feedback(CARD, "accepted", NOW, ("suggestion-1",))
OVERRIDDEN = Feedback(CARD, "overridden", NOW, (), *DONE)


@pytest.fixture(params=["file", "memory", "postgresql"])
def url(request, tmp_path):
    if request.param == "postgresql":
        return request.getfixturevalue("postgres")
    return "sqlite://" if request.param == "memory" else f"sqlite:///{tmp_path}/state.sqlite3"


@pytest.fixture
def state(url):
    state = State(url)
    yield state
    state.close()


@pytest.fixture(params=["file", "postgresql"])
def shared_url(request, tmp_path):
    """What more than one process can use."""
    return request.getfixturevalue("postgres") if request.param == "postgresql" else f"sqlite:///{tmp_path}/state.sqlite3"


def test_a_token_is_used_once(state):
    assert state.first_use(EHR, "a", 2e9)
    assert not state.first_use(EHR, "a", 2e9)
    assert state.first_use(EHR, "b", 2e9)
    assert state.first_use("https://other.example", "a", 2e9), "a jti is unique to its issuer only"


@pytest.mark.parametrize("jti", ["", "\0", "\ud800", "급성", "x" * 100_000, "'; DROP TABLE replays; --", "a\nb"], ids=repr)
def test_any_jti_will_do(state, jti):
    assert state.first_use(EHR, jti, 2e9)
    assert not state.first_use(EHR, jti, 2e9)
    assert state.first_use(EHR, jti + " ", 2e9)


def test_threads_race_for_a_token(state):
    threads, won = 8, []
    start = threading.Barrier(threads)

    def claim():
        start.wait(30)
        won.extend(n for n in range(50) if state.first_use(EHR, f"token-{n}", 2e9))

    racers = [threading.Thread(target=claim) for _ in range(threads)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join(60)
    assert sorted(won) == list(range(50))


def test_threads_do_not_get_each_others_answers(state):
    """In memory they share one connection, and with it the number of rows that the last statement changed."""
    state.first_use(EHR, "known", 2e9)
    odd, patience = [], sys.getswitchinterval()

    def report(size):
        for n in range(40):
            entries = [replace(OVERRIDDEN, card=f"card-{size}-{n}-{k}") for k in range(size)]
            odd.extend(told for told in [state.keep_feedback("hospital", SERVICE, entries)] if told != size)
            odd.extend("known" for used in [state.first_use(EHR, "known", 2e9)] if used)

    threads = [threading.Thread(target=report, args=(size,)) for size in range(1, 9)]
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    finally:
        sys.setswitchinterval(patience)
    assert odd == []


def test_processes_race_for_a_token_and_for_the_tables(shared_url):
    won = race(shared_url, 4)
    assert sorted(n for mine in won for n in mine) == list(range(TOKENS))
    state = State(shared_url)
    assert not state.first_use(EHR, "token-0", 2e9)
    state.close()


def test_a_card_without_word_from_anybody(state):
    state.keep_card(SHOWN)
    state.keep_card(SHOWN)
    assert state.summary() == (Figures(SERVICE, "assessment", 1, 0, 0, ()),)
    assert state.summary()[0].unreported == 1


def test_nothing_to_tell(state):
    assert state.summary() == () and state.summary(NOW) == ()
    assert state.keep_feedback("hospital", SERVICE, ()) == 0


def test_feedback_is_kept_once(state):
    later = replace(ACCEPTED, outcome_timestamp=NOW + timedelta(microseconds=1))
    assert state.keep_feedback("hospital", SERVICE, [ACCEPTED]) == 1
    assert state.keep_feedback("hospital", SERVICE, [ACCEPTED, ACCEPTED, OVERRIDDEN, later, later]) == 2
    assert state.keep_feedback("hospital", SERVICE, [OVERRIDDEN, later]) == 0
    same = replace(ACCEPTED, outcome_timestamp=NOW.astimezone(SEOUL))
    assert state.keep_feedback("hospital", SERVICE, [same]) == 0, "the same moment in another time zone"


def test_a_full_delivery(state):
    many = [replace(OVERRIDDEN, card=f"card-{n}", reason_display="급" * 400) for n in range(1000)]
    assert state.keep_feedback("hospital", SERVICE, many) == 1000
    assert state.keep_feedback("hospital", SERVICE, many) == 0


def test_the_newest_outcome_of_a_card_counts(state):
    state.keep_card(SHOWN)
    state.keep_feedback("hospital", SERVICE, [replace(ACCEPTED, outcome_timestamp=NOW + timedelta(hours=1)), OVERRIDDEN])
    assert state.summary() == (Figures(SERVICE, "assessment", 1, 1, 0, ()),)
    state.keep_feedback("hospital", SERVICE, [replace(OVERRIDDEN, outcome_timestamp=NOW + timedelta(hours=2))])
    assert state.summary() == (Figures(SERVICE, "assessment", 1, 0, 1, (Reason(*DONE[:2], DONE[2], 1, 0),)),)


def test_figures_by_kind_with_reasons(state):
    def card(n):
        return f"card-{n}"

    def override(n, code=None, display=None, commented=False):
        return Feedback(card(n), "overridden", NOW, (), DONE[0] if code else None, code, display, commented)

    for n in range(9):
        state.keep_card(replace(SHOWN, card=card(n), kind="order" if n == 8 else "assessment"))
    entries = [override(0, "done"), override(1, "done", "Done before", commented=True), override(2), override(3, commented=True),
               override(4, "odd"), Feedback(card(5), "accepted", NOW, ("x",)), Feedback(card(8), "accepted", NOW, ("x",)),
               override(99, "done")]  # fmt: skip
    assert state.keep_feedback("hospital", SERVICE, entries) == 8
    done, none, odd = Reason(DONE[0], "done", "Done before", 2, 1), Reason(None, None, None, 2, 1), Reason(DONE[0], "odd", None, 1, 0)
    assessment, order, unknown = state.summary()
    assert assessment == Figures(SERVICE, "assessment", 8, 1, 5, (none, done, odd)) and assessment.unreported == 2
    assert order == Figures(SERVICE, "order", 1, 1, 0, ())
    assert unknown == Figures(SERVICE, None, 0, 0, 1, (replace(done, times=1, commented=0),)) and unknown.unreported == 0
    named = state.summary(displays={(DONE[0], "odd"): "Odd indeed", (DONE[0], "done"): "As configured"})[0].reasons
    assert [reason.display for reason in named] == [None, "As configured", "Odd indeed"]


def test_what_another_client_says_of_a_card_does_not_count(state):
    state.keep_card(SHOWN)
    assert state.keep_feedback("other-hospital", SERVICE, [OVERRIDDEN]) == 1
    assert state.keep_feedback("hospital", "another-service", [OVERRIDDEN]) == 1
    assert {(row.service, row.kind, row.shown, row.overridden) for row in state.summary()} == {
        (SERVICE, "assessment", 1, 0), (SERVICE, None, 0, 1), ("another-service", None, 0, 1),
    }  # fmt: skip


def test_since_a_day(state):
    state.keep_card(replace(SHOWN, at=NOW.astimezone(SEOUL)))
    state.keep_card(replace(SHOWN, card="old", at=NOW - timedelta(days=30)))
    state.keep_feedback("hospital", SERVICE, [ACCEPTED, replace(OVERRIDDEN, card="old")])
    assert [(row.shown, row.accepted, row.overridden) for row in state.summary()] == [(2, 1, 1)]
    assert [(row.shown, row.accepted, row.overridden) for row in state.summary(NOW)] == [(1, 1, 0)]
    assert [row.shown for row in state.summary(NOW.astimezone(SEOUL) + timedelta(seconds=1))] == []


def test_forgetting(state):
    state.first_use(EHR, "expired", NOW.timestamp() - 1)
    state.first_use(EHR, "valid", NOW.timestamp() + 1)
    state.keep_card(SHOWN)
    state.keep_card(replace(SHOWN, card="old", at=NOW - timedelta(days=30, seconds=1)))
    state.keep_feedback("hospital", SERVICE, [ACCEPTED])
    state.forget(NOW, 30)
    assert state.first_use(EHR, "expired", 2e9) and not state.first_use(EHR, "valid", 2e9)
    assert [(row.shown, row.accepted) for row in state.summary()] == [(1, 1)]
    state.forget(datetime.now(UTC) + timedelta(days=31), 30)
    assert state.summary() == ()


def test_forgetting_now_and_then(state, monkeypatch):
    times = []
    monkeypatch.setattr(State, "forget", lambda self, now, keep_days: times.append((now - NOW).total_seconds()))
    done = [state.forget_now_and_then(NOW + timedelta(seconds=s), 30) for s in (0, 1, 3599, 3600, 3601, 7300, 0, 100)]
    assert done == [True, False, False, True, False, True, True, False], "a clock put back does not stop it"
    assert times == [0, 3600, 7300, 0]


def test_forgetting_never_harms_the_call(tmp_path):
    assert State(f"sqlite:///{tmp_path}/nowhere/x.sqlite3").forget_now_and_then(NOW, 30) is False


def test_a_moment_at_the_edge_of_the_calendar(state):
    edges = [replace(ACCEPTED, outcome_timestamp=datetime(year, 1, 1, tzinfo=UTC)) for year in (1, 9999)]
    assert state.keep_feedback("hospital", SERVICE, edges) == 2
    assert state.summary()[0].accepted == 1


def test_what_cannot_be_stored_is_a_state_error(state):
    with pytest.raises(StateError) as told:
        state.keep_card(replace(SHOWN, overall="Zwetschgenbaum\ud800"))
    assert "Zwetschgenbaum" not in str(told.value)
    state.keep_card(SHOWN)  # and the database is none the worse for it
    state.check()
