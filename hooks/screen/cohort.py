"""A folder of NDJSON, screened on one machine: two passes over its bytes, then the children one by one, all in parallel.

Everything finished is on disk at once, so a run that was interrupted goes on where it stopped.
"""

from __future__ import annotations

import json
import shutil
from collections import defaultdict
from collections.abc import Iterable, Set
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple
from typing import Protocol as Shape

from cds import Protocol
from hooks.screen import tasks
from hooks.screen.found import ENDS_EARLY, Found, Remarks, add_remarks, added_up, refuse_too_many
from hooks.screen.lines import Piece, pieces_of
from hooks.screen.remarks import Told
from hooks.screen.resumed import work_folder
from hooks.screen.spool import OF_NAMED, bucket_of, notes_of, whole, write_json
from hooks.screen.workers import Run, workers

WORK, EXPORT = ".screen", ".export"


class Progress(Shape):
    """What a person may watch."""

    def stage(self, words: str, total: int) -> None: ...

    def advance(self, amount: int) -> None: ...


@dataclass(frozen=True)
class Screening:
    """What is asked: judge every child of a source who shows leukaemia."""

    source: Path  # the folder of the files, which are told by their names below it
    files: tuple[Path, ...]
    work: Path  # where finished parts are kept until the end
    protocol: Protocol
    as_of: date
    processes: int
    site_codes: Path | None = None
    max_errors: int | None = None
    lacking: str = ""  # why the source is known to be incomplete, so that absence proves nothing
    not_kept: tuple[str, ...] = ()  # resource types that the source says it does not keep


def screen(asked: Screening, progress: Progress) -> tuple[Path, Found]:
    """Judge the cohort into `assessments.ndjson` of a work folder, which the caller publishes; in the order of buckets."""
    work = work_folder(asked)
    pieces = [piece for path in asked.files for piece in pieces_of(path)]
    with workers(asked.processes, asked.site_codes) as run:
        first = _scope(asked, work, pieces, run, progress)
        found, patients = first.found, first.patients
        refuse_too_many(found, asked.max_errors)
        found.lacking = asked.lacking
        if found.cut_off and not asked.lacking:  # whose records were in the rest of the file nobody can tell
            asked = replace(asked, lacking=ENDS_EARLY)
        _collect(work, pieces, first.passed_over, frozenset(patients), run, progress)
        _judge(asked, work, patients, run, progress)
        buckets = sorted({bucket_of(patient) for patient in patients})
        remarks = _remarks(work, pieces, buckets, found, run, progress)
    add_remarks(found, [(_name(piece, asked), count) for piece, count in zip(pieces, first.lines, strict=True)], remarks)
    refuse_too_many(found, asked.max_errors)
    found.children = len(patients)
    target = work / "assessments.ndjson"
    with whole(target) as unfinished, open(unfinished, "wb") as together:
        for bucket in buckets:
            with open(work / "judged" / f"{bucket:03d}.ndjson", "rb") as part:
                shutil.copyfileobj(part, together)
    return target, found


class Scoped(NamedTuple):
    """What the first pass tells."""

    found: Found
    patients: set[str]
    lines: list[int]  # in each piece
    passed_over: frozenset[int]  # the numbers of the pieces that hold nothing of any type that is read


def _largest_first(pieces: Iterable[Piece]) -> list[Piece]:
    """So that at the end no process works long at one while the others have nothing left."""
    return sorted(pieces, key=lambda piece: -piece.bytes)


def _name(piece: Piece, asked: Screening) -> str:
    return piece.path.relative_to(asked.source).as_posix()


