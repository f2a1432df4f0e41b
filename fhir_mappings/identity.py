"""One id, one person? Where the exports of several hospitals lie together, two children may both be patient "1".

What is recorded under such an id names nothing but the id, so it can be given to neither of them: whoever holds the record
has to say so instead of judging a mixture.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import combinations, product
from typing import NamedTuple

from cds.day import Day
from fhir_mappings import dates
from fhir_mappings.members import each, text
from fhir_mappings.record import Resource

ANY_DAY = Day()


class Identity(NamedTuple):
    """What a Patient says of who it is."""

    born: str | None
    sex: str | None
    identifiers: frozenset[tuple[str, str]]  # system and value; a value without its system may be anything


def are_different(patients: Iterable[Resource]) -> bool:
    """Do Patients of one id contradict each other on who it is, in birth date, sex or identifiers?

    A newer version may correct the birth date or the sex: then both have an identifier in common. That one of them is newer is
    not enough, since of two people one was always changed later.
    """
    changed: dict[Identity, set[str | None]] = defaultdict(set)
    for patient in patients:
        meta = patient.get("meta")
        changed[_identity(patient)].add(text(meta.get("lastUpdated")) if isinstance(meta, Mapping) else None)
    return any(
        _contradict(one, other) and not (one.identifiers & other.identifiers and _one_is_newer(changed[one], changed[other]))
        for one, other in combinations(changed, 2)
    )


def _identity(patient: Resource) -> Identity:
    stated = [(text(i.get("system")), text(i.get("value"))) for i in each(patient.get("identifier"))]
    return Identity(text(patient.get("birthDate")), text(patient.get("gender")), frozenset((s, v) for s, v in stated if s and v))


def _contradict(one: Identity, other: Identity) -> bool:
    if _apart(one.born, other.born) or {one.sex, other.sex} == {"male", "female"}:
        return True
    systems = {system for system, _ in one.identifiers} & {system for system, _ in other.identifiers}
    return bool(systems) and not one.identifiers & other.identifiers


def _one_is_newer(changed: set[str | None], others: set[str | None]) -> bool:
    return all(_apart(*two) for two in product(changed, others))


def _apart(one: str | None, other: str | None) -> bool:
    """Surely not the same day, or not the same moment."""
    first, second = (dates.day(written) or ANY_DAY for written in (one, other))
    return first.surely_before(second) or second.surely_before(first)
