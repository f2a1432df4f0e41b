"""The answer to one hook call: gather the record, read it, judge it, and write the card, or none."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from cds import assess
from cds.assessment import Assessment
from cds.facts import PatientFacts
from cds.orders import broken, is_candidate
from cds.protocol import Protocol
from fhir_mappings import read_patient
from fhir_mappings.draft_orders import draft_orders
from hooks.cards import cards, order_card
from hooks.cds_client import CdsClient
from hooks.config import Config
from hooks.fhir_load import FhirLoad
from hooks.gather import gather
from hooks.metrics import count_searches, show_resting, timed
from hooks.request import HookRequest

CLINICIANS = ("Practitioner/", "PractitionerRole/")


@dataclass(frozen=True, slots=True)
class Asked:
    """One hook call with everything an answer needs."""

    protocol: Protocol
    call: HookRequest
    client: CdsClient
    config: Config
    load: FhirLoad  # how hard each FHIR server is leaned on

    @property
    def by_clinician(self) -> bool:
        """Screening for a trial is a clinician's conversation, not a portal's."""
        return self.call.user_id.startswith(CLINICIANS)


@dataclass(frozen=True, slots=True)
class Answered:
    """The cards, and what the logs and the figures may know of them."""

    cards: list[dict[str, Any]]
    kind: str  # assessment | order
    facts: PatientFacts | None = None
    assessment: Assessment | None = None  # None: nothing to judge was found, or nobody to tell


def screening_answer(asked: Asked) -> Answered:
    """patient-view, encounter-start: one card about the child, or none."""
    facts, assessment = _judged(asked) if asked.by_clinician else (None, None)
    if assessment is None:
        return Answered([], "assessment")
    with timed("write"):
        return Answered(cards(assessment, asked.client, asked.config, asked.call.fhir_server), "assessment", facts, assessment)


def order_answer(asked: Asked) -> Answered:
    """order-select, order-sign: one warning if a draft would break a criterion for a child who may still take part."""
    call = asked.call
    orders = tuple(draft_orders(call.drafts)) if asked.by_clinician else ()
    facts, assessment = _judged(asked) if orders else (None, None)
    if facts is None or assessment is None:
        return Answered([], "order")
    breaks = broken(asked.protocol, facts, orders) if is_candidate(facts, assessment) else ()
    written = [order_card(assessment, breaks, asked.client, asked.config, asked.call.fhir_server)] if breaks else []
    return Answered(written, "order", facts, assessment)


def _judged(asked: Asked) -> tuple[PatientFacts, Assessment] | tuple[None, None]:
    try:
        with timed("gather"):
            record = gather(asked.call, asked.client, asked.config, asked.load, count_searches)
    finally:
        show_resting(asked.load.states())
    if record is None:
        return None, None
    with timed("read"):
        facts = read_patient(record, asked.config.today())
    with timed("judge"):
        return facts, assess(asked.protocol, facts)


def told(answered: Answered) -> Mapping[str, Any]:
    """What a log line may say of an answer: counts and codes."""
    found = answered.assessment
    if found is None:
        return {"cards": 0, "overall": "not_applicable"}
    return {"cards": len(answered.cards), "overall": found.overall, "issues": len(found.issues), "not_looked_up": len(found.not_looked_up)}


def inputs_hash(answered: Answered) -> str:
    """Two cards with one hash were judged from the same facts; from the hash alone no fact can be told. Empty for a chart
    with text that is no Unicode, of which there is no one way to write it down."""
    try:
        return hashlib.sha256(msgspec.json.encode(answered.facts, order="deterministic")).hexdigest()
    except UnicodeEncodeError:
        return ""
