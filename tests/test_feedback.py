"""Feedback as EHRs send it: the specification's shape and Epic's are read, anything else is refused by the name of its field."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hooks.feedback import EPIC_REASON, LONGEST, MOST_ENTRIES, MOST_REASONS, MOST_SUGGESTIONS, Feedback, read_feedback
from hooks.problem import Problem
from hooks.rfc3339 import read_moment

CARD = "6a1b8f1f-58a5-4d0f-8f3e-0b0f9d5e2a01"
AT = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
REASON = {"system": "https://relapse-cds.example/reasons", "code": "already-screened", "display": "Already screened"}
ACCEPTED = {"card": CARD, "outcome": "accepted", "acceptedSuggestions": [{"id": "s1"}, {"id": "s2"}], "outcomeTimestamp": "2026-03-01T09:30:00Z"}
OVERRIDDEN = {"card": CARD, "outcome": "overridden", "outcomeTimestamp": "2026-03-01T09:30:00Z",
              "overrideReason": {"reason": REASON, "userComment": "Zwetschgenbaum"}}  # fmt: skip
EPIC = {f"{EPIC_REASON}.reasonCategory": "45", f"{EPIC_REASON}.reasonDisplay": "Does not fit", f"{EPIC_REASON}.reasonTitle": "No fit"}
READ = Feedback(CARD, "overridden", AT, (), REASON["system"], REASON["code"], REASON["display"], True)
SILENT = Feedback(CARD, "overridden", AT)


def one(entry, **changes):
    """The one entry as it is read; a change to None takes a member away."""
    changed = {key: value for key, value in {**deepcopy(entry), **changes}.items() if value is not None}
    (read,) = read_feedback({"feedback": [changed]})
    return read


def refused(body):
    with pytest.raises(Problem) as told:
        read_feedback(body)
    assert told.value.status == 400 and "Zwetschge" not in told.value.words
    return told.value.words


def with_reason(reason, name="overrideReason"):
    return {**{key: value for key, value in OVERRIDDEN.items() if key != "overrideReason"}, name: reason}


def test_the_specifications_shape():
    assert one(ACCEPTED) == Feedback(CARD, "accepted", AT, ("s1", "s2"))
    assert one(OVERRIDDEN) == READ


@pytest.mark.parametrize(("reason", "read"), [
    (None, SILENT),
    ({"reason": REASON}, Feedback(CARD, "overridden", AT, (), *REASON.values())),
    ({"reason": {"system": "s", "code": "c"}}, Feedback(CARD, "overridden", AT, (), "s", "c")),
    ({"reason": {"system": "s", "code": "c", "display": " "}}, Feedback(CARD, "overridden", AT, (), "s", "c")),
    ({"userComment": "Zwetschgenbaum"}, Feedback(CARD, "overridden", AT, commented=True)),
    ({"userComment": "x" * 100_000}, Feedback(CARD, "overridden", AT, commented=True)),
    ({"userComment": " "}, SILENT),
    ({"reason": None, "userComment": ""}, SILENT),
])  # fmt: skip
@pytest.mark.parametrize("name", ["overrideReason", "overrideReasons"])
def test_reasons_and_comments(reason, read, name):
    assert one(with_reason(reason, name)) == read


def test_epics_shape():
    """As in Epic's public documentation: the plural, the extension, a card that is no UUID."""
    coding = {"code": "contraindicated", "display": "bad", "system": "http: //example.org/x"}
    dynamic = {"card": "123456", "outcome": "overridden", "outcomeTimestamp": "2022-05-19T19:44:04Z",
               "overrideReasons": {"reason": coding, "userComment": "Zwetschge"}}  # fmt: skip
    built = {**dynamic, "overrideReasons": {"extension": EPIC, "userComment": "Zwetschge"}}
    taken = {"acceptedSuggestions": [{"id": "x"}], "card": "123456", "outcome": "accepted", "outcomeTimestamp": "2022-05-19T19:48:34Z"}
    first, second, third = read_feedback({"feedback": [dynamic, built, taken]})
    assert (first.card, first.reason_system, first.reason_code, first.reason_display, first.commented) == (
        "123456", "http: //example.org/x", "contraindicated", "bad", True)  # fmt: skip
    assert (second.reason_system, second.reason_code, second.reason_display, second.commented) == (EPIC_REASON, "45", "Does not fit", True)
    assert third.accepted == ("x",)


