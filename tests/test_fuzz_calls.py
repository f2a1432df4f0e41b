"""Whole calls and whole FHIR answers, broken at random: no 500, no other answer than by the book, and no favour from damage.

One to three things are broken anywhere in the JSON. `bad` breaks may make other data of it (a number becomes another, an
entry comes twice): they must be answered. `DAMAGES` may not: whatever they leave speaks for the trial no more than before.
What each damage does to evidence against the trial, place by place, is `test_damaged_evidence`.
"""

from __future__ import annotations

import json
import time
from functools import cache

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from damage import DAMAGES, GONE, less_precise, members, put
from fhir_mappings.sources import SEARCHES
from hook_calls import EHR, TOKEN, Chart, assessment, client, favourable, owed_to_every_caller, playing, tell

CHARTED = ("month-only", "high-creatinine", "two-lineages", "ph-positive", "discordant-heart", "screening-complete")
STRANGE = (None, "", "NaN", "-Infinity", "x" * 5_000, "\\u202e", "\ud800", "2025-02-30", "2025", 0, -1, 10**300, 0.1, True, [], {}, [[]], [None], {"resourceType": "Patient"})
LEFT_ALONE = ("resourceType", "id", "subject", "patient", "individual", "code")
SECONDS = 5  # for one answer; a hang is a failure
random_laws = settings(max_examples=50, phases=(Phase.generate,), derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))


@cache
def whole(child):
    """A call with its prefetch, and what a clean answer to it says."""
    chart = Chart(child)
    sent = chart.prefetch()
    return chart, sent, favourable(assessment(tell(client(), chart.call(sent))))


def bad(draw, value):
    """One place broken so that it may be other data."""
    path, member = draw(st.sampled_from(list(members(value))))
    how = draw(st.sampled_from(["gone", "strange", "twice", "swapped", "cut", "longer", "negative"]))
    if how == "gone":
        return put(value, path, GONE)
    if how == "twice" and isinstance(member, list) and member:
        return put(value, path, [*member, member[0]])
    if how == "swapped" and isinstance(member, list):
        return put(value, path, member[::-1])
    if how == "swapped" and isinstance(member, dict):
        return put(value, path, dict(zip(member, reversed(member.values()), strict=True)))
    if how in ("cut", "longer") and isinstance(member, str):
        return put(value, path, member[: len(member) // 2] if how == "cut" else member + "x")
    if how == "negative" and isinstance(member, int | float):
        return put(value, path, -member)
    return put(value, path, draw(st.sampled_from(STRANGE)))


def damage(draw, entries):
    """One place in one resource broken so that it is no other data. A result that does not say whose it is, of what, or
    when, is no newer result; diagnoses and chart reviews have laws of their own in `test_damaged_evidence`."""
    key = draw(st.sampled_from([key for key in entries if entries[key].get("entry") and key not in ("conditions", "answers")]))
    number = draw(st.integers(0, len(entries[key]["entry"]) - 1))
    resource = entries[key]["entry"][number]["resource"]
    inside = [(path, member) for path, member in members(resource) if path[0] not in LEFT_ALONE and not path[0].startswith("effective")]
    path, member = draw(st.sampled_from(inside))
    broken = [new for kind in DAMAGES if kind is not less_precise for new in kind(path, member)]
    return put(entries, (key, "entry", number, "resource", *path), draw(st.sampled_from(broken))) if broken else entries


def answered(body):
    """In time, by the book, and never a 500."""
    began = time.perf_counter()
    answer = client().post("/cds-services/nct05827549-patient-view", data=json.dumps(body), content_type="application/json")
    assert time.perf_counter() - began < SECONDS
    assert answer.status_code in (200, 400, 412), answer.text
    owed_to_every_caller(answer)


@random_laws
@given(data=st.data())
def test_a_call_broken_anywhere_is_answered_or_refused(data):
    chart, sent, _ = whole(data.draw(st.sampled_from(CHARTED)))
    body = chart.call(sent, fhirServer="https://elsewhere.example/fhir", fhirAuthorization=TOKEN)
    for _ in range(data.draw(st.integers(1, 3))):
        body = bad(data.draw, body)
    answered(body)


@random_laws
@given(data=st.data())
def test_a_damaged_prefetch_never_speaks_for_the_trial(data):
    chart, sent, complete = whole(data.draw(st.sampled_from(CHARTED)))
    for _ in range(data.draw(st.integers(1, 3))):
        sent = damage(data.draw, sent)
    answer = tell(client(), chart.call(sent))
    assert answer.status_code in (200, 400, 412)
    if answer.status_code == 200 and answer.json["cards"]:
        assert favourable(assessment(answer)) <= complete


MARKED = {
    "partial": lambda bundle: {**bundle, "link": [{"relation": "next", "url": f"{EHR}/x?page=2"}]},
    "an error beside the results": lambda bundle: {**bundle, "entry": [*bundle.get("entry", []), {
        "search": {"mode": "outcome"}, "resource": {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}}]},
    "an entry that is none": lambda bundle: {**bundle, "entry": [*bundle.get("entry", []), {"resource": 5}]},
}  # fmt: skip


@pytest.mark.parametrize("mark", MARKED.values(), ids=MARKED)
@pytest.mark.parametrize("child", CHARTED)
def test_a_bundle_marked_as_not_all_there_is_never_speaks_for_the_trial(child, mark):
    chart, sent, complete = whole(child)
    for key in (search.name for search in SEARCHES if search.resource_type != "Patient"):
        answer = tell(client(), chart.call({**sent, key: mark(sent[key])}))
        if answer.status_code == 200:
            assert favourable(assessment(answer)) <= complete, key


@settings(random_laws, max_examples=25)
@given(data=st.data())
def test_fhir_answers_broken_anywhere_are_read_or_left(data):
    """The EHR's server sends what it would have sent, with one to three things broken, of one search."""
    chart, sent, _ = whole(data.draw(st.sampled_from(CHARTED)))
    search = data.draw(st.sampled_from(sorted(sent)))
    told = sent[search]
    for _ in range(data.draw(st.integers(1, 3))):
        told = bad(data.draw, told) if told else told
    with playing(chart, **{search: lambda: (200, {"Content-Type": "application/fhir+json"}, json.dumps(told))}) as ehr:
        answer = tell(client(), chart.call(fhirServer=EHR, fhirAuthorization=TOKEN))
    assert answer.status_code in (200, 412), answer.text
    assert len(ehr.asked) < 60, "no endless pages"


@settings(random_laws, max_examples=25)
@given(data=st.data())
def test_damaged_fhir_answers_never_speak_for_the_trial(data):
    chart, sent, complete = whole(data.draw(st.sampled_from(CHARTED)))
    broken = sent
    for _ in range(data.draw(st.integers(1, 3))):
        broken = damage(data.draw, broken)
    changed = {key: value for key, value in broken.items() if value is not sent[key]}
    faults = {key: lambda told=told: (200, {"Content-Type": "application/fhir+json"}, json.dumps(told)) for key, told in changed.items()}
    with playing(chart, **faults):
        answer = tell(client(), chart.call(fhirServer=EHR, fhirAuthorization=TOKEN))
    assert answer.status_code in (200, 412), answer.text
    if answer.status_code == 200 and answer.json["cards"]:
        assert favourable(assessment(answer)) <= complete
