"""A downloaded file as it should be: unpacked, one JSON object a line as far as can be seen at a glance, and not cut off."""

from __future__ import annotations

import gzip
import json
import shutil
import zlib
from pathlib import Path

_GZIP = b"\x1f\x8b"
_CHUNK = 1024 * 1024


class Broken(Exception):
    """What came cannot be unpacked."""


def unpacked(file: Path) -> None:
    """Packed for the way (Content-Encoding) or by itself (.ndjson.gz): its first bytes tell, NDJSON never begins with them."""
    with file.open("rb") as packed:
        if packed.read(2) != _GZIP:
            return
    fresh = file.with_name(f"{file.name}.unpacked")
    try:
        with gzip.open(file, "rb") as packed, fresh.open("wb") as to:
            shutil.copyfileobj(packed, to, _CHUNK)
    except (EOFError, gzip.BadGzipFile, zlib.error):
        fresh.unlink(missing_ok=True)
        raise Broken from None
    fresh.replace(file)


def examined(file: Path, count: int | None) -> str:
    """What the file lacks, in words; empty if nothing."""
    lines, last, sound = 0, b"", True
    with file.open("rb") as content:
        for line in content:
            if line.strip():
                lines, last, sound = lines + 1, line, sound and line.lstrip(b" \xef\xbb\xbf").startswith(b"{")
    if not sound:
        return "it holds lines that are no resources"
    if lines and not last.endswith(b"\n") and not _is_json(last):
        return "it ends in the middle of a line"
    if count is not None and lines < count:
        return f"it holds {lines} resources where the FHIR server promised {count}"
    return ""


def _is_json(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False
