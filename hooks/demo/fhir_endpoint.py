"""A small FHIR R4 server inside the demonstration: it can be read and searched. One thing can be written, by an app that was
launched from a chart: answers to a questionnaire."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

from flask import Blueprint, Response, request
from werkzeug.exceptions import RequestEntityTooLarge

from hooks.demo.fhir_search import PATIENT, TOKENS, TYPES, Holdings, Refused, Resource, outcome
from hooks.demo.written import LARGEST, Written

WRITABLE = "QuestionnaireResponse"
FHIR_JSON = ("application/fhir+json", "application/json")


def fhir_endpoint(
    resources: Iterable[Resource] | Callable[[], Holdings], url_prefix: str = "/fhir", written: Written | None = None
) -> Blueprint:
    """Serve these resources below `url_prefix`. A function may be given instead, asked anew for every request.

    Without `written` nothing can be written at all.
    """
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
        return _reply(_capabilities(base(), writable=written is not None))

    if written:

        @endpoint.post(f"/{WRITABLE}")
        def create() -> Response:
            launch = written.launched(request.headers.get("Authorization", ""))
            if request.mimetype not in FHIR_JSON:
                raise Refused(415, "not-supported", "send the resource as application/fhir+json")
            reply = _reply(stored := written.create(_body(), launch, base()), 201)
            reply.headers["Location"] = f"{base()}/{WRITABLE}/{stored['id']}"
            return reply

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
        also = f", but for a {WRITABLE}, which an app may create" if written else ""
        raise Refused(405, "not-supported", f"this server can only be read{also}")

    @endpoint.errorhandler(Refused)
    def refused(error: Refused) -> Response:
        reply = _reply(outcome(error.code, error.words), error.status)
        if error.status == 401:
            reply.headers["WWW-Authenticate"] = "Bearer"
        return reply

    return endpoint


def _body() -> bytes:
    too_large = Refused(413, "too-long", f"the body is larger than {LARGEST} bytes")
    request.max_content_length = LARGEST + 1  # of a chunked body werkzeug reads as much as it may, and drops the rest without a word
    try:
        body = request.get_data()
    except RequestEntityTooLarge:
        raise too_large from None
    if len(body) > LARGEST:
        raise too_large
    return body


def _reply(resource: Resource, status: int = 200) -> Response:
    body = json.dumps(resource, ensure_ascii=False)
    return Response(body, status, content_type="application/fhir+json; charset=utf-8")


def _capabilities(base: str, writable: bool) -> Resource:
    references = [{"name": name, "type": "reference"} for name in PATIENT]
    tokens = [{"name": name, "type": "token"} for name in (*TOKENS, "_id")]
    interactions = [{"code": "read"}, {"code": "search-type"}]
    create = [{"code": "create"}] if writable else []
    told = f"Invented children; an app may add a {WRITABLE}, kept until the demonstration ends" if writable else "Invented children, read-only"
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": "2025-06-19",
        "kind": "instance",
        "software": {"name": "relapse-cds demonstration"},
        "implementation": {"description": told, "url": base},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "json"],
        "rest": [{
            "mode": "server",
            "resource": [
                {"type": kind, "interaction": interactions + (create if kind == WRITABLE else []),
                 "searchParam": tokens if kind == "Patient" else references + tokens}
                for kind in TYPES
            ],
        }],
    }  # fmt: skip
