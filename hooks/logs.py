"""Logs as JSON lines on standard error: events, counts and reason codes. Never patient data, never a token."""

from __future__ import annotations

import logging
import re
import sys
from typing import Any

import structlog

MOST = 100  # characters of anything that a stranger wrote


def configure_logs(quiet: bool = False) -> None:
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, structlog.processors.add_log_level, structlog.processors.TimeStamper(fmt="iso", utc=True),
                    structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL if quiet else logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )  # fmt: skip


def quoted(told: Any) -> str:
    """What a stranger wrote, fit for a log: printable ASCII, so that it neither ends a line nor turns one around, and not
    much of it. Several texts become one; empty for anything else."""
    texts = told if isinstance(told, list) else [told]
    text = " ".join(one for one in texts if isinstance(one, str))
    safe = re.sub(r"[^ -~]", "?", text[: MOST + 1])
    return safe if len(safe) <= MOST else safe[:MOST] + "..."


def quoted_address(url: str) -> str:
    """An address that a stranger wrote, without query and fragment, and without what may be a user's name and password."""
    bare = re.split(r"[?#]", url, maxsplit=1)[0]
    before, at, place = bare.rpartition("@")
    scheme = re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", before)
    return quoted(f"{scheme[0] if scheme else ''}***@{place}" if at else bare)
