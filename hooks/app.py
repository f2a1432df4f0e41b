"""The CDS Hooks service: discovery, the service call, and the errors. Routes only; the work is in the other files.

An exception is a 500, never an empty card list: no card means "this child does not have this disease", nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import structlog
from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from cds import assess
from cds.protocol import Protocol
from cds.trials import NCT05827549
from fhir_mappings import codelists, read_patient
from fhir_mappings.site_codes import read_site_codes
from hooks.cards import cards
from hooks.cds_client import CdsClient
from hooks.config import Config
from hooks.gather import gather
from hooks.prefetch import templates
from hooks.problem import Problem, outcome
from hooks.request import HookRequest, parse

log = structlog.get_logger()
CDS_HOOKS_VERSION = "2.0.1"
CLINICIANS = ("Practitioner/", "PractitionerRole/")


@dataclass(frozen=True, slots=True)
class Service:
    """One entry of the discovery document. Services are told apart by id, so two may share a hook."""

    id: str
    hook: str
    title: str
    description: str
    protocol: Protocol


SERVICES = (
    Service(
        "nct05827549-patient-view",
        "patient-view",
        "Relapsed childhood ALL: trial NCT05827549",
        "For a child with a first relapse of acute lymphoblastic leukaemia: what the chart says of each criterion of the "
        "trial, what is missing, and which risk group its rules give. Silent for every other child.",
        NCT05827549,
    ),
)
USAGE = (
    "Needs the patient and the conditions; without the other keys the criteria that depend on them stay unknown. Any key "
    "may be left out if a FHIR server and a token are sent. For clinicians only."
)


def create_app(config: Config | None = None) -> Flask:
    config = config or Config()
    if config.site_codes:
        codelists.use(read_site_codes(config.site_codes))
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = config.max_body_bytes
    app.json.sort_keys = False
    app.url_map.strict_slashes = False
    by_id = {service.id: service for service in SERVICES}

    @app.get("/cds-services")
    def discovery() -> Response:
        return jsonify(services=[_described(service) for service in SERVICES])

    @app.post("/cds-services/<service_id>")
    def call(service_id: str) -> Response:
        service = by_id.get(service_id)
        if service is None:
            raise Problem(404, "there is no service of this id; GET /cds-services lists those there are")
        if request.mimetype != "application/json":
            raise Problem(415, "send the request as application/json")
        return jsonify(cards=answer(service, parse(request.get_data(), service.hook), config.developer, config))

    _tell_problems(app)
    return app


def answer(service: Service, call: HookRequest, client: CdsClient, config: Config) -> list[dict[str, Any]]:
    """The cards of one hook call."""
    if not call.user_id.startswith(CLINICIANS):
        return []  # screening for a trial is a clinician's conversation, not a portal's
    record = gather(call, client, config)
    if record is None:
        log.info("answered", service=service.id, cards=0, overall="not_applicable")
        return []
    assessment = assess(service.protocol, read_patient(record, config.today()))
    written = cards(assessment, client, config)
    log.info("answered", service=service.id, cards=len(written), overall=assessment.overall, issues=len(assessment.issues),
             not_looked_up=len(assessment.not_looked_up))  # fmt: skip
    return written


def _described(service: Service) -> dict[str, Any]:
    return {
        "hook": service.hook,
        "id": service.id,
        "title": service.title,
        "description": service.description,
        "version": CDS_HOOKS_VERSION,
        "usageRequirements": USAGE,
        "prefetch": templates(),
    }


def _tell_problems(app: Flask) -> None:
    def told(status: int, words: str) -> tuple[Response, int]:
        response = jsonify(outcome(status, words))
        response.mimetype = "application/fhir+json"
        return response, status

    @app.errorhandler(Problem)
    def problem(error: Problem) -> tuple[Response, int]:
        log.warning("refused", status=error.status)
        return told(error.status, error.words)

    @app.errorhandler(HTTPException)
    def http_problem(error: HTTPException) -> tuple[Response, int]:
        response, status = told(error.code or 500, HTTP_WORDS.get(error.code or 500, error.name.lower()))
        if isinstance(error, MethodNotAllowed) and error.valid_methods:
            response.headers["Allow"] = ", ".join(sorted(error.valid_methods))
        return response, status

    @app.errorhandler(Exception)
    def failure(error: Exception) -> tuple[Response, int]:
        log.error("failed", kind=type(error).__name__, where=_where(error))  # the message could quote patient data
        return told(500, "the service failed; the child was not judged")

    @app.after_request
    def never_stored(response: Response) -> Response:
        response.headers["Cache-Control"] = "no-store"
        return response


HTTP_WORDS = {
    404: "there is nothing at this address; GET /cds-services lists the services",
    405: "this address does not answer this method",
    413: "the request body is too large",
}


def _where(error: Exception) -> str:
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_globals.get('__name__')}:{trace.tb_lineno}" if trace else "unknown"
