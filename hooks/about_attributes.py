"""The 13 source attributes of 45 CFR 170.315(b)(11)(iv)(A), for an evidence-based decision support intervention.

The last nine ask whether the intervention uses some kind of data about a person. That is found out from what the rules
read, so that a rule that begins to read a child's race cannot leave "not used" standing here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any


@dataclass(frozen=True, slots=True)
class Asked:
    """One of the nine: its name, and the facts of the vocabulary that carry it (or would, if there were such facts)."""

    id: str
    name: str
    carried_by: tuple[str, ...]


NINE = (
    Asked("race", "Race", ("race",)),
    Asked("ethnicity", "Ethnicity", ("ethnicity",)),
    Asked("language", "Language", ("language",)),
    Asked("sexual_orientation", "Sexual orientation", ("sexual_orientation",)),
    Asked("gender_identity", "Gender identity", ("gender_identity",)),
    Asked("sex", "Sex", ("sex",)),
    Asked("date_of_birth", "Date of birth", ("birth_date",)),
    Asked("social_determinants", "Social determinants of health", ("social_determinants",)),
    # Pregnancy status is one of the health-status assessments of USCDI, and among what the pregnancy test is read from.
    Asked("health_status_assessments", "Health-status assessments", ("performance", "hcg", "pregnancy")),
)


def source_attributes(data: Mapping[str, Any], words: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Numbered as the regulation counts them. `data` is the protocol's, with its release; `words` those of the about page."""
    named = [_row("bibliographic_citation", "Bibliographic citation", _citation(data, words)),
             _row("developer", "Developer", words["developer"]),
             _row("funding", "Source of funding of the technical implementation", words["funding"]),
             _row("dates", "Release and revision dates", _dates(data))]  # fmt: skip
    rows = named + [_use(asked, data, words["attributes"].get(asked.id, "")) for asked in NINE]
    return [{"number": number, **row} for number, row in enumerate(rows, start=1)]


def _row(id: str, name: str, words: str, used: bool | None = None, used_by: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"id": id, "name": name, "used": used, "used_by": list(used_by), "words": words}


def _use(asked: Asked, data: Mapping[str, Any], note: str) -> dict[str, Any]:
    read = [fact for fact in data["facts"] if fact["fact"] in asked.carried_by and fact["used_by"]]
    if not read:
        return _row(asked.id, asked.name, f"Not used: no rule reads it. {note}".strip(), used=False)
    users = tuple(dict.fromkeys(user for fact in read for user in fact["used_by"]))
    told = "; ".join(f"{fact['name']} in {', '.join(_users(fact, data))}" for fact in read)
    return _row(asked.id, asked.name, f"Used: {told}. {note}".strip(), used=True, used_by=users)


def _users(fact: Mapping[str, Any], data: Mapping[str, Any]) -> Iterator[str]:
    """The criteria by id and name, then how many notes beside the results; anything else under its own name."""
    criteria = {c["id"]: f"{c['id']} ({c['name']})" for c in data["criteria"]}
    flags = {flag["id"] for flag in data["flags"]}
    notes = sum(user in flags for user in fact["used_by"])
    yield from (criteria.get(user, user) for user in fact["used_by"] if user not in flags)
    if notes:
        yield f"{notes} {'flag' if notes == 1 else 'flags'}"


def _citation(data: Mapping[str, Any], words: Mapping[str, Any]) -> str:
    return f"{data['protocol']}: {data['title']}. Version of {day_words(data['text_version'])}. {words['citation']} {data['registry_record']}"


def _dates(data: Mapping[str, Any]) -> str:
    this = f"released on {day_words(data['released'])}" if data["released"] else "not released"
    earlier = [f"{version} on {day_words(day)}" for version, day in data["releases"].items() if version != data["software_version"]]
    told = f" Other releases: {', '.join(earlier)}." if earlier else ""
    return f"Version {data['software_version']}, {this}.{told} The trial's text is that of {day_words(data['text_version'])}."


def day_words(iso: str) -> str:
    day = date.fromisoformat(iso)
    return f"{day.day} {day:%B %Y}"
