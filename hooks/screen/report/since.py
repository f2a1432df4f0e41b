"""What changed since an earlier screening, as the page tells it: how many, who moved where, and which fact is another.

The children of the cohort carry two letters more, what kind of change and the status then, so that the work list finds all
of them; the facts are written out for the first of each kind, the rest stand in changes.json.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from cds import Protocol
from hooks.markdown import plain
from hooks.screen.comparison import KINDS, NOT_APPLICABLE, OUTSIDE, RISK_GROUP, Answer, Changed, Comparison, Fact
from hooks.screen.report.child import BLOCKED, CANNOT_TELL, FOR_THE_TREATING_TEAM, FOUND_NOTHING, NOT_TODAY, Child, status_of
from hooks.screen.report.columns import FHIR_ID, NONE, shown_id
from hooks.screen.report.moves import moves
from hooks.words import STATUS

OUT = "O"  # not in scope: the status of those who are not in the cohort
ORDER = (FOUND_NOTHING, CANNOT_TELL, NOT_TODAY, BLOCKED, OUT)  # the best first
LETTERS = dict(zip(KINDS, "nlsgc", strict=True))
FOUND = STATUS["eligible_pending_clinician_review"].split(" – ")[0]
TOLD = {  # each kind of change, after a number of children
    "newly_fitting": f"newly “{FOUND}”",
    "no_longer_fitting": f"no longer “{FOUND}”",
    "newly_in_scope": "newly in scope, with something missing or in the way",
    "no_longer_in_scope": "no longer in scope",
    "changed": "still in scope, with another answer",
}
DRAWN = 100  # children of a kind whose facts are written out
OPEN = 4  # of these, shown at once; the rest unfolds
LONGEST = 220


@dataclass(frozen=True, slots=True)
class Turned:
    """One fact: what it is, and the answer then and now, each as a verdict and, if there are any, its words."""

    name: str
    before: tuple[str, ...]
    now: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Row:
    id: str
    reference: str
    place: int | None  # in the cohort; None for a child that is not in scope any more
    link: str | None
    was: str
    now: str
    why: str | None  # instead of facts: how a child came into scope, or left it
    facts: tuple[Turned, ...]


class Since:
    """Children are added in the order of the cohort, as to its columns."""

    def __init__(self, compared: Comparison, link: str | None):
        self.day, self._changes, self._link = compared.since, compared.changes, link
        self._by_patient = {change.patient: change for change in compared.changes}
        self._place: dict[str, int] = {}
        self._kinds: list[str] = []
        self._was: list[str] = []

    def add(self, child: Child) -> None:
        change = self._by_patient.get(child.patient)
        if change:
            self._place[child.patient] = len(self._kinds)
        self._kinds.append(LETTERS[change.kind] if change else NONE)
        self._was.append(_was(change) if change else NONE)

    def embedded(self) -> dict[str, str]:
        return {"changed": "".join(self._kinds), "was": "".join(self._was)}

    def view(self, statuses: Mapping[str, int], why: Mapping[str, str], protocol: Protocol) -> dict[str, Any]:
        """`statuses`: children now; `why`: the words for a reason."""
        changes = self._changes
        moved = Counter((_was(c), _now(c)) for c in changes if _was(c) != _now(c))
        listed = {kind: sorted((c for c in changes if c.kind == kind), key=_most_telling) for kind in KINDS}
        here = Counter(self._kinds)
        return {
            "n": len(changes),
            "in_list": sum(n for letter, n in here.items() if letter != NONE),
            "kinds": [{"id": kind, "letter": LETTERS[kind], "words": TOLD[kind], "n": len(found), "in_list": here[LETTERS[kind]],
                       "rows": [self._row(c, why, protocol) for c in found[:DRAWN]], "more": max(len(found) - DRAWN, 0)}
                      for kind, found in listed.items()],
            "open": OPEN,
            "linked": self._link is not None,
            "moves": moves(moved, statuses, ORDER, OUT),
        }  # fmt: skip

    def _row(self, change: Changed, why: Mapping[str, str], protocol: Protocol) -> Row:
        id = change.patient.removeprefix("Patient/")
        link = self._link.replace("{id}", quote(id, safe="")) if self._link and FHIR_ID.fullmatch(id) else None
        shown = shown_id(change.patient)
        return Row(shown, shown if "/" in shown else f"Patient/{shown}", self._place.get(change.patient), link,
                   _was(change), _now(change), _came_or_went(change), tuple(_turned(change.facts, why, protocol)))  # fmt: skip


def _was(change: Changed) -> str:
    return _status(change.before, change.modifiable_before)


def _now(change: Changed) -> str:
    return _status(change.now, change.modifiable_now)


def _status(overall: str, modifiable: bool) -> str:
    return OUT if overall in OUTSIDE else status_of(overall, modifiable)


def _most_telling(change: Changed) -> tuple[bool, int]:
    """Those whose status is another first, then in the order of the work list."""
    return _was(change) == _now(change), ORDER.index(_now(change))


def _came_or_went(change: Changed) -> str | None:
    if change.before in OUTSIDE:
        known = change.before == NOT_APPLICABLE
        return "Was on record without a relapse of this kind of leukaemia." if known else "Had no diagnosis of this kind of leukaemia in the source."
    if change.now in OUTSIDE:
        known = change.now == NOT_APPLICABLE
        return "No relapse of this kind of leukaemia on record any more, or deceased." if known else "Is not in the source any more, or without this diagnosis."
    return None


def _turned(facts: Iterable[Fact], why: Mapping[str, str], protocol: Protocol) -> Iterable[Turned]:
    criteria = {c.id: c for c in protocol.criteria}
    for fact in facts:
        criterion = criteria.get(fact.criterion)
        name = f"{criterion.id} {criterion.name}" if criterion else plain(fact.criterion)
        inclusion = criterion is None or criterion.kind == "inclusion"
        withheld = fact.criterion in FOR_THE_TREATING_TEAM
        yield Turned(name, _answer(fact, fact.before, inclusion, withheld, why), _answer(fact, fact.now, inclusion, withheld, why))


def _answer(fact: Fact, answer: Answer | None, inclusion: bool, withheld: bool, why: Mapping[str, str]) -> tuple[str, ...]:
    """The verdict, never a bare "met" of an exclusion; and the words, unless they are for the treating team alone."""
    if answer is None:
        return ("not judged",)
    words = "" if withheld else plain(answer.words, LONGEST)
    if fact.criterion == RISK_GROUP:
        return (words or "not given while a criterion blocks",)
    if answer.truth == "unknown":
        verdict = f"not known – {'for your judgement' if answer.reason == 'judgement' else why.get(answer.reason or '', 'not told')}"
    elif answer.truth == "met":
        verdict = "met" if inclusion else "exclusion applies"
    else:
        verdict = "not met" if inclusion else "exclusion does not apply"
    return (verdict, words) if words else (verdict,)
