"""Nothing on record happened after the day asked about: `2025-09`, asked about on the 10th, is one of its first ten days."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from cds.day import Day
from cds.facts import Diagnosis, Listed, PatientFacts
from cds.series import Series

DATED = ("diagnoses", "doses", "transplants", "blinatumomab")  # besides the results; no plans, and no periods that go on


def by_the_day_asked(facts: PatientFacts) -> PatientFacts:
    """The same facts, their partial dates ending on the day asked about. What is dated after it stays there, and does not count."""
    ended: dict[str, Any] = {}
    for name, value in vars(facts).items():
        if isinstance(value, Series):
            if any(_goes_on(r.when, facts.as_of) for r in value.readings):
                ended[name] = value.having(_ended(r, facts.as_of) for r in value.readings)
        elif isinstance(value, Listed) and name in DATED:
            ended[name] = replace(value, items=tuple(_ended(item, facts.as_of) for item in value.items))
    answers = facts.chart_review.answers
    if told := {item: _until(answer, facts.as_of) for item, answer in answers.items() if isinstance(answer, Day)}:
        ended["chart_review"] = replace(facts.chart_review, answers={**answers, **told})
    return facts.otherwise(ended) if ended else facts


def _ended(item: Any, asked: date) -> Any:
    dates = ("onset", "recorded") if isinstance(item, Diagnosis) else ("when",)
    told = {name: _until(day, asked) for name in dates if (day := getattr(item, name)) and _goes_on(day, asked)}
    return replace(item, **told) if told else item


def _until(day: Day, asked: date) -> Day:
    return replace(day, last=asked) if _goes_on(day, asked) else day


def _goes_on(day: Day, asked: date) -> bool:
    return day.first is not None and day.last is not None and day.first <= asked < day.last
