"""The bodies of the calls: one child's prefetch by the service's own templates, grown to exactly so many resources.

What is grown is the past, in the shares of a long treatment; what a judgement turns on is the demonstration's child.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import Any

from hooks.demo.children import CHILDREN
from hooks.demo.ehr import prefetched
from hooks.demo.fhir_search import Holdings
from hooks.services import SERVICES
from ordinary_chart import History

EHR = "https://ehr.example/fhir"
HOOK_INSTANCE = "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"
RELAPSED, WITHOUT_LEUKAEMIA = "standard-risk", "asthma"
SHARES = {"laboratory": 0.25, "orders": 0.15, "procedures": 0.05}  # of all; the other growth is administrations
ONE_ILLNESS_IN, MOST_ILLNESSES = 15, 30  # a problem list grows, but not for ever


@dataclass(frozen=True, slots=True)
class Call:
    """One call as it travels, and what its answer must hold."""

    name: str
    body: bytes
    resources: int
    cards: int


def full(resources: int, today: date) -> Call:
    """A child whose leukaemia came back: everything the templates ask for."""
    return _call(f"relapsed, {resources:,}", RELAPSED, grown(RELAPSED, resources, today), cards=1)


def without_leukaemia(resources: int, today: date) -> Call:
    """Another child, and an EHR that fills every template all the same."""
    return _call(f"no leukaemia, {resources:,}", WITHOUT_LEUKAEMIA, grown(WITHOUT_LEUKAEMIA, resources, today), cards=0)


def typical(today: date) -> Call:
    """What most calls are: no leukaemia, and only the patient and the conditions sent."""
    whole = grown(WITHOUT_LEUKAEMIA, count(_sent(WITHOUT_LEUKAEMIA, today)), today)
    return _call("no leukaemia, typical", WITHOUT_LEUKAEMIA, {key: whole[key] for key in ("patient", "conditions")}, cards=0)


def grown(child_id: str, resources: int, today: date) -> dict[str, Any]:
    """The prefetch with exactly so many resources, the Patient included."""
    prefetch, past = _sent(child_id, today), History(child_id, today)
    missing = resources - count(prefetch)
    if missing < 0:
        raise ValueError(f"{child_id} alone has {count(prefetch)} resources")
    numbers = {key: round(missing * share) for key, share in SHARES.items()}
    numbers["conditions"] = min(MOST_ILLNESSES, missing // ONE_ILLNESS_IN)
    numbers["administrations"] = missing - sum(numbers.values())
    for key, number in numbers.items():
        bundle = prefetch[key]
        more = [_entry(resource) for resource in past.resources(key, number)]
        if more:
            bundle["entry"] = [*bundle.get("entry", []), *more]
            bundle["total"] = len(bundle["entry"])
    return prefetch


def count(prefetch: dict[str, Any]) -> int:
    return sum(1 if value["resourceType"] == "Patient" else len(value.get("entry", ())) for value in prefetch.values())


def _sent(child_id: str, today: date) -> dict[str, Any]:
    """The templates of the discovery document, filled from the child's chart."""
    child = next(child for child in CHILDREN if child.id == child_id)
    discovery = {"services": [service.described() for service in SERVICES]}
    return prefetched(discovery, {"userId": "Practitioner/1", "patientId": child_id}, Holdings(child.build(today)), EHR)


def _entry(resource: dict[str, Any]) -> dict[str, Any]:
    return {"fullUrl": f"{EHR}/{resource['resourceType']}/{resource['id']}", "resource": resource, "search": {"mode": "match"}}


def _call(name: str, child_id: str, prefetch: dict[str, Any], cards: int) -> Call:
    context = {"userId": "Practitioner/1", "patientId": child_id}
    told = {"hook": "patient-view", "hookInstance": HOOK_INSTANCE, "context": context, "prefetch": prefetch}
    body = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()  # as programs write it
    return Call(name, body, count(prefetch), cards)
