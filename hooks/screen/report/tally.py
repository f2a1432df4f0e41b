"""The counts of the report: who stops where, what is missing and why, risk groups, issues, each also by site."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from hooks.screen.report.child import BLOCKED, BLOCKS, CANNOT_TELL, DOES_NOT_BLOCK, FOUND_NOTHING, JUDGEMENT, REASONS, UNCLEAR, Child

KINDS_KEPT = 2_000
"""Kinds of issues told apart; a cohort with more of them has its faults in its words, and their number says so."""
NO_TWO_ALIKE = re.compile(r"'[^']*'|\"[^\"]*\"|“[^”]*”|\b\d(?:[\d.,:T/-]*\d)?")
"""Quoted words, numbers and dates: what makes two issues of one kind look different."""


@dataclass
class CriterionCounts:
    does_not_block: int = 0
    blocks: int = 0
    unknown: int = 0  # a fact is missing
    judgement: int = 0  # unknown as well: the text leaves it to a person
    stop_here: int = 0  # the first that blocks, in the document's order
    left: int = 0  # nothing up to here blocks
    only_this: int = 0  # nothing else blocks
    not_today: int = 0  # of those who stop here, how many may come back


@dataclass
class SiteCounts:
    children: int = 0
    still_open: int = 0  # not blocked for good
    status: Counter[str] = field(default_factory=Counter)
    near: int = 0
    missing: Counter[str] = field(default_factory=Counter)  # fact: children still open


@dataclass
class Tally:
    criteria: list[CriterionCounts]
    repeated: frozenset[int] = frozenset()  # criteria that say again what one before them says: no rule of their own
    children: int = 0
    not_about: int = 0
    status: Counter[str] = field(default_factory=Counter)
    near: Counter[str] = field(default_factory=Counter)  # fact: children
    near_status: Counter[str] = field(default_factory=Counter)
    settles: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    missing: Counter[str] = field(default_factory=Counter)  # fact: children still open
    missing_all: Counter[str] = field(default_factory=Counter)  # fact: every child in scope
    why: Counter[tuple[str, str]] = field(default_factory=Counter)  # fact and reason: children still open
    cannot_tell_unclear: int = 0  # cannot tell yet, and a criterion waits for the study team
    unclear_text: int = 0  # children still open for whom the text itself can be read in two ways
    risk: Counter[tuple[str, str]] = field(default_factory=Counter)  # words and status: children
    risk_needs: Counter[str] = field(default_factory=Counter)
    flags: Counter[str] = field(default_factory=Counter)
    issues: Counter[tuple[str, str]] = field(default_factory=Counter)  # kind of resource and of issue: entries
    issue_children: Counter[tuple[str, str]] = field(default_factory=Counter)
    issue_example: dict[tuple[str, str], str] = field(default_factory=dict)
    other_issues: int = 0
    with_issues: int = 0
    not_looked_up: Counter[str] = field(default_factory=Counter)
    sites: defaultdict[str, SiteCounts] = field(default_factory=lambda: defaultdict(SiteCounts))

    def add(self, child: Child, site: str | None) -> None:
        here = self.sites[site] if site is not None else SiteCounts()
        self.children += 1
        here.children += 1
        for counter in (self.status, here.status):
            counter[child.status] += 1
        self._criteria(child)
        self._missing(child, here)
        self.risk[child.risk, child.status] += 1
        self.risk_needs.update(child.risk_needs)
        self.flags.update(child.flags)
        self.not_looked_up.update({search for search, _ in child.not_looked_up})
        self._issues(child)

    def _criteria(self, child: Child) -> None:
        alone, stop = sum(letter == BLOCKS and i not in self.repeated for i, letter in enumerate(child.letters)) == 1, child.stops_at
        for i, (counts, letter) in enumerate(zip(self.criteria, child.letters, strict=True)):
            counts.does_not_block += letter == DOES_NOT_BLOCK
            counts.blocks += letter == BLOCKS
            counts.judgement += letter == JUDGEMENT
            counts.unknown += letter not in (DOES_NOT_BLOCK, BLOCKS, JUDGEMENT)
            counts.stop_here += i == stop
            counts.left += stop == -1 or i < stop
            counts.only_this += alone and letter == BLOCKS
            counts.not_today += i == stop and child.status != BLOCKED

    def _missing(self, child: Child, here: SiteCounts) -> None:
        facts = {fact for fact, reason in child.missing if reason != UNCLEAR}
        self.missing_all.update(facts)
        if child.status == BLOCKED:
            return
        here.still_open += 1
        self.missing.update(facts)
        here.missing.update(facts)
        self.why.update((fact, reason) for fact, reason in child.missing)
        self.unclear_text += any(reason == UNCLEAR for _, reason in child.missing)
        self.cannot_tell_unclear += child.status == CANNOT_TELL and REASONS[UNCLEAR] in child.letters
        if child.near:
            here.near += 1
            self.near[child.near] += 1
            self.near_status[child.status] += 1
            self.settles[child.near].update(child.settles)

    def _issues(self, child: Child) -> None:
        self.with_issues += bool(child.issues)
        kinds = set()
        for reference, words in child.issues:
            kind = ((reference or "no reference").partition("/")[0], NO_TWO_ALIKE.sub("…", words))
            if kind not in self.issues and len(self.issues) >= KINDS_KEPT:
                self.other_issues += 1
                continue
            self.issues[kind] += 1
            self.issue_example.setdefault(kind, reference or "")
            kinds.add(kind)
        self.issue_children.update(kinds)

    @property
    def still_open(self) -> int:
        return self.children - self.status[BLOCKED]

    @property
    def found_nothing(self) -> int:
        return self.status[FOUND_NOTHING]
