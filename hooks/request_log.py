"""A request id for each call, in every log line about it and in the answer's header, and the figures of the call."""

from __future__ import annotations

import re
import time
from uuid import uuid4

import structlog
from flask import Flask, Response, g, request

from hooks import metrics

HEADER = "X-Request-Id"
_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")  # a caller's own id is kept if it can be nothing but an id


def log_requests(app: Flask) -> None:
    @app.before_request
    def begin() -> None:
        sent = request.headers.get(HEADER, "")
        g.request_id = sent if _ID.fullmatch(sent) else str(uuid4())
        g.began = time.perf_counter()
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=g.request_id)

    @app.after_request
    def end(response: Response) -> Response:
        response.headers[HEADER] = g.request_id
        service = g.get("service")
        if service:
            metrics.CALLS.labels(service, g.get("client", "unknown"), str(response.status_code)).inc()
            metrics.CALL_SECONDS.labels(service).observe(time.perf_counter() - g.began)
        return response

    @app.teardown_request
    def over(_: BaseException | None) -> None:
        structlog.contextvars.clear_contextvars()
