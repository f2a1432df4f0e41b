"""Logs as JSON lines on standard error: events, counts and reason codes. Never patient data, never a token."""

from __future__ import annotations

import logging
import sys

import structlog


def configure_logs(quiet: bool = False) -> None:
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, structlog.processors.add_log_level, structlog.processors.TimeStamper(fmt="iso", utc=True),
                    structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL if quiet else logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )  # fmt: skip
