"""CORS, for clients that call from a web page, as the CDS Hooks Sandbox does: only for the origins a site lists."""

from __future__ import annotations

from collections.abc import Iterable

from flask import Flask, Response, request

ALLOWED = {
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Allow-Headers": "Authorization, Content-Type",
    "Access-Control-Max-Age": "600",
}


def allow_browsers(app: Flask, origins: Iterable[str]) -> None:
    listed = {origin.rstrip("/") for origin in origins}
    if not listed:
        return

    @app.after_request
    def allow(response: Response) -> Response:
        """The preflight itself is answered by Flask, before any token is asked for: browsers send none with it."""
        origin = request.headers.get("Origin", "")
        if origin in listed and request.path.startswith("/cds-services"):
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers.add("Vary", "Origin")
            for name, value in ALLOWED.items():
                response.headers[name] = value
        return response
