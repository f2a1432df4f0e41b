"""NDJSON files as blocks of whole lines: plain or gzip, in pieces that several processes can share.

A block is some megabytes of bytes that end with a line, so that a search runs over it at the speed of memory and a line is
looked at only when it matters.
"""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import BinaryIO, NamedTuple

BLOCK = 8 * 1024 * 1024
PIECE = 64 * 1024 * 1024  # of a plain file; a gzip file can only be read from its beginning
SUFFIXES = (".ndjson", ".ndjson.gz", ".jsonl", ".jsonl.gz")


class Piece(NamedTuple):
    """A part of one file: the lines that begin in it."""

    path: Path
    start: int
    end: int  # 0: to the end of the file

    @property
    def bytes(self) -> int:
        return (self.end or os.path.getsize(self.path)) - self.start


@dataclass(frozen=True, slots=True)
class Block:
    """Whole lines; `offset` is where the first begins in the unpacked file."""

    data: bytes
    offset: int
    read: int  # bytes of the file on disk that were read for it


class Unreadable(Exception):
    """Why the rest of a file could not be read, in plain words."""


def files_of(folder: Path) -> list[Path]:
    """The NDJSON files of a folder and of the folders in it, in the order of their names; hidden ones are left out."""
    return sorted(path for path in folder.rglob("*") if is_ours(path.relative_to(folder)) and path.is_file())


def is_ours(path: PurePath) -> bool:
    """Is a file of this path below the source one to read?"""
    return path.name.lower().endswith(SUFFIXES) and not any(part.startswith(".") for part in path.parts)


def pieces_of(path: Path) -> list[Piece]:
    size = os.path.getsize(path)
    if path.name.lower().endswith(".gz") or size <= PIECE:
        return [Piece(path, 0, 0)]
    return [Piece(path, start, min(start + PIECE, size)) for start in range(0, size, PIECE)]


def blocks(piece: Piece) -> Iterator[Block]:
    """Raise Unreadable where a file ends before its time; what came before was given."""
    try:
        with open(piece.path, "rb") as file:
            if piece.path.name.lower().endswith(".gz"):
                yield from _whole_lines(gzip.open(file), file, 0)
                return
            file.seek(max(0, piece.start - 1))
            if piece.start:
                file.readline()  # a line that begins before this piece belongs to the one before
            yield from _whole_lines(file, file, piece.end)
    except (OSError, EOFError, zlib.error) as error:
        raise Unreadable(f"cannot be read further ({type(error).__name__})") from None


def _whole_lines(lines: BinaryIO, file: BinaryIO, end: int) -> Iterator[Block]:
    """`lines` is the file, or what comes out of it unpacked."""
    offset, read = lines.tell(), file.tell()
    while not end or offset < end:
        data = lines.read(min(BLOCK, end - offset) if end else BLOCK)
        if not data:
            return
        if not data.endswith(b"\n"):
            data += lines.readline()
        yield Block(data, offset, file.tell() - read)
        offset, read = offset + len(data), file.tell()


def line_at(data: bytes, position: int) -> tuple[int, int]:
    """Where the line around a position begins and ends, without its line break."""
    end = data.find(b"\n", position)
    return data.rfind(b"\n", 0, position) + 1, len(data) if end < 0 else end
