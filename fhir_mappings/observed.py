"""Observations, and their components, to the series of facts: select by code on raw JSON, validate, read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from cds.facts import PatientFacts
from cds.finding import Why
from cds.series import Reading, Series
from fhir_mappings import codelists
from fhir_mappings.code_lookup import Statement
from fhir_mappings.code_systems import LOINC, SNOMED
from fhir_mappings.members import all_words, codings, each
from fhir_mappings.observations import Result, reported, unusable_reading
from fhir_mappings.record import Resource
from fhir_mappings.sifted import Sifted
from fhir_mappings.sources import OBSERVED, ObservedFact
from fhir_mappings.units import CREATININE, MOLAR, unit_of


Stated = tuple[Statement, ...]
SEARCHED = tuple(dict.fromkeys(fact.search for fact in OBSERVED))
_BLANK = PatientFacts("", date.min)  # knows the human name of each series
NAMED = {fact.fact: (getattr(_BLANK, fact.fact).name, fact.search) for fact in OBSERVED}


def observed(record: Sifted) -> dict[str, Series]:
    """Every series of `PatientFacts`, by field: each result that states one, usable or not."""
    observations = [r for r in record.resources(*SEARCHED) if r.get("resourceType") == "Observation"]
    readings: dict[str, list[Reading]] = {field: [] for field in NAMED}
    unmapped: set[str] = set()
    for observation in observations:
        valid = None
        for element in _coded_elements(observation):
            stated = codelists.statements(element.get("code"))
            facts = _facts_of(stated, element) if stated else []  # for nearly every Observation, none
            if not facts and (told := _unmapped(element.get("code"))) and told not in unmapped:
                unmapped.add(told)  # a hospital's own code comes a hundred times: it is told once
                record.issue(observation, f"“{told}” carries no code that is mapped here; it was not used")
            for fact in facts:
                several = sum(f.fact == fact.fact for f in facts) > 1  # coded as two assays at once
                result = Result(observation, element, fact.name)
                if not result.exists:
                    continue
                valid = record.valid(observation) if valid is None else valid
                readings[fact.fact] += _reading(record, result, fact, stated, valid, several)
    return {field: Series(name, tuple(readings[field]), record.gap(search, name), record.cut_short(search))
            for field, (name, search) in NAMED.items()}  # fmt: skip


def _reading(record: Sifted, result: Result, fact: ObservedFact, stated: Stated, valid: bool, several: bool) -> list[Reading]:
    end_of_induction = any(codelists.states(c, "end_of_induction") for c in each(result.resource.get("category")))
    labels = fact.labels | {"eoi"} if end_of_induction else fact.labels
    if not valid:
        return [unusable_reading(result, Why.UNIT, "the resource is not valid FHIR", labels)]
    decided = [concept for concept, decides in stated if decides]
    of_this_fact = [concept for concept in decided if concept in fact.concepts]
    if several or (of_this_fact and _is_look_alike(decided, fact)):
        reading = unusable_reading(result, Why.CONFLICT, "its codes contradict each other", labels)
    elif not of_this_fact and not any(concept in fact.hints for concept, _ in stated):
        reading = unusable_reading(result, Why.WRONG_INSTRUMENT, f"its code alone does not settle that it is {result.name}", labels)
    else:
        reading = fact.read(result, labels)
    if reading is None:
        record.issue(result.resource, f"{result.name} {reported(result.element)}: it is not settled by its code; it was not used")
        return []
    if reading.problem:
        record.issue(result.resource, f"{reading.problem.words}; it was not used")
    elif told := _code_and_unit_disagree(result, of_this_fact):
        record.issue(result.resource, told)
    return [reading]


def _coded_elements(observation: Resource) -> Iterator[Mapping[str, Any]]:
    """The Observation itself and its components: a panel may carry the value in a component with a code of its own."""
    yield observation
    yield from each(observation.get("component"))


def _is_empty_panel(element: Mapping[str, Any]) -> bool:
    """A panel without a value of its own: its components speak for themselves."""
    return "component" in element and not any(key.startswith("value") for key in element)


_FACTS_OF: dict[str, list[ObservedFact]] = {}  # by concept
for _fact in OBSERVED:
    for _concept in (*_fact.concepts, *_fact.hints, *_fact.unsettled):
        _FACTS_OF.setdefault(_concept, []).append(_fact)


def _facts_of(stated: Stated, element: Mapping[str, Any]) -> list[ObservedFact]:
    """The facts that a code states or hints at, each once."""
    found = [fact for concept, decides in stated for fact in _FACTS_OF.get(concept, ()) if decides or not _is_empty_panel(element)]
    return list({id(fact): fact for fact in found}.values())


WOULD_MATTER = re.compile(
    r"creatinine|bilirubin|ejection|shortening|blast|\bmrd\b|residual|bcr|philadelphia|cd19|lansky|karnofsky|\bhcg\b|\bhiv\b", re.IGNORECASE
)
LONGEST_NAME = 60
STANDARD = (LOINC, SNOMED)


def _unmapped(code: Any) -> str | None:
    """What a local code calls itself, where the name sounds like a fact we need and no standard code stands beside it."""
    for coding in codings(code):
        if coding.get("system") in STANDARD:
            return None
    named = next((words for words in all_words(code) if WOULD_MATTER.search(words)), None)
    return named and named[:LONGEST_NAME]


def _is_look_alike(decided: list[str], fact: ObservedFact) -> bool:
    """Coded as a look-alike of this fact, too: serum and urine at once."""
    return any(concept in fact.concepts for trap in decided for concept in codelists.TRAPS.get(trap, ()))


def _code_and_unit_disagree(result: Result, concepts: list[str]) -> str | None:
    quantity = result.element.get("valueQuantity")
    if len(concepts) != 1 or not isinstance(quantity, dict) or not concepts[0].endswith(("_mass", "_molar")):
        return None
    unit = unit_of(quantity, CREATININE)  # bilirubin is reported in the same units
    if unit is None or (unit in MOLAR) == concepts[0].endswith("_molar"):
        return None
    return f"{result.name}: the code and the unit {unit} disagree; the unit was used"
