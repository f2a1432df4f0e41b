"""The trial as FHIR R4: a ResearchStudy, and its eligibility as a Group, one characteristic per criterion.

Each characteristic says the document's own sentence, and as its value our reading of it; where it needs none, that the
sentence is true of the child. None is written as a range or a code of its own: the sentences are wider than those.
"""

from __future__ import annotations

from typing import Any
from uuid import NAMESPACE_URL, uuid5

from cds.criterion import Criterion
from cds.protocol import Protocol, RiskRule

REGISTRY = "https://clinicaltrials.gov"
CRITERIA = "urn:relapse-cds:criteria"
Resource = dict[str, Any]


def protocol_bundle(protocol: Protocol) -> Resource:
    """A collection Bundle; its ids, and what refers to what, are the same every time."""
    resources = (research_study(protocol), eligibility_group(protocol))
    entries = [{"fullUrl": full_url(r["resourceType"], r["id"]), "resource": r} for r in resources]
    return {"resourceType": "Bundle", "id": f"{protocol.id.lower()}-protocol", "type": "collection", "entry": entries}


def full_url(kind: str, id: str) -> str:
    """No server holds these yet, so an address that is none, made of the resource's own name."""
    return f"urn:uuid:{uuid5(NAMESPACE_URL, f'urn:relapse-cds:{kind}/{id}')}"


def research_study(protocol: Protocol) -> Resource:
    group = {"reference": full_url("Group", group_id(protocol)), "identifier": _group_identifier(protocol)}
    record = {"type": "documentation", "display": f"Registry record of {protocol.id}", "url": f"{REGISTRY}/study/{protocol.id}"}
    return {
        "resourceType": "ResearchStudy",
        "id": protocol.id.lower(),
        "identifier": [_registered(protocol)],
        "title": protocol.title,
        "status": "active",
        "relatedArtifact": [record],
        "description": f"Public registry text of {protocol.text_version}; not the trial protocol. "
        "The notes are the risk groups: the first whose sentence holds.",
        "enrollment": [group | {"display": f"Eligibility for {protocol.id}"}],
        "note": [_risk_group(number, rung) for number, rung in enumerate(protocol.risk, start=1)],
    }


def eligibility_group(protocol: Protocol) -> Resource:
    return {
        "resourceType": "Group",
        "id": group_id(protocol),
        "identifier": [_group_identifier(protocol)],
        "active": True,
        "type": "person",
        "actual": False,  # a definition, not a list of children
        "name": f"Eligibility for {protocol.id}, text version {protocol.text_version}",
        "characteristic": [_characteristic(c) for c in protocol.criteria],
    }


def group_id(protocol: Protocol) -> str:
    return f"{protocol.id.lower()}-eligibility"


def _characteristic(c: Criterion) -> Resource:
    return {
        "id": c.id,
        "code": {"coding": [{"system": CRITERIA, "code": c.id, "display": c.name}], "text": " ".join(c.text)},
        **({"valueCodeableConcept": {"text": c.reading}} if c.reading else {"valueBoolean": True}),
        "exclude": c.kind == "exclusion",
    }


def _risk_group(number: int, rung: RiskRule) -> Resource:
    return {"id": f"risk-{number}", "text": f"Risk group {rung.group} ({number}): {' '.join(rung.text)}"}


def _registered(protocol: Protocol) -> Resource:
    return {"system": REGISTRY, "value": protocol.id}


def _group_identifier(protocol: Protocol) -> Resource:
    return {"system": CRITERIA, "value": group_id(protocol)}
