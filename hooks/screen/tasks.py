"""What a worker process does, one piece of a file or one bucket of children at a time. Each task can be done twice."""

from __future__ import annotations

import gc
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from stringzilla import find

from cds import trials
from fhir_mappings import codelists
from fhir_mappings.site_codes import read_site_codes
from hooks.screen.finding import OF_NOBODY, QUOTED, broken_lines, holds_any, kinds_in, lines_about, lines_with_id
from hooks.screen.judging import as_line, judge, record_of, site_of
from hooks.screen.lines import Block, Piece, Unreadable, blocks
from hooks.screen.remarks import Remark, Sought, Told, digest, located, sought
from hooks.screen.scope import Scope, leukaemia_codes
from hooks.screen.spool import OF_NAMED, Spool, read_bucket, rows_of, whole, write_json
from hooks.version import SOFTWARE_VERSION

MOST_BROKEN = 1_000  # lines of one piece that are named; all are counted
_PATIENT = re.compile(rb'"resourceType"\s*:\s*"Patient"')
BEGINNING = 8 * 1024 * 1024  # bytes of a piece in which its resource types are looked for
NOT_AN_OBJECT = "is not a JSON object"
_NAMED = re.compile(rb"\b(" + b"|".join(kind.encode() for kind in sorted(OF_NOBODY)) + rb")\\?/([A-Za-z0-9\-.]{1,64})")
REFERRING = tuple(kind.encode() + slash for kind in sorted(OF_NOBODY) for slash in (b"/", b"\\/"))
"""Without one of these nothing in a block names a drug or a study."""
NAMED_KINDS = tuple(f'"{kind}"'.encode() for kind in sorted(OF_NOBODY))


def at_start(site_codes: Path | None) -> None:
    """In every worker process, before its first task. What is loaded by then stays, so the look for garbage leaves it alone."""
    if site_codes:
        codelists.use(read_site_codes(site_codes))
    gc.freeze()


@dataclass
class Seen:
    """What was seen of one piece. A broken line is given by its number in the piece, from 0."""

    bytes: int = 0
    lines: int = 0
    patient_records: int = 0
    patients: set[str] = field(default_factory=set)
    nameless: int = 0
    broken: int = 0
    located: list[tuple[int, str]] = field(default_factory=list)
    cut_off: str = ""
    unfinished: bool = False  # the last line begins as an object does and does not end as one
    open: bool = False  # no line break after the last line
    kinds: set[str] = field(default_factory=set)  # at its beginning: a file holds one type
    matters: bool = False  # it may hold a line of a type that is read: else nobody needs to look at it again


def look(piece: Piece) -> Seen:
    """The first pass: who is in scope, and which lines are broken."""
    return look_at(blocks(piece))


def look_at(blocks: Iterable[Block]) -> Seen:
    """The same, wherever the blocks come from."""
    seen, scope, codes = Seen(), Scope(), leukaemia_codes()
    try:
        for block in blocks:
            if seen.bytes < BEGINNING:
                seen.kinds |= kinds_in(block)
            seen.matters = seen.matters or bool(seen.kinds) or holds_any(block.data, QUOTED)
            lines = block.lines()
            wrong = dict.fromkeys(broken_lines(block, lines), NOT_AN_OBJECT) | dict(scope.look(block, codes))
            for position in sorted(wrong):
                seen.broken += 1
                if len(seen.located) < MOST_BROKEN:
                    seen.located.append((seen.lines + block.data.count(b"\n", 0, position), wrong[position]))
            if find(block.data, b'"Patient"') >= 0:
                seen.patient_records += len(_PATIENT.findall(block.data))
            last = block.data[block.data.rfind(b"\n", 0, len(block.data) - 1) + 1 :].strip()
            seen.unfinished, seen.open = last.startswith(b"{") and not last.endswith(b"}"), not block.data.endswith(b"\n")
            seen.lines += lines
            seen.bytes += block.read
    except Unreadable as why:
        seen.cut_off = str(why)
    seen.patients, seen.nameless = scope.patients, scope.nameless
    return seen


