"""FHIR values in a reader's words: names, dates known only to the month, ages, results with their units."""

from __future__ import annotations

import calendar
from datetime import date

from hooks.demo.fhir_builders import Resource
from hooks.words import short_day

UNITS = {"umol/L": "µmol/L", "10*3/uL": "×10³/µL", "Cel": "°C"}


def first_words(concept: Resource) -> str:
    return concept.get("text") or concept["coding"][0].get("display") or concept["coding"][0]["code"]


def name_of(patient: Resource) -> str:
    name = patient["name"][0]
    return f"{' '.join(name['given'])} {name['family']}"


def day_words(stated: str) -> str:
    """'2025-08-28T08:20:00+09:00' is 28 Aug 2025, '2025-08' is Aug 2025. Not every answer has a day."""
    return short_day(stated[:10]) or "no date"


def ago(stated: str, today: date) -> str:
    """How long ago, as precisely as the date itself is known."""
    if len(stated) < 10:
        return ""
    days = (today - date.fromisoformat(stated[:10])).days
    if days < 2:
        return {0: "today", 1: "yesterday"}.get(days, f"in {-days} days")
    if days < 120:
        return f"{days} days ago"
    return f"{round(days / 30.44)} months ago" if days < 730 else f"{days // 365} years ago"


def age_words(born: str, today: date) -> str:
    first, last = _possible_days(born)
    oldest, youngest = _completed_years(first, today), _completed_years(last, today)
    return f"{oldest} years" if oldest == youngest else f"{youngest} or {oldest} years"


def result(holder: Resource) -> str:
    """The value[x] of an Observation, a component or an answer."""
    for name, value in holder.items():
        if name == "valueQuantity":
            unit = value.get("unit") or value.get("code", "")
            return f"{value.get('comparator', '')}{value.get('value', '?')}\u00a0{UNITS.get(unit, unit)}".rstrip()
        if name == "valueCodeableConcept":
            return first_words(value).lower()
        if name == "valueCoding":
            return value.get("display") or value.get("code") or "no result"
        if name == "valueBoolean":
            return "yes" if value else "no"
        if name in ("valueDate", "valueDateTime"):
            return day_words(value)
        if name.startswith("value"):
            return value.get("display", "not shown here") if isinstance(value, dict) else str(value)
    return "no result"


def _possible_days(born: str) -> tuple[date, date]:
    year, *rest = (int(part) for part in born[:10].split("-"))
    if len(rest) == 2:
        return (day := date(year, *rest)), day
    month_first, month_last = (rest[0], rest[0]) if rest else (1, 12)
    return date(year, month_first, 1), date(year, month_last, calendar.monthrange(year, month_last)[1])


def _completed_years(born: date, today: date) -> int:
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))
