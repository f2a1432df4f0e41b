"""Observations that need more than a number and a unit: how the heart was seen, what a category or a scale means."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from cds.finding import Gap, Why
from cds.series import Reading
from cds.values import Amount, amount, any_amount, one
from fhir_mappings import codelists
from fhir_mappings.contradicted import not_by_echo, not_of_marrow
from fhir_mappings.observations import Result, amount_reading, choice_reading, coded_words, unusable_reading
from fhir_mappings.units import ECHO_PERCENT, PERCENT

MARROW_CATEGORIES = {  # M1 < 5 %, M2 5-25 %, M3 > 25 % blasts
    "M1": amount("<5 %"),
    "M2": amount("5-25 %"),
    "M3": replace(amount(">25 %"), high=Decimal(100)),
}
TENS = frozenset(range(0, 101, 10))
ECHO_METHODS = frozenset({  # a method that is exactly this; "gradient echo" and "no echo" are not
    "echo", "echocardiogram", "echocardiography", "transthoracic echocardiogram", "transthoracic echocardiography", "tte",
    "2d echocardiography", "doppler echocardiography", "m mode echocardiography", "ultrasound", "cardiac ultrasound",
})  # fmt: skip
OF_ANOTHER_SAMPLE = "its code says bone marrow, its sample is another"
INADEQUATE = frozenset({"inadequate"})


def blasts(result: Result, labels: frozenset[str]) -> Reading:
    """Marrow blasts in %, or M1, M2, M3 in their place."""
    if not_of_marrow(result.resource):
        return unusable_reading(result, Why.CONFLICT, OF_ANOTHER_SAMPLE, labels)
    if "flow" in (coded_words(result.resource.get("method")) or "").lower():
        return unusable_reading(result, Why.WRONG_INSTRUMENT, "counted by flow cytometry, not by morphology", labels)
    return _counted_or_named(result, labels)


def marrow_category(result: Result, labels: frozenset[str]) -> Reading:
    """M1, M2 or M3 as the blasts it stands for."""
    if not_of_marrow(result.resource):
        return unusable_reading(result, Why.CONFLICT, OF_ANOTHER_SAMPLE, labels)
    return _counted_or_named(result, labels)


def _counted_or_named(result: Result, labels: frozenset[str]) -> Reading:
    """An inadequate sample is labelled so, since a later adequate one counts instead."""
    category = category_of(result.element)
    reading = amount_reading(result, PERCENT, labels | (INADEQUATE if _inadequate(result) else frozenset()))
    if category is None or (reading.problem and reading.problem.reason is Why.PENDING):
        return reading
    blasts_of = replace(category, evidence=(reading.source,))
    return Reading(blasts_of, reading.when, reading.source, reading.labels)


def category_of(element: Any) -> Amount | None:
    """By code, or in exactly these words: "M1 or M2" is neither, and so is any other text."""
    written = " ".join(str(element.get("valueString", "")).upper().split())
    for name, blasts_of in MARROW_CATEGORIES.items():
        if codelists.states(element.get("valueCodeableConcept"), f"marrow_category_{name.lower()}") or written == name:
            return blasts_of
    return MARROW_CATEGORIES["M1"] if written == "NO BLASTS" else None


def performance(result: Result, labels: frozenset[str]) -> Reading:
    """A Lansky or Karnofsky score: tens from 0 to 100, as a number with or without a unit; nothing else is one."""
    element = result.element
    quantity = element.get("valueQuantity")
    score = element.get("valueInteger", quantity.get("value") if isinstance(quantity, dict) else None)
    if isinstance(score, (int, Decimal)) and not isinstance(score, bool):
        unit = quantity.get("code") or quantity.get("unit") if isinstance(quantity, dict) else None
        if unit in (None, "%", "{score}", "1") and score in TENS and not (isinstance(quantity, dict) and quantity.get("comparator")):
            result = replace(result, element={**element, "valueQuantity": {"value": score, "code": "%", "unit": "%"}})
            return amount_reading(result, PERCENT, labels)
    reading = amount_reading(result, PERCENT, labels)
    if reading.problem:
        return reading
    return unusable_reading(result, Why.UNIT, "not a score in tens from 0 to 100", labels)


def other_scale(result: Result, labels: frozenset[str]) -> Reading:
    """Another scale, such as ECOG: shown, never converted."""
    told = unusable_reading(result, Why.WRONG_INSTRUMENT, "another scale", labels)
    return Reading(any_amount(), told.when, told.source, labels)


def cd19(result: Result, labels: frozenset[str]) -> Reading | None:
    """Positive, negative, or partial (dim, subset) on leukaemic blasts, as the laboratory reads it."""
    if not codelists.states(result.element.get("code"), "cd19_on_blasts"):
        return _cd19_of_some_sample(result, labels)
    partial = codelists.states(result.element.get("valueCodeableConcept"), "cd19_partial")
    reading = choice_reading(result, labels)
    if partial and reading.problem and reading.problem.reason is not Why.PENDING:
        return Reading(one("partial", reading.source), reading.when, reading.source, labels)
    return reading


def _cd19_of_some_sample(result: Result, labels: frozenset[str]) -> Reading | None:
    """By a code that names no sample, or a panel: it decides nothing. What is positive leaves the others to decide; whatever
    else it says, they do not decide alone. The sentence of a panel is for a person."""
    reading = choice_reading(result, labels)
    narrative = isinstance(result.element.get("valueString"), str) and "cd19" not in (coded_words(result.element.get("code")) or "").lower()
    if reading.problem is None and reading.value.options == {"positive"} or reading.problem and (narrative or reading.problem.reason is Why.MISSING):
        return None
    if reading.problem and reading.problem.reason is Why.PENDING:
        return reading
    return unusable_reading(result, Why.WRONG_INSTRUMENT, "its code does not say of which sample", labels)


def hiv_test(result: Result, labels: frozenset[str]) -> Reading:
    """Negative; reactive on a screen; detected where the test looks for the virus itself.

    A preliminary result that may have found the virus is labelled so: no later antibody test undoes it."""
    reading = choice_reading(result, labels)
    if reading.problem and reading.problem.reason is Why.PENDING and codelists.states(result.element.get("code"), "hiv_rna_test"):
        said = choice_reading(replace(result, resource={**result.resource, "status": "final"}), labels)
        return reading if said.problem is None and said.value.options == {"negative"} else replace(reading, labels=labels | {"virus"})
    if reading.problem or reading.value.options != {"positive"}:
        return reading
    virus = codelists.states(result.element.get("code"), "hiv_rna_test")
    return replace(reading, value=one("detected" if virus else "reactive", reading.source))


def pregnancy_status(result: Result, labels: frozenset[str]) -> Reading:
    """A coded pregnancy status as a test: pregnant is positive, not pregnant negative, possibly pregnant neither."""
    reading = choice_reading(result, labels)
    value = result.element.get("valueCodeableConcept")
    for concept, option in (("pregnant", "positive"), ("not_pregnant", "negative")):
        if codelists.states(value, concept) and reading.problem and reading.problem.reason is not Why.PENDING:
            return Reading(one(option, reading.source), reading.when, reading.source, labels)
    return reading


def ejection_fraction(result: Result, labels: frozenset[str]) -> Reading:
    """By echocardiogram, which the text asks for; by another method, or by none that is told, it is shown only."""
    code, method = result.element.get("code"), result.resource.get("method")
    other = codelists.states(code, "lvef_not_echo") or not_by_echo(result.resource)
    if not other and (codelists.states(code, "lvef_echo") or _says_echo(method)):
        return amount_reading(result, ECHO_PERCENT, labels | {"echo"})
    another = other and not codelists.states(code, "lvef_echo")  # else its code and its method contradict each other
    told = amount_reading(result, ECHO_PERCENT, labels | {"another_method"} if another else labels)
    words = "not by echocardiogram" if other else "its method is not stated"
    gap = Gap(result.name, Why.WRONG_INSTRUMENT if other else Why.MISSING, f"{told.source}: {words}", (told.source,))
    return Reading(any_amount(gap), told.when, told.source, told.labels, gap)


def shortening_fraction(result: Result, labels: frozenset[str]) -> Reading:
    """By echocardiogram, which its code says, unless its method says another thing."""
    if not_by_echo(result.resource):
        return unusable_reading(result, Why.WRONG_INSTRUMENT, "not by echocardiogram", labels)
    return amount_reading(result, ECHO_PERCENT, labels)


def _says_echo(method: Any) -> bool:
    return " ".join((coded_words(method) or "").lower().replace("-", " ").split()) in ECHO_METHODS


def _inadequate(result: Result) -> bool:
    return codelists.states(result.element.get("valueCodeableConcept"), "result_inadequate")
