"""What the chart page shows of one child: a banner and compact tables, read from the same resources the EHR holds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from hooks.demo.chart_answers import answered, author
from hooks.demo.fhir_builders import OURS, Resource
from hooks.demo.fhir_words import age_words, ago, day_words, first_words, name_of, result

MARROW_CODES = {"11150-0", "21821-4"}


@dataclass(frozen=True)
class Row:
    what: str
    result: str
    day: str
    ago: str
    note: str = ""
    order: str = ""


@dataclass(frozen=True)
class Table:
    title: str
    columns: tuple[str, str, str]
    rows: list[Row]


@dataclass(frozen=True)
class Banner:
    name: str
    sex: str
    age: str
    born: str
    record_number: str
    id: str


def banner(patient: Resource, today: date) -> Banner:
    return Banner(
        name=name_of(patient),
        sex={"male": "boy", "female": "girl"}.get(patient.get("gender", ""), "sex not recorded"),
        age=age_words(patient["birthDate"], today),
        born=day_words(patient["birthDate"]),
        record_number=patient["identifier"][0]["value"],
        id=patient["id"],
    )


SHELVES = {
    "problems": ("Problems", ("Problem", "Status", "Since")),
    "marrow": ("Marrow, residual disease and genetics", ("Test", "Result", "Sample")),
    "laboratory": ("Laboratory", ("Test", "Result", "Sample")),
    "imaging": ("Echocardiography", ("Measurement", "Result", "Study")),
    "treatment": ("Treatment and studies", ("Treatment", "Status", "When")),
    "review": ("Chart review", ("Question", "Answer", "Answered")),
    "vitals": ("Vital signs and performance", ("Measurement", "Result", "Taken")),
}


def tables(resources: list[Resource], today: date) -> list[Table]:
    """The chart in a clinician's order; a table without rows is left out, but for the echo, whose absence counts."""
    rows: dict[str, list[Row]] = {shelf: [] for shelf in SHELVES}
    for resource in resources:
        match resource["resourceType"]:
            case "Condition":
                rows["problems"].append(_row(resource, today, first_words(resource["clinicalStatus"]), "onsetDateTime"))
            case "AllergyIntolerance":
                # At the end: that nothing is known reads better after what is.
                rows["problems"].append(replace(_row(resource, today, "confirmed", "recordedDate"), order=""))
            case "Observation":
                rows[_shelf(resource)].append(_observed(resource, today))
            case "Procedure":
                rows["treatment"].append(_row(resource, today, resource["status"], "performedPeriod"))
            case "MedicationStatement":
                rows["treatment"].append(_row(resource, today, resource["status"], "effectivePeriod"))
            case "MedicationAdministration":
                rows["treatment"].append(_row(resource, today, "given", "effectiveDateTime"))
            case "ResearchSubject":
                rows["treatment"].append(_row(resource, today, resource["status"].replace("-", " "), "period"))
            case "QuestionnaireResponse":
                rows["review"].extend(_reviewed(resource, today))
    return [
        Table(title, columns, sorted(rows[shelf], key=lambda row: row.order, reverse=True))
        for shelf, (title, columns) in SHELVES.items()
        if rows[shelf] or shelf == "imaging"
    ]


def _shelf(observation: Resource) -> str:
    coding = observation["code"]["coding"][0]
    if coding["system"] == OURS or coding["code"] in MARROW_CODES:
        return "marrow"
    category = observation["category"][0]["coding"][0]["code"]
    return category if category in SHELVES else "vitals"


def _row(resource: Resource, today: date, status: str, when: str) -> Row:
    concept = resource.get("code") or resource.get("medicationCodeableConcept")
    what = first_words(concept) if concept else resource["study"]["display"]
    sites = ", ".join(map(first_words, resource.get("bodySite", ())))
    stated: Any = resource[when]
    if isinstance(stated, str):
        return Row(what, status, day_words(stated), ago(stated, today), note=sites, order=stated)
    start, end = stated["start"], stated.get("end")
    words = f"{day_words(start)} – {day_words(end)}" if end else f"since {day_words(start)}"
    return Row(what, status, words, ago(end or start, today), order=end or start)


def _observed(observation: Resource, today: date) -> Row:
    when = observation["effectiveDateTime"]
    labels = [first_words(label) for label in observation["category"][1:]]
    parts = [f"{first_words(part['code'])}: {result(part)}" for part in observation.get("component", ())]
    return Row(first_words(observation["code"]), result(observation), day_words(when), ago(when, today),
               note=" · ".join([*labels, *parts]), order=when)  # fmt: skip


def _reviewed(response: Resource, today: date) -> list[Row]:
    """Who answered stands under each question; answers that are not finished, or were withdrawn, say so."""
    authored = response.get("authored") or response.get("meta", {}).get("lastUpdated", "")
    status = response.get("status", "no status")
    note = author(response) if status in ("completed", "amended") else f"{author(response)} · {status}"
    return [
        Row(question, words, day_words(authored), ago(authored, today), note=note, order=authored)
        for question, words in answered(response)
    ]
