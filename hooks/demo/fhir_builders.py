"""The pieces of an invented chart: FHIR R4 resources said in as few words as a story can bear."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

Resource = dict[str, Any]

LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
UCUM = "http://unitsofmeasure.org"
NCIT = "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"
OURS = "urn:relapse-cds:codes"
HL7 = "http://terminology.hl7.org/CodeSystem/"

HOME = "https://charts.example/fhir"
"""Where absolute references point. Whoever serves these charts answers with its own address instead."""

TRIAL = "NCT05827549"


def before(day: date, *, years: int = 0, days: int = 0) -> date:
    """The day so many years and days earlier; a 29 February without a match becomes the 28th."""
    try:
        moved = day.replace(year=day.year - years)
    except ValueError:
        moved = day.replace(year=day.year - years, day=28)
    return moved - timedelta(days=days)


def after(day: date, days: int) -> date:
    return day + timedelta(days=days)


def concept(system: str, code: str, display: str, *more: tuple[str, str, str], text: str = "") -> Resource:
    codings = [dict(zip(("system", "code", "display"), coding)) for coding in ((system, code, display), *more)]
    return {"coding": codings, "text": text or display}


def measured(value: float, unit: str, *, comparator: str = "") -> Resource:
    amount: Resource = {"value": value, "unit": unit, "system": UCUM, "code": unit}
    return {"valueQuantity": {**amount, "comparator": comparator} if comparator else amount}


def found(system: str, code: str, display: str) -> Resource:
    return {"valueCodeableConcept": concept(system, code, display)}


NOT_DETECTED = found(SNOMED, "260415000", "Not detected")
DETECTED = found(SNOMED, "260373001", "Detected")
NEGATIVE = found(SNOMED, "260385009", "Negative")
POSITIVE = found(SNOMED, "10828004", "Positive")


@dataclass
class Chart:
    """One child's chart while it is being written."""

    id: str
    today: date
    resources: list[Resource] = field(default_factory=list)

    def ref(self) -> Resource:
        """The child, sometimes by absolute address and sometimes not, as real servers mix them."""
        absolute = len(self.resources) % 3 == 0
        return {"reference": f"{HOME}/Patient/{self.id}" if absolute else f"Patient/{self.id}"}

    def add(self, kind: str, **content: Any) -> Resource:
        resource = {"resourceType": kind, "id": f"{self.id}-{len(self.resources):02d}", **content}
        self.resources.append(resource)
        return resource

    @property
    def number(self) -> int:
        """Steady, so that the same child always has the same record number, birthday and weight."""
        return sum(position * ord(letter) for position, letter in enumerate(self.id, start=7)) % 100_000

    def child(self, given: str, family: str, gender: str, born: date | str) -> None:
        self.resources.append({
            "resourceType": "Patient",
            "id": self.id,
            # HTEST is FHIR's own label for data that must never be taken for a real person's.
            "meta": {"security": [{"system": HL7 + "v3-ActReason", "code": "HTEST", "display": "test health data"}]},
            "identifier": [{"system": "urn:invented-hospital:mrn", "value": f"INV-{self.number:05d}"}],
            "active": True,
            "name": [{"use": "official", "family": family, "given": [given]}],
            "gender": gender,
            "birthDate": str(born),
        })  # fmt: skip

    def condition(self, code: Resource, status: str, onset: date, *, sites: tuple[Resource, ...] = (),
                  verified: str = "confirmed", ended: date | None = None) -> None:  # fmt: skip
        more: Resource = {"bodySite": list(sites)} if sites else {}
        if ended:
            more["abatementDateTime"] = str(ended)
        self.add(
            "Condition",
            clinicalStatus=concept(HL7 + "condition-clinical", status, status),
            verificationStatus=concept(HL7 + "condition-ver-status", verified, verified),
            category=[concept(HL7 + "condition-category", "problem-list-item", "Problem List Item")],
            code=code, subject=self.ref(), onsetDateTime=str(onset), recordedDate=str(onset), **more,
        )  # fmt: skip

    def observation(self, code: Resource, day: date, value: Resource, *, category: str = "laboratory",
                    labels: tuple[Resource, ...] = (), clock: str = "08:20:00", **more: Any) -> None:  # fmt: skip
        kind = concept(HL7 + "observation-category", category, category.replace("-", " ").capitalize())
        self.add(
            "Observation", status="final", category=[kind, *labels], code=code, subject=self.ref(),
            effectiveDateTime=f"{day}T{clock}+09:00", **value, **more,
        )  # fmt: skip

    def dose(self, drug: Resource, day: date) -> None:
        self.add("MedicationAdministration", status="completed", medicationCodeableConcept=drug, subject=self.ref(),
                 effectiveDateTime=f"{day}T11:00:00+09:00")  # fmt: skip

    def course_of(self, drug: Resource, start: date, end: date | None, status: str) -> None:
        period = {"start": str(start)} | ({"end": str(end)} if end else {})
        self.add("MedicationStatement", status=status, medicationCodeableConcept=drug, subject=self.ref(),
                 effectivePeriod=period)  # fmt: skip


def moved(value: Any, base: str) -> Any:
    """The same resource with every reference into HOME pointing below `base` instead (empty: relative)."""
    if isinstance(value, dict):
        return {key: moved(item, base) for key, item in value.items()}
    if isinstance(value, list):
        return [moved(item, base) for item in value]
    if isinstance(value, str) and value.startswith(HOME + "/"):
        return f"{base}/{value[len(HOME) + 1 :]}" if base else value[len(HOME) + 1 :]
    return value
