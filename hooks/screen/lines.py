"""NDJSON files as blocks of whole lines: plain or gzip, in pieces that several processes can share.

A block is a run of whole lines, short enough to stay in the processor's cache while several searches run over it, so that a
line is looked at only when it matters.
"""

from __future__ import annotations

import gzip
import os
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import BinaryIO, NamedTuple

from stringzilla import count, find

BLOCK = 256 * 1024  # a quarter faster than 8 MB, and no slower than 1 MB
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

    def lines(self) -> int:
        return count(self.data, b"\n") + (not self.data.endswith(b"\n"))


class Unreadable(Exception):
    """Why the rest of a file could not be read, in plain words."""


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
                yield from _unpacked_lines(gzip.open(file), file)
                return
            file.seek(max(0, piece.start - 1))
            if piece.start:
                file.readline()  # a line that begins before this piece belongs to the one before
            yield from _plain_lines(file, piece.end or os.path.getsize(piece.path))
    except (OSError, EOFError, zlib.error) as error:
        raise Unreadable(f"cannot be read further ({type(error).__name__})") from None


def _plain_lines(file: BinaryIO, end: int) -> Iterator[Block]:
    """Where a block's last line ends is found first, so that the block is read in one go and never copied."""
    offset = file.tell()
    while offset < end:
        file.seek(min(offset + BLOCK, end) - 1)
        file.readline()
        size = file.tell() - offset
        file.seek(offset)
        data = file.read(size)
        if not data:
            return  # somebody has cut the file short
        yield Block(plainly(data), offset, len(data))
        offset += len(data)


def _unpacked_lines(lines: BinaryIO, file: BinaryIO) -> Iterator[Block]:
    """`lines` is what comes out of the file."""
    offset, read = lines.tell(), file.tell()
    while data := lines.read(BLOCK):
        if not data.endswith(b"\n"):
            data += lines.readline()
        yield Block(plainly(data), offset, file.tell() - read)
        offset, read = offset + len(data), file.tell()


_ESCAPE = re.compile(rb"\\(?:u00([2-7][0-9a-fA-F])|(/)|.)", re.DOTALL)


def plainly(data: bytes) -> bytes:
    """The same JSON with letters, digits and slashes as themselves, however a writer escaped them: some put a backslash
    before every slash. Then codes and references can be looked for without parsing."""
    return data if find(data, b"\\/") < 0 and find(data, b"\\u00") < 0 else _ESCAPE.sub(_as_itself, data)


def _as_itself(escape: re.Match[bytes]) -> bytes:
    if escape[2]:
        return b"/"
    letter = bytes.fromhex(escape[1].decode()) if escape[1] else b""
    return letter if letter and letter not in b'"\\\x7f' else escape[0]


def line_at(data: bytes, position: int) -> tuple[int, int]:
    """Where the line around a position begins and ends, without its line break."""
    end = data.find(b"\n", position)
    return data.rfind(b"\n", 0, position) + 1, len(data) if end < 0 else end
