"""Today's screening beside an earlier one: who is new, who fits now, who no longer does, and which fact changed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

FITS = "eligible_pending_clinician_review"
NOT_IN_SCOPE = "not_in_scope"
KINDS = ("newly_fitting", "no_longer_fitting", "newly_in_scope", "no_longer_in_scope", "changed")


class NoPrevious(ValueError):
    """Why there is nothing to compare with, in one sentence."""


@dataclass(frozen=True, slots=True)
class Changed:
    """What changed for one child; `facts` are the criteria that were answered otherwise, with both answers in words."""

    patient: str
    kind: str
    before: str
    now: str
    facts: tuple[Mapping[str, str], ...] = ()

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def read_previous(folder: Path) -> dict[str, Mapping[str, Any]]:
    """What is needed of an earlier `assessments.ndjson`, by patient."""
    try:
        with open(folder / "assessments.ndjson", "rb") as file:
            return {a["patient"]: _kept(a) for a in map(json.loads, file)}
    except FileNotFoundError:
        raise NoPrevious(f"{folder}: holds no assessments.ndjson of an earlier screening") from None
    except OSError as error:
        raise NoPrevious(f"{folder}/assessments.ndjson: cannot be read ({(error.strerror or 'unknown error').lower()})") from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise NoPrevious(f"{folder}/assessments.ndjson: is not what this program writes") from None


def compare(previous: Mapping[str, Mapping[str, Any]], assessments: Iterable[Mapping[str, Any]]) -> Iterator[Changed]:
    """Every child for whom something changed, in the order of today's; then those who are gone."""
    seen = set()
    for today in assessments:
        patient = today["patient"]
        seen.add(patient)
        before, now = previous.get(patient), _kept(today)
        if before is None:
            yield Changed(patient, "newly_fitting" if now["overall"] == FITS else "newly_in_scope", NOT_IN_SCOPE, now["overall"])
        elif before != now:
            facts = tuple(_facts(before, now))
            if facts or before["overall"] != now["overall"]:
                yield Changed(patient, _kind(before["overall"], now["overall"]), before["overall"], now["overall"], facts)
    for patient in previous:
        if patient not in seen:
            was = previous[patient]["overall"]
            yield Changed(patient, "no_longer_fitting" if was == FITS else "no_longer_in_scope", was, NOT_IN_SCOPE)


def _kept(a: Mapping[str, Any]) -> dict[str, Any]:
    return {"overall": a["overall"], "risk": a["risk"]["words"], "criteria": {c["id"]: (c["truth"], c["reason"], c["words"]) for c in a["criteria"]}}


def _kind(before: str, now: str) -> str:
    if now == FITS:
        return "newly_fitting" if before != FITS else "changed"
    return "no_longer_fitting" if before == FITS else "changed"


def _facts(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Mapping[str, str]]:
    """The criteria whose answer, or reason for having none, is another; an answer that only reads otherwise is none."""
    for id in dict.fromkeys((*before["criteria"], *now["criteria"])):
        was, has = before["criteria"].get(id), now["criteria"].get(id)
        if (was and was[:2]) != (has and has[:2]):
            yield {"criterion": id, "before": _told(was), "now": _told(has)}
    if before["risk"] != now["risk"]:
        yield {"criterion": "risk group", "before": before["risk"], "now": now["risk"]}


def _told(answer: tuple[str, str | None, str] | None) -> str:
    if answer is None:
        return "not judged"
    truth, reason, words = answer
    return f"{truth}{f' ({reason})' if reason else ''}: {words}"
