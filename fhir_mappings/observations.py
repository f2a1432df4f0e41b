"""Observations to readings: status, value, unit, comparator, date; and why a result cannot be used.

A result that cannot be used is kept with its reason: an unreadable newer creatinine must not let an older good one
decide. Only `entered-in-error` and `cancelled` results do not exist.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from cds.finding import Evidence, Gap, Why
from cds.series import Reading
from cds.values import Amount, Choice, amount, any_amount, bounded, one
from fhir_mappings import codelists, dates
from fhir_mappings.members import codings, text
from fhir_mappings.record import Resource
from fhir_mappings.subject import reference_of
from fhir_mappings.units import UCUM, Analyte, convert, names_two, plausible, unit_of

USABLE = frozenset({"final", "amended", "corrected"})
NON_EXISTENT = frozenset({"entered-in-error", "cancelled"})
COMPARATORS = frozenset({"", "<", "<=", ">", ">="})

MOST_DIGITS = 40  # beyond any measurement; and a number of a million digits is an attack
LONGEST_PART = 24  # characters of a unit, or of a number: what follows is no part of a measurement
POSITIVE = ("result_positive", "result_detected")
NEGATIVE = ("result_negative", "result_not_detected")
NO_ANSWER = {
    "result_not_trackable": (Why.MISSING, "no clone to follow"),
    "result_failed": (Why.MISSING, "test failed"),
    "result_inadequate": (Why.MISSING, "sample inadequate"),
}
WORDS = {"positive": "positive", "detected": "positive", "negative": "negative", "not detected": "negative"}

_DASH = re.compile(r"\d\s*[-–]\s*\d")
_RANGE = re.compile(r"\s*(<=|>=|<|>|≤|≥)?\s*\d+(\.\d+)?(\s*(-|–)\s*\d+(\.\d+)?)?\s*(%|[a-zA-Zµμ/]+)\s*$")


@dataclass(frozen=True, slots=True)
class Result:
    """One Observation, or one component of one with a code of its own, that states a fact we read."""

    resource: Resource
    element: Mapping[str, Any]  # the Observation or the component: where the value is
    name: str  # the fact's human name

    @property
    def reference(self) -> str:
        return reference_of(self.resource)

    @property
    def exists(self) -> bool:
        return text(self.resource.get("status")) not in NON_EXISTENT


def amount_reading(result: Result, analyte: Analyte, labels: frozenset[str] = frozenset()) -> Reading:
    """The amount in the analyte's unit, or the reason why there is none."""
    problem = _status_problem(result)
    value = problem or _amount(result, analyte)
    return _reading(result, value, labels)


def choice_reading(result: Result, labels: frozenset[str] = frozenset()) -> Reading:
    """Positive or negative, from coded answers or these exact words; a number is never read as either."""
    value: Choice | Gap = _status_problem(result) or _positive_or_negative(result)
    return _reading(result, value, labels)


def unusable_reading(result: Result, reason: Why, why: str, labels: frozenset[str] = frozenset()) -> Reading:
    return _reading(result, _gap(result, reason, why), labels)


def _reading(result: Result, value: Amount | Choice | Gap, labels: frozenset[str]) -> Reading:
    when = dates.sample_day(result.resource)
    date = str(when) if when.known else None
    told = f"{result.name} {reported(result.element)}"
    source = Evidence(told, result.reference, date)
    if isinstance(value, Gap):
        shown = Gap(value.fact, value.reason, f"{source}: {value.words}", (source,))
        return Reading(any_amount(shown), when, source, labels, shown)
    return Reading(replace(value, evidence=(source,)), when, source, labels)


def reported(element: Mapping[str, Any]) -> str:
    """The value as it was reported, for display; never a parsed or converted number."""
    if isinstance(element.get("valueString"), str):
        return element["valueString"][: 4 * LONGEST_PART]
    quantity = element.get("valueQuantity")
    if isinstance(quantity, dict):
        parts = (quantity.get("comparator"), quantity.get("value"), _unit_words(quantity))
        return " ".join(str(part)[:LONGEST_PART] for part in parts if part is not None) or "without a value"
    limits = element.get("valueRange")
    if isinstance(limits, dict):
        low, high = (limits.get(side) if isinstance(limits.get(side), dict) else {} for side in ("low", "high"))
        return f"{low.get('value', '?')} to {high.get('value', '?')} {high.get('unit') or low.get('unit') or ''}".strip()
    for key in ("valueInteger", "valueBoolean"):
        if key in element:
            return str(element[key])
    return coded_words(element.get("valueCodeableConcept")) or "without a value"


def _unit_words(quantity: Mapping[str, Any]) -> Any:
    """The unit that was used for the judgement, where UCUM says it; free text only where it does not."""
    code = quantity.get("code") if quantity.get("system") == UCUM else None
    return code or quantity.get("unit") or quantity.get("code")


def coded_words(concept: Any) -> str | None:
    """Our own label for a coded answer, else its text."""
    if not isinstance(concept, dict):
        return None
    coded = codings(concept)
    labels = (codelists.label(str(c.get("system")), str(c.get("code"))) for c in coded)
    told = (text(concept.get("text")), *(text(c.get("display")) for c in coded))
    return next((words for words in (*labels, *told) if words), None)


