"""Observations that need more than a number and a unit: how the heart was seen, what a marrow category means."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from cds.finding import Gap, Why
from cds.series import Reading
from cds.values import Amount, amount, any_amount
from fhir_mappings import codelists
from fhir_mappings.observations import Result, amount_reading, coded_words, unusable_reading
from fhir_mappings.units import ECHO_PERCENT, PERCENT

MARROW_CATEGORIES = {  # M1 < 5 %, M2 5-25 %, M3 > 25 % blasts
    "M1": amount("<5 %"),
    "M2": amount("5-25 %"),
    "M3": replace(amount(">25 %"), high=Decimal(100)),
}
ECHO_METHODS = frozenset({  # a method that is exactly this; "gradient echo" and "no echo" are not
    "echo", "echocardiogram", "echocardiography", "transthoracic echocardiogram", "transthoracic echocardiography", "tte",
    "2d echocardiography", "doppler echocardiography", "m mode echocardiography", "ultrasound", "cardiac ultrasound",
})  # fmt: skip
INADEQUATE = frozenset({"inadequate"})


def blasts(result: Result, labels: frozenset[str]) -> Reading:
    """Marrow blasts in %; a sample that was inadequate is labelled so, since a later adequate one counts instead."""
    if "flow" in (coded_words(result.resource.get("method")) or "").lower():
        return unusable_reading(result, Why.WRONG_INSTRUMENT, "counted by flow cytometry, not by morphology", labels)
    return amount_reading(result, PERCENT, labels | (INADEQUATE if _inadequate(result) else frozenset()))


def marrow_category(result: Result, labels: frozenset[str]) -> Reading:
    """M1, M2 or M3 as the blasts it stands for."""
    category = category_of(result.element)
    reading = amount_reading(result, PERCENT, labels | (INADEQUATE if _inadequate(result) else frozenset()))
    if category is None or (reading.problem and reading.problem.reason is Why.PENDING):
        return reading
    blasts_of = replace(category, evidence=(reading.source,))
    return Reading(blasts_of, reading.when, reading.source, reading.labels)


def category_of(element: Any) -> Amount | None:
    for name, blasts_of in MARROW_CATEGORIES.items():
        coded = codelists.states(element.get("valueCodeableConcept"), f"marrow_category_{name.lower()}")
        if coded or str(element.get("valueString", "")).strip().upper() == name:
            return blasts_of
    return None


def ejection_fraction(result: Result, labels: frozenset[str]) -> Reading:
    """By echocardiogram, which the text asks for; by another method, or by none that is told, it is shown only."""
    code, method = result.element.get("code"), result.resource.get("method")
    other = codelists.states(code, "lvef_not_echo")
    if not other and (codelists.states(code, "lvef_echo") or _says_echo(method)):
        return amount_reading(result, ECHO_PERCENT, labels | {"echo"})
    told = amount_reading(result, ECHO_PERCENT, labels)
    words = "not by echocardiogram" if other else "its method is not stated"
    gap = Gap(result.name, Why.WRONG_INSTRUMENT if other else Why.MISSING, f"{told.source}: {words}", (told.source,))
    return Reading(any_amount(gap), told.when, told.source, told.labels, gap)


def _says_echo(method: Any) -> bool:
    return " ".join((coded_words(method) or "").lower().replace("-", " ").split()) in ECHO_METHODS


def _inadequate(result: Result) -> bool:
    return codelists.states(result.element.get("valueCodeableConcept"), "result_inadequate")
