"""A chart may hold anything. A broken resource is an issue and leaves facts unknown; it never fails the call.

Every member of every resource of a relapsed child is replaced, one at a time, by values of the wrong type; each chart
so broken is sent as a prefetch. An answer of 500 is a crash that one bad record at one hospital would cause every day.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from fhir_mappings.sources import SEARCHES
from hook_calls import Chart, assessment, client, favourable, tell

CHART = Chart("month-only")
SENT = CHART.prefetch()
COMPLETE = favourable(assessment(tell(client(), CHART.call(SENT))))
WRONG = (None, True, 5, -0.5, "", "x", "9999-99-99", "\ud800", [], [None], [5], [[]], ["x"], {}, {"a": 1}, {"coding": 5}, {"coding": [5]},
         {"reference": 5}, [{"coding": [{"code": []}]}], {"coding": [{"system": {}, "code": "x"}]}, {"start": 5}, "1" * 400, 10**400)  # fmt: skip
READS = {"laboratory": {"INC-06", "INC-07"}, "examinations": {"INC-08"}, "leukaemia": {"INC-03"}, "procedures": {"INC-03"}}
SHARED = {"resourceType"}  # without its type a resource is not of this search, which is another test's


def places(value: Any, path: tuple = ()) -> Iterator[tuple]:
    """The way to every member, however deep."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in members:
        if key not in SHARED:
            yield (*path, key)
            yield from places(member, (*path, key))


def replaced(value: Any, path: tuple, new: Any) -> Any:
    changed = deepcopy(value)
    holder = changed
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = deepcopy(new)
    return changed


def of_each_kind(key: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """One resource of each make-up under a search key: two that have the same members break in the same way."""
    seen = set()
    for number, entry in enumerate(SENT[key].get("entry", [])):
        makeup = (entry["resource"]["resourceType"], *places(entry["resource"]))
        if makeup not in seen:
            seen.add(makeup)
            yield number, entry["resource"]


def broken_charts(key: str) -> Iterator[tuple[tuple, Any, dict[str, Any]]]:
    """The top level with all the wrong values; deeper places with two, then one, not the same everywhere."""
    found = [(None, SENT["patient"])] if key == "patient" else of_each_kind(key)
    for number, resource in found:
        for path in places(resource):
            start = zlib.crc32(repr(path).encode())
            few = 2 if len(path) == 2 else 1
            chosen = WRONG if len(path) == 1 else [WRONG[(start + step * 7) % len(WRONG)] for step in range(few)]
            for value in chosen:
                broken = replaced(resource, path, value)
                yield path, value, {**SENT, key: broken} if number is None else replaced(SENT, (key, "entry", number, "resource"), broken)


@pytest.mark.parametrize("key", [search.name for search in SEARCHES])
def test_one_broken_member_never_fails_the_call(key):
    crashes, favours = {}, {}
    for path, value, sent in broken_charts(key):
        answer = tell(client(), CHART.call(sent))
        if answer.status_code == 500:
            crashes.setdefault(".".join(map(str, path)), []).append(repr(value)[:40])
        elif answer.status_code == 200 and answer.json["cards"]:
            gained = favourable(assessment(answer)) - COMPLETE
            if gained:
                favours[".".join(map(str, path))] = (value, gained)
    assert not crashes, f"these members, with these values, are a 500: {crashes}"
    assert not favours, f"a broken member spoke for the trial: {favours}"


@pytest.mark.parametrize("key", [search.name for search in SEARCHES if search.resource_type != "Patient"])
def test_a_broken_entry_beside_good_ones_costs_only_itself(key):
    """Invalid entries among many, as public servers have them: results that were found still stand."""
    junk = [None, "x", {}, {"resource": {"resourceType": 5}}, {"resource": [], "search": "match"}]
    sent = deepcopy(SENT)
    sent[key].setdefault("entry", []).extend(junk)
    sent[key].pop("total", None)
    answer = tell(client(), CHART.call(sent))
    assert READS.get(key, set()) <= favourable(assessment(answer)) <= COMPLETE
