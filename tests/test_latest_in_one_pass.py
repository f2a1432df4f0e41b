"""The newest results, found in one pass, are those that a comparison of every two of them finds."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from cds.day import Day
from cds.finding import Evidence
from cds.series import Reading, _without_superseded
from cds.values import amount

DAYS = st.dates(date(2025, 8, 28), date(2025, 9, 3))


@st.composite
def days(draw):
    first = draw(st.none() | DAYS)
    last = draw(st.none() | (DAYS if first is None else st.just(first) | st.dates(first, first + timedelta(days=4))))
    instant = None
    if first is not None and first == last and draw(st.booleans()):
        offset = timezone(timedelta(hours=draw(st.integers(-12, 14))))
        instant = datetime(first.year, first.month, first.day, draw(st.integers(0, 23)), tzinfo=offset)
    return Day(first, last, instant)


@given(st.lists(days(), max_size=7), st.lists(days(), max_size=7))
def test_one_pass_and_every_two_agree(some, sure):
    def readings(found):
        return [Reading(amount("1 mg/dL"), day, Evidence(str(n))) for n, day in enumerate(found)]

    some, sure = readings(some), readings(sure)
    expected = [r for r in some if not any(r.when.surely_before(other.when) for other in sure)]
    assert _without_superseded(some, sure) == expected