def _scope(asked: Screening, work: Path, pieces: list[Piece], run: Run, progress: Progress) -> Scoped:
    kept = work / "scope.json"
    if kept.exists():
        told = json.loads(kept.read_bytes())
        return Scoped(Found(**told["found"]), set(told["patients"]), told["lines"], frozenset(told["passed_over"]))
    progress.stage("Looking for leukaemia", sum(piece.bytes for piece in pieces))
    seen = dict[Piece, tasks.Seen]()
    for piece, result in run(tasks.look, {piece: (piece,) for piece in _largest_first(pieces)}):
        seen[piece] = result
        progress.advance(result.bytes)
    found, patients = added_up((_name(piece, asked), seen[piece]) for piece in pieces)
    found.files = len({piece.path for piece in pieces})
    lines = [seen[piece].lines for piece in pieces]
    passed_over = [number for number, piece in enumerate(pieces) if not seen[piece].matters]
    write_json(kept, {"found": asdict(found), "patients": sorted(patients), "lines": lines, "passed_over": passed_over})
    return Scoped(found, patients, lines, frozenset(passed_over))


def _collect(work: Path, pieces: list[Piece], passed_over: Set[int], patients: frozenset[str], run: Run, progress: Progress) -> None:
    spooled = work / "spool"
    spooled.mkdir(exist_ok=True)
    wanted = frozenset(patient.encode() for patient in patients)
    names = {piece: f"{number:06d}" for number, piece in enumerate(pieces) if number not in passed_over}
    undone = [piece for piece, name in names.items() if wanted and notes_of(spooled, name) is None]
    left = {piece: (piece, wanted, spooled, names[piece]) for piece in _largest_first(undone)}
    progress.stage("Collecting their records", sum(piece.bytes for piece in left))
    for _, read in run(tasks.collect, left):
        progress.advance(read)
    named: dict[bytes, set[str]] = defaultdict(set)
    notes = {piece: notes_of(spooled, name) or {} for piece, name in names.items()}
    for note in notes.values():
        for reference, whose in (note.get("named") or {}).items():  # type: ignore[attr-defined]
            named[reference.partition("/")[2].encode()].update(whose)
    if named:
        of_ids = {id: tuple(sorted(whose)) for id, whose in named.items()}
        of_nobody = {piece: f"{OF_NAMED}{names[piece]}" for piece, note in notes.items() if note["of_nobody"]}
        left = {piece: (piece, of_ids, spooled, name) for piece, name in of_nobody.items() if notes_of(spooled, name) is None}
        progress.stage("Following references", sum(piece.bytes for piece in left))
        for _, read in run(tasks.collect_named, left):
            progress.advance(read)


def _judge(asked: Screening, work: Path, patients: Iterable[str], run: Run, progress: Progress) -> None:
    judged = work / "judged"
    judged.mkdir(exist_ok=True)
    buckets: dict[int, list[str]] = defaultdict(list)
    for patient in patients:
        buckets[bucket_of(patient)].append(patient)
    left = {
        bucket: (asked.protocol.id, asked.as_of, work / "spool", judged, bucket, frozenset(children), asked.lacking, asked.not_kept)
        for bucket, children in buckets.items()
        if notes_of(judged, f"{bucket:03d}") is None
    }
    progress.stage("Judging", sum(len(buckets[bucket]) for bucket in left))
    for _, children in run(tasks.judge_bucket, left, meanwhile=_load_what_is_next):
        progress.advance(children)


def _load_what_is_next() -> None:
    """The libraries that write the results, and the template of the report."""
    from hooks.screen import results  # noqa: F401
    from hooks.screen.report.write import page_template

    page_template()


def _remarks(work: Path, pieces: list[Piece], buckets: list[int], found: Found, run: Run, progress: Progress) -> Remarks:
    """What the children's judges noted: their sites; and of single lines, which are then located."""
    sought: dict[int, dict[str, Told]] = defaultdict(dict)
    for bucket in buckets:
        notes: Any = notes_of(work / "judged", f"{bucket:03d}")
        found.sites |= notes["sites"]
        for number, told in notes["sought"].items():
            sought[int(number)] |= {digest: Told(*words) for digest, words in told.items()}
    if sought:
        progress.stage("Locating lines", sum(pieces[number].bytes for number in sought))
    located = dict[int, list[tuple[int, Told]]]()
    for number, places in run(tasks.locate, {number: (pieces[number], wanted) for number, wanted in sought.items()}):
        located[number] = places
        progress.advance(pieces[number].bytes)
    return located