def _status_problem(result: Result) -> Gap | None:
    status = result.resource.get("status")
    if text(status) in USABLE:
        return None
    return _gap(result, Why.PENDING, f"status is {status if status in ('preliminary', 'registered') else 'not final'}")


def _amount(result: Result, analyte: Analyte) -> Amount | Gap:
    element = result.element
    if isinstance(element.get("valueQuantity"), dict):
        return _quantity(result, element["valueQuantity"], analyte)
    if isinstance(element.get("valueRange"), dict):
        return _range(result, element["valueRange"], analyte)
    if isinstance(element.get("valueString"), str):
        return _text(result, element["valueString"], analyte)
    for concept, (reason, words) in NO_ANSWER.items():
        if codelists.states(element.get("valueCodeableConcept"), concept):
            return _gap(result, reason, words)
    return _no_value(result)


def _quantity(result: Result, quantity: Mapping[str, Any], analyte: Analyte) -> Amount | Gap:
    number, comparator = _number(quantity.get("value")), quantity.get("comparator") or ""
    if number is None:
        return _no_value(result)
    if comparator not in COMPARATORS:
        return _gap(result, Why.UNIT, "its comparator is not one of <, <=, >=, >")
    unit = unit_of(quantity, analyte)
    if unit is None:
        return _gap(result, Why.UNIT, _without_unit(quantity, analyte))
    value = convert(number, unit, analyte)
    if not plausible(value, analyte):
        return _gap(result, Why.UNIT, "not a plausible value in this unit")
    return bounded(comparator, value, analyte.unit)


def _without_unit(quantity: Mapping[str, Any], analyte: Analyte) -> str:
    if names_two(quantity, analyte):
        return f"its code says {quantity['code']}, its text {quantity['unit']}"
    return "its unit is not a unit of this test" if quantity.get("unit") or quantity.get("code") else "no unit"


def _range(result: Result, limits: Mapping[str, Any], analyte: Analyte) -> Amount | Gap:
    ends = []
    for side in ("low", "high"):
        end = limits.get(side)
        found = _quantity(result, end, analyte) if isinstance(end, dict) else None
        if isinstance(found, Gap):
            return found
        ends.append(found)
    low, high = ends
    if low is None and high is None:
        return _no_value(result)
    if low and high and low.low > high.high:
        return _gap(result, Why.UNIT, "its range is upside down")
    return Amount(low.low if low else Decimal(0), high.high if high else None, analyte.unit)


def _text(result: Result, written_out: str, analyte: Analyte) -> Amount | Gap:
    """`45-50 %`, `> 55 %`: an amount written out. Any other text is for a person."""
    if not _RANGE.match(written_out):
        number = any(character.isdigit() for character in written_out)
        return _gap(result, Why.UNIT if number else Why.MISSING, "its text is not a number with a unit")
    written = amount(written_out)
    upside_down = written.low is not None and written.high is not None and written.low > written.high
    if upside_down or (_DASH.search(written_out) and written_out.strip()[0] in "<>≤≥"):
        return _gap(result, Why.UNIT, "its text is not one clear amount")
    unit = unit_of({"unit": written.unit}, analyte)
    if unit is None:
        return _gap(result, Why.UNIT, "its unit is not a unit of this test")
    low, high = (end if end is None else convert(end, unit, analyte) for end in (written.low, written.high))
    told = (high,) if written_out.strip()[0] in "<≤" else (low, high)  # "<" starts at nothing
    if not all(end is None or plausible(end, analyte) for end in told):
        return _gap(result, Why.UNIT, "not a plausible value in this unit")
    return Amount(low, high, analyte.unit, written.low_open, written.high_open)


def _positive_or_negative(result: Result) -> Choice | Gap:
    concept = result.element.get("valueCodeableConcept")
    for no_answer, (reason, words) in NO_ANSWER.items():
        if codelists.states(concept, no_answer):
            return _gap(result, reason, words)
    positive, negative = codelists.states(concept, *POSITIVE), codelists.states(concept, *NEGATIVE)
    if positive and negative:
        return _gap(result, Why.CONFLICT, "coded both positive and negative")
    if positive or negative:
        return one("positive" if positive else "negative")
    said = _exact_word(result.element.get("valueString")) or _exact_word(isinstance(concept, dict) and concept.get("text"))
    return one(said) if said else _no_value(result, "it is neither clearly positive nor clearly negative")


def _exact_word(said: Any) -> Literal["positive", "negative"] | None:
    return WORDS.get(" ".join(said.lower().split())) if isinstance(said, str) else None


def _no_value(result: Result, otherwise: str = "it has no value that can be read") -> Gap:
    absent = result.element.get("dataAbsentReason")
    if absent is not None:
        return _gap(result, Why.MISSING, f"no value ({coded_words(absent) or 'no reason given'})")
    empty = not any(key.startswith("value") for key in result.element)
    return _gap(result, Why.MISSING if empty else Why.UNIT, "no value" if empty else otherwise)


def _number(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal, str)):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number.adjusted()) < MOST_DIGITS else None


def _gap(result: Result, reason: Why, words: str) -> Gap:
    return Gap(result.name, reason, words)
