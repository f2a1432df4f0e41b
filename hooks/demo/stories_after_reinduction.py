"""The stories after reinduction: enrolled children whose end-of-induction results decide the risk group, or not yet."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from hooks.demo.chart_review import STUDY
from hooks.demo.fhir_builders import Resource, before, measured
from hooks.demo.leukaemia import after_reinduction, diagnosis_and_relapse, reinduction, reviewed_history, work_up
from hooks.demo.stories import chart_of, closed


def standard_risk(today: date) -> list[Resource]:
    """Enrolment and reinduction are known from the chart review alone."""
    chart, course = chart_of("standard-risk", "Juni", "Birkenhain", "male", today, age=10), after_reinduction(today)
    diagnosis_and_relapse(chart, course)
    work_up(chart, course)
    reviewed_history(chart, course)
    reinduction(chart, course, marrow=2, mrd=measured(0.004, "%"), registered=False)
    return closed(chart)


def high_risk(today: date) -> list[Resource]:
    """The relapse came on treatment, so it cannot be late whatever else turns up."""
    chart = chart_of("high-risk", "Tammo", "Riverbend", "male", today, age=7)
    course = after_reinduction(today)
    course = replace(course, off_treatment=None, diagnosis=before(course.relapse, days=610))
    diagnosis_and_relapse(chart, course, blasts=80)
    work_up(chart, course)
    reviewed_history(chart, course, on_treatment_at_relapse=True)
    reinduction(chart, course, marrow=1, mrd=measured(0.02, "%"))
    return [*closed(chart), STUDY]


def very_high_risk(today: date) -> list[Resource]:
    chart, course = chart_of("very-high-risk", "Mina", "Cloudberry", "female", today, age=9), after_reinduction(today)
    diagnosis_and_relapse(chart, course, status="recurrence")
    work_up(chart, course)
    reviewed_history(chart, course, non_pregnancy_evidence="premenarchal")
    reinduction(chart, course, marrow=8, mrd=measured(3, "%"))
    return [*closed(chart), STUDY]


def mrd_below_a_coarse_limit(today: date) -> list[Resource]:
    """'<0.1 %' may be below 0.01 % or above it; two risk groups stay possible."""
    chart, course = chart_of("mrd-censored", "Lotte", "Moonfield", "female", today, age=12), after_reinduction(today)
    diagnosis_and_relapse(chart, course)
    work_up(chart, course, pregnancy_test=True)
    reviewed_history(chart, course)
    reinduction(chart, course, marrow=2, mrd=measured(0.1, "%", comparator="<"))
    return [*closed(chart), STUDY]


def dates_to_the_month(today: date) -> list[Resource]:
    """Transferred records gave the month of birth and the month treatment ended, a year before the relapse."""
    chart = chart_of("month-only", "Finn", "Pebblebrook", "male", today, age=7)
    # Mid-month, so that the month a year earlier lies on both sides of 'one year off treatment'.
    midmonth = next(day for days in range(48, 80) if (day := before(today, days=days)).day in range(2, 26))
    course = after_reinduction(today, relapse_days_ago=(today - midmonth).days)
    course = replace(course, off_treatment=f"{before(midmonth, years=1):%Y-%m}",
                     diagnosis=before(midmonth, years=3, days=90))  # fmt: skip
    child = chart.resources[0]
    child["birthDate"] = child["birthDate"][:7]
    diagnosis_and_relapse(chart, course)
    work_up(chart, course)
    reviewed_history(chart, course)
    reinduction(chart, course, marrow=2, mrd=measured(0.001, "%"))
    return [*closed(chart), STUDY]
