"""What was found about each child, kept on disk until it is that child's turn: memory stays flat whatever the cohort.

Every piece of a source writes one spool file, ordered by bucket, and a child's lines are always in the same bucket. So a
bucket is read with one slice of each file, by whichever process comes to it.
"""

from __future__ import annotations

import json
import os
from array import array
from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any
from zlib import crc32

BUCKETS = 256
OF_NAMED = "n"  # before the name of a piece's spool: what the records of others name in that piece
FULL = 32 * 1024 * 1024  # bytes held before they are written


@lru_cache(100_000)  # the lines of a child often stand together
def bucket_of(patient: str) -> int:
    return crc32(patient.encode()) % BUCKETS


class Spool:
    """The lines of one piece; `done` makes them count. A spool that was never done is written anew."""

    def __init__(self, folder: Path, name: str):
        self._folder, self._name = folder, name
        self._held: dict[int, list[bytes]] = defaultdict(list)
        self._bytes = self._parts = 0

    def add(self, patient: str, line: bytes) -> None:
        self._held[bucket_of(patient)].append(patient.encode() + b"\t" + line + b"\n")
        self._bytes += len(line)
        if self._bytes >= FULL:
            self._write()

    def done(self, notes: dict[str, object]) -> None:
        """The notes are kept beside the lines, for the closing figures."""
        if self._held:
            self._write()
        write_json(self._folder / f"{self._name}.done", {"parts": self._parts, **notes})

    def _write(self) -> None:
        index: dict[str, tuple[int, int]] = {}
        with whole(self._path(".lines")) as unfinished, open(unfinished, "wb") as file:
            for bucket in sorted(self._held):
                start = file.tell()
                file.writelines(self._held[bucket])
                index[str(bucket)] = (start, file.tell() - start)
        write_json(self._path(".index"), index)
        self._held.clear()
        self._bytes, self._parts = 0, self._parts + 1

    def _path(self, suffix: str) -> Path:
        return self._folder / f"{self._name}-{self._parts:04d}{suffix}"


def notes_of(folder: Path, name: str) -> dict[str, object] | None:
    """What a finished spool noted; None while it is not finished."""
    try:
        return json.loads((folder / f"{name}.done").read_bytes())
    except FileNotFoundError:
        return None


def read_bucket(folder: Path, bucket: int) -> dict[str, list[bytes]]:
    """The lines of each child of a bucket, in the order of the source; of finished spools only."""
    found: dict[str, list[bytes]] = defaultdict(list)
    for _, patient, line in rows_of(folder, bucket):
        found[patient.decode()].append(line)
    return found


def rows_of(folder: Path, bucket: int) -> Iterator[tuple[str, bytes, bytes]]:
    """The spool, the child and the line of each row of a bucket."""
    for name, file, start, length in _slices(folder, bucket):
        for row in _slice(folder / file, start, length):
            patient, _, line = row.partition(b"\t")
            yield name, patient, line


def _slices(folder: Path, bucket: int) -> Iterator[tuple[str, str, int, int]]:
    files, places = _index(folder, tuple(sorted(done.stem for done in folder.glob("*.done"))), folder.stat().st_mtime_ns)
    of_bucket = places.get(bucket, ())
    for at in range(0, len(of_bucket), 3):
        yield *files[of_bucket[at]], of_bucket[at + 1], of_bucket[at + 2]


@lru_cache(maxsize=1)
def _index(folder: Path, names: tuple[str, ...], changed: int) -> tuple[list[tuple[str, str]], dict[int, array[int]]]:
    """The files of these spools, each with its spool's name; and of each bucket: number of the file, beginning and length, again
    and again. All buckets need it, so a process reads it once, unless the folder has `changed` since."""
    files: list[tuple[str, str]] = []
    places: dict[int, array[int]] = defaultdict(lambda: array("Q"))
    for name in names:
        parts: Any = (notes_of(folder, name) or {})["parts"]
        for part in range(parts):
            stem = f"{name}-{part:04d}"
            for bucket, (start, length) in json.loads((folder / f"{stem}.index").read_bytes()).items():
                places[int(bucket)].extend((len(files), start, length))
            files.append((name, f"{stem}.lines"))
    return files, places


def _slice(path: Path, start: int, length: int) -> Iterator[bytes]:
    with open(path, "rb") as file:
        file.seek(start)
        yield from file.read(length).split(b"\n")[:-1]  # not splitlines: a line may hold a carriage return


def write_json(path: Path, content: object) -> None:
    """All of it or nothing, whatever happens in between."""
    with whole(path) as unfinished:
        unfinished.write_text(json.dumps(content), encoding="utf-8")  # ASCII: half a surrogate pair is no text


class whole:
    """`with whole(path) as unfinished`: the file appears under its name when the block ends well, and only then."""

    def __init__(self, path: Path):
        # The process id: one that was left behind by a killed run may still be writing the same.
        self._path, self._unfinished = path, path.with_name(f".{path.name}.{os.getpid()}")

    def __enter__(self) -> Path:
        return self._unfinished

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if kind is None:
            os.replace(self._unfinished, self._path)
        else:
            self._unfinished.unlink(missing_ok=True)
