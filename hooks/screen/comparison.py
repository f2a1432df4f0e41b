"""Today's screening beside an earlier one: who is new, who fits now, who no longer does, and which fact changed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

FITS = "eligible_pending_clinician_review"
NOT_IN_SCOPE = "not_in_scope"
NOT_APPLICABLE = "not_applicable"
OUTSIDE = {NOT_IN_SCOPE, NOT_APPLICABLE}
"""Not there at all, or there without what the trial is about: the day of a relapse brings a child into scope, not the first diagnosis."""
KINDS = ("newly_fitting", "no_longer_fitting", "newly_in_scope", "no_longer_in_scope", "changed")
RISK_GROUP = "risk group"  # stands in the place of a criterion's id


class NoPrevious(ValueError):
    """Why there is nothing to compare with, in one sentence."""


class Answer(NamedTuple):
    """Of a criterion: its truth, the reason if there is none, and words; of the risk group the words alone."""

    truth: str | None
    reason: str | None
    words: str

    def told(self) -> str:
        return f"{self.truth}{f' ({self.reason})' if self.reason else ''}: {self.words}" if self.truth else self.words


@dataclass(frozen=True, slots=True)
class Judged:
    """What a comparison needs of one assessment."""

    overall: str
    modifiable: bool = False
    risk: str = ""
    criteria: Mapping[str, Answer] = field(default_factory=dict)


ABSENT = Judged(NOT_IN_SCOPE)


@dataclass(frozen=True, slots=True)
class Previous:
    """An earlier screening: the day as of which it judged ("" if it judged nobody), and its children by patient."""

    as_of: str
    children: Mapping[str, Judged]


@dataclass(frozen=True, slots=True)
class Fact:
    """A criterion that is answered otherwise; None where it was not judged."""

    criterion: str
    before: Answer | None
    now: Answer | None

    def as_json(self) -> dict[str, str]:
        return {"criterion": self.criterion, "before": _told(self.before), "now": _told(self.now)}


@dataclass(frozen=True, slots=True)
class Changed:
    """What changed for one child. Which facts is told of a child that was in scope both times; else there is nothing to compare."""

    patient: str
    kind: str
    before: str
    now: str
    modifiable_before: bool
    modifiable_now: bool
    facts: tuple[Fact, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {**{name: getattr(self, name) for name in self.__slots__}, "facts": [fact.as_json() for fact in self.facts]}


@dataclass(frozen=True, slots=True)
class Comparison:
    """Every change since the day of an earlier screening."""

    since: str
    changes: tuple[Changed, ...]


def read_previous(folder: Path) -> Previous:
    """What is needed of an earlier `assessments.ndjson`."""
    try:
        with open(folder / "assessments.ndjson", "rb") as file:
            first = [json.loads(line) for line in islice(file, 1)]
            file.seek(0)
            children = {a["patient"]: _judged(a) for a in map(json.loads, file)}
            return Previous(str(first[0]["as_of"]) if first else "", children)
    except FileNotFoundError:
        raise NoPrevious(f"{folder}: holds no assessments.ndjson of an earlier screening") from None
    except OSError as error:
        raise NoPrevious(f"{folder}/assessments.ndjson: cannot be read ({(error.strerror or 'unknown error').lower()})") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise NoPrevious(f"{folder}/assessments.ndjson: is not what this program writes") from None


def compare(previous: Previous, assessments: Iterable[Mapping[str, Any]]) -> Comparison:
    """Every child for whom something changed, in the order of today's; then those who are gone."""
    return Comparison(previous.as_of, tuple(_changes(previous.children, assessments)))


def _changes(previous: Mapping[str, Judged], assessments: Iterable[Mapping[str, Any]]) -> Iterator[Changed]:
    seen = set()
    for today in assessments:
        seen.add(today["patient"])
        yield from _change(today["patient"], previous.get(today["patient"], ABSENT), _judged(today))
    for patient, before in previous.items():
        if patient not in seen:
            yield from _change(patient, before, ABSENT)


def _change(patient: str, before: Judged, now: Judged) -> Iterator[Changed]:
    outside = (before.overall in OUTSIDE) + (now.overall in OUTSIDE)
    facts = tuple(_facts(before, now)) if not outside else ()
    if outside < 2 and (facts or before.overall != now.overall):
        kind = _kind(before.overall, now.overall)
        yield Changed(patient, kind, before.overall, now.overall, before.modifiable, now.modifiable, facts)


def _judged(a: Mapping[str, Any]) -> Judged:
    criteria = {c["id"]: Answer(c["truth"], c["reason"], c["words"]) for c in a["criteria"]}
    return Judged(a["overall"], a["modifiable"], a["risk"]["words"], criteria)


def _kind(before: str, now: str) -> str:
    if before != now and FITS in (before, now):
        return "newly_fitting" if now == FITS else "no_longer_fitting"
    if before in OUTSIDE:
        return "newly_in_scope"
    return "no_longer_in_scope" if now in OUTSIDE else "changed"


def _facts(before: Judged, now: Judged) -> Iterator[Fact]:
    """The criteria whose answer, or reason for having none, is another; an answer that only reads otherwise is none."""
    for id in dict.fromkeys((*before.criteria, *now.criteria)):
        was, has = before.criteria.get(id), now.criteria.get(id)
        if (was and was[:2]) != (has and has[:2]):
            yield Fact(id, was, has)
    if before.risk != now.risk:
        yield Fact(RISK_GROUP, Answer(None, None, before.risk), Answer(None, None, now.risk))


def _told(answer: Answer | None) -> str:
    return "not judged" if answer is None else answer.told()
