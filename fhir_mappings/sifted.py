"""A record sifted: the child's own resources, each once, and what was set aside, with why.

Nothing is dropped in silence: whatever is not used becomes an issue of the assessment, and whatever a search did not give
becomes a gap of the facts that need it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from cds.facts import Listed, not_looked_up
from cds.finding import Evidence, Gap, Why
from fhir_mappings import dates
from fhir_mappings.checked import MODELS, Check
from fhir_mappings.diagnoses import is_leukaemia
from fhir_mappings.members import all_words, codings, text
from fhir_mappings.person import dead_though_broken
from fhir_mappings.record import Answer, Outcome, Record, Resource
from fhir_mappings.sources import SEARCHES
from fhir_mappings.subject import is_about, names, reference_of, subject_of

NAMED_BY = {  # what says of a resource which fact it is; without it, it may be any
    "Condition": ("code",),
    "Procedure": ("code",),
    "MedicationAdministration": ("medicationCodeableConcept", "medicationReference"),
    "MedicationStatement": ("medicationCodeableConcept", "medicationReference"),
    "MedicationRequest": ("medicationCodeableConcept", "medicationReference"),
}
REFERRED = {kind for search in SEARCHES for kind in (search.refers_to, search.made_of) if kind}  # these belong to no patient


class Sifted:
    """One pass over one record; collects the issues on the way."""

    def __init__(self, record: Record, check: Check):
        self.record, self.check = record, check
        self.issues: list[Evidence] = []
        self._own: dict[tuple[str, ...], list[Resource]] = {}
        self._subjects: dict[int, bool | None] = {}  # by identity: the record keeps every resource alive
        self._unclear_in: dict[int, str | None] = {}  # by identity of what a search gave, which several may share
        self.patient = names(record.patient_id, record.full_urls)

    def is_own(self, resource: Resource) -> bool | None:
        """Is it about this child? None when it names no patient."""
        key = id(resource)
        if key not in self._subjects:  # asked many times of each
            self._subjects[key] = is_about(resource, self.patient)
        return self._subjects[key]

    def gap(self, search: str, fact: str) -> Gap | None:
        """Why absence proves nothing here; None when the search was answered in full."""
        answer = self.record.answer(search)
        if not answer.complete:
            return not_looked_up(fact, f"{fact}: {answer.why}")
        key = id(answer.resources)
        if key not in self._unclear_in:
            self._unclear_in[key] = next((words for resource in answer.resources if (words := self._unclear(resource))), None)
        unclear = self._unclear_in[key]
        return unclear and not_looked_up(fact, f"{fact}: {unclear}")

    def _unclear(self, resource: Resource) -> str | None:
        """Of whom it is, or of what, cannot be told: it is not used, and what is not found may be this very record."""
        kind = str(resource.get("resourceType"))
        if kind in REFERRED or kind not in MODELS:
            return None
        own = self.is_own(resource)
        if own is None:
            return "a record does not say whose it is"
        if not own or kind not in NAMED_BY or any(_names(resource.get(e)) for e in NAMED_BY[kind]):
            return None
        return "a record does not say what it is about"

    def cut_short(self, search: str) -> bool:
        """What is missing from the search may be newer than what it gave."""
        return self.record.answer(search).cut_short

    def failure(self, search: str, fact: str) -> Gap | None:
        """The gap of a search that was asked and did not answer. Where no chart review is kept, its silence is no gap."""
        return None if self.record.answer(search).outcome in (Outcome.NOT_ASKED, Outcome.NOT_KEPT) else self.gap(search, fact)

    def resources(self, *searches: str) -> list[Resource]:
        """The child's own resources of these searches, each once; the newest version where one came twice."""
        if searches not in self._own:
            self._own[searches] = list(self._sift([self.record.answer(search) for search in searches]))
        return self._own[searches]

    def _sift(self, answers: list[Answer]) -> Iterator[Resource]:
        found: dict[str, Resource] = {}
        self.issues += [Evidence(f"{words}; it was not used") for answer in answers for words in answer.rejected]
        for resources in {id(answer.resources): answer.resources for answer in answers}.values():
            for resource in resources:
                reference = reference_of(resource) if resource.get("id") else _content(resource)
                same = found.get(reference)
                if same is None or same == resource or _newer(resource, same):
                    found[reference] = resource
                elif not _newer(same, resource):
                    found[f"{reference} {_content(resource)}"] = resource  # two versions, neither known to be newer: both count
        for _, resource in sorted(found.items()):  # in whatever order they came, they are read in the same one
            own = self.is_own(resource)
            if own and resource.get("resourceType") == "Patient" and self.check(resource):
                yield dead_though_broken(resource)
            elif own:
                yield resource
            elif resource.get("resourceType") not in REFERRED:
                whose = "is about another patient" if own is False else "names no patient" if subject_of(resource) is None else "names nobody who is known"
                self.issue(resource, f"{whose}; it was not used")

    def of_nobody(self, search: str) -> list[Resource]:
        """What does not say whose it is. It is used for nothing; a question, it may raise."""
        return [r for r in self.record.answer(search).resources if r.get("resourceType") in MODELS and self.is_own(r) is None]

    def referred(self, search: str) -> Mapping[str, Resource]:
        """What came along because the resources of a search refer to it, by `Type/id`."""
        kinds = next((s.refers_to, s.made_of) for s in SEARCHES if s.name == search)
        return {reference_of(r): r for r in self.record.answer(search).resources if r.get("resourceType") in kinds}

    def issue(self, resource: Resource, words: str) -> None:
        self.issues.append(Evidence(words, reference_of(resource)))

    def valid(self, resource: Resource) -> bool:
        wrong = self.check(resource)
        if wrong:
            self.issue(resource, f"{wrong}; it was not used")
        return not wrong

    def usable(self, search: str, wanted: Callable[[Resource], bool]) -> list[Resource]:
        return [r for r in self.resources(search) if wanted(r) and self.valid(r)]

    def dated(self, search: str, fact: str, items: Iterator[Any], expected: bool = True) -> Listed:
        """Facts that other dates hang on: a search that failed, or was cut short, must not read as "not yet"; nor must a kind
        of record that was never sent, if it is `expected` of every EHR."""
        answer = self.record.answer(search)
        unseen = answer.outcome is Outcome.FAILED or (expected and answer.outcome is Outcome.NOT_ASKED)
        return Listed(tuple(items), self.gap(search, fact), unseen, answer.cut_short)

    def dropped_leukaemia(self) -> Gap | None:
        """A leukaemia entry that names no patient, or one we cannot tell, was not used: then absence proves nothing."""
        dropped = [r for r in self.record.answer("conditions").resources if is_leukaemia(r) and not self.is_own(r)]
        words = "a leukaemia entry does not say whose it is"
        return Gap("leukaemia diagnosis", Why.UNIT, words, tuple(Evidence(words, reference_of(r)) for r in dropped)) if dropped else None


def _names(element: Any) -> bool:
    """Does it say anything: words, a code of a system, a reference? A number without its system may mean anything."""
    if isinstance(element, dict) and text(element.get("reference")):
        return True
    coded = any([text(c.get("code")) and text(c.get("system")) for c in codings(element)])
    return coded or any(map(str.strip, all_words(element)))


def _content(resource: Resource) -> str:
    """What tells a resource without an id from the others."""
    try:
        return json.dumps(resource, sort_keys=True, default=str)
    except (RecursionError, TypeError):  # nested too deep, or members of mixed kinds
        return f"{id(resource)}"


def _newer(one: Resource, other: Resource) -> bool:
    """Is one version of a resource surely newer than the other?"""
    first, second = (dates.day(r["meta"].get("lastUpdated")) if isinstance(r.get("meta"), dict) else None for r in (one, other))
    return bool(first and second and second.surely_before(first))
