"""What became of our cards, as an EHR reports it: CDS Hooks feedback, in the specification's shape and in Epic's.

What a clinician wrote by hand may speak of the child. Of a comment only that there was one leaves this file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hooks.problem import Problem
from hooks.rfc3339 import read_moment

MOST_ENTRIES, MOST_SUGGESTIONS, MOST_REASONS = 1000, 100, 100
LONGEST = 400  # of every text that is stored

EPIC_REASON = "com.epic.cdshooks.feedback.overrideReason"
"""Names the members of Epic's extension, and here the system of its reasons, which each hospital builds for itself."""

_EPIC_PARTS = ("reasonCategory", "reasonDisplay", "reasonTitle")
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")  # legal in JSON, and no database takes it
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass(frozen=True, slots=True)
class Feedback:
    """One outcome of one card. Its fields are the columns that are stored."""

    card: str  # the uuid we gave it, in lower case; or whatever the EHR calls it
    outcome: str  # "accepted" or "overridden"
    outcome_timestamp: datetime  # UTC
    accepted: tuple[str, ...] = ()  # ids of the suggestions taken
    reason_system: str | None = None
    reason_code: str | None = None
    reason_display: str | None = None
    commented: bool = False


@dataclass(frozen=True, slots=True)
class _Override:
    system: str | None = None
    code: str | None = None
    display: str | None = None
    commented: bool = False


def read_feedback(body: Any) -> tuple[Feedback, ...]:
    """Raise Problem(400) naming the field for what neither shape allows; one such entry refuses them all."""
    if not isinstance(body, dict):
        raise Problem(400, "the request body must be a JSON object")
    return tuple(_entry(entry, where) for where, entry in _objects(body.get("feedback"), "feedback", MOST_ENTRIES))


def _entry(entry: Mapping[str, Any], where: str) -> Feedback:
    card = _text(entry, "card", where)
    outcome = entry.get("outcome")
    if outcome not in ("accepted", "overridden"):
        raise Problem(400, f"{where}.outcome: must be accepted or overridden")
    moment = _moment(entry, "outcomeTimestamp", where)
    told = entry.get("acceptedSuggestions")
    suggestions = _objects([] if told is None else told, f"{where}.acceptedSuggestions", MOST_SUGGESTIONS)
    accepted, override = tuple(_text(suggestion, "id", at) for at, suggestion in suggestions), _override(entry, where)
    card = card.lower() if _UUID.fullmatch(card) else card
    if outcome == "overridden":
        return Feedback(card, outcome, moment, (), override.system, override.code, override.display, override.commented)
    if not accepted:
        raise Problem(400, f"{where}.acceptedSuggestions: required when the outcome is accepted, with at least one suggestion")
    return Feedback(card, outcome, moment, accepted)


def _override(entry: Mapping[str, Any], where: str) -> _Override:
    """The specification's `overrideReason`, or Epic's `overrideReasons`: an object, or a list of which the first reason counts."""
    found, (one, several) = [], (entry.get("overrideReason"), entry.get("overrideReasons"))
    if one is not None:
        found.append(_reason(_object(one, f"{where}.overrideReason"), f"{where}.overrideReason"))
    if isinstance(several, list):
        found += [_reason(told, at) for at, told in _objects(several, f"{where}.overrideReasons", MOST_REASONS)]
    elif several is not None:
        found.append(_reason(_object(several, f"{where}.overrideReasons"), f"{where}.overrideReasons"))
    first = next((one for one in found if one.code), _Override())
    return _Override(first.system, first.code, first.display, any(one.commented for one in found))


def _reason(told: Mapping[str, Any], where: str) -> _Override:
    comment, reason = told.get("userComment"), told.get("reason")
    if not isinstance(comment, str | None):
        raise Problem(400, f"{where}.userComment: must be a string")
    commented = bool(comment and comment.strip())
    if reason is not None:
        coding, at = _object(reason, f"{where}.reason"), f"{where}.reason"
        return _Override(_text(coding, "system", at), _text(coding, "code", at), _optional(coding, "display", at), commented)
    if epic := _epic(told.get("extension"), f"{where}.extension"):
        category, display, title = epic
        return _Override(EPIC_REASON, category or display or title, display or title, commented)
    if comment is None:
        raise Problem(400, f"{where}: must have a reason or a userComment")
    return _Override(commented=commented)


def _epic(extension: Any, where: str) -> tuple[str | None, ...]:
    """Category, display and title of a reason that the hospital built in Epic; nothing for the extension of somebody else."""
    if extension is None:
        return ()
    members = _object(extension, where)
    parts = tuple(_optional(members, f"{EPIC_REASON}.{part}", where) for part in _EPIC_PARTS)
    return parts if any(parts) else ()


def _object(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise Problem(400, f"{where}: must be an object")
    return value


def _objects(value: Any, where: str, most: int) -> list[tuple[str, Mapping[str, Any]]]:
    """Each with its place."""
    if not isinstance(value, list):
        raise Problem(400, f"{where}: must be a list")
    if len(value) > most:
        raise Problem(400, f"{where}: at most {most} entries at a time")
    return [(f"{where}.{n}", _object(one, f"{where}.{n}")) for n, one in enumerate(value)]


def _text(holder: Mapping[str, Any], key: str, where: str) -> str:
    value = _optional(holder, key, where)
    if not value:
        raise Problem(400, f"{where}.{key}: required, a string")
    return value


def _optional(holder: Mapping[str, Any], key: str, where: str) -> str | None:
    value = holder.get(key)
    if not isinstance(value, str | None):
        raise Problem(400, f"{where}.{key}: must be a string")
    if value and len(value) > LONGEST:
        raise Problem(400, f"{where}.{key}: at most {LONGEST} characters")
    if value and _UNSTORABLE.search(value):
        raise Problem(400, f"{where}.{key}: must be text without NUL characters or halves of surrogate pairs")
    return value if value and value.strip() else None


def _moment(holder: Mapping[str, Any], key: str, where: str) -> datetime:
    try:
        return read_moment(holder.get(key))
    except ValueError as why:
        raise Problem(400, f"{where}.{key}: {why}") from None
