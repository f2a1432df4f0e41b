"""What calls and answers must look like: CDS Hooks 2.0.1 as JSON Schema, and the rules a schema cannot say.

`check_discovery`, `check_response` and `check_assessment` look at what the service says, `check_request` and
`check_feedback` at what the tests send as good: they fail with what is wrong and where. They stand alone: nothing of the
code under test is imported, so that a mistake there cannot hide here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

ASSESSMENT = "org.relapse-cds.assessment"
UUID = {"type": "string", "pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"}
WORDS = {"type": "string", "minLength": 1}
HTTPS = {"type": "string", "pattern": r"^(https://[^\s/]+\.[^\s]+|http://127\.0\.0\.1:\d+/[^\s]*)$"}  # the demo is on this machine
EXTENSION = {"type": "object", "minProperties": 1, "propertyNames": {"pattern": r"^[a-z]+(\.[a-zA-Z0-9-]+)+$"}}
CRITERIA = [f"INC-{n:02d}" for n in range(1, 13)] + [f"EXC-{n:02d}" for n in range(1, 14)]
MODIFIABLE = {"INC-06", "INC-07", "INC-08", "INC-09", "EXC-10"}
REASONS = ("conflict", "unit", "wrong_instrument", "imprecise", "pending", "stale", "out_of_table", "source_ambiguous",
           "not_looked_up", "missing", "judgement")  # fmt: skip


def _object(required: str, **properties: Any) -> dict[str, Any]:
    """An object of these members and no others; `required` names those that must be there."""
    return {"type": "object", "additionalProperties": False, "required": required.split(), "properties": properties}


def _some(items: Any) -> dict[str, Any]:
    return {"type": "array", "minItems": 1, "items": items}


CODING = _object("code system display", code=WORDS, system=WORDS, display=WORDS)
ACTION = {
    **_object("type description", type={"enum": ["create", "update", "delete"]}, description=WORDS,
              resource={"type": "object", "required": ["resourceType"]}, resourceId=WORDS, extension=EXTENSION),
    "if": {"properties": {"type": {"const": "delete"}}},
    "then": {"required": ["resourceId"], "not": {"required": ["resource"]}},
    "else": {"required": ["resource"]},
}  # fmt: skip
SUGGESTION = _object("label", label=WORDS, uuid=UUID, isRecommended={"type": "boolean"}, actions=_some(ACTION), extension=EXTENSION)
LINK = {
    **_object("label url type", label=WORDS, url=HTTPS, type={"enum": ["absolute", "smart"]}, appContext=WORDS,
              autolaunchable={"type": "boolean"}, extension=EXTENSION),
    "if": {"required": ["appContext"]},
    "then": {"properties": {"type": {"const": "smart"}}},
}  # fmt: skip
CARD = {
    **_object(
        "uuid summary detail indicator source overrideReasons links",  # more than the standard asks for: ours always have them
        uuid=UUID,
        summary={**WORDS, "maxLength": 139},
        detail=WORDS,
        indicator={"enum": ["info", "warning"]},  # never critical
        source=_object("label topic", label=WORDS, url={"type": "string", "pattern": "^https?://"}, icon=HTTPS, topic=CODING),
        suggestions=_some(SUGGESTION),
        selectionBehavior={"enum": ["at-most-one", "any"]},
        overrideReasons=_some(CODING),
        links=_some(LINK),
        extension=EXTENSION,
    ),
    "dependentRequired": {"suggestions": ["selectionBehavior"]},
}
RESPONSE = _object("cards", cards={"type": "array", "maxItems": 1, "items": CARD})
SERVICE = _object(
    "hook title description id prefetch usageRequirements version",
    hook=WORDS, title=WORDS, description=WORDS, id={"type": "string", "pattern": "^[a-z0-9-]+$"}, usageRequirements=WORDS,
    version={"type": "string", "pattern": r"^\d+\.\d+\.\d+"}, hookVersion={"type": "string", "pattern": r"^\d+\.\d+"},
    prefetch={"type": "object", "minProperties": 1, "additionalProperties": {"type": "string", "pattern": "^[A-Z][A-Za-z]+[/?]"}},
    extension=EXTENSION,
)  # fmt: skip
ID = {"type": "string", "pattern": r"^[A-Za-z0-9\-.]{1,64}$"}
REFERENCE = {"type": "string", "pattern": r"^[A-Za-z]+/[\w\-.]+$"}
RESOURCE = {"type": "object", "required": ["resourceType"], "properties": {"resourceType": {"type": "string", "pattern": "^[A-Z][A-Za-z]+$"}}}
DRAFTS = {
    "type": "object",
    "required": ["resourceType"],
    "properties": {"resourceType": {"const": "Bundle"}, "entry": {"type": "array", "items": {"type": "object"}}},
}
CONTEXTS = {  # what each hook's context must have; more may be there
    "patient-view": {},
    "encounter-start": {"encounterId": ID},
    "order-select": {"selections": {"type": "array", "items": REFERENCE}, "draftOrders": DRAFTS},
    "order-sign": {"draftOrders": DRAFTS},
}
AUTHORIZATION = {
    "type": "object",
    "required": ["access_token", "token_type", "expires_in", "scope", "subject"],
    "properties": {"access_token": WORDS, "token_type": {"const": "Bearer"}, "expires_in": {"type": "integer"}, "scope": {"type": "string"},
                   "subject": WORDS, "patient": ID},
}  # fmt: skip
REQUEST = {
    "type": "object",
    "required": ["hook", "hookInstance", "context"],
    "properties": {
        "hook": {"enum": list(CONTEXTS)},
        "hookInstance": {"type": "string", "pattern": "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"},
        "fhirServer": {"type": "string", "pattern": "^https?://"},
        "fhirAuthorization": AUTHORIZATION,
        "context": {"type": "object"},
        "prefetch": {"type": "object", "additionalProperties": {"anyOf": [{"type": "null"}, RESOURCE]}},
        "extension": {"type": "object"},
    },
    "dependentRequired": {"fhirAuthorization": ["fhirServer"]},
}
REASON = {"type": "object", "required": ["code", "system"], "properties": {"code": WORDS, "system": WORDS, "display": WORDS}}
OVERRIDE = {
    "type": "object",
    "properties": {"reason": REASON, "userComment": WORDS},
    "anyOf": [{"required": ["reason"]}, {"required": ["userComment"]}],
}
OUTCOME = {
    "type": "object",
    "required": ["card", "outcome", "outcomeTimestamp"],
    "properties": {
        "card": UUID,
        "outcome": {"enum": ["accepted", "overridden"]},
        "outcomeTimestamp": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$"},
        "acceptedSuggestions": _some({"type": "object", "required": ["id"], "properties": {"id": UUID}}),
        "overrideReason": OVERRIDE,
    },
    "if": {"properties": {"outcome": {"const": "accepted"}}},
    "then": {"required": ["acceptedSuggestions"]},
}
FEEDBACK = _object("feedback", feedback={"type": "array", "items": OUTCOME})
DISCOVERY = _object("services", services={"type": "array", "items": SERVICE})
ASSESSMENT_SCHEMA = json.loads(Path(__file__).with_name("assessment_schema.json").read_text(encoding="utf-8"))


def check_discovery(body: Any) -> None:
    _conforms(body, DISCOVERY)
    assert not list(_empties(body)), list(_empties(body))
    ids = [service["id"] for service in body["services"]]
    assert len(ids) == len(set(ids)), "a client that keys services by id would lose one"
    for service in body["services"]:
        for template in service["prefetch"].values():
            assert set(re.findall(r"{{(.*?)}}", template)) == {"context.patientId"}, f"not a simple token: {template}"
            names = re.findall(r"[?&]([^=]+)=", template)
            assert len(names) == len(set(names)), f"some clients join a repeated parameter: {template}"
            assert len(template) < 2_000, f"too long for a URL: {template[:60]}…"


def check_request(body: Any) -> None:
    """A call as an EHR owes it to us, prefetch values of section 2.6 included that are by the book."""
    _conforms(body, REQUEST)
    context = {"userId": REFERENCE, "patientId": ID, **CONTEXTS[body["hook"]]}
    _conforms(body["context"], {"type": "object", "required": list(context), "properties": context})
    kind = body["context"]["userId"].partition("/")[0]
    portal = ("Patient", "RelatedPerson") if body["hook"] == "patient-view" else ()
    assert kind in ("Practitioner", "PractitionerRole", *portal), kind
    patient = body.get("fhirAuthorization", {}).get("patient")
    assert patient in (None, body["context"]["patientId"]), "the token is of another patient"


def check_feedback(body: Any) -> None:
    _conforms(body, FEEDBACK)
    assert not list(_empties(body, frozenset({"feedback"}))), list(_empties(body, frozenset({"feedback"})))


def check_response(body: Any) -> None:
    """A 200 answer; with the assessment too, where the card carries it."""
    _conforms(body, RESPONSE)
    for card in body["cards"]:
        assert not list(_empties({**card, "extension": {}}, {"extension"})), list(_empties({**card, "extension": {}}))
        if card.get("selectionBehavior") == "at-most-one":
            assert sum(bool(s.get("isRecommended")) for s in card["suggestions"]) <= 1
        extension = card.get("extension", {})
        if ASSESSMENT in extension:
            check_assessment(extension[ASSESSMENT])
            patient = extension[ASSESSMENT]["patient"].removeprefix("Patient/")
            shown = json.dumps({key: value for key, value in card.items() if key in ("links", "source", "overrideReasons")})
            assert patient not in shown, "an address on a card names the patient"


def check_assessment(body: Any) -> None:
    """The shape, and what its members must say of each other."""
    _conforms(body, ASSESSMENT_SCHEMA)
    assert body["evaluated_as_of"] <= body["as_of"]
    criteria = {criterion["id"]: criterion for criterion in body["criteria"]}
    assert list(criteria) == (CRITERIA if body["criteria"] else [])
    for id, criterion in criteria.items():
        assert criterion["kind"] == {"INC": "inclusion", "EXC": "exclusion"}[id[:3]]
        reasons = {gap["reason"] for gap in criterion["gaps"]}
        assert criterion["reason"] == next((why for why in REASONS if why in reasons), None), (id, criterion)
    blocking = [id for id, c in criteria.items() if c["truth"] == {"INC": "not_met", "EXC": "met"}[id[:3]]]
    assert body["blocking"] == blocking
    assert body["modifiable"] is (bool(blocking) and set(blocking) <= MODIFIABLE)
    open_reasons = {c["reason"] for c in criteria.values() if c["truth"] == "unknown"}
    expected = "not_eligible" if blocking else "insufficient_data" if open_reasons - {"judgement"} else "eligible_pending_clinician_review"
    assert body["overall"] == (expected if criteria else "not_applicable")
    assert (body["risk"]["status"] == "suppressed") is (not criteria or bool(blocking)), body["risk"]


def _conforms(body: Any, schema: Mapping[str, Any]) -> None:
    wrong = [f"{error.json_path}: {error.message[:300]}" for error in Draft202012Validator(schema).iter_errors(body)]
    assert not wrong, "\n".join(wrong)


def _empties(value: Any, exempt: set[str] = frozenset({"services"}), where: str = "$") -> Iterator[str]:
    """Every null, "", [] and {}: an optional member without a value is left out instead."""
    if value is None or value == "" or value == [] or value == {}:
        yield where
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in members:
        if key not in exempt:
            yield from _empties(member, exempt, f"{where}.{key}")
