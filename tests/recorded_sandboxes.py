"""Recorded answers of the vendors' public sandboxes, and a small FHIR server that gives them again.

The recordings are other people's (CC BY 4.0) and stay outside the project: SANDBOX_RECORDINGS names their folder, which
has one folder per vendor, each file one request with its status and its body.
"""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Iterator, NamedTuple
from urllib.parse import parse_qsl, urlsplit


class Recording(NamedTuple):
    vendor: str  # the folder: "epic", "cerner"
    name: str  # the file, without its ending
    request: str  # the URL that was asked for, with GET
    status: int
    body: Any  # parsed JSON with fractions as Decimal; text where the vendor did not answer JSON


def read_recordings(folder: Path) -> tuple[Recording, ...]:
    return tuple(
        Recording(vendor, file.stem, request, status, text if is_html(text) else json.loads(text, parse_float=Decimal))
        for vendor in vendors(folder)
        for file, request, status, text in _exchanges(folder / vendor)
    )


def vendors(folder: Path) -> tuple[str, ...]:
    found = tuple(sorted(path.name for path in folder.iterdir() if path.is_dir())) if folder.is_dir() else ()
    if not found:
        raise FileNotFoundError(f"SANDBOX_RECORDINGS: no vendor's folder in {folder}. Name the folder that holds them.")
    return found


def _exchanges(folder: Path) -> Iterator[tuple[Path, str, int, str]]:
    """File, URL, status and the body's own text: parsed and written anew, 1.10 would come out as 1.1."""
    base = ""
    capabilities = None
    for file in sorted(folder.glob("*.json")):
        text = file.read_text(encoding="utf-8")
        content = json.loads(text)
        if "_request" in content:
            request = content["_request"]
            base = fhir_base(request["url"])
            html = (content["body"] or {}).get("_non_json_body")
            yield file, request["url"], request["status"], html or _as_printed(text, "body")
        elif content.get("resourceType") == "CapabilityStatement":
            capabilities = file, text
        # Anything else is a note about a session with the sandbox, not an answer.
    if capabilities:
        file, text = capabilities
        yield file, f"{base}/metadata", 200, text  # kept bare, without its request


def _as_printed(text: str, member: str) -> str:
    """The value of a top-level member, character by character (the files are indented by two)."""
    start = re.search(rf'^  "{member}": ', text, re.MULTILINE).end()
    _, end = json.JSONDecoder().raw_decode(text, start)
    return text[start:end]


def fhir_base(url: str) -> str:
    """Everything before the resource type, the first part of the path that is written Like or LikeThis."""
    return re.match(r"https://[^?]*?(?=/(?:[A-Z][a-z]+|metadata))", url)[0]


def is_html(text: str) -> bool:
    return text.lstrip().startswith("<")


def _asked(url: str) -> tuple[str, list[tuple[str, str]]]:
    """A URL without host, escapes and order of parameters, which clients may choose differently."""
    parts = urlsplit(url)
    return parts.path, sorted(parse_qsl(parts.query, keep_blank_values=True))


@contextmanager
def replaying(folder: Path, vendor: str) -> Iterator[str]:
    """A server on the loopback with one vendor's answers; gives its FHIR base, whose path is the vendor's own.

    Links in the answers still lead to the vendor. What was not recorded is a 404 that says so.
    """
    exchanges = tuple(_exchanges(folder / vendor))
    answers = [(_asked(request), status, text) for _, request, status, text in exchanges]
    path = urlsplit(fhir_base(exchanges[0][1])).path

    class Replay(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = _asked(self.path)
            known = ((status, text) for request, status, text in answers if request == asked)
            status, text = next(known, (404, _not_recorded(self.path)))
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/html" if is_html(text) else "application/fhir+json;charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass  # pytest's output is for people

    with ThreadingHTTPServer(("127.0.0.1", 0), Replay) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}{path}"
        finally:
            server.shutdown()
            thread.join()


def _not_recorded(path: str) -> str:
    issue = {"severity": "error", "code": "not-found", "diagnostics": f"{path} was not recorded"}
    return json.dumps({"resourceType": "OperationOutcome", "issue": [issue]})
