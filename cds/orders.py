"""What a draft order would do to a child's chances: it is judged as if it had been carried out, by the trial's own rules.

No list says which orders are dangerous: an order breaks a criterion if that criterion, given nothing but the order done,
would block.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cds.assessment import Assessment, Judged
from cds.case import Case
from cds.day import on
from cds.facts import Event, Listed, PatientFacts
from cds.protocol import Protocol
from cds.treatment import enrolment


def broken(protocol: Protocol, facts: PatientFacts, orders: Iterable[tuple[str, Event]], policies: Any = None) -> tuple[Judged, ...]:
    """The criteria that these orders, once carried out, would decide against the child, in the protocol's order.

    `orders` are `(field of PatientFacts, event)`, the event as it would stand in the record when done.
    """
    policies = policies or protocol.policies
    done: dict[str, tuple[Event, ...]] = {}
    for fact, event in orders:
        done[fact] = (*done.get(fact, ()), event)
    supposed = PatientFacts(facts.patient, facts.as_of, **{fact: Listed(events) for fact, events in done.items()})  # type: ignore[arg-type]
    case = Case(supposed, policies)
    return tuple(judged for c in protocol.criteria if (judged := Judged(c, c.finding(case, policies))).blocks)


def is_candidate(facts: PatientFacts, assessment: Assessment) -> bool:
    """May this child still take part? Not enrolled yet, and nothing that is for good speaks against it."""
    if assessment.overall == "not_applicable" or (assessment.overall == "not_eligible" and not assessment.modifiable):
        return False
    enrolled = enrolment(facts)
    return enrolled is None or enrolled.surely_after(on(facts.as_of))
