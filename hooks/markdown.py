"""Text from a chart, made harmless for a card: it cannot become a link, an image, HTML or a new line.

Cards are GitHub Flavored Markdown. Backslashes disarm its syntax and its autolinks, but not its e-mail links: there the
`@` itself has to go. Control and bidirectional characters could disguise what a clinician reads.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

LONGEST = 300
LONGEST_SUMMARY = 139

_ACTIVE = re.compile(r"([\\`*_{}\[\]<>#!|~&$])")
_HARMFUL = re.compile(r"(?i)<(?=[a-z/!?])|[`\[\]{}|\\]|www\.|[a-z][a-z0-9+.-]*://|(?:javascript|data|mailto|https?):")
_SPACES = re.compile(r"\s+")


def plain(text: str, longest: int = LONGEST) -> str:
    """The same as `visible`, without an `@`; for the summary, which is not Markdown."""
    return visible(text.replace("@", " at "), longest)


def visible(text: str, longest: int = LONGEST) -> str:
    """One line of visible characters, at most `longest` of them; for a page, whose markup escapes them."""
    shown = text if text.isprintable() else "".join(_visible(text))  # printable: of none of these categories
    line = _SPACES.sub(" ", shown).strip()
    return line if len(line) <= longest else _cut(line, longest - 1) + "…"


def _cut(line: str, longest: int) -> str:
    """At the end of a word, since half a number is another number; within one only where it takes more than half of the line."""
    end = line.rfind(" ", 0, longest + 1)
    return (line[:end] if end * 2 >= longest else line[:longest]).rstrip()


def _visible(text: str) -> Iterator[str]:
    for character in text:
        category = unicodedata.category(character)
        if category not in ("Cf", "Cs", "Co", "Cn"):
            yield " " if category in ("Cc", "Zl", "Zp") else character


def escape(text: str, longest: int = LONGEST) -> str:
    """The same, with Markdown's own characters disarmed.

    >>> escape("<b>[x](http://a.example) www.b.example")
    '\\\\<b\\\\>\\\\[x\\\\](http\\\\://a.example) www\\\\.b.example'
    """
    disarmed = _ACTIVE.sub(r"\\\1", plain(text, longest))
    return re.sub(r"(?i)(www)\.", r"\1\\.", disarmed).replace("://", "\\://")


def summary(text: str, longest: int = LONGEST_SUMMARY) -> str:
    """A card's summary: fewer than 140 characters, without anything a client might take for markup or an address."""
    line, before = plain(text, 1000), ""
    while line != before:  # taking something out can put something else together
        line, before = _HARMFUL.sub("", line), line
    return plain(line, longest)
