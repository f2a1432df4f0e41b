"""Text from a chart, made harmless for a card: it cannot become a link, an image, HTML or a new line.

Cards are GitHub Flavored Markdown. Backslashes disarm its syntax and its autolinks, but not its e-mail links: there the
`@` itself has to go. Control and bidirectional characters could disguise what a clinician reads.
"""

from __future__ import annotations

import re
import unicodedata

LONGEST = 300

_ACTIVE = re.compile(r"([\\`*_{}\[\]<>#!|~&$])")
_HARMFUL = re.compile(r"(?i)<(?=[a-z/!?])|[`\[\]{}|\\]|www\.|[a-z][a-z0-9+.-]*://|(?:javascript|data|mailto):")
_SPACES = re.compile(r"\s+")


def plain(text: str, longest: int = LONGEST) -> str:
    """One line of visible characters, at most `longest` of them; for the summary, which is not Markdown."""
    visible = "".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in text if unicodedata.category(c) not in ("Cf", "Cs", "Co", "Cn"))
    line = _SPACES.sub(" ", visible.replace("@", " at ")).strip()
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def escape(text: str, longest: int = LONGEST) -> str:
    """The same, with Markdown's own characters disarmed.

    >>> escape("<b>[x](http://a.example) www.b.example")
    '\\\\<b\\\\>\\\\[x\\\\](http\\\\://a.example) www\\\\.b.example'
    """
    disarmed = _ACTIVE.sub(r"\\\1", plain(text, longest))
    return re.sub(r"(?i)(www)\.", r"\1\\.", disarmed).replace("://", "\\://")


def summary(text: str) -> str:
    """A card's summary: fewer than 140 characters, without anything a client might take for markup or an address."""
    line, before = plain(text, 1000), ""
    while line != before:  # taking something out can put something else together
        line, before = _HARMFUL.sub("", line), line
    return plain(line, 139)
