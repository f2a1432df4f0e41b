"""What a long run tells the person at the terminal: a sentence, or how far it is. Never a patient, an address or a token."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Progress:
    """`of` is 0 while nobody knows how many there will be; `words` are the server's own, made harmless."""

    what: Literal["export", "files", "children"]
    done: int = 0
    of: int = 0
    bytes: int = 0
    words: str = ""


Told = Callable[[str | Progress], None]


def harmless(words: str, longest: int = 100) -> str:
    """A server's text for a terminal: one line, no control characters, not too long."""
    return " ".join("".join(c if c.isprintable() else " " for c in words).split())[:longest]
