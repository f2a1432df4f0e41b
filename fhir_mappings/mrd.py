"""Residual disease: which method, which sample, and what "not detected" can show.

100 cells per million are 0.01 %. "Not detected" means below the sample's own limit of detection, and nothing more: a
sample that could not see 0.01 % cannot show less than 0.01 %.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from cds.finding import Evidence, Gap, Why
from cds.series import Reading
from cds.values import Amount
from fhir_mappings import codelists
from fhir_mappings.contradicted import not_of_marrow
from fhir_mappings.observations import NEGATIVE, Result, amount_reading, coded_words, unusable_reading
from fhir_mappings.units import MRD

ASSAYS = tuple(  # the concept, its human name, its labels
    (f"mrd_{method.lower()}_{sample}", f"{method}-MRD ({sample})", frozenset({method.lower(), sample}))
    for method in ("NGS", "flow", "PCR")
    for sample in ("marrow", "blood")
)

_POWER = re.compile(r"\s*(<)?\s*(?:(\d+(?:\.\d+)?)\s*[x×*]\s*)?10\s*\^?\s*-([456])\s*$")
_EXPONENT = re.compile(r"\s*(<)?\s*(\d+(?:\.\d+)?)[eE]-(\d)\s*$")


def mrd_reading(result: Result, labels: frozenset[str]) -> Reading:
    """MRD in % of nucleated cells; a value of 0 or a coded "not detected" reads as below the limit of detection. Text is for a
    person, whatever it says: a "negative" that somebody typed would give standard risk."""
    if "marrow" in labels and not_of_marrow(result.resource):
        return unusable_reading(result, Why.CONFLICT, "its code says bone marrow, its sample is another", labels)
    result = replace(result, element=_as_quantity(result.element))
    reading = amount_reading(result, MRD, labels)
    if reading.problem and reading.problem.reason is Why.PENDING:
        return reading
    if _is_written_out(result.element):
        return unusable_reading(result, Why.UNIT, "a text is for a person", labels)
    if reading.problem and not _not_detected(result.element):
        return reading
    limit = limit_of_detection(result)
    is_zero = isinstance(reading.value, Amount) and reading.value.exact and reading.value.low == 0
    if not (is_zero or _not_detected(result.element)):
        return replace(reading, value=no_finer_than(limit, reading.value))
    source = replace(reading.source, words=f"{result.name} not detected" + (f" (limit of detection {limit.low} %)" if limit else ""))
    return not_detected(result.name, reading, limit, source, labels)


def not_detected(name: str, reading: Reading, limit: Amount | None, source: Evidence, labels: frozenset[str]) -> Reading:
    labels = labels | {"not_detected"}
    if limit is None:
        gap = Gap(name, Why.MISSING, f"{source}: the sample's limit of detection is not recorded", (source,))
        return Reading(Amount(Decimal(0), Decimal(100), "%", evidence=(source,), gaps=(gap,)), reading.when, source, labels)
    return Reading(Amount(Decimal(0), limit.low, "%", high_open=True, evidence=(source,)), reading.when, source, labels)


def no_finer_than(limit: Amount | None, value: Amount) -> Amount:
    """A number below the sample's own limit of detection: less than that limit, and perhaps no less. `<0.01 %` by a sample
    that sees 0.1 % is anything below 0.1 %."""
    if limit is None or value.high is None or value.high >= limit.low:
        return value
    words = f"{'; '.join(map(str, value.evidence))}: below the sample's limit of detection of {limit.low} %"
    return replace(value, high=limit.low, high_open=True, gaps=(Gap("value", Why.IMPRECISE, words, value.evidence),))


def limit_of_detection(result: Result) -> Amount | None:
    for component in result.resource.get("component") or ():
        if isinstance(component, dict) and codelists.states(component.get("code"), "mrd_limit_of_detection"):
            element = _as_quantity(component)
            limit = amount_reading(replace(result, element=element), MRD).value
            if not _is_written_out(element) and isinstance(limit, Amount) and limit.exact and limit.low > 0:
                return limit
    return None


def _is_written_out(element: Mapping[str, Any]) -> bool:
    """A text that is none of the three fractions: `0.005 %`, `not detected` may be anything that somebody typed (terminology 3.1)."""
    return isinstance(element.get("valueString"), str) and "valueQuantity" not in element


def _not_detected(element: Mapping[str, Any]) -> bool:
    answer = element.get("valueCodeableConcept")
    return codelists.states(answer, *NEGATIVE) or (coded_words(answer) or "").strip().lower() in ("not detected", "undetected", "negative")


def _ratio(element: Mapping[str, Any]) -> Mapping[str, Any]:
    """`99 of 1000000 cells`: a fraction, if both sides are plain numbers of the same thing; otherwise left unread."""
    parts = [element["valueRatio"].get(side) for side in ("numerator", "denominator")]
    if not all(isinstance(part, dict) and isinstance(part.get("value"), (int, Decimal)) for part in parts):
        return element
    above, below = parts
    same = above.get("code") == below.get("code") and above.get("unit") == below.get("unit")
    if not same or below["value"] <= 0 or below.get("comparator"):
        return element
    quantity = {"value": Decimal(above["value"]) / Decimal(below["value"]), "code": "1", "unit": "of cells"}
    return {**element, "valueQuantity": quantity | ({"comparator": above["comparator"]} if above.get("comparator") else {})}


def _as_quantity(element: Mapping[str, Any]) -> Mapping[str, Any]:
    """A ratio of cells, and the written fractions `1.2E-4`, `2x10^-5`, `<10^-4`, as a quantity; other text is for a person."""
    if isinstance(element.get("valueRatio"), dict):
        return _ratio(element)
    text = element.get("valueString")
    if not isinstance(text, str):
        return element
    if found := _POWER.match(text):
        comparator, number, power = found[1], Decimal(found[2] or 1), found[3]
    elif found := _EXPONENT.match(text):
        comparator, number, power = found[1], Decimal(found[2]), found[3]
    else:
        return element
    quantity = {"value": number.scaleb(-int(power)), "code": "1", "unit": "of cells"} | ({"comparator": comparator} if comparator else {})
    return {**element, "valueQuantity": quantity}
