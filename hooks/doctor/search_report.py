"""One search of the service: how each question of it fared on the wire, and what the service made of the answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from fhir_mappings.members import codings, each
from fhir_mappings.record import Answer, Outcome, Resource
from fhir_mappings.sources import Search
from fhir_mappings.subject import is_about, names
from hooks.doctor.discretion import Discretion
from hooks.doctor.listening import Heard
from hooks.gather import WRONG_PATIENT
from hooks.paging import once_each, read_bundle

MOST_WORDS = 3  # of the server's own, per question
NOT_ALLOWED = ("not authorised (401)", "forbidden (403)")


@dataclass(frozen=True)
class Asked:
    """One question, with all its pages and parts."""

    by: str  # "code", "category", "patient", "id", ...
    heard: tuple[Heard, ...]
    resources: tuple[Resource, ...]
    of_others: int  # results about another patient
    not_asked_for: int  # results without any of the codes in the question

    @property
    def refused(self) -> bool:
        return any(h.refused for h in self.heard)


@dataclass(frozen=True)
class SearchReport:
    search: Search
    answer: Answer  # what the service makes of it
    asked: tuple[Asked, ...]
    seconds: float

    @property
    def status(self) -> str:
        """works | in_part | refused | ignores_patient | not_allowed | not_kept | failed"""
        match self.answer.outcome:
            case Outcome.ANSWERED:
                return "works"
            case Outcome.PARTIAL:
                return "in_part"
            case Outcome.NOT_KEPT:
                return "not_kept"
        if self.answer is WRONG_PATIENT:
            return "ignores_patient"
        if self.answer.why in NOT_ALLOWED:
            return "not_allowed"
        return "refused" if self.asked and self.asked[-1].refused else "failed"

    @property
    def needed(self) -> str | None:
        """The question that was asked in place of the first one."""
        return self.asked[-1].by if len(self.asked) > 1 else None


def reported(search: Search, patient_id: str, answer: Answer, heard: Iterable[Heard], seconds: float) -> SearchReport:
    return SearchReport(search, answer, tuple(_questions(search, patient_id, heard)), seconds)


def _questions(search: Search, patient_id: str, heard: Iterable[Heard]) -> Iterator[Asked]:
    """Replies in the order they came, put to the question each belongs to; a page has its server's own address."""
    named: dict[frozenset[str], str] = {frozenset({"patient", "code"}): "code", frozenset({"patient", "category"}): "category",
                                        frozenset({"patient"}): "patient", frozenset({search.subject}): search.subject}  # fmt: skip
    groups: list[tuple[str, list[Heard]]] = []
    for each_heard in heard:
        by = "id" if search.resource_type == "Patient" else named.get(frozenset(name for name, _ in _query(each_heard)), "")
        if not groups or (by and by != groups[-1][0]):
            groups.append((by or "another address", []))
        groups[-1][1].append(each_heard)
    patient = names(patient_id)
    for by, replies in groups:
        found = once_each(r for h in replies if h.status == 200 for r in _results(h, search))
        codes = {code for h in replies for name, value in _query(h) if name == "code" for code in value.split(",")}
        others = sum(is_about(r, patient) is False for r in found)
        strange = sum(codes.isdisjoint(codes_of(r)) for r in found) if codes else 0
        yield Asked(by, tuple(replies), found, others, strange)


def _query(heard: Heard) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(heard.url).query)


def _results(heard: Heard, search: Search) -> tuple[Resource, ...]:
    if search.resource_type == "Patient":
        return (heard.body,) if heard.is_fhir and heard.body["resourceType"] == "Patient" else ()
    return read_bundle(heard.body, search.resource_type).entries


def codes_of(resource: Resource) -> set[Any]:
    elements = (resource, *each(resource.get("component")))
    return {code for element in elements for coding in codings(element.get("code")) if isinstance(code := coding.get("code"), str)}


def said(heard: Iterable[Heard], discretion: Discretion) -> list[str]:
    """The server's own words, each once: `diagnostics` is nearly always more telling than the text of the code."""
    told = (
        next((w for w in (issue.get("diagnostics"), _text(issue.get("details")), issue.get("code")) if isinstance(w, str) and w), "")
        for h in heard for outcome in h.outcomes for issue in each(outcome.get("issue"))
    )  # fmt: skip
    return list(dict.fromkeys(filter(None, map(discretion.said, told))))[:MOST_WORDS]


def _text(details: Any) -> str | None:
    if not isinstance(details, dict):
        return None
    displays = (coding.get("display") for coding in each(details.get("coding")))
    return details.get("text") or next((d for d in displays if d), None)
