"""The manifest of a finished export: its files, and from where each may be fetched, with our token or without."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal
from urllib.parse import urljoin

from fhir_mappings.members import text
from hooks.fhir_address import is_loopback, origin, same_origin
from hooks.screen.export_error import ExportError

Kind = Literal["output", "error", "deleted"]
MOST_FILES = 100_000


@dataclass(frozen=True)
class File:
    kind: Kind
    type: str  # the resource type it holds
    url: str  # may be a key to the data by itself, as a signed URL is: never told, never kept
    signed: bool  # fetched with our token
    count: int | None  # how many resources it holds, if the server says so

    def key(self, whole: bool) -> str:
        """Names the file in our notes. The query of a signed URL changes from one manifest to the next."""
        return sha256(f"{self.kind} {self.type} {self.url if whole else self.url.partition('?')[0]}".encode()).hexdigest()


@dataclass(frozen=True)
class Manifest:
    transaction_time: str
    files: tuple[File, ...]

    def by_key(self) -> dict[str, File]:
        often = Counter(file.key(whole=False) for file in self.files)
        return {file.key(whole=often[file.key(whole=False)] > 1): file for file in self.files}


def read_manifest(told: Any, base_url: str, url: str) -> Manifest:
    """One page of it, got from `url`. Raises ExportError."""
    if not isinstance(told, dict) or not isinstance(told.get("output"), list):
        raise ExportError("the FHIR server ended the export with something other than a list of files")
    # Not said: nothing promises that the files are open, so they are fetched with the token, from the FHIR server only.
    token_needed = told.get("requiresAccessToken") is not False
    files = tuple(_file(kind, entry, token_needed, base_url, url) for kind in ("output", "error", "deleted") for entry in _listed(told, kind))
    return Manifest(text(told.get("transactionTime")) or "", files)


def _listed(told: dict[str, Any], kind: str) -> list[Any]:
    listed = told.get(kind)
    if listed is not None and not isinstance(listed, list) or len(listed or ()) > MOST_FILES:
        raise ExportError("the FHIR server's list of exported files is malformed")
    return listed or []


def _file(kind: Kind, entry: Any, token_needed: bool, base_url: str, url: str) -> File:
    entry = entry if isinstance(entry, dict) else {}
    type, named, count = text(entry.get("type")) or "", text(entry.get("url")) or "", entry.get("count")
    if kind != "output":
        type = type or ("OperationOutcome" if kind == "error" else "Bundle")
    if not named or not re.fullmatch(r"[A-Za-z]{1,64}", type):
        raise ExportError("the FHIR server's list of exported files is malformed")
    try:
        named = urljoin(url, named)
    except ValueError:
        raise ExportError("the address of an exported file is malformed") from None
    if token_needed and not same_origin(named, base_url):
        raise ExportError("the FHIR server wants our access token to be shown to another server for the exported files; it is not")
    if not token_needed:
        without_token(named, base_url)
    return File(kind, type, named, token_needed, count if isinstance(count, int) and not isinstance(count, bool) else None)


def without_token(url: str, base_url: str) -> str:
    """An address from which a file may be fetched without the token: the FHIR server's own, or another one over TLS, such as a
    signed URL of a cloud store. What lies elsewhere must not lead back to this very machine. Raises ExportError."""
    place = origin(url)
    if place is None:
        raise ExportError("the address of an exported file is malformed")
    if same_origin(url, base_url):
        return url
    if place.scheme != "https":
        raise ExportError("an exported file lies on another server without TLS; it is not fetched")
    if is_loopback(url) and not is_loopback(base_url):
        raise ExportError("the address of an exported file leads to this very machine; it is not fetched")
    return url