@pytest.mark.parametrize(("extension", "code", "display"), [
    ({f"{EPIC_REASON}.reasonTitle": "No fit"}, "No fit", "No fit"),
    ({f"{EPIC_REASON}.reasonCategory": "45"}, "45", None),
    ({f"{EPIC_REASON}.reasonCategory": "45", f"{EPIC_REASON}.reasonTitle": "No fit"}, "45", "No fit"),
    ({**EPIC, "com.epic.else": {"x": 1}}, "45", "Does not fit"),
])  # fmt: skip
@pytest.mark.parametrize("shape", [lambda x: {"overrideReasons": x}, lambda x: {"overrideReasons": [x]}, lambda x: {"overrideReason": x}])
def test_parts_of_epics_extension(extension, code, display, shape):
    read = one(with_reason(None), **shape({"extension": extension}))
    assert (read.reason_code, read.reason_display, read.reason_system) == (code, display, EPIC_REASON)


def test_a_list_of_reasons():
    told = [{"userComment": "Zwetschge"}, {"extension": EPIC}, {"reason": REASON}]
    assert one(with_reason(told, "overrideReasons")) == Feedback(CARD, "overridden", AT, (), EPIC_REASON, "45", "Does not fit", True)
    assert one(with_reason([], "overrideReasons")) == SILENT
    assert one(OVERRIDDEN, overrideReasons=[{"extension": EPIC}]) == READ, "the specification's own comes first"


def test_one_card_one_name():
    assert one(ACCEPTED, card=CARD.upper()).card == CARD
    assert one(ACCEPTED, card="ABC").card == "ABC"


def test_unknown_members_are_ignored():
    strange = {**OVERRIDDEN, "x": [1], "extension": {"a": 1}, "overrideReason": {**OVERRIDDEN["overrideReason"], "extension": {"b": []}, "y": 2}}
    assert read_feedback({"feedback": [strange], "z": None}) == (READ,)


def test_nothing_to_report():
    assert read_feedback({"feedback": []}) == ()


def test_a_comment_is_nowhere():
    assert "Zwetschge" not in repr(one(OVERRIDDEN))


