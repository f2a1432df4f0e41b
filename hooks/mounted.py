"""A service below a path of its host, as `public_url` tells it: links of its pages lead there, whether or not the proxy in front
takes that path off."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]


def mounted(app: Wsgi, public_url: str | None) -> Wsgi:
    prefix = urlsplit(public_url or "").path.rstrip("/")

    def below(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path.startswith(f"{prefix}/"):
            environ["PATH_INFO"] = path[len(prefix) :]
        environ["SCRIPT_NAME"] = prefix
        return app(environ, start_response)

    return below if prefix else app
