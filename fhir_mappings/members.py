"""Members of raw JSON, by the type they should have: one of the wrong type is treated as not there, and never a crash."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def each(value: Any) -> list[Mapping[str, Any]]:
    """The objects of a list; none if it is no list."""
    return [item for item in value if isinstance(item, dict)] if value and isinstance(value, list) else []


def codings(concept: Any) -> list[Mapping[str, Any]]:
    """The codings of a CodeableConcept."""
    return each(concept.get("coding")) if isinstance(concept, dict) else []


def all_words(concept: Any) -> list[str]:
    """Every text and display of a CodeableConcept."""
    told = [concept.get("text"), *(coding.get("display") for coding in codings(concept))] if isinstance(concept, dict) else []
    return [words for words in told if isinstance(words, str)]


def text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
