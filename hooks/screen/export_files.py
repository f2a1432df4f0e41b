"""One file of an export, streamed to disk: continued where it broke off, unpacked, and looked at before it counts as whole.

Until then it is `NAME.part`, byte for byte as it came over the wire, so that a Range means the same to both sides even if the
server packs it.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urljoin

import requests

from hooks.fhir_patience import RETRY_STATUS, asked_pause
from hooks.no_answer import NoAnswer
from hooks.screen.export_error import ExportError
from hooks.screen.export_manifest import File, without_token
from hooks.screen.export_patience import Backoff, Sleep
from hooks.screen.export_wire import ExportWire
from hooks.screen.ndjson_file import Broken, examined, unpacked

CHUNK = 64 * 1024
MOST_FAILURES = 5  # in a row without a new byte
_MOVED = (301, 302, 303, 307, 308)
_WEB_PAGES = ("text/html", "application/xhtml+xml", "application/xml", "application/fhir+xml", "text/xml")


class Tags(NamedTuple):
    """The ETag of the version of a file that the part on disk belongs to, kept where a crash does not lose it."""

    get: Callable[[], str]
    put: Callable[[str], None]


class Interrupted(Exception):
    """Somebody else gave up, or asked us to."""


class Expired(ExportError):
    """The address is no longer good; the manifest, asked for again, may hold another."""


class _Again(Exception):
    """This try ended; another may succeed. `pause` is what the server asked for."""

    def __init__(self, why: str, pause: float | None = None) -> None:
        super().__init__(why)
        self.pause = pause


@dataclass(frozen=True)
class Download:
    wire: ExportWire
    stop: threading.Event
    sleep: Sleep
    arrived: Callable[[int], None]  # is told how many bytes came

    def file(self, file: File, to: Path, tags: Tags) -> str:
        """What it lacks, in words; empty if it is whole.

        Raises ExportError, or Interrupted.
        """
        part, backoff, failures, tries = to.with_name(f"{to.name}.part"), Backoff(self.wire, self.sleep), 0, 0
        while not self.stop.is_set():
            before = _size(part)
            try:
                self._fetched(file, part, tags)
                unpacked(part)
                tries += 1
                lacks = examined(part, file.count)
                if not lacks or tries > 1:  # cut short twice in the same way: it is what the server has
                    part.replace(to)
                    return lacks
                part.unlink()
            except Broken:
                part.unlink(missing_ok=True)
                failures += 1
                if failures == MOST_FAILURES:
                    raise ExportError("an exported file arrives broken each time; the same command continues") from None
            except (_Again, NoAnswer) as error:
                failures = 0 if _size(part) > before else failures + 1
                if failures == MOST_FAILURES:
                    raise ExportError(f"an exported file cannot be fetched: {error}; the same command continues") from None
                backoff.pause(error.pause if isinstance(error, _Again) else None)
            except OSError as error:
                raise ExportError(f"{to.parent}: cannot be written ({(error.strerror or 'unknown error').lower()})") from None
        raise Interrupted

    def _fetched(self, file: File, part: Path, tags: Tags) -> None:
        headers = {"Accept": "application/fhir+ndjson, application/ndjson;q=0.9, */*;q=0.1", "Accept-Encoding": "gzip"}
        begun = _size(part)
        if begun:
            headers["Range"] = f"bytes={begun}-"
            headers |= {"If-Range": tags.get()} if tags.get() else {}
        deadline = self.wire.streaming()
        with self.wire.asked("GET", file.url, headers, deadline, signed=file.signed) as response:
            if response.status_code not in _MOVED:
                self._written(response, part, begun, tags)
                return
            try:
                place = urljoin(file.url, response.headers["Location"])
            except (KeyError, ValueError):
                raise ExportError("an exported file was moved to nowhere") from None
        # Oracle sends each file to its store this way. Our token stays behind.
        with self.wire.asked("GET", without_token(place, self.wire.base_url), headers, deadline, signed=False) as response:
            if response.status_code in _MOVED:
                raise ExportError("an exported file was moved more than once")
            self._written(response, part, begun, tags)

    def _written(self, response: requests.Response, part: Path, begun: int, tags: Tags) -> None:
        status = response.status_code
        if status == 416 and begun:  # nothing comes after what we have, or the file is another one
            if response.headers.get("Content-Range", "").replace(" ", "") == f"bytes*/{begun}":
                return
            part.unlink()
            raise _Again("the FHIR server has less of an exported file than we")
        if status in RETRY_STATUS or status >= 500:
            raise _Again(f"answered {status}", asked_pause(response))
        if status in (401, 403, 404, 410):
            raise Expired(f"an exported file was refused ({status}); the same command asks for its address again and continues")
        if status not in (200, 206):
            raise ExportError(f"an exported file cannot be fetched: answered {status}")
        if response.headers.get("Content-Type", "").partition(";")[0].strip().lower() in _WEB_PAGES:
            raise ExportError("answered with a web page or XML instead of an exported file")
        if status == 206 and not re.match(rf"bytes\s+{begun}-", response.headers.get("Content-Range", "")):
            part.unlink(missing_ok=True)
            raise _Again("the FHIR server sent another part of an exported file than asked for")
        if status == 200:
            tag = response.headers.get("ETag", "")
            tags.put("" if tag.startswith("W/") else tag)  # a weak one does not promise the same bytes
        with part.open("ab" if status == 206 else "wb") as to:
            for chunk in response.raw.stream(CHUNK, decode_content=False):
                to.write(chunk)
                self.arrived(len(chunk))
                if self.stop.is_set():
                    raise Interrupted


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0
