"""An EHR's FHIR server on the loopback with the chart of a demonstration child, which can be told to misbehave type by type.

`with ehr(Observation=refuse("code")) as server:` answers everything but one kind of search as it should.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from datetime import date
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from hooks.demo.children import CHILDREN, bundle
from hooks.demo.fhir_search import PATIENT, TOKENS, TYPES, Holdings, Refused, outcome
from hostile_fhir import HostileFhir

CHILD = "screening-complete"
Odd = Callable[[Any, list[tuple[str, str]]], bool]  # True when it has answered
TODAY = date(2025, 9, 1)


def chart(*more: dict[str, Any]) -> list[dict[str, Any]]:
    (child,) = (c for c in CHILDREN if c.id == CHILD)
    return [*deepcopy([e["resource"] for e in bundle(child, TODAY)["entry"]]), *more]


def send(talk: Any, status: int, body: Any) -> bool:
    talk.start(status)
    talk.wfile.write(json.dumps(body, default=float).encode())
    return True


def searchset(*resources: dict[str, Any]) -> dict[str, Any]:
    modes = {"OperationOutcome": "outcome"}
    return {"resourceType": "Bundle", "type": "searchset",
            "entry": [{"resource": r, "search": {"mode": modes.get(r["resourceType"], "match")}} for r in resources]}  # fmt: skip


def refuse(parameter: str, words: str = "this search is not supported") -> Odd:
    return lambda talk, asked: parameter in dict(asked) and send(talk, 400, outcome("not-supported", words))


def answering(status: int, body: Any) -> Odd:
    return lambda talk, asked: send(talk, status, body)


def html(talk: Any, asked: Any) -> bool:
    talk.send_response(200)
    talk.send_header("Content-Type", "text/html")
    talk.end_headers()
    talk.wfile.write(b"<html>log in</html>")
    return True


def hanging(talk: Any, asked: Any) -> bool:
    talk.over.wait(30)
    return True


def ehr(resources: list[dict[str, Any]] | None = None, everything: Odd | None = None, **odd: Odd) -> HostileFhir:
    resources = chart() if resources is None else resources
    holdings = Holdings(resources)

    def behaviour(talk: Any) -> None:
        parts = urlsplit(talk.path)
        kind, _, identity = parts.path.removeprefix("/fhir/").partition("/")
        asked = parse_qsl(parts.query)
        strange = odd.get(kind, everything if kind != "metadata" or "metadata" not in odd else None)
        if strange and strange(talk, asked):
            return
        try:
            if kind == "metadata":
                send(talk, 200, capabilities())
            elif identity:
                send(talk, 200, holdings.read(kind, identity, "http://ehr/fhir"))
            else:
                send(talk, 200, searchset(*(e["resource"] for e in holdings.search(kind, [*asked, ("_count", "500")], "http://ehr/fhir").get("entry", ()))))
        except Refused as refused:
            send(talk, refused.status, outcome(refused.code, refused.words))

    return HostileFhir(behaviour)


def capabilities() -> dict[str, Any]:
    parameters = [{"name": name, "type": "token"} for name in (*PATIENT, *TOKENS)]
    resources = [{"type": kind, "searchParam": parameters} for kind in TYPES]
    return {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1", "software": {"name": "Bench", "version": "7"},
            "rest": [{"mode": "server", "resource": resources}]}  # fmt: skip
