"""What Spark's workers do with the lines they get: the functions of the local engine, fed from rows instead of files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import Any

from cds import trials
from fhir_mappings import codelists
from fhir_mappings.codelists import CODELISTS, Codelists
from fhir_mappings.site_codes import site_codes_from
from hooks.screen.finding import lines_about, lines_with_id
from hooks.screen.judging import as_line, judge, record_of, site_of
from hooks.screen.lines import Block, plainly
from hooks.screen.remarks import Remark, Told, digest, located, sought
from hooks.screen.spark_source import path_of
from hooks.screen.spool import bucket_of
from hooks.screen.tasks import NAMED_KINDS, Seen, look_at, named_in, not_told_yet
from hooks.screen.worklist import COLUMNS, row
from hooks.version import SOFTWARE_VERSION

BLOCK = 1024 * 1024  # bytes of lines that are searched at once
Line = tuple[Any, str, int]
"""As `spark_source.lines_below` gives it: the bytes, the file, the beginning of its part."""
Hit = tuple[str, int, int, int, int, bytes | None]
"""Whose it is; then what puts a child's lines in order: first or named, number of the file, part, place in it; the line."""


def look(rows: Iterable[Line], site_codes: str) -> Iterator[tuple[str, int, Seen]]:
    """The first pass: what was seen of each part of a file."""
    codelists.use(_codes(site_codes))
    for path, part, blocks in _parts(rows):
        yield path, part, look_at(blocks)


def about(rows: Iterable[Line], wanted: Any, numbers: Any) -> Iterator[Hit]:
    """The second pass: every line about a child in scope."""
    for path, part, blocks in _parts(rows):
        for block in blocks:
            for patient, line, place in lines_about(block, wanted.value):
                yield patient, 1, numbers.value[path], part, block.offset + place, line


def named(hits: Iterable[Hit]) -> Iterator[tuple[bytes, str]]:
    """The id of each drug and study that the lines name, with the child."""
    yield from {(reference.partition("/")[2].encode(), hit[0]) for hit in hits if hit[5] for reference in named_in(hit[5])}


def with_id(rows: Iterable[Line], wanted: Any, numbers: Any) -> Iterator[Hit]:
    """The third pass: these drugs and studies, once for each child whose records name them."""
    whose: Mapping[bytes, tuple[str, ...]] = wanted.value
    for path, part, blocks in _parts(rows):
        for block in blocks:
            for id, line, place in lines_with_id(block, whose, NAMED_KINDS):
                for patient in whose[id.encode()]:
                    yield patient, 2, numbers.value[path], part, block.offset + place, line


def judged(hits: Iterable[Hit], trial: str, as_of: date, site_codes: str, lacking: str) -> Iterator[tuple[Any, ...]]:
    """One row for each child. Hits come sorted, so that one child is in memory at a time."""
    codelists.use(_codes(site_codes))
    protocol = getattr(trials, trial)
    for patient, of_child in groupby(hits, itemgetter(0)):
        held = [(file, part, bytes(line)) for _, _, file, part, _, line in of_child if line is not None]
        record, remarks = record_of(patient, (line for _, _, line in held), lacking)
        assessment = judge(protocol, record, as_of).as_json(SOFTWARE_VERSION)
        listed = row(assessment)
        yield bucket_of(patient), as_line(assessment).decode(), site_of(record), _remarked(held, remarks), *(listed[name] for name in COLUMNS)


def _remarked(held: list[tuple[int, int, bytes]], remarks: list[Remark]) -> str:
    """As JSON, the remarks with the file and the part that hold their line; empty when there are none."""
    wanted = sought(not_told_yet(remarks))
    return json.dumps([(file, part, name, *wanted[name]) for file, part, line in held if (name := digest(line)) in wanted]) if wanted else ""


def locate(rows: Iterable[Line], wanted: Any) -> Iterator[tuple[str, int, int, Told]]:
    """The last pass, where something was remarked on: the lines of each part, by their number in it."""
    for path, part, blocks in _parts(rows):
        if (path, part) in wanted.value:
            yield from ((path, part, number, told) for number, told in located(blocks, wanted.value[path, part]))


@lru_cache(maxsize=1)
def _codes(site_codes: str) -> Codelists:
    """A worker outlives a run, and the next may be another site's: so each task says which codes are in use."""
    return site_codes_from("the site's codes", site_codes) if site_codes else CODELISTS


def _parts(rows: Iterable[Line]) -> Iterator[tuple[str, int, Iterator[Block]]]:
    """Spark hands a task the parts of files one after the other, each line by line."""
    for (address, part), lines in groupby(rows, itemgetter(1, 2)):
        yield path_of(address), part, _blocks(line[0] for line in lines)


def _blocks(lines: Iterable[bytes]) -> Iterator[Block]:
    held, size, offset = list[bytes](), 0, 0
    for line in lines:
        held.append(line)
        size += len(line) + 1
        if size >= BLOCK:
            yield Block(plainly(b"\n".join(held) + b"\n"), offset, size)
            held, size, offset = [], 0, offset + size
    if held:
        yield Block(plainly(b"\n".join(held) + b"\n"), offset, size)
