"""How hard a FHIR server is leant on: so many requests at a time over all calls, and none while it answers nobody.

Time is a number here that the tests move; the servers are real sockets.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

import hostile_fhir
from fhir_mappings import Outcome
from fhir_mappings.sources import SEARCHES
from hook_calls import Chart
from hooks.cds_client import DEVELOPER
from hooks.config import Config
from hooks.deadline import Deadline
from hooks.fhir_load import BUSY, FAILURES, PAUSE, UNWELL, FhirLoad
from hooks.gather import gather
from hooks.no_answer import NoAnswer
from hooks.problem import Problem
from hooks.request import HookRequest
from hostile_fhir import HostileFhir

CHART = Chart("screening-complete")
SENT = {key: value for key, value in CHART.prefetch().items() if key in ("patient", "conditions")}
OPTIONAL = {search.name for search in SEARCHES if not search.required}
EHR = "https://ehr.example/fhir"


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


def called(server, load, seconds=20.0, prefetch=SENT):
    """One hook call as far as the record goes."""
    call = HookRequest("patient-view", "", CHART.id, "Practitioner/1", prefetch, server.url, "token")
    return gather(call, DEVELOPER, Config(dev=True, fetch_seconds=seconds), load)


def whys(record):
    return {answer.why for name, answer in record.answers.items() if name in OPTIONAL}


# --- at the same time ---------------------------------------------------------------------------------------------------------


def counting(most, pause=0.02):
    """Answers everything, slowly, and keeps in `most` how many it was answering at one time."""
    lock, now, sound = threading.Lock(), [0], hostile_fhir.keeping(CHART.resources)

    def behaviour(talk):
        with lock:
            now[0] += 1
            most.append(now[0])
        time.sleep(pause)
        with lock:
            now[0] -= 1
        sound(talk)

    return behaviour


@pytest.mark.parametrize("at_once", [1, 3])
def test_all_calls_together_ask_so_much_at_a_time(at_once):
    most: list[int] = []
    load = FhirLoad(at_once)
    with HostileFhir(counting(most)) as server, ThreadPoolExecutor(4) as callers:
        records = list(callers.map(lambda _: called(server, load), range(4)))
    assert all(answer.complete for record in records for answer in record.answers.values())
    assert max(most) == at_once


def test_without_a_load_nothing_is_shared():
    most: list[int] = []
    with HostileFhir(counting(most, 0.1)) as server:
        assert called(server, None).answers["laboratory"].complete
    assert max(most) > 3


def test_who_gets_no_place_in_time_is_told_so_and_is_not_late():
    load = FhirLoad(2)
    with HostileFhir(hostile_fhir.hang) as server, ThreadPoolExecutor(1) as other:
        slow = other.submit(called, server, load, 3.0)
        while len(server.heard) < 2:
            time.sleep(0.01)
        began = time.monotonic()
        record = called(server, load, 0.5)
        assert time.monotonic() - began < 2.0 and not slow.done()
        assert whys(record) == {BUSY}
        assert {record.answers[name].outcome for name in OPTIONAL} == {Outcome.FAILED}
        assert record.answers["conditions"].complete, "what was sent is judged"
        assert len(server.heard) == 2
        slow.result()


@pytest.mark.parametrize("fault", [hostile_fhir.hang, hostile_fhir.reset, hostile_fhir.web_page, hostile_fhir.status(401), hostile_fhir.many_headers])
def test_places_come_back_whatever_happened(fault):
    load = FhirLoad(1)
    with HostileFhir(fault) as server:
        called(server, load, 0.5)
        with load.call(server.url) as share, share.turn(Deadline.after(5)):
            pass


def test_servers_do_not_share_places():
    load = FhirLoad(1)
    with load.call(EHR) as one, load.call(f"{EHR}2") as other, one.turn(Deadline.after(5)):
        with other.turn(Deadline.after(0.1)):
            pass
        with pytest.raises(NoAnswer, match=BUSY), one.turn(Deadline.after(0.1)):
            pass


# --- while it is unwell -------------------------------------------------------------------------------------------------------

UNWELL_FAULTS = {
    "hangs": hostile_fhir.hang,
    "drips": hostile_fhir.drip_body,
    "hangs up": hostile_fhir.hang_up,
    "resets": hostile_fhir.reset,
    "500": hostile_fhir.status(500),
    "503": hostile_fhir.status(503, Retry_After="60"),
    "429": hostile_fhir.status(429, Retry_After="60"),
}
UP = {
    "401": hostile_fhir.status(401),
    "403": hostile_fhir.status(403),
    "404": hostile_fhir.status(404),
    "400": hostile_fhir.status(400),
    "web page": hostile_fhir.web_page,
    "redirect": hostile_fhir.redirect_to("https://login.example/"),
    "broken JSON": hostile_fhir.cut_short,
    "withheld": hostile_fhir.withheld,
    "sound": hostile_fhir.keeping(CHART.resources),
}


@pytest.mark.parametrize("name", UNWELL_FAULTS)
def test_calls_are_counted_not_searches_and_then_nobody_asks(name):
    load, seconds = FhirLoad(16, Clock()), 0.3 if name in ("hangs", "drips", "hangs up", "resets") else 20
    with HostileFhir(UNWELL_FAULTS[name]) as server:
        for _ in range(FAILURES):
            assert load.states().get(server.url, "closed") == "closed"
            before = len(server.heard)
            called(server, load, seconds)
            assert len(server.heard) > before + 4, "many searches fail in each call"
        assert load.states() == {server.url: "open"}
        while "a search of the last call may still be on its way":
            before = len(server.heard)
            time.sleep(0.2)
            if before == len(server.heard):
                break
        assert whys(called(server, load)) == {UNWELL}
        with pytest.raises(Problem, match=f"patient: {UNWELL}"):
            called(server, load, prefetch={})
        assert len(server.heard) == before


def test_no_server_at_all_is_unwell():
    load = FhirLoad(16, Clock())
    with HostileFhir(hostile_fhir.hang_up) as server:
        pass
    for _ in range(FAILURES):
        called(server, load, 0.3)
    assert load.states() == {server.url: "open"}


@pytest.mark.parametrize("name", UP)
def test_a_server_that_refuses_is_up(name):
    load = FhirLoad(16, Clock())
    with HostileFhir(UP[name]) as server:
        for _ in range(FAILURES + 1):
            called(server, load)
        assert load.states() == {server.url: "closed"}


def test_one_answer_is_enough_to_go_on():
    """Slow with everything but one kind: still worth asking for that kind."""
    load = FhirLoad(16, Clock())
    with HostileFhir(hostile_fhir.keeping(CHART.resources, hostile_fhir.status(500), sound=("Procedure",))) as server:
        for _ in range(FAILURES + 1):
            called(server, load)
        assert load.states() == {server.url: "closed"}


def ended(load, *, answered, base=EHR):
    """A call that asked once."""
    with load.call(base) as share:
        with share.turn(Deadline.after(5)):
            pass
        if answered:
            share.answered()


def opened(clock):
    load = FhirLoad(16, clock)
    for _ in range(FAILURES):
        ended(load, answered=False)
    assert load.states() == {EHR: "open"}
    return load


def refused(load):
    with load.call(EHR) as share, pytest.raises(NoAnswer, match=UNWELL), share.turn(Deadline.after(5)):
        pass
    return True


def test_a_success_in_between_begins_the_count_anew():
    load = FhirLoad(16, Clock())
    for _ in range(3):
        for _ in range(FAILURES - 1):
            ended(load, answered=False)
        ended(load, answered=True)
    assert load.states() == {EHR: "closed"}


def test_after_the_pause_one_call_tries_and_its_success_closes_it():
    load = opened(clock := Clock())
    clock.now += PAUSE - 0.01
    assert load.states() == {EHR: "open"} and refused(load)
    clock.now += 0.01
    assert load.states() == {EHR: "half-open"}
    with load.call(EHR) as trial:
        for _ in range(13):  # all its searches are the one try
            with trial.turn(Deadline.after(5)):
                pass
        assert refused(load) and load.states() == {EHR: "half-open"}
        trial.answered()
    assert load.states() == {EHR: "closed"}
    for _ in range(FAILURES - 1):
        ended(load, answered=False)
    assert load.states() == {EHR: "closed"}


def test_a_try_that_fails_is_another_pause():
    load = opened(clock := Clock())
    for _ in range(3):
        clock.now += PAUSE
        ended(load, answered=False)
        assert load.states() == {EHR: "open"} and refused(load)


def test_a_call_that_asks_nothing_does_not_use_up_the_try():
    load = opened(clock := Clock())
    clock.now += PAUSE
    with load.call(EHR):
        ended(load, answered=True)
    assert load.states() == {EHR: "closed"}


def test_a_try_that_found_no_place_leaves_it_to_the_next():
    clock = Clock()
    load = FhirLoad(1, clock)
    with load.call(EHR) as long:
        with long.turn(Deadline.after(5)):
            pass
        for _ in range(FAILURES):
            ended(load, answered=False)
        clock.now += PAUSE
        with long.turn(Deadline.after(5)):
            for _ in range(2):  # both are let in, and find the one place taken
                with load.call(EHR) as trial, pytest.raises(NoAnswer, match=BUSY), trial.turn(Deadline.after(0.01)):
                    pass
                assert load.states() == {EHR: "half-open"}


def test_calls_from_before_it_fell_ill_do_not_lengthen_the_pause_but_may_end_it():
    clock = Clock()
    load = FhirLoad(16, clock)
    with load.call(EHR) as failing, load.call(EHR) as lucky:
        for share in (failing, lucky):
            with share.turn(Deadline.after(5)):
                pass
        for _ in range(FAILURES):
            ended(load, answered=False)
        clock.now += PAUSE - 1
        failing.__exit__(None, None, None)
        clock.now += 1
        assert load.states() == {EHR: "half-open"}
        lucky.answered()
    assert load.states() == {EHR: "closed"}


def test_servers_fall_ill_one_by_one():
    load = opened(Clock())
    ended(load, answered=False, base=f"{EHR}2")
    assert load.states() == {EHR: "open", f"{EHR}2": "closed"}


def test_many_threads_leave_it_as_it_should_be():
    load = FhirLoad(4, clock := Clock())

    def half_of_them_unanswered(n):
        with suppress(NoAnswer):  # the threads may line up so that enough in a row have no answer
            ended(load, answered=n % 2 == 0)

    with ThreadPoolExecutor(32) as callers:
        list(callers.map(half_of_them_unanswered, range(2000)))
        clock.now += PAUSE
        ended(load, answered=True)
        list(callers.map(lambda n: ended(load, answered=True), range(50)))
    assert load.states() == {EHR: "closed"}
    with load.call(EHR) as share:
        for _ in range(5):
            with share.turn(Deadline.after(1)):
                pass
