"""The headers that every page of ours has: what it may load, and that its address stays with it."""

from __future__ import annotations

from flask import Response


def guarded(response: Response, policy: str) -> Response:
    response.headers["Content-Security-Policy"] = policy
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
