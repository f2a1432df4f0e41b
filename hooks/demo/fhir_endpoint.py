"""A small FHIR R4 server inside the demonstration: it can be read and searched, and never written to."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

from flask import Blueprint, Response, request

from hooks.demo.fhir_search import PATIENT, TOKENS, TYPES, Holdings, Refused, Resource, outcome


def fhir_endpoint(resources: Iterable[Resource] | Callable[[], Holdings], url_prefix: str = "/fhir") -> Blueprint:
    """Serve these resources below `url_prefix`. A function may be given instead, asked anew for every request."""
    if callable(resources):
        held = resources
    else:
        fixed = Holdings(resources)
        held = lambda: fixed  # noqa: E731

    endpoint = Blueprint("fhir", __name__, url_prefix=url_prefix)

    def base() -> str:
        return request.host_url.rstrip("/") + url_prefix

    @endpoint.get("/metadata")
    def metadata() -> Response:
        return _reply(_capabilities(base()))

    @endpoint.get("/<kind>")
    def search(kind: str) -> Response:
        return _reply(held().search(kind, list(request.args.items(multi=True)), base()))

    @endpoint.get("/<kind>/<id>")
    def read(kind: str, id: str) -> Response:
        return _reply(held().read(kind, id, base()))

    @endpoint.route("/", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    @endpoint.route("/<path:rest>", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    def anything_else(rest: str = "") -> Response:
        if request.method == "GET":
            raise Refused(404, "not-found", f"there is nothing at '{rest}'")
        raise Refused(405, "not-supported", "this server can only be read")

    @endpoint.errorhandler(Refused)
    def refused(error: Refused) -> Response:
        return _reply(outcome(error.code, error.words), error.status)

    return endpoint


def _reply(resource: Resource, status: int = 200) -> Response:
    body = json.dumps(resource, ensure_ascii=False)
    return Response(body, status, content_type="application/fhir+json; charset=utf-8")


def _capabilities(base: str) -> Resource:
    references = [{"name": name, "type": "reference"} for name in PATIENT]
    tokens = [{"name": name, "type": "token"} for name in (*TOKENS, "_id")]
    interactions = [{"code": "read"}, {"code": "search-type"}]
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": "2025-06-19",
        "kind": "instance",
        "software": {"name": "relapse-cds demonstration"},
        "implementation": {"description": "Invented children, read-only", "url": base},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "json"],
        "rest": [{
            "mode": "server",
            "resource": [
                {"type": kind, "interaction": interactions,
                 "searchParam": tokens if kind == "Patient" else references + tokens}
                for kind in TYPES
            ],
        }],
    }  # fmt: skip
