"""Whole hook calls to FHIR servers that misbehave, over real sockets: what the clinician sees, and where the token went.

Whatever the server does, the call ends; it ends with unknowns that say why, or with a 412 that names the key; and nothing
speaks for the trial that would not if the same chart came from a sound server. How each fault is met on the wire is in
`test_hooks_fhir_*`, and what becomes of one failing search in `test_conversations_fetching`.
"""

from __future__ import annotations

import threading
import time
from functools import cache

import pytest

import hostile_fhir
from fhir_mappings.sources import SEARCHES
from hook_calls import TOKEN, Chart, assessment, client, favourable, refusal, tell, unanswered
from hostile_fhir import HostileFhir

CHILDREN = ("screening-complete", "high-creatinine", "two-lineages")
OPTIONAL = {search.name for search in SEARCHES if not search.required}
REQUIRED_TYPES = ("Patient", "Condition")
SLACK = 15  # seconds beyond the deadline on a busy machine; what hangs here would hang for 30

TAKEN: list[int] = []

NEVER_ENDS = {"hangs": hostile_fhir.hang, "drips headers": hostile_fhir.drip_headers, "drips the body": hostile_fhir.drip_body}
FAULTS = {
    **NEVER_ENDS,
    "401": hostile_fhir.status(401),
    "403": hostile_fhir.status(403),
    "404": hostile_fhir.status(404),
    "429, tomorrow": hostile_fhir.status(429, Retry_After="86400"),
    "429, a date long past": hostile_fhir.status(429, Retry_After="Fri, 31 Dec 1999 23:59:59 GMT"),
    "500": hostile_fhir.status(500),
    "a web page": hostile_fhir.web_page,
    "XML": hostile_fhir.xml,
    "truncated JSON": hostile_fhir.cut_short,
    "100 MB": hostile_fhir.huge(TAKEN),
    "a zipped bomb": hostile_fhir.zipped_bomb,
    "invalid UTF-8": hostile_fhir.not_utf_8,
    "empty, suppressed": hostile_fhir.withheld,
    "another child": hostile_fhir.of_another_child,
    "reset in mid body": hostile_fhir.reset,
    "many headers": hostile_fhir.many_headers,
    "hangs up": hostile_fhir.hang_up,
}
every_fault = pytest.mark.parametrize("name", FAULTS)


@cache
def sound(child):
    """What the chart says when its server behaves; asked once."""
    with HostileFhir(hostile_fhir.keeping(Chart(child).resources)) as server:
        found = assessment(call(server, Chart(child)))
        assert found["not_looked_up"] == []
        return frozenset(favourable(found))


def call(server, chart, seconds=20.0, prefetch=None):
    began = time.monotonic()
    answer = tell(client(fhir_servers=(server.url,), fetch_seconds=seconds), chart.call(prefetch, fhirServer=server.url, fhirAuthorization=TOKEN))
    assert time.monotonic() - began < seconds + SLACK
    return answer


def seconds_for(name):
    return 0.5 if name in NEVER_ENDS else 20.0


@every_fault
@pytest.mark.parametrize("child", CHILDREN)
def test_what_the_server_spoils_is_unknown_and_never_favourable(child, name):
    """The child and the problem list came with the call, everything else is spoilt."""
    chart = Chart(child)
    sent = {key: value for key, value in chart.prefetch().items() if key in ("patient", "conditions")}
    with HostileFhir(FAULTS[name]) as server:
        found = assessment(call(server, chart, seconds_for(name), sent))
        assert len(server.heard) >= 8, "the searches were made"
    assert unanswered(found) == OPTIONAL
    assert favourable(found) <= sound(child)


@every_fault
def test_without_the_child_it_is_412_and_names_the_key(name):
    with HostileFhir(FAULTS[name]) as server:
        answer = call(server, Chart("screening-complete"), seconds_for(name))
    assert answer.status_code == 412 and refusal(answer).startswith("patient: "), answer.text
    assert TOKEN["access_token"] not in answer.text and server.url not in answer.text


@every_fault
def test_without_the_problem_list_it_is_412_and_names_the_key(name):
    chart = Chart("screening-complete")
    with HostileFhir(hostile_fhir.keeping(chart.resources, FAULTS[name], sound=("Patient",))) as server:
        answer = call(server, chart, seconds_for(name))
    assert answer.status_code == 412 and refusal(answer).startswith("conditions: "), answer.text


def test_of_a_hundred_megabytes_most_is_left_with_the_server():
    TAKEN.clear()
    chart = Chart("screening-complete")
    with HostileFhir(hostile_fhir.keeping(chart.resources, FAULTS["100 MB"], sound=REQUIRED_TYPES)) as server:
        assessment(call(server, chart))
    deadline = time.monotonic() + 10
    while len(TAKEN) < 8 and time.monotonic() < deadline:
        time.sleep(0.01)  # the server notices a little later that nobody listens
    assert len(TAKEN) >= 8 and max(TAKEN) < 50_000_000, "16 MB, and what the sockets hold"


