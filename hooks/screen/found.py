"""The figures of a screening beside its assessments: what was read, and which lines could not be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hooks.screen.remarks import Told
from hooks.screen.tasks import MOST_BROKEN, Seen


Remarks = Mapping[int, Iterable[tuple[int, Told]]]
"""What is told of single lines, by the number of the piece and of the line in it, from 0."""


ENDS_EARLY = "a file of the source could not be read to its end"
IN_THE_MIDDLE = "is cut off, and the file with it"


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
    mixed: dict[str, list[dict[str, Any]]] = field(default_factory=dict)  # ids that are not one person's: file, line
    sites: dict[str, str] = field(default_factory=dict)  # of the children whose Patient names one
    lacking: str = ""  # why nothing counts as absent for any child, besides the files of `cut_off`; empty if it does
    files_not_read: int = 0  # of the source
    not_read: list[dict[str, Any]] = field(default_factory=list)  # name, why
    kinds: list[str] = field(default_factory=list)  # resource types seen at the beginning of the files


def added_up(pieces: Iterable[tuple[str, Seen]]) -> tuple[Found, set[str]]:
    """The figures of all pieces, given by the name of their file and in order; and the patients in scope."""
    found, patients = Found(), set[str]()
    before: dict[str, int] = defaultdict(int)
    unfinished = dict[str, bool]()
    for name, result in pieces:
        patients |= result.patients
        found.bytes, found.lines, found.nameless = found.bytes + result.bytes, found.lines + result.lines, found.nameless + result.nameless
        found.patient_records += result.patient_records
        found.kinds = sorted({*found.kinds, *result.kinds})
        found.broken += result.broken + bool(result.cut_off)
        found.cut_off += bool(result.cut_off)
        located = [(before[name] + line + 1, why) for line, why in result.located]
        located += [(before[name] + result.lines + 1, result.cut_off)] if result.cut_off else []
        found.broken_lines += [{"file": name, "line": line, "why": why} for line, why in located][: MOST_BROKEN - len(found.broken_lines)]
        before[name] += result.lines
        if result.lines:  # of the last piece that holds any: a file that was cut off in the middle of a line
            unfinished[name] = result.unfinished and result.open and not result.cut_off
    found.cut_off += sum(unfinished.values())
    for told in found.broken_lines:
        if unfinished.get(told["file"]) and told["line"] == before[told["file"]]:
            told["why"] = IN_THE_MIDDLE
    return found, patients


def add_remarks(found: Found, pieces: Sequence[tuple[str, int]], remarks: Remarks) -> None:
    """What came to light while judging. The pieces are those of `added_up`, by the name of their file and the number of lines."""
    broken = {(told["file"], told["line"]): told for told in found.broken_lines}
    order = {name: place for place, name in enumerate(dict.fromkeys(name for name, _ in pieces))}
    known, before = len(broken), defaultdict[str, int](int)
    for number, (name, lines) in enumerate(pieces):
        for line, told in sorted(remarks.get(number, ())):
            place = {"file": name, "line": before[name] + line + 1}
            if told.shared_id:
                found.mixed.setdefault(f"Patient/{told.shared_id}", []).append(place)
            else:
                broken.setdefault((name, place["line"]), {**place, "why": told.why})
        before[name] += lines
    found.broken += len(broken) - known
    found.broken_lines = sorted(broken.values(), key=lambda told: (order[told["file"]], told["line"]))[:MOST_BROKEN]


def refuse_too_many(found: Found, most: int | None) -> None:
    if most is not None and found.broken > most:
        first = found.broken_lines[0]
        number = f"{found.broken} line{'s are' if found.broken > 1 else ' is'} broken"
        raise TooManyErrors(f"{number}; the first is {first['file']}, line {first['line']}: {first['why']}")
