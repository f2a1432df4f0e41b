"""Finding resources as a FHIR server does: a read, or a search by patient, code and category, page by page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from hooks.demo.fhir_builders import Resource, moved

Parameters = list[tuple[str, str]]

TYPES = (
    "AdverseEvent", "AllergyIntolerance", "CarePlan", "Condition", "Consent", "DiagnosticReport", "DocumentReference",
    "Encounter", "EpisodeOfCare", "ImagingStudy", "Immunization", "Medication", "MedicationAdministration",
    "MedicationDispense", "MedicationRequest", "MedicationStatement", "Observation", "Organization", "Patient",
    "Practitioner", "Procedure", "QuestionnaireResponse", "ResearchStudy", "ResearchSubject", "ServiceRequest",
    "Specimen",
)  # fmt: skip
PATIENT = ("patient", "subject", "individual")
TOKENS = ("code", "category", "status", "clinical-status")
IGNORED = ("_format", "_pretty", "_sort", "_total")
PAGE, LARGEST_PAGE = 100, 500


class Refused(Exception):
    """The question cannot be answered; said as an OperationOutcome with this HTTP status."""

    def __init__(self, status: int, code: str, words: str) -> None:
        super().__init__(words)
        self.status, self.code, self.words = status, code, words


def outcome(code: str, words: str) -> Resource:
    return {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": code, "diagnostics": words}]}


class Holdings:
    """All resources, found by type and id, by type and patient, or by patient alone."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        self.by_id: dict[str, dict[str, Resource]] = defaultdict(dict)
        self.by_patient: dict[tuple[str, str], list[Resource]] = defaultdict(list)
        self.charts: dict[str, list[Resource]] = defaultdict(list)  # in the order in which they were written
        for resource in resources:
            kind = resource["resourceType"]
            self.by_id[kind][resource["id"]] = resource
            if owner := _owner(resource):
                self.by_patient[kind, owner].append(resource)
                self.charts[owner].append(resource)

    def read(self, kind: str, id: str, base: str) -> Resource:
        _known(kind)
        if id not in self.by_id[kind]:
            raise Refused(404, "not-found", f"{kind}/{id} is not known here")
        return moved(self.by_id[kind][id], base)

    def search(self, kind: str, parameters: Parameters, base: str) -> Resource:
        """A searchset Bundle: one page, and where the next one is."""
        _known(kind)
        found = list(self.by_id[kind].values())
        count, offset = PAGE, 0
        for name, value in parameters:
            if name == "_count":
                count = min(_whole(name, value), LARGEST_PAGE)
            elif name == "_offset":
                offset = _whole(name, value)
            elif name == "_id":
                found = [r for r in found if r["id"] in value.split(",")]
            elif name in PATIENT and kind != "Patient":
                wanted = [part.removeprefix("Patient/") for part in value.split(",")]
                found = [r for who in wanted for r in self.by_patient[kind, who] if r in found]
            elif name in TOKENS:
                found = [r for r in found if any(_matches(r, name, token) for token in value.split(","))]
            elif name not in IGNORED:
                # A filter silently left out would answer with other children's data.
                raise Refused(400, "not-supported", f"the search parameter '{name}' is not supported for {kind}")

        asked = [(name, value) for name, value in parameters if name not in ("_count", "_offset")]
        links = [{"relation": "self", "url": _url(base, kind, [*asked, ("_count", count), ("_offset", offset)])}]
        if count and offset + count < len(found):
            following = [*asked, ("_count", count), ("_offset", offset + count)]
            links.append({"relation": "next", "url": _url(base, kind, following)})
        page = [
            {"fullUrl": f"{base}/{kind}/{r['id']}", "resource": moved(r, base), "search": {"mode": "match"}}
            for r in found[offset : offset + count]
        ]
        bundle: Resource = {"resourceType": "Bundle", "type": "searchset", "total": len(found), "link": links}
        return {**bundle, "entry": page} if page else bundle


def _owner(resource: Resource) -> str:
    for name in PATIENT:
        kind, _, id = resource.get(name, {}).get("reference", "").rpartition("/")
        if kind.rpartition("/")[2] == "Patient":
            return id
    return ""


def _known(kind: str) -> None:
    if kind not in TYPES:
        raise Refused(404, "not-supported", f"the resource type '{kind}' is not known here")


def _whole(name: str, value: str) -> int:
    if not value.isascii() or not value.isdigit():
        raise Refused(400, "invalid", f"{name} must be a whole number, not '{value}'")
    return int(value)


def _matches(resource: Resource, name: str, token: str) -> bool:
    """Token search: `code`, `system|code`, `|code` (no system) or `system|`."""
    system, bar, code = token.rpartition("|")
    return any(
        (not code or coding.get("code") == code) and (not bar or coding.get("system", "") == system)
        for coding in _codings(resource, name)
    )


def _codings(resource: Resource, name: str) -> Iterable[Resource]:
    if name == "status":
        return [{"code": resource.get("status")}]
    if name == "clinical-status":
        concepts = resource.get("clinicalStatus")
    elif name == "code":
        concepts = resource.get("code", resource.get("medicationCodeableConcept"))
    else:
        concepts = resource.get(name)
    concepts = concepts if isinstance(concepts, list) else [concepts]
    return [coding for concept in concepts if concept for coding in concept.get("coding", ())]


def _url(base: str, kind: str, parameters: list[tuple[str, Any]]) -> str:
    return f"{base}/{kind}?{urlencode(parameters)}"
