"""The service as an OpenAPI 3.1 document, `GET /openapi.json`: for tools that test it, call it, or show it.

Made from the list of services, so that a new hook is in it by being there.
"""

from __future__ import annotations

from typing import Any

from hooks.services import SERVICES, Service

Schema = dict[str, Any]
TEXT: Schema = {"type": "string", "minLength": 1}
URL: Schema = {"type": "string", "format": "uri"}
ID: Schema = {"type": "string", "pattern": r"^[A-Za-z0-9\-.]{1,64}$"}
UUID: Schema = {"type": "string", "pattern": "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"}
RESOURCE: Schema = {"type": "object", "required": ["resourceType"], "properties": {"resourceType": TEXT}}
REFERENCE: Schema = {"type": "string", "pattern": "^[A-Za-z]+/[A-Za-z0-9_.-]{1,64}$"}
CODING: Schema = {"type": "object", "required": ["code", "system"], "properties": {"code": TEXT, "system": TEXT, "display": TEXT}}


def openapi(software_version: str) -> dict[str, Any]:
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "relapse-cds",
            "version": software_version,
            "description": "CDS Hooks 2.0.1 service for trial NCT05827549. Every refusal is an OperationOutcome.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": {
            "/cds-services": {"get": _get("The services, with their prefetch templates", "application/json", _ref("Discovery"))},
            **{path: operation for service in SERVICES for path, operation in _paths_of(service).items()},
            **{
                f"/about/{trial}{form}": {"get": _get("What the rules are, what they read, and their limits", kind)}
                for trial in sorted({service.protocol.id.lower() for service in SERVICES})
                for form, kind in (("", "text/html"), (".json", "application/json"))
            },
            "/healthz": {"get": _get("The process answers", "application/json")},
            "/readyz": {"get": _get("Whether calls can be answered, and if not why", "application/json", 503)},
            "/metrics": {"get": _get("Figures for Prometheus", "text/plain")},
            "/openapi.json": {"get": _get("This document", "application/json")},
        },
        "components": {
            "securitySchemes": {"jwt": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
            "schemas": {
                "Discovery": _object({"services": {"type": "array", "items": _object({"hook": TEXT, "id": TEXT, "description": TEXT})}}),
                "Answer": _object({"cards": {"type": "array", "maxItems": 1, "items": _ref("Card")}}),
                "Card": _object({
                    "uuid": UUID, "summary": {**TEXT, "maxLength": 139}, "detail": TEXT, "indicator": {"enum": ["info", "warning"]},
                    "source": _object({"label": TEXT}),
                }),
                "Feedback": _object({"feedback": {"type": "array", "maxItems": 1000, "items": _object(
                    {"card": TEXT, "outcome": {"enum": ["accepted", "overridden"]}, "outcomeTimestamp": {"type": "string", "format": "date-time"}},
                    acceptedSuggestions={"type": "array", "items": _object({"id": TEXT})},
                    overrideReason=_object({}, reason=CODING, userComment={"type": "string"}),
                )}}),
                "OperationOutcome": _object({"resourceType": {"const": "OperationOutcome"}, "issue": {"type": "array", "minItems": 1}}),
            },
        },
    }  # fmt: skip


def _paths_of(service: Service) -> dict[str, Any]:
    path = f"/cds-services/{service.id}"
    return {
        path: {"post": _post(service.description, service.id, _call(service.hook), _ref("Answer"))},
        f"{path}/feedback": {"post": _post("What became of the cards", f"{service.id}-feedback", _ref("Feedback"), {"type": "object"})},
    }


def _call(hook: str) -> Schema:
    """The request of a hook, as far as this service looks at it; members it does not know are ignored."""
    own = {
        "encounter-start": {"encounterId": TEXT},
        "order-select": {"selections": {"type": "array", "items": {"type": "string"}}, "draftOrders": _bundle()},
        "order-sign": {"draftOrders": _bundle()},
    }
    authorization = _object({"access_token": TEXT, "token_type": {"const": "Bearer"}}, patient=ID, scope=TEXT, subject=TEXT,
                            expires_in={"type": "integer"})  # fmt: skip
    call = _object(
        {"hook": {"const": hook}, "hookInstance": UUID, "context": _object({"userId": REFERENCE, "patientId": ID, **own.get(hook, {})})},
        prefetch={"type": "object", "additionalProperties": {"anyOf": [{"type": "null"}, RESOURCE]}},
        fhirServer=URL, fhirAuthorization=authorization,
    )  # fmt: skip
    return {**call, "dependentRequired": {"fhirAuthorization": ["fhirServer"]}}


def _bundle() -> Schema:
    return _object({"resourceType": {"const": "Bundle"}}, entry={"type": "array", "items": {"type": "object", "properties": {"resource": RESOURCE}}})


def _object(required: dict[str, Schema], **optional: Schema) -> Schema:
    needed = {"required": list(required)} if required else {}
    return {"type": "object", **needed, "properties": {**required, **optional}}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _answer(words: str, kind: str, schema: Schema | None = None) -> dict[str, Any]:
    return {"description": words, "content": {kind: {"schema": schema or {}}}}


def _get(words: str, kind: str, *more: Any) -> dict[str, Any]:
    schema = next((extra for extra in more if isinstance(extra, dict)), None)
    answers = {"200": _answer(words, kind, schema)} | {str(status): _answer("Not ready", kind) for status in more if isinstance(status, int)}
    return {"summary": words, "responses": answers}


def _post(words: str, name: str, asked: Schema, answered: Schema) -> dict[str, Any]:
    refused = {
        "400": "Malformed, the wrong hook, or another patient's data", "401": "The caller could not be verified",
        "412": "The patient or the conditions cannot be had", "413": "Too large", "415": "Not JSON", "503": "The database is down",
    }  # fmt: skip
    return {
        "operationId": name,
        "summary": words,
        "security": [{"jwt": []}],
        "requestBody": {"required": True, "content": {"application/json": {"schema": asked}}},
        "responses": {"200": _answer("Answered", "application/json", answered)}
        | {status: _answer(told, "application/fhir+json", _ref("OperationOutcome")) for status, told in refused.items()},
    }
