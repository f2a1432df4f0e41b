"""What gunicorn says by itself, in the form of everything else here: refusals as an OperationOutcome, log lines as JSON.

It refuses what is not HTTP, or has too long a line or too large headers, before the application sees anything. Its own answer
is HTML and quotes the request, and so does its log.
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import structlog
from gunicorn.glogging import Logger
from gunicorn.http import errors
from gunicorn.util import write_nonblock
from gunicorn.workers.gthread import ThreadWorker

from hooks.problem import outcome

log = structlog.get_logger()
REFUSALS: tuple[tuple[type[Exception], int, str], ...] = (  # the first that fits
    (errors.LimitRequestLine, 414, "the address of the request is too long"),
    (errors.LimitRequestHeaders, 431, "the headers of the request are too large"),
    (errors.UnsupportedTransferCoding, 501, "send the request without a transfer coding other than chunked"),
    (errors.ExpectationFailed, 417, "send the request without an expectation other than 100-continue"),
    (errors.ParseException, 400, "the request is not valid HTTP"),
)
FAILED = 500, "the service failed; the child was not judged"


class Worker(ThreadWorker):  # type: ignore[misc]
    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:
        status, words = next(((status, words) for kind, status, words in REFUSALS if isinstance(exc, kind)), FAILED)
        (log.error if status == 500 else log.warning)("refused_by_the_server", status=status, kind=type(exc).__name__)  # the rest quotes
        body = json.dumps(outcome(status, words)).encode()
        head = (f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nConnection: close\r\nContent-Type: application/fhir+json\r\n"
                f"Cache-Control: no-store\r\nContent-Length: {len(body)}\r\n\r\n")  # fmt: skip
        try:
            write_nonblock(client, head.encode("ascii") + body)
        except OSError:
            pass  # whoever asked has gone


class Log(Logger):  # type: ignore[misc]
    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(_JsonLine())


class _JsonLine(logging.Formatter):
    """Without a traceback, which could quote a request."""

    def format(self, record: logging.LogRecord) -> str:
        told = {"event": "gunicorn", "words": record.getMessage(), "level": record.levelname.lower(), "timestamp": datetime.now(UTC).isoformat()}
        kind = record.exc_info[0] if record.exc_info else None
        return json.dumps(told | ({"kind": kind.__name__} if kind else {}))
