"""The lines about certain patients, found in blocks of bytes without parsing any other line."""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Collection, Iterable, Iterator, Mapping, Set

from stringzilla import count, find

from fhir_mappings.sources import SEARCHES
from hooks.screen.lines import Block, line_at
from hooks.screen.parsing import parsed

OUTCOME = "OperationOutcome"  # a source may say that it is incomplete, and about whom
TYPES = (*dict.fromkeys(name for s in SEARCHES for name in (s.resource_type, s.refers_to) if name), OUTCOME)
OF_NOBODY = frozenset(s.refers_to for s in SEARCHES if s.refers_to)
"""Medication, ResearchStudy: what others refer to."""
QUOTED = tuple(f'"{name}"'.encode() for name in TYPES)
"""A line without any of these is of a type that nobody asks for, such as an Encounter or a Claim."""

_REFERENCE = re.compile(rb"Patient/([A-Za-z0-9\-.]{1,64})")
_TYPE = re.compile(rb'"resourceType"\s*:\s*"([A-Za-z]+)"')
_ID = re.compile(rb'"id"\s*:\s*"([A-Za-z0-9\-.]{1,64})"')

Hit = tuple[str, bytes, int]
"""Whose it is, the line, and where the line begins in its block."""


def lines_about(block: Block, patients: Set[bytes]) -> Iterator[Hit]:
    """Every line that names one of the patients, once for each that it names; of Patients themselves, by id."""
    data = block.data
    yield from _with(data, _REFERENCE, patients, b"")
    if find(data, b'"Patient"') >= 0:
        yield from _with(data, _ID, patients, b'"Patient"')


def lines_with_id(block: Block, ids: Mapping[bytes, object], kinds: Collection[bytes]) -> Iterator[Hit]:
    """Every line of these resource types whose id, or that of something inside it, is one of these."""
    if holds_any(block.data, kinds):
        yield from _with(block.data, _ID, ids.keys(), b"")


def holds_any(data: bytes, words: Iterable[bytes]) -> bool:
    return any(find(data, word) >= 0 for word in words)


def _with(data: bytes, names: re.Pattern[bytes], wanted: Set[bytes], needed: bytes) -> Iterator[Hit]:
    if wanted.isdisjoint(names.findall(data)):  # nearly every block, without a step of Python for each name
        return
    line_end, seen = -1, set()
    for found in names.finditer(data):
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
        if needed in line and holds_any(line, QUOTED):
            yield name.decode(), line, line_start


def _is_sound(data: bytes, lines: int) -> bool:
    """Does each line begin and end as an object, and is none joined to another? So nearly every block is cleared, without a
    step of Python for each line."""
    at_both_ends = data.startswith(b"{") and data.endswith((b"}", b"}\n"))
    return at_both_ends and count(data, b"}\n{") == lines - 1 and find(data, b"}{") < 0


def kinds_in(block: Block) -> set[str]:
    """The types of a block's resources, and of those contained in them; only such as we read."""
    data, first = block.data, _TYPE.search(block.data)
    one = first is not None and count(data, first[0]) == count(data, b'"resourceType"')  # as in nearly every file
    return {kind.decode() for kind in (_TYPE.findall(data) if not one else (first[1],))}.intersection(TYPES)


def broken_lines(block: Block, lines: int) -> Iterator[int]:
    """Where a line begins that cannot be a JSON object, in a block of so many lines."""
    data, start = block.data, 0
    if _is_sound(data, lines):
        return
    while start < len(data):
        start, end = line_at(data, start)
        line = data[start:end].removeprefix(BOM_UTF8).strip()  # some programs begin a file with it; readers of JSON skip it
        if line and not (line.startswith(b"{") and line.endswith(b"}")):
            yield start
        elif b"}{" in line and parsed(line)[1]:
            yield start  # two files were joined without a line break between them
        start = end + 1
