"""A folder of NDJSON, screened on one machine: two passes over its bytes, then the children one by one, all in parallel.

Everything finished is on disk at once, so a run that was interrupted goes on where it stopped.
"""

from __future__ import annotations

import json
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar
from typing import Protocol as Shape

from cds import Protocol
from hooks.cards import SOFTWARE_VERSION
from hooks.screen import tasks
from hooks.screen.lines import Piece, pieces_of
from hooks.screen.spool import BUCKETS, bucket_of, notes_of, whole, write_json

WORK = ".screen"
Result = TypeVar("Result")


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


class TooManyErrors(Exception):
    """More broken lines than are put up with; how many, and the first of them."""


@dataclass
class Found:
    """The figures of a run beside its assessments."""

    files: int = 0
    bytes: int = 0
    lines: int = 0
    patient_records: int = 0
    children: int = 0
    nameless: int = 0  # leukaemia records that name no patient
    broken: int = 0
    cut_off: int = 0  # files that could not be read to their end
    broken_lines: list[dict[str, Any]] = field(default_factory=list)  # file, line, why
    sites: dict[str, str] = field(default_factory=dict)  # of the children whose Patient names one
    kinds: list[str] = field(default_factory=list)  # resource types seen at the beginning of the files


def screen(asked: Screening, progress: Progress) -> tuple[Path, Found]:
    """Judge the cohort into `assessments.ndjson` of a work folder, which the caller publishes; in the order of buckets."""
    work = _work_folder(asked)
    pieces = [piece for path in asked.files for piece in pieces_of(path)]
    with _workers(asked) as run:
        found, patients = _scope(asked, work, pieces, run, progress)
        refuse_too_many(found, asked.max_errors)
        if found.cut_off and not asked.lacking:  # whose records were in the rest of the file nobody can tell
            asked = replace(asked, lacking="a file of the source could not be read to its end")
        _collect(asked, work, pieces, frozenset(patients), run, progress)
        _judge(asked, work, patients, run, progress)
    buckets = sorted({bucket_of(patient) for patient in patients})
    for bucket in buckets:
        found.sites |= (notes_of(work / "judged", f"{bucket:03d}") or {})["sites"]  # type: ignore[operator]
    found.children = len(patients)
    target = work / "assessments.ndjson"
    with whole(target) as unfinished, open(unfinished, "wb") as together:
        for bucket in buckets:
            with open(work / "judged" / f"{bucket:03d}.ndjson", "rb") as part:
                shutil.copyfileobj(part, together)
    return target, found


def refuse_too_many(found: Found, most: int | None) -> None:
    if most is not None and found.broken > most:
        first = found.broken_lines[0]
        raise TooManyErrors(f"{found.broken} lines are broken; the first is {first['file']}, line {first['line']}: {first['why']}")


def _scope(asked: Screening, work: Path, pieces: list[Piece], run: Run, progress: Progress) -> tuple[Found, set[str]]:
    kept = work / "scope.json"
    if kept.exists():
        told = json.loads(kept.read_bytes())
        return Found(**told["found"]), set(told["patients"])
    progress.stage("Looking for leukaemia", sum(piece.bytes for piece in pieces))
    seen = dict[Piece, tasks.Seen]()
    for piece, result in run(tasks.look, {piece: (piece,) for piece in pieces}):
        seen[piece] = result
        progress.advance(result.bytes)
    found, patients = added_up((piece.path.relative_to(asked.source).as_posix(), seen[piece]) for piece in pieces)
    found.files = len({piece.path for piece in pieces})
    write_json(kept, {"found": asdict(found), "patients": sorted(patients)})
    return found, patients


