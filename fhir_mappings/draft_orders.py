"""Draft orders to what the record would say once they were carried out: a drug given, a transplant done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from cds.facts import Event
from cds.finding import Evidence
from cds.truth import MET
from fhir_mappings import treatments
from fhir_mappings.conditions import stated_by
from fhir_mappings.members import text
from fhir_mappings.observations import coded_words
from fhir_mappings.record import Resource
from fhir_mappings.subject import reference_of

WITHDRAWN = frozenset({"entered-in-error", "cancelled", "revoked", "stopped", "ended"})
DONE_BY_ORDER = frozenset({"transplants", "blinatumomab"})  # what an order can bring about; it brings no diagnosis


def draft_orders(drafts: Iterable[Resource]) -> Iterator[tuple[str, Event]]:
    """`(fact, event)` for each draft that would bring one about. The event has no day yet, so it counts from today on.

    A drug that is only named in words, by no code of ours, counts: the warning asks a person to look.
    """
    drafts = list(drafts)
    others = {reference_of(resource): resource for resource in drafts}  # a drug may be named by reference to its Medication
    for order in drafts:
        if text(order.get("status")) in WITHDRAWN or order.get("doNotPerform") is True:
            continue
        if order.get("resourceType") == "MedicationRequest":
            found = list(treatments.therapies({**order, "status": "active"}, others))
        elif order.get("resourceType") == "ServiceRequest":
            found = list(_procedures(order))
        else:
            continue
        for fact, event in found:
            if fact in DONE_BY_ORDER:
                yield fact, replace(event, kind="given" if event.kind == "ordered" else event.kind, when=None, sure=MET)


def _procedures(order: Resource) -> Iterator[tuple[str, Event]]:
    source = Evidence(coded_words(order.get("code")) or "procedure", reference_of(order))
    if treatments.states_therapy(order.get("code")):
        yield "blinatumomab", Event("given", source)
    yield from ((states.fact, Event(states.kind, source)) for states, settled in stated_by(order.get("code")) if settled)
