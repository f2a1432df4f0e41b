"""The cohort as columns of letters: what the page embeds to list, filter and draw 100,000 children, about 100 bytes each."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from hooks.markdown import plain
from hooks.screen.report.child import NOT_OF_A_CHILD, UNCLEAR, Child

FHIR_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")
ALPHABET = [c for c in map(chr, range(0x21, 0x7F)) if c not in "\"\\<>&,-"] + [chr(c) for c in range(0xC0, 0x250)]
"""One letter for each word of a column: none that JSON or HTML would lengthen, none that separates."""
NONE = "-"


class Dictionary:
    """The words of a column, each with its letter; the first words given keep their order."""

    def __init__(self, words: Iterable[str] = ()):
        self._index: dict[str, int] = {}
        for word in words:
            self.letter(word)

    def letter(self, word: str) -> str:
        return ALPHABET[self._index.setdefault(word, len(self._index))]

    @property
    def words(self) -> list[str]:
        return list(self._index)


class Columns:
    """Children come one by one; `embedded()` is what the page's script reads."""

    def __init__(self, facts: Iterable[str], flags: Iterable[str], *, with_names: bool):
        self.facts, self.flags, self.risks = Dictionary(facts), Dictionary(flags), Dictionary()
        self.sites: dict[str, int] = {}
        self.ids: list[str] = []
        self.names: list[str] | None = [] if with_names else None
        self.letters: list[str] = []
        self.status: list[str] = []
        self.near: list[str] = []
        self.missing: list[str] = []
        self.risk: list[str] = []
        self.flagged: list[str] = []
        self.issues: list[int] = []
        self.site: list[int] = []

    def add(self, child: Child, site: str | None, name: str) -> None:
        self.ids.append(shown_id(child.patient))
        if self.names is not None:
            self.names.append(plain(name))
        self.letters.append(child.letters)
        self.status.append(child.status)
        self.near.append(self.facts.letter(child.near) if child.near else NONE)
        self.missing.append("".join(dict.fromkeys(self.facts.letter(fact) for fact, why in child.missing if why != UNCLEAR)))
        self.risk.append(self.risks.letter(child.risk))
        self.flagged.append("".join(self.flags.letter(flag) for flag in child.flags if flag not in NOT_OF_A_CHILD))
        self.issues.append(len(child.issues))
        if site is not None:
            self.site.append(self.sites.setdefault(site, len(self.sites)))
        else:
            self.site.append(-1)

    def embedded(self) -> dict[str, Any]:
        return {
            "n": len(self.ids), "ids": self.ids, "names": self.names, "letters": "".join(self.letters), "status": "".join(self.status),
            "near": "".join(self.near), "missing": ",".join(self.missing), "risk": "".join(self.risk), "flagged": ",".join(self.flagged),
            "issues": self.issues if any(self.issues) else [], "site": self.site if self.sites else [], "sites": list(map(plain, self.sites)),
            "alphabet": "".join(ALPHABET), "facts": self.facts.words, "flags": self.flags.words, "risks": self.risks.words,
        }  # fmt: skip


def shown_id(patient: str) -> str:
    """`Patient/123` as 123; what is no FHIR id is kept whole, and the page makes no link of it."""
    id = patient.removeprefix("Patient/")
    return id if FHIR_ID.fullmatch(id) else plain(patient)
