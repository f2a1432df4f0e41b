"""A tiny FHIR server that exports, in the ways a test asks for."""

from __future__ import annotations

import gzip
import json
import re
from typing import Any
from urllib.parse import urlsplit

import hostile_fhir
from hostile_fhir import Behaviour

JOB = "/fhir/jobs/1"


class Exporting:
    """`polls`: behaviours before the list of files is given; `instead`: behaviours by path, each used up once, before the usual."""

    def __init__(self, files: dict[str, bytes] | None = None, *, polls: list[Behaviour] = (), kick_off: list[Behaviour] = (),
                 instead: dict[str, list[Behaviour]] | None = None, capability: Behaviour | None = None, zipped: bool = False, ranges: bool = True,
                 **manifest: Any) -> None:
        self.files, self.polls, self.kick_off = files or {}, list(polls), list(kick_off)
        self.instead, self.capability, self.zipped, self.ranges, self.manifest = instead or {}, capability or hostile_fhir.status(404), zipped, ranges, manifest
        self.deleted: list[str] = []

    def __call__(self, talk: Any) -> None:
        path = urlsplit(talk.path).path
        if talk.command == "DELETE":
            self.deleted.append(path)
            talk.start(202)
        elif path.endswith("/$export"):
            (self.kick_off.pop(0) if self.kick_off else began)(talk)
        elif path == JOB:
            (self.polls.pop(0) if self.polls else hostile_fhir.answer(self.listed(talk.base)))(talk)
        elif path == "/fhir/metadata":
            self.capability(talk)
        elif self.instead.get(path):
            self.instead[path].pop(0)(talk)
        else:
            self.file(talk, path.rpartition("/")[2])

    def listed(self, base: str) -> dict[str, Any]:
        output = [{"type": name.partition(".")[0], "url": f"{base}/files/{name}"} for name in self.files if not name.startswith("error")]
        error = [{"type": "OperationOutcome", "url": f"{base}/files/{name}"} for name in self.files if name.startswith("error")]
        return {"transactionTime": "2026-11-01T00:00:00Z", "requiresAccessToken": True, "output": output, "error": error} | self.manifest

    def file(self, talk: Any, name: str) -> None:
        if name not in self.files:
            hostile_fhir.status(404)(talk)
            return
        content = gzip.compress(self.files[name], mtime=0) if self.zipped else self.files[name]
        headers = {"Content_Encoding": "gzip"} if self.zipped else {}
        asked = re.fullmatch(r"bytes=(\d+)-", talk.headers.get("Range", ""))
        status, begun = 200, 0
        if asked and self.ranges and talk.headers.get("If-Range", '"v1"') == '"v1"':
            begun = int(asked[1])
            if begun >= len(content):
                talk.start(416, Content_Range=f"bytes */{len(content)}")
                return
            status, headers["Content_Range"] = 206, f"bytes {begun}-{len(content) - 1}/{len(content)}"
        talk.start(status, "application/fhir+ndjson", Content_Length=str(len(content) - begun), ETag='"v1"', **headers)
        talk.wfile.write(content[begun:])

    def cut(self, name: str, after: int, tag: str = '"v1"') -> Behaviour:
        """The beginning of a file, then the connection is closed."""
        def behaviour(talk: Any) -> None:
            content = gzip.compress(self.files[name], mtime=0) if self.zipped else self.files[name]
            packed = {"Content_Encoding": "gzip"} if self.zipped else {}
            talk.start(200, "application/fhir+ndjson", Content_Length=str(len(content)), ETag=tag, **packed)
            talk.wfile.write(content[:after] if tag == '"v1"' else b"{" * after)  # another version of it
        return behaviour


def began(talk: Any) -> None:
    talk.start(202, Content_Location=f"{talk.origin}{JOB}")


def ndjson(*resources: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(resource).encode() + b"\n" for resource in resources)
