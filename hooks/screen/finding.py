"""The lines about certain patients, found in blocks of bytes without parsing any other line."""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Callable, Collection, Iterator
from operator import itemgetter

from fhir_mappings.sources import SEARCHES
from hooks.screen.lines import Block, line_at
from hooks.screen.parsing import parsed

OUTCOME = "OperationOutcome"  # a source may say that it is incomplete, and about whom
TYPES = (*dict.fromkeys(name for s in SEARCHES for name in (s.resource_type, s.refers_to) if name), OUTCOME)
OF_NOBODY = frozenset(s.refers_to for s in SEARCHES if s.refers_to)
"""Medication, ResearchStudy: what others refer to."""

_FIRST, _LAST, _OPENING, _CLOSING = itemgetter(0), itemgetter(-1), {ord("{")}, {ord("}")}
_READ = re.compile(b'"(?:' + b"|".join(name.encode() for name in TYPES) + b')"')
_REFERENCE = re.compile(rb"Patient/([A-Za-z0-9\-.]{1,64})")
_TYPE = re.compile(rb'"resourceType"\s*:\s*"([A-Za-z]+)"')
_ID = re.compile(rb'"id"\s*:\s*"([A-Za-z0-9\-.]{1,64})"')

Hit = tuple[str, bytes, int]
"""Whose it is, the line, and where the line begins in its block."""


def lines_about(block: Block, patients: Collection[bytes]) -> Iterator[Hit]:
    """Every line that names one of the patients, once for each that it names; of Patients themselves, by id."""
    data = block.data
    yield from _with(data, _REFERENCE.finditer, patients, b"")
    if b'"Patient"' in data:
        yield from _with(data, _ID.finditer, patients, b'"Patient"')


def lines_with_id(block: Block, ids: Collection[bytes], kinds: Collection[bytes]) -> Iterator[Hit]:
    """Every line of these resource types whose id, or that of something inside it, is one of these."""
    if any(kind in block.data for kind in kinds):
        yield from _with(block.data, _ID.finditer, ids, b"")


def _with(data: bytes, finditer: Callable[[bytes], Iterator[re.Match[bytes]]], wanted: Collection[bytes], needed: bytes) -> Iterator[Hit]:
    line_end, seen = -1, set()
    for found in finditer(data):
        name = found[1]
        if name not in wanted:
            continue
        if found.start() >= line_end:
            line_start, line_end = line_at(data, found.start())
            seen.clear()
        if name in seen:
            continue
        seen.add(name)
        line = data[line_start:line_end]
        if needed in line and _READ.search(line):
            yield name.decode(), line, line_start


def kinds_in(block: Block) -> set[str]:
    """The types of a block's resources, and of those contained in them; only such as we read."""
    return {kind.decode() for kind in set(_TYPE.findall(block.data))}.intersection(TYPES)


def broken_lines(block: Block, lines: list[bytes]) -> Iterator[int]:
    """Where a line begins that cannot be a JSON object. Nearly every block is cleared by its lines' first and last bytes, which
    are compared without a step of Python for each line."""
    data, whole = block.data, lines if lines[-1] else lines[:-1]
    try:
        if set(map(_FIRST, whole)) == _OPENING and set(map(_LAST, whole)) == _CLOSING and b"}{" not in data:
            return
    except IndexError:
        pass  # an empty line
    start = 0
    while start < len(data):
        start, end = line_at(data, start)
        line = data[start:end].removeprefix(BOM_UTF8).strip()  # some programs begin a file with it; readers of JSON skip it
        if line and not (line.startswith(b"{") and line.endswith(b"}")):
            yield start
        elif b"}{" in line and parsed(line)[1]:
            yield start  # two files were joined without a line break between them
        start = end + 1
