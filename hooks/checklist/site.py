"""What a browser is told beside a page: our addresses as it reaches them, the cookies, and who may show the page in a frame."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Response, request
from werkzeug.wrappers import Response as Redirect

from hooks.config import Config
from hooks.page_headers import guarded

POLICY = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'"  # the pages need no more
NOBODY = "'none'"


class Site:
    def __init__(self, config: Config) -> None:
        self._public_url = config.public_url
        self._embedded_by = sorted({page for app in config.smart_apps for page in app.embedded_by})

    def address(self, path: str) -> str:
        """In production as configured, since a Host header can say anything."""
        return (self._public_url or request.host_url).rstrip("/") + path

    def with_cookie(self, response: Redirect, name: str, value: str, path: str, seconds: int | None = None) -> Redirect:
        """Sent back below this path only, never to a script. Without `seconds` it is gone when the browser is closed."""
        secure = urlsplit(self.address("")).scheme == "https"
        framed = bool(self._embedded_by) and secure  # the EHR's page around ours makes ours a third party
        response.set_cookie(name, value, max_age=seconds, path=self._path(path), httponly=True, secure=secure,
                            samesite="None" if framed else "Lax", partitioned=framed)  # fmt: skip
        return response

    def without_cookie(self, response: Redirect, name: str, path: str) -> Redirect:
        return self.with_cookie(response, name, "", path, seconds=0)

    def guard(self, response: Response) -> Response:
        return guarded(response, f"{POLICY}; frame-ancestors {' '.join(self._embedded_by) or NOBODY}")

    def _path(self, path: str) -> str:
        return urlsplit(self.address(path)).path