def added_up(pieces: Iterable[tuple[str, tasks.Seen]]) -> tuple[Found, set[str]]:
    """The figures of all pieces, given by the name of their file and in order; and the patients in scope."""
    found, patients = Found(), set[str]()
    before: dict[str, int] = defaultdict(int)
    for name, result in pieces:
        patients |= result.patients
        found.bytes, found.lines, found.nameless = found.bytes + result.bytes, found.lines + result.lines, found.nameless + result.nameless
        found.patient_records += result.patient_records
        found.kinds = sorted({*found.kinds, *result.kinds})
        found.broken += result.broken + bool(result.cut_off)
        found.cut_off += bool(result.cut_off)
        located = [(before[name] + line + 1, why) for line, why in result.located]
        located += [(before[name] + result.lines + 1, result.cut_off)] if result.cut_off else []
        found.broken_lines += [{"file": name, "line": line, "why": why} for line, why in located][: tasks.MOST_BROKEN - len(found.broken_lines)]
        before[name] += result.lines
    return found, patients


def _collect(asked: Screening, work: Path, pieces: list[Piece], patients: frozenset[str], run: Run, progress: Progress) -> None:
    spooled = work / "spool"
    spooled.mkdir(exist_ok=True)
    wanted = frozenset(patient.encode() for patient in patients)
    names = {piece: f"{number:06d}" for number, piece in enumerate(pieces)}
    left = {piece: (piece, wanted, spooled, name) for piece, name in names.items() if notes_of(spooled, name) is None} if wanted else {}
    progress.stage("Collecting their records", sum(piece.bytes for piece in left))
    for _, read in run(tasks.collect, left):
        progress.advance(read)
    named: dict[bytes, set[str]] = defaultdict(set)
    for name in names.values():
        for reference, whose in ((notes_of(spooled, name) or {}).get("named") or {}).items():  # type: ignore[union-attr, attr-defined]
            named[reference.partition("/")[2].encode()].update(whose)
    if named:
        of_ids = {id: tuple(sorted(whose)) for id, whose in named.items()}
        left = {piece: (piece, of_ids, spooled, f"n{name}") for piece, name in names.items() if notes_of(spooled, f"n{name}") is None}
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
    for _, children in run(tasks.judge_bucket, left):
        progress.advance(children)


def _work_folder(asked: Screening) -> Path:
    """What an earlier run left, if it asked the same of the same files; an empty folder otherwise."""
    work = asked.work
    files = [(path.relative_to(asked.source).as_posix(), (stat := path.stat()).st_size, stat.st_mtime_ns) for path in asked.files]
    codes = asked.site_codes.read_text(encoding="utf-8") if asked.site_codes else ""
    same = {"files": [list(file) for file in files], "as_of": asked.as_of.isoformat(), "protocol": asked.protocol.id, "buckets": BUCKETS,
            "text_version": asked.protocol.text_version, "software_version": SOFTWARE_VERSION, "site_codes": codes,
            "lacking": asked.lacking, "not_kept": list(asked.not_kept)}  # fmt: skip
    plan = work / "plan.json"
    if _plan(plan) != same:
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        write_json(plan, same)
    return work


def _plan(path: Path) -> object:
    """What an earlier run asked; None if there was none, or its note is damaged."""
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None


Run = Callable[[Callable[..., Result], dict[Any, tuple[Any, ...]]], Iterator[tuple[Any, Result]]]


@contextmanager
def _workers(asked: Screening) -> Iterator[Run]:
    """A function that runs one task for each key, in as many processes as asked, and gives the results as they come."""
    if asked.processes == 1:
        tasks.at_start(asked.site_codes)
        yield lambda task, of: ((key, task(*arguments)) for key, arguments in of.items())
        return
    with ProcessPoolExecutor(asked.processes, get_context("spawn"), tasks.at_start, (asked.site_codes,)) as pool:

        def run(task: Callable[..., Result], of: dict[Any, tuple[Any, ...]]) -> Iterator[tuple[Any, Result]]:
            waiting: dict[Future[Result], Any] = {}
            left = iter(of.items())
            while True:
                while len(waiting) < 2 * asked.processes and (item := next(left, None)):  # arguments are large: few at a time
                    waiting[pool.submit(task, *item[1])] = item[0]
                if not waiting:
                    return
                for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                    yield waiting.pop(future), future.result()

        try:
            yield run
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
