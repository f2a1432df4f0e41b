"""Every refusal and every failure as an OperationOutcome: short, without a traceback, never stored by anyone."""

from __future__ import annotations

import structlog
from flask import Flask, Response, g, jsonify
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from hooks.problem import Problem, outcome
from hooks.state import StateError

log = structlog.get_logger()
HTTP_WORDS = {
    404: "there is nothing at this address; GET /cds-services lists the services",
    405: "this address does not answer this method",
    413: "the request body is too large",
}


def tell_problems(app: Flask) -> None:
    def told(status: int, words: str) -> tuple[Response, int]:
        response = jsonify(outcome(status, words))
        response.mimetype = "application/fhir+json"
        if status == 401:
            response.headers["WWW-Authenticate"] = "Bearer"
        return response, status

    @app.errorhandler(Problem)
    def problem(error: Problem) -> tuple[Response, int]:
        log.warning("refused", status=error.status, why=error.words, service=g.get("service"), client=g.get("client"))  # the words are ours
        return told(error.status, error.words)

    @app.errorhandler(HTTPException)
    def http_problem(error: HTTPException) -> tuple[Response, int]:
        response, status = told(error.code or 500, HTTP_WORDS.get(error.code or 500, error.name.lower()))
        if isinstance(error, MethodNotAllowed) and error.valid_methods:
            response.headers["Allow"] = ", ".join(sorted(error.valid_methods))
        return response, status

    @app.errorhandler(StateError)
    def without_database(error: StateError) -> tuple[Response, int]:
        """Without it a replayed token cannot be told from a new one: nobody is let in, and nothing is lost in silence."""
        log.error("database", why=str(error))
        return told(503, "the service cannot use its own database at the moment; try again shortly")

    @app.errorhandler(Exception)
    def failure(error: Exception) -> tuple[Response, int]:
        log.error("failed", kind=type(error).__name__, where=_where(error))  # the message could quote patient data
        return told(500, "the service failed; the child was not judged")

    @app.after_request
    def never_stored(response: Response) -> Response:
        response.headers.setdefault("Cache-Control", "no-store")
        return response


def _where(error: Exception) -> str:
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_globals.get('__name__')}:{trace.tb_lineno}" if trace else "unknown"