def collect(piece: Piece, patients: frozenset[bytes], folder: Path, name: str) -> int:
    """The second pass: every line about a child in scope, spooled; and whether a third would find anything here. Gives the bytes
    read."""
    spool, read, named, of_nobody = Spool(folder, name), 0, dict[str, list[str]](), False
    try:
        for block in blocks(piece):
            refers = holds_any(block.data, REFERRING)
            for patient, line, _ in lines_about(block, patients):
                spool.add(patient, line)
                for reference in named_in(line) if refers else ():
                    named.setdefault(reference, []).append(patient)
            of_nobody = of_nobody or holds_any(block.data, NAMED_KINDS)
            read += block.read
    except Unreadable:
        pass  # told by the first pass, which stopped at the same place
    spool.done({"named": {reference: sorted(set(patients)) for reference, patients in named.items()}, "of_nobody": of_nobody})
    return read


def named_in(line: bytes) -> Iterator[str]:
    """The drugs and studies that a line names, as `Type/id`."""
    return (f"{kind.decode()}/{id.decode()}" for kind, id in _NAMED.findall(line))


def collect_named(piece: Piece, named: Mapping[bytes, tuple[str, ...]], folder: Path, name: str) -> int:
    """The third pass, where records name a drug or a study only by reference: that Medication, that ResearchStudy."""
    spool, read = Spool(folder, name), 0
    try:
        for block in blocks(piece):
            for id, line, _ in lines_with_id(block, named, NAMED_KINDS):
                for patient in named[id.encode()]:
                    spool.add(patient, line)
            read += block.read
    except Unreadable:
        pass
    spool.done({})
    return read


def judge_bucket(trial: str, as_of: date, spooled: Path, judged: Path, bucket: int, patients: frozenset[str],
                 lacking: str = "", not_kept: tuple[str, ...] = ()) -> int:
    """Judge the children of one bucket, in the order of their ids; those of whom no line was found, too."""
    protocol = getattr(trials, trial)  # by name: its rules are functions, which do not travel between processes
    lines = read_bucket(spooled, bucket)
    sites: dict[str, str] = {}
    remarks: list[Remark] = []
    with whole(judged / f"{bucket:03d}.ndjson") as unfinished, open(unfinished, "wb") as file:
        for patient in sorted(patients):
            record, of_lines = record_of(patient, lines.pop(patient, ()), lacking, not_kept)
            remarks += of_lines
            if site := site_of(record):
                sites[patient] = site
            assessment = judge(protocol, record, as_of)
            file.write(as_line(assessment.as_json(SOFTWARE_VERSION)) + b"\n")
    told: dict[str, dict[str, Told]] = {}
    if wanted := sought(not_told_yet(remarks)):
        for spool, _, line in rows_of(spooled, bucket):
            if (name := digest(line)) in wanted:
                told.setdefault(spool.removeprefix(OF_NAMED), {})[name] = wanted[name]
    write_json(judged / f"{bucket:03d}.done", {"sites": sites, "sought": told})
    return len(patients)


def not_told_yet(remarks: list[Remark]) -> Iterator[Remark]:
    """Without the broken lines that the first pass has told of: it looks at each line by itself, so it can be asked again."""
    for start in range(0, len(remarks), MOST_BROKEN):
        some = remarks[start : start + MOST_BROKEN]
        lines = b"".join(remark.line + b"\n" for remark in some)
        told = {number for number, _ in look_at([Block(lines, 0, len(lines))]).located}
        yield from (remark for number, remark in enumerate(some) if number not in told)


def locate(piece: Piece, wanted: Sought) -> list[tuple[int, Told]]:
    """The last pass, where something was remarked on: the lines of a piece, by their number in it."""
    found = list[tuple[int, Told]]()
    try:
        for place in located(blocks(piece), wanted):
            found.append(place)
    except Unreadable:
        pass
    return found
