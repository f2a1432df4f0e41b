"""Amounts, choices, days and series as everything the record leaves open: each comparison against its possibilities."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cds
import fhir_mappings
from cds.day import Day, add_years, completed_years, on, partial
from cds.finding import Evidence, Gap, Why
from cds.limits import LimitByAgeAndSex
from cds.series import Candidates, Reading, Series
from cds.truth import MET, NOT_MET, UNKNOWN
from cds.values import Amount, Choice, amount, any_amount, any_of, bounded, one

GAP = Gap("creatinine", Why.MISSING, "no creatinine found")


def modules(package):
    return [package.__name__, *(found.name for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."))]


@pytest.mark.parametrize("name", [*modules(cds), *modules(fhir_mappings)])
def test_doctests(name):
    assert doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS).failed == 0


def test_there_are_doctests():
    """A runner that finds nothing cannot fail."""
    tried = {name: doctest.testmod(importlib.import_module(name)).attempted for name in ("cds.values", "cds.day", "fhir_mappings.dates")}
    assert all(tried.values()), tried


# --- amounts -----------------------------------------------------------------------------------------------------


@st.composite
def intervals(draw):
    """Whole-numbered ends, open or closed; an interval of one point is closed."""
    low, high = sorted((draw(st.integers(0, 4)), draw(st.integers(0, 4))))
    ends = {"low": Decimal(low), "high": Decimal(high)}
    if low < high:
        ends |= {"low_open": draw(st.booleans()), "high_open": draw(st.booleans())}
    for end in ("low", "high"):
        if draw(st.integers(0, 5)) == 0:
            ends |= {end: None, f"{end}_open": False}
    return Amount(**ends, unit="%", gaps=(GAP,))


def points(interval: Amount) -> list[Fraction]:
    """Enough of the amounts inside: the ends where they belong to it, and quarters in between."""
    low = Fraction(interval.low) if interval.low is not None else Fraction(-3)
    high = Fraction(interval.high) if interval.high is not None else Fraction(9)
    grid = [low + Fraction(step, 4) for step in range(int((high - low) * 4) + 1)]
    return [p for p in grid if not (interval.low_open and p == low or interval.high_open and p == high)]


@settings(derandomize=True, deadline=None, max_examples=400, database=None)
@given(a=intervals(), b=intervals())
def test_a_comparison_holds_if_it_holds_for_every_possibility(a, b):
    compared = {"<": (a < b, lambda x, y: x < y), "<=": (a <= b, lambda x, y: x <= y), ">": (a > b, lambda x, y: x > y), ">=": (a >= b, lambda x, y: x >= y)}
    for sign, (finding, holds) in compared.items():
        answers = {holds(x, y) for x in points(a) for y in points(b)}
        expected = UNKNOWN if len(answers) == 2 else MET if answers == {True} else NOT_MET
        assert finding.truth is expected, f"{a} {sign} {b}"


@pytest.mark.parametrize(
    "text, below_3, at_least_3",
    [("3 %", "not_met", "met"), ("2.99 %", "met", "not_met"), ("<3 %", "met", "not_met"), ("<=3 %", "unknown", "unknown"), (">3 %", "not_met", "met"),
     (">=3 %", "not_met", "met"), ("≤2.9 %", "met", "not_met"), ("≥2.9 %", "unknown", "unknown"), ("2-3 %", "unknown", "unknown"), ("3–4 %", "not_met", "met"),
     ("1 to 2 %", "met", "not_met"), ("<3.0000001 %", "unknown", "unknown")],
)  # fmt: skip
def test_at_the_limit(text, below_3, at_least_3):
    assert (amount(text) < amount("3.0 %")).truth.value == below_3
    assert (amount(text) >= amount("3.0 %")).truth.value == at_least_3


def test_nothing_recorded_is_anything_at_all():
    nothing = any_amount(GAP)
    for finding in (nothing < amount("3 %"), nothing >= amount("0 %"), nothing <= nothing):
        assert finding.truth is UNKNOWN and finding.gaps == (GAP,)


def test_units_are_never_mixed():
    with pytest.raises(ValueError, match="cannot compare mg/dL with %"):
        amount("1 mg/dL") < amount("1 %")
    with pytest.raises(ValueError, match="not an amount"):
        amount("a little")
    with pytest.raises(ValueError, match="not a comparator"):
        bounded("~", Decimal(1), "%")


@pytest.mark.parametrize("text, told", [("<0.01 %", "< 0.01 %"), ("<=5 %", "≤ 5 %"), (">5 %", "> 5 %"), (">=5 %", "≥ 5 %"), ("45-50 %", "45 to 50 %"),
                                        ("0.60 mg/dL", "0.60 mg/dL"), ("1 a", "1 year"), ("2 a", "2 years")])  # fmt: skip
def test_amounts_read_as_they_were_reported(text, told):
    assert str(amount(text)) == told


def test_either_leaves_everything_between_open():
    both = amount("1 %").either(amount("<3 %"), GAP)
    assert (both.low, both.high, both.high_open, both.gaps) == (0, 3, True, (GAP,))
    assert (amount(">3 %").either(amount("1 %"), GAP).low, amount(">3 %").either(amount("1 %"), GAP).high) == (1, None)
    assert (both < amount("3 %")).truth is MET and (both < amount("2 %")).truth is UNKNOWN


def test_choices():
    seen = Evidence("B-ALL")
    assert one("b_all", seen).is_("b_all", "t_all").evidence == (seen,)
    assert one("b_all").is_("t_all").truth is NOT_MET
    open_ = any_of({"b_all", "t_all"}, GAP)
    assert open_.is_("b_all").gaps == (GAP,) and open_.is_("b_all", "t_all").truth is MET and open_.is_("mixed").truth is NOT_MET
    assert Choice(frozenset({"a"})).exact and not open_.exact
    assert one("a").either(one("b"), GAP).is_("a").gaps == (GAP,)


# --- days --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text, first, last", [("2024", "2024-01-01", "2024-12-31"), ("2024-02", "2024-02-01", "2024-02-29"), ("2023-02", "2023-02-01", "2023-02-28"),
                                               ("2024-12", "2024-12-01", "2024-12-31"), ("2024-02-29", "2024-02-29", "2024-02-29")])  # fmt: skip
def test_a_partial_date_is_every_day_of_it(text, first, last):
    day = partial(text)
    assert (day.first.isoformat(), day.last.isoformat(), str(day)) == (first, last, text)
    assert day.exact == (first == last)


@pytest.mark.parametrize("text", ["2023-02-29", "2024-13", "24-01", "2024-1-1", "", "2024-00"])
def test_what_is_no_date_is_refused(text):
    with pytest.raises(ValueError):
        partial(text)


def test_how_an_open_day_reads():
    assert str(Day(None, date(2025, 8, 1))) == "2025-08-01 or earlier" and str(Day(date(2025, 8, 1))) == "2025-08-01 or later"
    assert str(Day()) == "unknown date" and str(Day(date(2025, 8, 1), date(2025, 8, 3))) == "2025-08-01 to 2025-08-03"
    assert not Day().known and Day(None, date(2025, 8, 1)).known


@settings(derandomize=True, deadline=None, max_examples=300, database=None)
@given(days=st.lists(st.dates(date(2024, 12, 20), date(2025, 1, 10)), min_size=4, max_size=4))
def test_days_compare_for_every_possible_day(days):
    a, b = (Day(*sorted(pair)) for pair in (days[:2], days[2:]))
    pairs = [(x, y) for x in (a.first, a.last) for y in (b.first, b.last)]
    by = {x <= y for x, y in pairs}
    assert a.by(b).truth is (UNKNOWN if len(by) == 2 else MET if by == {True} else NOT_MET)
    assert a.surely_by(b) == all(x <= y for x, y in pairs) and a.surely_before(b) == all(x < y for x, y in pairs)
    assert a.surely_after(b) == b.surely_before(a)


@pytest.mark.parametrize(
    "born, day, years",
    [("2004-02-29", "2025-02-28", 20), ("2004-02-29", "2025-03-01", 21), ("2004-02-29", "2024-02-28", 19), ("2004-02-29", "2024-02-29", 20), ("2004-03-01", "2025-02-28", 20),
     ("2024-08-25", "2025-08-24", 0), ("2024-08-25", "2025-08-25", 1), ("2024-12-31", "2025-01-01", 0), ("2025-08-26", "2025-08-25", -1), ("2025-08-25", "2025-08-25", 0)],
)  # fmt: skip
def test_completed_years(born, day, years):
    assert completed_years(date.fromisoformat(born), date.fromisoformat(day)) == years


def test_a_year_later_is_the_same_calendar_day():
    assert add_years(date(2024, 2, 29), 1) == date(2025, 3, 1) and add_years(date(2024, 2, 29), 4) == date(2028, 2, 29)
    assert add_years(date(2024, 8, 25), 1) == date(2025, 8, 25)
    assert str(partial("2024-08").plus_years(1)) == "2025-08" and str(on("2025-08-31").plus_days(1)) == "2025-09-01"


@settings(derandomize=True, deadline=None, max_examples=300, database=None)
@given(born=st.dates(date(1996, 1, 1), date(2005, 12, 31)), day=st.dates(date(2006, 1, 1), date(2028, 12, 31)))
def test_completed_years_and_anniversaries_agree(born, day):
    years = completed_years(born, day)
    assert add_years(born, years) <= day < add_years(born, years + 1)


# --- series ------------------------------------------------------------------------------------------------------


def reading(number: str, when: str, problem: Why | None = None) -> Reading:
    instant = datetime.fromisoformat(when) if "T" in when else None
    day = Day(*2 * (date.fromisoformat(when[:10]),), instant) if len(when) >= 10 else partial(when)
    source = Evidence(f"creatinine {number}", date=when)
    gap = problem and Gap("creatinine", problem, f"creatinine {number}: unusable", (source,))
    return Reading(any_amount(gap) if gap else amount(number, source), day, source, frozenset(), gap or None)


def newest(*readings: Reading, until: str = "2025-09-01") -> list[str]:
    found = Series("creatinine", readings).latest(on(until))
    return sorted(r.source.words.removeprefix("creatinine ") for r in found.readings) or [gap.reason.value for gap in found.gaps]


NINE, TEN_SEOUL, TEN_UTC = "2025-08-28T09:00:00+09:00", "2025-08-28T10:00:00+09:00", "2025-08-28T10:00:00+00:00"


@pytest.mark.parametrize(
    "whens, expected",
    [(["2025-08-27", "2025-08-28"], ["2 mg/dL"]), (["2025-08-28", "2025-08-27"], ["1 mg/dL"]), (["2025-08-28", "2025-08-28"], ["1 mg/dL", "2 mg/dL"]),
     ([NINE, TEN_SEOUL], ["2 mg/dL"]), ([TEN_SEOUL, TEN_UTC], ["2 mg/dL"]), ([TEN_SEOUL, "2025-08-28T01:00:00+00:00"], ["1 mg/dL", "2 mg/dL"]),
     ([TEN_SEOUL, "2025-08-28"], ["1 mg/dL", "2 mg/dL"]), (["2025-08", "2025-08-28"], ["1 mg/dL", "2 mg/dL"]), (["2025-07", "2025-08-28"], ["2 mg/dL"]),
     (["2025-09-02", "2025-08-28"], ["2 mg/dL"]), (["2025-09-02", "2025-09-03"], ["missing"]), (["2025-08-29T00:30:00+09:00", "2025-08-28T16:00:00+00:00"], ["2 mg/dL"])],
)  # fmt: skip
def test_the_newest_is_the_newest_to_the_precision_both_have(whens, expected):
    assert newest(*(reading(f"{n} mg/dL", when) for n, when in enumerate(whens, start=1))) == expected


def test_a_newer_result_that_cannot_be_used_does_not_let_the_older_decide():
    good, bad = reading("1 mg/dL", "2025-08-28"), reading("2", "2025-08-30", Why.UNIT)
    (gap,) = Series("creatinine", (good, bad)).latest(on("2025-09-01")).gaps
    assert gap.reason is Why.UNIT and "not decided by creatinine 1 mg/dL" in gap.words and good.source in gap.seen
    assert newest(good, reading("2", "2025-08-28", Why.UNIT)) == ["unit"]
    assert newest(good, reading("2", "2025-08-28", Why.PENDING)) == ["1 mg/dL"], "preliminary beside final"
    assert newest(good, reading("2", "2025-08-27", Why.UNIT)) == ["1 mg/dL"]


def test_the_window_includes_its_last_day():
    creatinine = Series("creatinine", (reading("1 mg/dL", "2025-08-18"),))
    assert creatinine.current(on("2025-09-01"), 14).readings
    (gap,) = creatinine.current(on("2025-09-02"), 14).gaps
    assert gap.reason is Why.STALE and "15 days old (limit 14)" in gap.words
    assert creatinine.current(on("2025-08-17"), 14).gaps[0].reason is Why.MISSING


@pytest.mark.parametrize(
    "taken, until, told",
    [("2025-08-10", "2025-08", "creatinine 1 mg/dL on 2025-08-10 may be older than 14 days, or taken later: the day to count from is not exact (2025-08)"),
     ("2025-08", "2025-09-01", "creatinine 1 mg/dL on 2025-08 has no exact date, so it may be older than 14 days")],
)  # fmt: skip
def test_what_is_not_exact_is_told(taken, until, told):
    (gap,) = Series("creatinine", (reading("1 mg/dL", taken),)).current(partial(until), 14).gaps
    assert (gap.reason, gap.words) == (Why.IMPRECISE, told)


def test_candidates_must_agree():
    both = Candidates("creatinine", (reading("1 mg/dL", "2025-08-28"), reading("2 mg/dL", "2025-08-28")))
    assert (both < amount("3 mg/dL")).truth is MET and (both < amount("1 mg/dL")).truth is NOT_MET
    assert (both < amount("2 mg/dL")).reason is Why.CONFLICT
    assert (Candidates("creatinine", gaps=(GAP,)) < amount("2 mg/dL")).gaps == (GAP,)


def test_a_failed_search_is_not_a_missing_result():
    failed = Series("creatinine", gap=Gap("creatinine", Why.NOT_LOOKED_UP, "the search failed"))
    assert failed.latest(on("2025-09-01")).gaps[0].reason is Why.NOT_LOOKED_UP
    assert Series("creatinine").latest(on("2025-09-01")).gaps[0].reason is Why.MISSING
    with pytest.raises(TypeError):
        bool(failed)


# --- printed tables ----------------------------------------------------------------------------------------------

TABLE = LimitByAgeAndSex("mg/dL", (1, 2, "0.6", "0.6"), (2, 13, "0.8", "0.8"), (13, None, "1.5", "1.4"))


@pytest.mark.parametrize(
    "age, sexes, low, high",
    [("1 a", {"male"}, "0.6", "0.6"), ("2 a", {"male"}, "0.8", "0.8"), ("12 a", {"female"}, "0.8", "0.8"), ("13 a", {"male"}, "1.5", "1.5"),
     ("13 a", {"male", "female"}, "1.4", "1.5"), ("12 a", {"male", "female"}, "0.8", "0.8"), ("1-2 a", {"male"}, "0.6", "0.8"), ("12-40 a", {"female"}, "0.8", "1.4")],
)  # fmt: skip
def test_a_limit_is_the_range_of_those_that_could_apply(age, sexes, low, high):
    limit = TABLE.at(amount(age), Choice(frozenset(sexes)))
    assert (limit.low, limit.high) == (Decimal(low), Decimal(high))


def test_no_row_no_limit():
    assert TABLE.at(amount("0 a"), one("male")).gaps[0].reason is Why.OUT_OF_TABLE
    assert TABLE.at(amount("0-1 a"), one("male")).gaps[0].reason is Why.IMPRECISE
    assert TABLE.at(any_amount(GAP), one("male")).gaps == (GAP,)
