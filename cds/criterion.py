"""The words that declare a criterion: `@inclusion(...)` and `@exclusion(...)` above one small function.

The text is the document's own, verbatim (a test compares it with `protocol.md`); `reading` says how we read it where it
needs reading. The function takes the Case and the trial's policies and returns a Finding.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cds.case import Case
from cds.finding import Finding, Gap, Why, unknown
from cds.truth import MET, NOT_MET, Truth

Rule = Callable[[Case, Any], Finding]


@dataclass(frozen=True, slots=True)
class Criterion:
    id: str  # INC-06
    kind: str  # "inclusion" or "exclusion"
    name: str  # "renal function": the function's name, unless it needs capitals
    text: tuple[str, ...]  # the sentences of the document, verbatim
    rule: Rule
    reading: str = ""
    modifiable: bool = False  # a blocker that treatment or time may lift: "not met today"

    def finding(self, case: Case, policies: Any) -> Finding:
        """What the rule says of this child. Flags and other criteria ask again, so it is looked for once."""
        found = case.findings.get(self.id)
        if found is None:
            found = case.findings[self.id] = self.rule(case, policies)
        return found

    @property
    def blocks_when(self) -> Truth:
        return NOT_MET if self.kind == "inclusion" else MET


@dataclass(frozen=True, slots=True)
class Flag:
    """A message shown beside the results when its rule is met; it never changes an answer."""

    id: str
    words: str
    rule: Rule


def inclusion(id: str, *text: str, name: str = "", reading: str = "", modifiable: bool = False) -> Callable[[Rule], Criterion]:
    return lambda rule: Criterion(id, "inclusion", name or _name(rule), text, rule, reading, modifiable)


def exclusion(id: str, *text: str, name: str = "", reading: str = "", modifiable: bool = False) -> Callable[[Rule], Criterion]:
    return lambda rule: Criterion(id, "exclusion", name or _name(rule), text, rule, reading, modifiable)


def flag(words: str) -> Callable[[Rule], Flag]:
    """A flag named like its function."""
    return lambda rule: Flag(rule.__name__, words, rule)


def unclear_text(fact: str, words: str) -> Finding:
    """The text itself can be read in two ways: unknown, for the study team."""
    return unknown(Gap(fact, Why.SOURCE_AMBIGUOUS, words))


def _name(rule: Rule) -> str:
    return rule.__name__.replace("_", " ")
