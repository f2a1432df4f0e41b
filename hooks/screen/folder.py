"""What a folder holds: the NDJSON files, the Bundles, and what is not read, with why. Nothing is passed over in silence but
what is hidden, by a name that begins with a dot."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import NamedTuple

from hooks.screen.lines import SUFFIXES, is_ours

BUNDLES = (".json",)
PACKED = (".gz", ".gzip", ".bz2", ".xz", ".zst", ".lz4", ".z", ".zip", ".7z", ".rar", ".tar", ".tgz")
UNPACK, OTHER = "unpack it first", "neither NDJSON nor a Bundle by its name"
BESIDE = "a .json file beside NDJSON files: screen Bundles by themselves"
CLOSED, NOWHERE, ODD = "the folder cannot be opened", "the link leads nowhere", "is no ordinary file"
NAMED = 1_000  # files that are told by name; all are counted


class Stray(NamedTuple):
    """What is not read, by its name below the source; of a folder it ends in a slash."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Contents:
    """Files in the order of their names; Bundles only where there is no NDJSON, beside which they are strays."""

    ndjson: tuple[Path, ...]
    bundles: tuple[Path, ...]
    strays: tuple[Stray, ...]
    lacking: str  # why records are known to be missing; empty if they are not


def contents(folder: Path, but: Path) -> Contents:
    """Of a folder and the folders in it, without the folder `but`."""
    found, closed = [], []
    for path, wrong in _all(folder, but.resolve()):
        if wrong:
            closed.append(Stray(path.relative_to(folder).as_posix() + "/" * (wrong == CLOSED), wrong))
        else:
            found.append(path.relative_to(folder))
    ndjson = sorted(path for path in found if is_ours(path))
    bundles = [] if ndjson else sorted(path for path in found if path.name.lower().endswith(BUNDLES))
    strays = (*closed, *strays_of(set(found).difference(bundles)))
    return Contents(tuple(folder / path for path in ndjson), tuple(folder / path for path in bundles), strays, lacking(strays, ndjson))


def strays_of(names: Iterable[PurePath]) -> Iterator[Stray]:
    """Those among the files below a source that are not read, first what should be unpacked."""
    others = [path for path in names if not is_ours(path) and not any(part.startswith(".") for part in path.parts)]
    why = {path: UNPACK if path.name.lower().endswith(PACKED) else BESIDE if path.name.lower().endswith(BUNDLES) else OTHER for path in others}
    yield from (Stray(path.as_posix(), why[path]) for path in sorted(others, key=lambda path: (why[path] != UNPACK, why[path] != BESIDE, path)))


def lacking(strays: Iterable[Stray], read: Collection[PurePath]) -> str:
    """A stray that is of the export itself, and not there unpacked as well: what it holds may be about any child."""
    there = {path.as_posix().lower().removesuffix(".gz") for path in read}
    for name, why in strays:
        unpacked = name.lower().rpartition(".")[0]
        lost = name.lower().endswith(SUFFIXES) if why in (NOWHERE, ODD) else unpacked.endswith(SUFFIXES) and unpacked not in there
        if why == CLOSED or lost:
            return "a file of the source was not read"
    return ""


def told(strays: Sequence[Stray], count: int) -> str:
    """In one line, the first by name; empty if everything was read."""
    if not strays:
        return ""
    first = ", ".join(f"{name} ({why})" for name, why in strays[:5])
    return f"{count} file{'s were' if count > 1 else ' was'} not read: {first}{f' and {count - 5} more' if count > 5 else ''}"


def _all(folder: Path, but: Path) -> Iterator[tuple[Path, str]]:
    """Every file that is not hidden, and what is wrong with it. Links to folders are followed, and each folder is looked through
    once, so that no loop holds us; under its own name where it has one."""
    waiting, links, seen = deque([folder]), deque[Path](), {but}
    while waiting or links:
        place = waiting.popleft() if waiting else links.popleft()
        if (real := place.resolve()) in seen:
            continue
        seen.add(real)
        try:
            entries = sorted(os.scandir(place), key=lambda entry: entry.name)
        except OSError:
            yield place, CLOSED
            continue
        for entry in entries:
            path = place / entry.name
            if entry.name.startswith(".") or (entry.is_symlink() and but in Path(os.path.realpath(path)).parents):
                continue
            if os.path.isdir(path):
                (links if entry.is_symlink() else waiting).append(path)
            else:
                yield path, "" if os.path.isfile(path) else NOWHERE if entry.is_symlink() else ODD
