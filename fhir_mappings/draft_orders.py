"""Draft orders to what the record would say once they were carried out: a drug given, a transplant done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from cds.facts import Event
from cds.finding import Evidence
from cds.truth import MET
from fhir_mappings import treatments
from fhir_mappings.called import is_allogeneic
from fhir_mappings.conditions import stated_by
from fhir_mappings.members import all_words, each, text
from fhir_mappings.observations import coded_words
from fhir_mappings.record import Resource
from fhir_mappings.subject import reference_of

WITHDRAWN = frozenset({"entered-in-error", "cancelled", "revoked", "stopped", "ended"})
DONE_BY_ORDER = frozenset({"transplants", "blinatumomab"})  # what an order can bring about; it brings no diagnosis


def drafts_of(bundle: Mapping[str, Any]) -> tuple[Resource, ...]:
    """The resources of `draftOrders`. A drug that an order names by the Bundle's own address is put inside that order."""
    entries = [e for e in each(bundle.get("entry")) if isinstance(e.get("resource"), dict)]
    by_address = {e["fullUrl"]: e["resource"] for e in entries if isinstance(e.get("fullUrl"), str)}

    def complete(order: Resource) -> Resource:
        reference = order.get("medicationReference")
        drug = by_address.get(str(reference.get("reference"))) if isinstance(reference, dict) else None
        if drug is None or drug.get("resourceType") != "Medication":
            return order
        inside = [*each(order.get("contained")), {**drug, "id": "draft-medication"}]
        return {**order, "contained": inside, "medicationReference": {**reference, "reference": "#draft-medication"}}

    return tuple(complete(e["resource"]) for e in entries)


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
    written = " ".join(all_words(order.get("code"))).lower()
    if treatments.states_therapy(order.get("code")) or "blinatumomab" in treatments.written([order.get("code")]):
        yield "blinatumomab", Event("given", source)
    if is_allogeneic(written):
        yield "transplants", Event("allogeneic", source)
    yield from ((states.fact, Event(states.kind, source)) for states, settled in stated_by(order.get("code")) if settled)