# --- pages ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("child", CHILDREN)
def test_endless_pages_are_read_up_to_a_limit_and_prove_nothing(child):
    chart = Chart(child)
    endless = hostile_fhir.with_next(chart.resources, lambda talk, number: f"{talk.base}/{talk.asked_for}?page={number}")
    with HostileFhir(hostile_fhir.keeping(chart.resources, endless, sound=REQUIRED_TYPES)) as server:
        found = assessment(call(server, chart, 60))
        pages = [path for path, _ in server.heard if "page=" in path]
    assert unanswered(found) == OPTIONAL and favourable(found) <= sound(child)
    assert 0 < len(pages) <= 19 * len(OPTIONAL) * 2


@pytest.mark.parametrize("child", CHILDREN)
@pytest.mark.parametrize("spelled", ["{elsewhere}", "//{elsewhere_host}/fhir", "http://{host}@{elsewhere_host}/fhir", "http://{elsewhere_host}\\@{host}/fhir"])
def test_a_foreign_next_page_is_not_asked_for(child, spelled):
    chart = Chart(child)
    with HostileFhir(hostile_fhir.keeping(chart.resources)) as elsewhere:
        def following(talk, number):
            place = spelled.format(elsewhere=elsewhere.url, elsewhere_host=elsewhere.url.split("/")[2], host=talk.headers["Host"])
            return f"{place}/{talk.asked_for}?page={number}"

        foreign = hostile_fhir.with_next(chart.resources, following)
        with HostileFhir(hostile_fhir.keeping(chart.resources, foreign, sound=REQUIRED_TYPES)) as server:
            found = assessment(call(server, chart))
            assert {headers["Authorization"] for _, headers in server.heard} == {"Bearer " + TOKEN["access_token"]}
        assert elsewhere.heard == []
    assert unanswered(found) == OPTIONAL and favourable(found) <= sound(child)


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_a_redirect_to_a_sound_server_is_not_followed(code):
    """It has the very chart, so following it would look like success; but the token was not meant for it."""
    chart = Chart("screening-complete")
    with HostileFhir(hostile_fhir.keeping(chart.resources)) as elsewhere:
        moved = lambda talk: talk.start(code, Location=elsewhere.url + talk.path.removeprefix("/fhir"))  # noqa: E731
        with HostileFhir(hostile_fhir.keeping(chart.resources, moved, sound=REQUIRED_TYPES)) as server:
            found = assessment(call(server, chart))
        with HostileFhir(moved) as server:
            assert refusal(call(server, chart)).startswith("patient: answered with a redirect")
        assert elsewhere.heard == []
    assert unanswered(found) == OPTIONAL


# --- a server that is busy ----------------------------------------------------------------------------------------------------


def busy(times, chart, **headers):
    """Every address is refused so often before it is answered; `asked` counts."""
    asked: dict[str, int] = {}
    lock, sound_answer = threading.Lock(), hostile_fhir.keeping(chart.resources)

    def behaviour(talk):
        with lock:
            asked[talk.path] = asked.get(talk.path, 0) + 1
            again = asked[talk.path] <= times
        (hostile_fhir.status(429, **headers) if again else sound_answer)(talk)

    return behaviour, asked


def test_a_pause_that_was_asked_for_is_made_and_then_all_is_well():
    chart = Chart("screening-complete")
    behaviour, asked = busy(1, chart, Retry_After="1")
    with HostileFhir(behaviour) as server:
        began = time.monotonic()
        found = assessment(call(server, chart))
    assert found["not_looked_up"] == [] and favourable(found) == sound(chart.id)
    assert set(asked.values()) == {2} and time.monotonic() - began >= 2, "one second for the first look, one for the rest"


def test_nobody_is_asked_for_ever():
    chart = Chart("screening-complete")
    behaviour, asked = busy(1_000, chart, Retry_After="0")
    with HostileFhir(behaviour) as server:
        assert refusal(call(server, chart)).startswith("patient: the FHIR server answered 429")
    assert asked and set(asked.values()) == {3}


def test_a_pause_longer_than_the_deadline_is_not_begun():
    chart = Chart("screening-complete")
    behaviour, asked = busy(1, chart, Retry_After="5")
    with HostileFhir(behaviour) as server:
        began = time.monotonic()
        assert refusal(call(server, chart, seconds=4)).startswith("patient: the FHIR server answered 429")
    assert time.monotonic() - began < 3.5 and set(asked.values()) == {1}
