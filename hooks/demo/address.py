"""The demonstration's own address, the one that its authorization server and its apps know it by."""

from __future__ import annotations

from flask import request


def own_address() -> str:
    """Where this very server listens: from the socket, because a Host header can say anything."""
    name, port = request.environ["SERVER_NAME"], request.environ["SERVER_PORT"]
    host = f"[{name}]" if ":" in name else name
    return f"http://{host}" if port == "80" else f"http://{host}:{port}"
