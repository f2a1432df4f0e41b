"""What the chart of one patient holds for the rules: facts seen, data seen and not used, units we do not know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date
from typing import Any

from cds.facts import PatientFacts
from cds.finding import Why
from fhir_mappings import Answer, Record, read_patient
from fhir_mappings.fact_sources import FACTS, searches_of
from fhir_mappings.members import each
from fhir_mappings.record import Resource
from fhir_mappings.subject import reference_of
from hooks.doctor.discretion import Discretion
from hooks.paging import once_each
from hooks.protocol_data import name_of

MOST = 20  # kinds of issue


def facts_seen(record: Record, facts: PatientFacts, by_category: PatientFacts, as_of: date) -> Iterator[dict[str, Any]]:
    """seen | only_by_category (the search by code misses it) | none_seen (every search answered in full) | not_looked_up"""
    blank = read_patient(Record("nobody"), as_of)
    searches = searches_of()
    for fact in FACTS:
        if fact != "chart_review":
            found = getattr(facts, fact)
            count = _items(found) or int(not hasattr(found, "gap") and found != getattr(blank, fact))
            complete = all(record.answer(s).complete for s in searches[fact])
            state = "seen" if count else "only_by_category" if _items(getattr(by_category, fact)) else "none_seen" if complete else "not_looked_up"
            yield {"fact": fact, "name": name_of(fact), "state": state, "count": count, "searches": list(searches[fact])}


def _items(found: Any) -> int:
    return len(getattr(found, "readings", None) or getattr(found, "items", None) or ())


def with_observations(record: Record, more: Iterable[Answer]) -> Record:
    """The record with Observations that were found by category too, whatever that search is worth."""
    here = record.answer("laboratory")
    seen = tuple(r for answer in more for r in answer.resources)
    return replace(record, answers={**record.answers, "laboratory": replace(here, resources=once_each((*here.resources, *seen)))})


def issues(facts: PatientFacts, discretion: Discretion) -> list[dict[str, Any]]:
    counted = Counter(discretion.kind(issue.words) for issue in facts.issues)
    return [{"words": words, "count": count} for words, count in counted.most_common(MOST)]


def unknown_units(record: Record, facts: PatientFacts, discretion: Discretion) -> list[dict[str, Any]]:
    """The units of results that state a fact and could not be read for their unit or value."""
    held = {reference_of(r): r for answer in record.answers.values() for r in answer.resources}
    counted: Counter[tuple[str, str]] = Counter()
    for fact in FACTS:
        for reading in getattr(getattr(facts, fact), "readings", ()):
            if reading.problem and reading.problem.reason is Why.UNIT:
                counted.update((name_of(fact), discretion.of_chart(unit, 40)) for unit in _units(held.get(reading.source.reference or "", {})))
    return [{"fact": fact, "unit": unit, "count": count} for (fact, unit), count in counted.most_common()]


def _units(resource: Resource) -> Iterator[str]:
    for element in (resource, *each(resource.get("component"))):
        quantity = element.get("valueQuantity")
        if isinstance(quantity, dict):
            yield next((u for u in (quantity.get("code"), quantity.get("unit")) if isinstance(u, str) and u), "no unit")
