"""A tiny FHIR server on the loopback interface that misbehaves in the ways `responses` cannot fake: on the wire."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Callable

Behaviour = Callable[["_Conversation"], None]


class HostileFhir:
    """`with HostileFhir(behaviour) as server:` answers every GET with the behaviour; `heard` keeps what it was sent."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.heard: list[tuple[str, dict[str, str]]] = []
        self.over = threading.Event()
        self._http = _Server(("127.0.0.1", 0), type("Conversation", (_Conversation,), {
            "behaviour": staticmethod(behaviour), "heard": self.heard, "over": self.over}))
        self.url = f"http://127.0.0.1:{self._http.server_port}/fhir"

    def __enter__(self) -> HostileFhir:
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self.over.set()
        self._http.shutdown()
        self._http.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients hang up on us; that is the point."""


class _Conversation(BaseHTTPRequestHandler):
    behaviour: Behaviour
    heard: list[tuple[str, dict[str, str]]]
    over: threading.Event

    def do_GET(self) -> None:
        self.heard.append((self.path, dict(self.headers)))
        self.close_connection = True
        self.behaviour(self)

    def start(self, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/fhir+json")
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Quiet."""


def hang(talk: _Conversation) -> None:
    talk.over.wait(30)


def drip_headers(talk: _Conversation) -> None:
    talk.wfile.write(b"HTTP/1.0 200 OK\r\nX-Endless: ")
    _drip(talk)


def drip_body(talk: _Conversation) -> None:
    talk.start()
    _drip(talk)


def endless_body(talk: _Conversation) -> None:
    talk.start()
    while not talk.over.is_set():
        talk.wfile.write(b" " * 65536)


def hang_up(talk: _Conversation) -> None:
    """Close without a word."""


def redirect_to(address: str) -> Behaviour:
    return lambda talk: talk.start(302, Location=address)


def answer(body: dict[str, Any]) -> Behaviour:
    def behaviour(talk: _Conversation) -> None:
        talk.start()
        talk.wfile.write(json.dumps(body).encode())
    return behaviour


def _drip(talk: _Conversation) -> None:
    while not talk.over.wait(0.02):  # far below any read timeout, and it would go on for ever
        talk.wfile.write(b" ")
