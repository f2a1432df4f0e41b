"""Names in running words: Latin ones are found as whole words, Korean ones anywhere, since other syllables may follow them.

What is found, and what follows from it, is for the tables of names: `called.py` and `substances.py`. Each also says which marks
are no more than a blank in its names.
"""

from __future__ import annotations

import re
from functools import cache


def plain(words: str, marks: re.Pattern[str]) -> str:
    """In small letters, with one blank where these marks or several blanks stand."""
    return " ".join(marks.sub(" ", words.lower()).split())


@cache
def any_of(names: tuple[str, ...], marks: re.Pattern[str]) -> re.Pattern[str]:
    """One pattern for plain words that finds any of the names: looking for one after the other takes several times as long."""
    spelt = [plain(name, marks) for name in names]
    latin, others = ("|".join(re.escape(name) for name in spelt if name.isascii() is ascii) for ascii in (True, False))
    return re.compile("|".join(part for part in (rf"(?<![a-z0-9])(?:{latin})(?![a-z0-9])" if latin else "", others) if part))
