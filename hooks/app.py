"""The CDS Hooks service as a Flask application: discovery, the service calls and feedback. Routes only.

An exception is a 500, never an empty card list: no card means "this child does not have this disease", nothing else.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime

import structlog
from flask import Flask, Response, g, jsonify, request
from werkzeug.exceptions import RequestEntityTooLarge

from fhir_mappings import codelists
from fhir_mappings.site_codes import read_site_codes
from hooks import metrics
from hooks.about_pages import about_pages
from hooks.answers import Answered, Asked, inputs_hash, told
from hooks.cds_client import CdsClient
from hooks.checklist.pages import checklist_pages
from hooks.config import Config
from hooks.cross_origin import allow_browsers
from hooks.feedback import read_feedback
from hooks.fhir_load import FhirLoad
from hooks.mounted import mounted
from hooks.openapi import openapi
from hooks.operations import operations
from hooks.problem import Problem
from hooks.problem_answers import tell_problems
from hooks.request import parse, read_json
from hooks.request_log import log_requests
from hooks.server import WORKER_START
from hooks.services import PROTOCOLS, SERVICES, Service
from hooks.state import CardLogged, State, StateError
from hooks.trust import Trust
from hooks.version import SOFTWARE_VERSION

log = structlog.get_logger()
BY_ID = {service.id: service for service in SERVICES}


def create_app(config: Config | None = None) -> Flask:
    """The service under these settings. With none, nobody may call it."""
    config = config or Config()
    if config.site_codes:
        codelists.use(read_site_codes(config.site_codes))
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = config.max_body_bytes
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.url_map.strict_slashes = app.url_map.merge_slashes = False  # no redirects: a client may lose its body on the way
    state, load = State(config.database), FhirLoad(config.requests_per_fhir_server)
    trust = Trust(config, state.first_use)

    app.extensions[WORKER_START] = (lambda: None) if config.dev else trust.fetch_keys_ahead

    def caller() -> CdsClient:
        """Who calls; settled before anything else of the request is read."""
        client = config.developer if config.dev else trust.caller(request.headers.get("Authorization"), request.path)
        g.client = client.name
        return client

    @app.get("/cds-services")
    def discovery() -> Response:
        return jsonify(services=[service.described() for service in SERVICES])

    @app.post("/cds-services/<service_id>")
    def call(service_id: str) -> Response:
        began = time.perf_counter()
        service = _service(service_id)
        with metrics.timed("trust"):
            client = caller()
        with metrics.timed("parse"):
            asked = Asked(service.protocol, parse(_json_body(), service.hook), client, config, load)
        answered = service.answer(asked)
        _note(service, client, answered, state, config, time.perf_counter() - began)
        return jsonify(cards=answered.cards)

    @app.post("/cds-services/<service_id>/feedback")
    def feedback(service_id: str) -> Response:
        service, client = _service(service_id), caller()
        outcomes = read_feedback(read_json(_json_body()))
        state.keep_feedback(client.name, service.id, outcomes)
        log.info("feedback", service=service.id, client=client.name, entries=len(outcomes))
        for reported in outcomes:
            metrics.FEEDBACK.labels(service.id, client.name, reported.outcome).inc()
        return jsonify({})

    @app.get("/openapi.json")
    def document() -> Response:
        return jsonify(openapi(SOFTWARE_VERSION))

    app.register_blueprint(about_pages(config.contact, PROTOCOLS))
    app.register_blueprint(checklist_pages(config, state, load, PROTOCOLS))
    app.register_blueprint(operations(config, state, trust, load))
    tell_problems(app)
    log_requests(app)
    allow_browsers(app, config.cors_origins)
    app.wsgi_app = mounted(app.wsgi_app, config.public_url)  # type: ignore[method-assign]
    return app


def _service(service_id: str) -> Service:
    service = BY_ID.get(service_id)
    if service is None:
        raise Problem(404, "there is no service of this id; GET /cds-services lists those there are")
    g.service = service.id
    return service


def _json_body() -> bytes:
    if request.mimetype != "application/json":
        raise Problem(415, "send the request as application/json")
    if request.content_encoding not in (None, "", "identity"):
        raise Problem(415, "send the request without Content-Encoding")
    limit = request.max_content_length
    if limit is None or request.content_length is not None:
        return request.get_data()
    request.max_content_length = limit + 1  # of a chunked body werkzeug reads as much as it may, and drops the rest without a word
    body = request.get_data()
    if len(body) > limit:
        raise RequestEntityTooLarge
    return body


def _note(service: Service, client: CdsClient, answered: Answered, state: State, config: Config, seconds: float) -> None:
    """What is kept of an answer: figures, a log line, and for each card one row without patient data."""
    log.info("answered", service=service.id, client=client.name, milliseconds=round(seconds * 1000), **told(answered))
    found = answered.assessment
    if found is None:
        return
    metrics.count_assessment(service.id, client.name, found)
    now = datetime.now(UTC)
    for card in answered.cards:
        metrics.CARDS.labels(service.id, client.name, answered.kind).inc()
        row = CardLogged(
            card=card["uuid"], at=now, client=client.name, service=service.id, kind=answered.kind, protocol=found.protocol,
            text_version=found.text_version, software_version=SOFTWARE_VERSION, inputs_hash=inputs_hash(answered),
            overall=found.overall, milliseconds=round(seconds * 1000),
        )  # fmt: skip
        try:
            state.keep_card(row)
        except StateError as why:
            log.error("card_not_logged", why=str(why))  # the clinician's card matters more than our list of cards
    state.forget_now_and_then(now, config.keep_days)
