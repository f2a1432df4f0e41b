"""What comes to light of a line only when its child is judged: that it is broken, or that the id is not one person's.

It is told with file and line like everything else. But no line carries where it came from, as nearly none is remarked on: those
that are, are looked for again by their digest, in the pieces of files that held them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from typing import NamedTuple

from hooks.screen.lines import Block


class Remark(NamedTuple):
    line: bytes
    why: str  # in words that quote nothing of the line
    shared_id: str = ""  # of a Patient, when others of this id are somebody else; otherwise the line is broken


class Told(NamedTuple):
    """A remark without its line."""

    why: str
    shared_id: str


Sought = Mapping[str, Told]
"""Remarks by the digest of their line. Lines that are the same are remarked on alike, and each of them is told."""


def digest(line: bytes) -> str:
    return sha256(line).hexdigest()


def sought(remarks: Iterable[Remark]) -> dict[str, Told]:
    return {digest(remark.line): Told(remark.why, remark.shared_id) for remark in remarks}


def located(blocks: Iterable[Block], wanted: Sought) -> Iterator[tuple[int, Told]]:
    """Where these lines stand, by their number in the blocks, from 0."""
    before = 0
    for block in blocks:
        lines = block.data.split(b"\n")
        yield from ((before + number, wanted[name]) for number, line in enumerate(lines) if (name := digest(line)) in wanted)
        before += len(lines) - 1
