"""For those who run the service: is it alive, is it ready and if not why, and the figures. Never about a patient."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from flask import Blueprint, Response, jsonify

from hooks import metrics
from hooks.config import Config
from hooks.fhir_load import FhirLoad
from hooks.jwks import KeysUnavailable
from hooks.state import State, StateError
from hooks.trust import Trust

Check = tuple[str, str]
"""What was looked at, and what is wrong with it; empty words when nothing is."""


def operations(config: Config, state: State, trust: Trust, load: FhirLoad) -> Blueprint:
    pages = Blueprint("operations", __name__)

    @pages.get("/healthz")
    def alive() -> Response:
        """The process answers. Whoever restarts it asks this; a database that is down is no reason to."""
        return jsonify(status="alive")

    @pages.get("/readyz")
    def ready() -> tuple[Response, int]:
        """Can calls be answered? 503 with what is wrong, for a load balancer and for a person. One client whose keys cannot be
        had is told, and is no reason to send the others away."""
        checks = [{"name": name, "ok": not wrong} | ({"wrong": wrong} if wrong else {}) for name, wrong in _checks(config, state, trust)]
        resting = sorted(server for server, being in load.states().items() if being != "closed")
        verifiable = [check["ok"] for check in checks if check["name"].startswith("keys of ")]
        ok = all(check["ok"] for check in checks if not check["name"].startswith("keys of ")) and (any(verifiable) or not verifiable)
        body = {"status": "ready" if ok else "not ready", "checks": checks} | ({"fhir_servers_resting": resting} if resting else {})
        return jsonify(body), 200 if ok else 503

    @pages.get("/metrics")
    def figures() -> Response:
        metrics.show_resting(load.states())
        text, kind = metrics.exposition()
        return Response(text, content_type=kind)

    return pages


def _checks(config: Config, state: State, trust: Trust) -> Iterator[Check]:
    yield "database", _wrong(state.check)
    if not config.dev and not config.clients:
        yield "clients", "no client is configured, so nobody may call"
    for client in () if config.dev else config.clients:
        yield f"keys of {client.name}", _wrong(trust.keys[client.issuer].refresh)


def _wrong(look: Callable[[], object]) -> str:
    try:
        look()
    except (StateError, KeysUnavailable) as why:
        return str(why)
    return ""
