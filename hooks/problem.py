"""What we answer when we cannot judge: an HTTP status and an OperationOutcome, never a traceback, never an empty card list."""

from __future__ import annotations

from typing import Any

ISSUE_CODES = {400: "invalid", 401: "login", 404: "not-found", 405: "not-supported", 412: "incomplete", 413: "too-long", 414: "too-long", 415: "not-supported", 431: "too-long", 501: "not-supported", 503: "transient"}


class Problem(Exception):
    """A refusal. `words` tell the caller what to change and quote no patient data."""

    def __init__(self, status: int, words: str):
        super().__init__(words)
        self.status, self.words = status, words


def outcome(status: int, words: str) -> dict[str, Any]:
    code = ISSUE_CODES.get(status, "exception")
    return {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": code, "diagnostics": words}]}
