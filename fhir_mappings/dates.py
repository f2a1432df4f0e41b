"""FHIR dates and times to the days they leave open.

The day is the calendar day written in the record's own offset; the instant (only with an offset) orders two results of
one day, whatever their offsets. A date that cannot be read is no date: the caller reports it, nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from cds.day import Day, partial
from cds.finding import Gap, Why
from fhir_mappings.members import each

_DATE = re.compile(r"(\d{4}(?:-\d\d(?:-\d\d)?)?)(?:T.*)?$")
_LONGEST = 100  # characters, far beyond any time of day
_YEARS = range(1900, 2200)  # outside, a date is a typing error or a placeholder (0001, 9999)


def day(text: Any) -> Day | None:
    """A FHIR date, dateTime or instant; None when it is absent or no plausible date.

    >>> str(day("2025-08")), str(day("2025-08-28T23:30:00-05:00")), day("soon")
    ('2025-08', '2025-08-28', None)
    """
    return _day(text) if isinstance(text, str) and len(text) <= _LONGEST else None


@lru_cache(20_000)  # the results of a morning have one date, and every one of a child's is asked for many times
def _day(text: str) -> Day | None:
    if not (found := _DATE.match(text)):
        return None
    try:
        found_day = partial(found[1])
    except ValueError:
        return None
    if found_day.first.year not in _YEARS:
        return None
    return replace(found_day, instant=_instant(text)) if "T" in text else found_day


def sample_day(resource: Mapping[str, Any]) -> Day:
    """When an Observation's sample was taken: effective[x], else its contained specimen, else only a latest day."""
    effective = day(resource.get("effectiveDateTime")) or day(resource.get("effectiveInstant")) or period(resource.get("effectivePeriod"))
    if effective:
        return effective
    collected = _collected(resource)
    if collected:
        return collected
    issued = day(resource.get("issued"))
    words = f"sample date not recorded, reported {issued}" if issued else "sample date not recorded"
    return Day(None, issued and issued.last, None, (), (Gap("date", Why.IMPRECISE, words),))


def period(value: Any) -> Day | None:
    """The days between the start and the end of a FHIR Period; an open side stays open."""
    if not isinstance(value, dict):
        return None
    start, end = day(value.get("start")), day(value.get("end"))
    if not (start or end):
        return None
    return Day(start and start.first, end and end.last)


def as_written(value: Any) -> str | None:
    """The date for display: the calendar day as far as it is written."""
    found = day(value)
    return str(found) if found else None


def _collected(resource: Mapping[str, Any]) -> Day | None:
    reference = resource.get("specimen", {}).get("reference") if isinstance(resource.get("specimen"), dict) else None
    for contained in each(resource.get("contained")):
        collection = contained.get("collection")
        if reference == f"#{contained.get('id')}" and isinstance(collection, dict):
            return day(collection.get("collectedDateTime")) or period(collection.get("collectedPeriod"))
    return None


def _instant(text: str) -> datetime | None:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    return instant if instant.tzinfo else None
