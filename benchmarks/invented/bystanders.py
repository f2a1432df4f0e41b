"""Ordinary children in great number: 20 to 60 resources each, no leukaemia, made fast and one by one."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from typing import Any

from hooks.demo.fhir_builders import UCUM, Resource

from invented import ordinary as o

ONE_LOOKS_ALIKE_IN = 40
CLOCKS = tuple(f"T{hour:02d}:{minute:02d}:00+00:00" for hour in range(7, 18) for minute in (5, 20, 45))


def bystander(seed: int, index: int, as_of: date) -> list[Resource]:
    """One child from 1 to 21 years, who has nothing to do with the trial."""
    random = Random(f"{seed}/bystander/{index}").random

    def one_of(several: tuple[Any, ...]) -> Any:
        return several[int(random() * len(several))]

    name = f"b{seed}-{index:07d}"
    lived = 400 + int(random() * 7200)
    born = as_of - timedelta(days=lived)
    girl = random() < 0.5
    subject = {"reference": f"Patient/{name}"}
    told: list[Resource] = [{
        "resourceType": "Patient", "id": name, "meta": o.FOR_TESTS, "identifier": [{"system": "urn:invented-hospital:mrn", "value": f"B{index:07d}"}],
        "name": [{"use": "official", "family": one_of(o.FAMILIES), "given": [one_of(o.GIRLS if girl else o.BOYS)]}],
        "gender": "female" if girl else "male", "birthDate": str(born),
    }]  # fmt: skip

    def add(kind: str, whose: str, **content: Any) -> None:
        told.append({"resourceType": kind, "id": f"{name}-{len(told)}", whose: subject, **content})

    for _ in range(2 + int(random() * 5)):
        since = int(random() * lived)
        day = str(as_of - timedelta(days=since))
        at = day + one_of(CLOCKS)
        add("Encounter", "subject", status="finished", type=o.CHECK_UP, period={"start": at, "end": at}, **{"class": o.AMBULATORY})
        visit = {"reference": f"Encounter/{told[-1]['id']}"}
        for _ in range(2 + int(random() * 4)):
            code, unit, low, high, category = one_of(o.MEASURED)
            value = {"value": (low + int(random() * (high - low))) / 10, "unit": unit, "system": UCUM, "code": unit}
            add("Observation", "subject", status="final", category=category, code=code, encounter=visit, effectiveDateTime=at, valueQuantity=value)
        chance = random()
        if chance < 0.8:
            over = since > 60
            add("Condition", "subject", clinicalStatus=o.RESOLVED if over else o.ACTIVE, verificationStatus=o.CONFIRMED, category=o.DIAGNOSED,
                code=one_of(o.COMMON), encounter=visit, onsetDateTime=at, recordedDate=at)  # fmt: skip
        if chance < 0.5:
            add("MedicationRequest", "subject", status="completed", intent="order", medicationCodeableConcept=one_of(o.DRUGS), encounter=visit, authoredOn=at)
        if chance > 0.4:
            add("Immunization", "patient", status="completed", vaccineCode=one_of(o.VACCINES), encounter=visit, occurrenceDateTime=at)
        if chance > 0.7:
            add("Procedure", "subject", status="completed", code=one_of(o.DONE), encounter=visit, performedDateTime=at)
    while len(told) < 20:
        add("Immunization", "patient", status="completed", vaccineCode=one_of(o.VACCINES), occurrenceDateTime=str(born + timedelta(days=int(random() * 400))))
    if random() < 0.15:
        add("AllergyIntolerance", "patient", code=one_of(o.ALLERGENS), recordedDate=str(as_of - timedelta(days=int(random() * lived))))
    if index % ONE_LOOKS_ALIKE_IN == 0:
        code, status = o.LOOK_ALIKES[index // ONE_LOOKS_ALIKE_IN % len(o.LOOK_ALIKES)]
        add("Condition", "subject", clinicalStatus=status, verificationStatus=o.CONFIRMED, category=o.DIAGNOSED, code=code,
            onsetDateTime=str(as_of - timedelta(days=int(random() * lived))))  # fmt: skip
    return told
