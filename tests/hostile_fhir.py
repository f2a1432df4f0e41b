"""A tiny FHIR server on the loopback interface that misbehaves in the ways `responses` cannot fake: on the wire."""

from __future__ import annotations

import gzip
import json
import os
import socket
import ssl
import struct
import threading
from collections.abc import Collection, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Callable
from urllib.parse import parse_qsl, urlsplit

from hooks.demo.fhir_search import Holdings

Behaviour = Callable[["_Conversation"], None]


class HostileFhir:
    """`with HostileFhir(behaviour) as server:` answers every request with the behaviour; `heard` keeps what it was sent."""

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

    def do_POST(self) -> None:
        self.body = self.rfile.read(int(self.headers["Content-Length"]))
        self.form = dict(parse_qsl(self.body.decode()))
        self.do_GET()

    def do_DELETE(self) -> None:
        self.do_GET()

    @property
    def origin(self) -> str:
        return f"http{'s' * isinstance(self.connection, ssl.SSLSocket)}://{self.headers['Host']}"

    @property
    def base(self) -> str:
        return f"{self.origin}/fhir"

    @property
    def asked_for(self) -> str:
        """The resource type in the path."""
        return urlsplit(self.path).path.removeprefix("/fhir/").partition("/")[0]

    def start(self, status: int = 200, content_type: str = "application/fhir+json", **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
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


def status(code: int, body: Any = None, **headers: str) -> Behaviour:
    def behaviour(talk: _Conversation) -> None:
        talk.start(code, **headers)
        talk.wfile.write(json.dumps(body or {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}).encode())
    return behaviour


def text(content: bytes, content_type: str = "application/fhir+json", **headers: str) -> Behaviour:
    def behaviour(talk: _Conversation) -> None:
        talk.start(200, content_type, **headers)
        talk.wfile.write(content)
    return behaviour


web_page = text(b"<!DOCTYPE html><html><body>Sign in</body></html>", "text/html")
xml = text(b'<Bundle xmlns="http://hl7.org/fhir"/>', "application/fhir+xml")
cut_short = text(b'{"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": {"resourceType": "Obs')
not_utf_8 = text(b'{"resourceType": "Bundle", "type": "searchset", "id": "\xff\xfe\x80"}')
withheld = answer({"resourceType": "Bundle", "type": "searchset", "total": 0, "entry": [{"search": {"mode": "outcome"}, "resource": {
    "resourceType": "OperationOutcome", "issue": [{"severity": "information", "code": "suppressed"}]}}]})


def zipped_bomb(talk: _Conversation) -> None:
    talk.start(Content_Encoding="gzip")
    talk.wfile.write(_BOMB)


_BOMB = gzip.compress(b'{"resourceType": "Bundle", "id": "' + b"a" * 100_000_000 + b'"}', 1)


def huge(taken: list[int]) -> Behaviour:
    """A correct, empty Bundle with a very long id, 100 MB; `taken` tells how much of it each conversation got rid of."""
    def behaviour(talk: _Conversation) -> None:
        sent = 0
        talk.start()
        try:
            talk.wfile.write(b'{"resourceType": "Bundle", "type": "searchset", "id": "')
            while sent < 100_000_000:
                sent += talk.wfile.write(b"a" * 65536)
            talk.wfile.write(b'"}')
        finally:
            taken.append(sent)
    return behaviour


def reset(talk: _Conversation) -> None:
    """Half an answer, then the connection is torn down, not closed."""
    talk.start(Content_Length="100000")
    talk.wfile.write(b'{"resourceType": "Bundle", "type": "searchset"')
    talk.wfile.flush()
    talk.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    os.close(talk.connection.detach())


def many_headers(talk: _Conversation) -> None:
    talk.wfile.write(b"HTTP/1.0 200 OK\r\n" + b"".join(b"X-%d: %s\r\n" % (n, b"a" * 1000) for n in range(5000)) + b"\r\n{}")


def keeping(resources: Sequence[dict[str, Any]], fault: Behaviour | None = None, sound: Collection[str] = ()) -> Behaviour:
    """A server that keeps these resources; with a fault, only the types that are `sound` are answered as they should be."""
    held = Holdings(resources)

    def behaviour(talk: _Conversation) -> None:
        if fault and talk.asked_for not in sound:
            fault(talk)
            return
        kind, _, id = urlsplit(talk.path).path.removeprefix("/fhir/").partition("/")
        found = held.read(kind, id, talk.base) if id else held.search(kind, parse_qsl(urlsplit(talk.path).query), talk.base)
        answer(found)(talk)
    return behaviour


def of_another_child(talk: _Conversation) -> None:
    """Whoever is asked for, and whatever: this child, a result of every kind."""
    whose = {"reference": "Patient/somebody-else"}
    found = {"resourceType": talk.asked_for, "id": "somebody-else", "subject": whose, "patient": whose, "individual": whose}
    page = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": found, "search": {"mode": "match"}}]}
    answer({"resourceType": "Patient", "id": "somebody-else"} if talk.asked_for == "Patient" else page)(talk)


def with_next(resources: Sequence[dict[str, Any]], following: Callable[[_Conversation, int], str]) -> Behaviour:
    """The true results on every page, and a next page after each: `following(talk, number)` is its address."""
    held = Holdings(resources)

    def behaviour(talk: _Conversation) -> None:
        asked = dict(parse_qsl(urlsplit(talk.path).query))
        page, number = held.search(talk.asked_for, [], talk.base), int(asked.get("page", 1)) + 1
        answer({**page, "link": [{"relation": "next", "url": following(talk, number)}]})(talk)
    return behaviour


def _drip(talk: _Conversation) -> None:
    while not talk.over.wait(0.02):  # far below any read timeout, and it would go on for ever
        talk.wfile.write(b" ")