@pytest.mark.parametrize(("written", "read"), [
    ("2026-03-01T09:30:00Z", AT), ("2026-03-01t09:30:00z", AT), ("2026-03-01T18:30:00+09:00", AT), ("2026-02-28T23:30:00.000-10:00", AT),
    ("2026-03-01T09:30:00-00:00", AT), ("2026-03-01T09:30:00.123456789Z", AT.replace(microsecond=123456)), ("2026-03-01T09:29:60Z", AT),
    ("2026-03-01T09:30:00.5Z", AT.replace(microsecond=500_000)), ("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
])  # fmt: skip
def test_moments(written, read):
    assert read_moment(written) == read and read_moment(written).tzinfo == UTC
    assert one(ACCEPTED, outcomeTimestamp=written).outcome_timestamp == read


@pytest.mark.parametrize("written", [
    None, "", "yesterday", 1772357400, "2026-03-01", "2026-03-01T09:30:00", "2026-03-01 09:30:00Z", "2026-03-01T09:30Z", "2026-02-30T09:30:00Z",
    "2026-03-01T24:30:00Z", "2026-03-01T09:30:61Z", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:60Z", "9999-12-31T23:59:59-01:00",
    "2026-03-01T09:30:00+09:60", "2026-03-01T09:30:00+24:00", "２０２６-03-01T09:30:00Z", "20260301T093000Z", "2026-03-01T09:30:00Z\n",
    "2026-03-01T09:30:00." + "1" * 100 + "Z", ["2026-03-01T09:30:00Z"],
])  # fmt: skip
def test_no_moments(written):
    with pytest.raises(ValueError):
        read_moment(written)
    assert refused({"feedback": [{**ACCEPTED, "outcomeTimestamp": written}]}).startswith("feedback.0.outcomeTimestamp: ")


@pytest.mark.parametrize("body", [None, 1, "x", [], [ACCEPTED], True, 1.5])
def test_no_object_at_all(body):
    assert refused(body) == "the request body must be a JSON object"


@pytest.mark.parametrize("feedback", [None, {}, ACCEPTED, "x", 0, False])
def test_no_list(feedback):
    assert refused({"feedback": feedback}).startswith("feedback: ") and refused({}).startswith("feedback: ")


LONG, NUL, HALF = "x" * (LONGEST + 1), "Zwetschge\0", "Zwetschge\ud800"


@pytest.mark.parametrize(("entry", "field"), [
    *[(entry, "") for entry in (None, 1, "x", [], [ACCEPTED])],
    *[({**ACCEPTED, "card": card}, ".card") for card in (None, "", "  ", 5, [], {}, LONG, NUL, HALF)],
    ({key: value for key, value in ACCEPTED.items() if key != "card"}, ".card"),
    *[({**ACCEPTED, "outcome": outcome}, ".outcome") for outcome in (None, "", "ignored", "Accepted", 5, [], {}, True)],
    *[({**ACCEPTED, "acceptedSuggestions": told}, ".acceptedSuggestions")
      for told in (None, [], {}, "s1", 0, False, [{"id": "s"}] * (MOST_SUGGESTIONS + 1))],
    *[({**ACCEPTED, "acceptedSuggestions": [{"id": "s1"}, told]}, ".acceptedSuggestions.1") for told in (None, "s1", [], 3)],
    *[({**ACCEPTED, "acceptedSuggestions": [{"id": told}]}, ".acceptedSuggestions.0.id") for told in (None, "", 3, {}, LONG, NUL, HALF)],
    ({**OVERRIDDEN, "acceptedSuggestions": "x"}, ".acceptedSuggestions"),
    *[(with_reason(told), ".overrideReason")
      for told in ("x", 0, [], [{"reason": REASON}], {}, {"reason": None}, {"extension": {}}, {"extension": {"x": "y"}})],
    *[(with_reason(told, "overrideReasons"), ".overrideReasons") for told in ("x", 0, {}, [{"reason": REASON}] * (MOST_REASONS + 1))],
    *[(with_reason([{"reason": REASON}, told], "overrideReasons"), ".overrideReasons.1") for told in ("x", 0, None, {}, [])],
    *[(with_reason({"reason": told}), ".overrideReason.reason") for told in ("x", 0, [], False)],
    *[(with_reason({"reason": {**REASON, key: told}}), f".overrideReason.reason.{key}")
      for key in ("system", "code") for told in (None, "", 5, [], LONG, NUL, HALF)],
    *[(with_reason({"reason": {**REASON, "display": told}}), ".overrideReason.reason.display") for told in (5, [], LONG, NUL, HALF)],
    *[(with_reason({"userComment": told}), ".overrideReason.userComment") for told in (5, [], {}, False)],
    *[(with_reason({"extension": told}, "overrideReasons"), ".overrideReasons.extension") for told in ("x", 5, [])],
    *[(with_reason([{"extension": {**EPIC, f"{EPIC_REASON}.{part}": told}}], "overrideReasons"), f".overrideReasons.0.extension.{EPIC_REASON}.{part}")
      for part in ("reasonCategory", "reasonDisplay", "reasonTitle") for told in (45, [], LONG, NUL, HALF)],
    *[({**ACCEPTED, "overrideReason": told}, ".overrideReason") for told in ("x", {})],
])  # fmt: skip
def test_a_malformed_entry_refuses_the_body_by_the_name_of_its_field(entry, field):
    assert refused({"feedback": [ACCEPTED, OVERRIDDEN, entry]}).split(": ")[0] == f"feedback.2{field}"


def test_too_many():
    assert len(read_feedback({"feedback": [ACCEPTED] * MOST_ENTRIES})) == MOST_ENTRIES
    assert refused({"feedback": [ACCEPTED] * (MOST_ENTRIES + 1)}).startswith("feedback: at most")


def test_the_longest_that_is_kept():
    assert one(ACCEPTED, card="x" * LONGEST).card == "x" * LONGEST


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None), max_size=10) | st.sampled_from(
        ["accepted", "overridden", "2026-03-01T09:30:00Z", CARD]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | st.sampled_from(
        ["feedback", "card", "outcome", "id", "reason", "code", "system", "display", "userComment", "extension", *EPIC]), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(st.data())
@settings(max_examples=500, deadline=None)
def test_whatever_is_sent_is_read_or_refused(data):
    """Valid entries in which anything at all may stand in anything's place."""
    entry = deepcopy(data.draw(st.sampled_from([ACCEPTED, OVERRIDDEN, with_reason([{"extension": EPIC}], "overrideReasons")])))
    place = entry
    for _ in range(data.draw(st.integers(0, 4))):
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        if not keys:
            break
        key = data.draw(st.sampled_from(keys))
        if not isinstance(place[key], dict | list) or data.draw(st.booleans()):
            place[key] = data.draw(ANYTHING)
            break
        place = place[key]
    for body in ({"feedback": [entry]}, data.draw(ANYTHING)):
        try:
            read = read_feedback(body)
        except Problem as problem:
            assert problem.status == 400 and problem.words and len(problem.words) < 300
        else:
            assert isinstance(read, tuple) and all(isinstance(r, Feedback) and r.outcome_timestamp.tzinfo == UTC and r.card for r in read)
