"""Damage to FHIR resources, in place: what a broken interface does to a record, never what a better patient would look like.

`damaged(resource)` yields every damage of one resource, one at a time; `DAMAGES` are the kinds, for those who pick at random.
No kind makes a value better: numbers stay as they are, and nothing but a member that was broken is removed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

Json = Any
GONE = object()  # not a value: the member is removed
DAY = re.compile(r"\d{4}-\d\d-\d\d")
WRONG = (None, 5, "", [], {}, [None, "x"])
UNREADABLE = {"status": "unheard-of", "system": 5, "code": 7}  # a code list's own words, of the wrong kind


def members(value: Json, path: tuple = ()) -> Iterator[tuple[tuple, Json]]:
    """The way to every member, however deep, with what is there."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in inside:
        yield (*path, key), member
        yield from members(member, (*path, key))


def put(value: Json, path: tuple, new: Json) -> Json:
    """A copy with one member changed, or removed."""
    changed = deepcopy(value)
    holder = changed
    for key in path[:-1]:
        holder = holder[key]
    if new is GONE:
        del holder[path[-1]]
    else:
        holder[path[-1]] = deepcopy(new)
    return changed


def wrong_type(path: tuple, member: Json) -> Iterator[Json]:
    """Another JSON type than the one that was there; and emptiness."""
    yield from (wrong for wrong in WRONG if type(wrong) is not type(member) or not wrong)


def removed(path: tuple, member: Json) -> Iterator[Json]:
    yield GONE


def unreadable(path: tuple, member: Json) -> Iterator[Json]:
    if path[-1] in UNREADABLE and isinstance(member, str):
        yield UNREADABLE[path[-1]]


def less_precise(path: tuple, member: Json) -> Iterator[Json]:
    """A day that is only known to the month, or to the year; a moment that stops in the middle."""
    if isinstance(member, str) and DAY.match(member):
        yield from (member[:7], member[:4], member[:9], "9999-99-99")


def no_unit(path: tuple, member: Json) -> Iterator[Json]:
    if isinstance(member, dict) and "value" in member and not isinstance(member["value"], dict):
        yield {"value": member["value"]}
        yield {**member, "unit": "furlong", "code": "[fur_us]"}
        yield {**member, "value": str(member["value"])}


def compared(path: tuple, member: Json) -> Iterator[Json]:
    """A sign that nobody defined; `<` and `>` would be other results, not damage."""
    if isinstance(member, dict) and "value" in member and not isinstance(member["value"], dict):
        yield from ({**member, "comparator": sign} for sign in ("~", "", 5))


DAMAGES: tuple[Callable[[tuple, Json], Iterator[Json]], ...] = (wrong_type, removed, unreadable, less_precise, no_unit, compared)


def damaged(resource: dict[str, Json]) -> Iterator[tuple[str, dict[str, Json]]]:
    """`(where and how, the broken resource)`; its type and its id stay, else it would be no result of its search."""
    for path, member in members(resource):
        if path[0] in ("resourceType", "id"):
            continue
        for damage in DAMAGES:
            for new in damage(path, member):
                shown = "removed" if new is GONE else repr(new)[:40]
                yield f"{'.'.join(map(str, path))} {damage.__name__}: {shown}", put(resource, path, new)
