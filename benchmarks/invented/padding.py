"""Years of ordinary results around a story: blood counts, vital signs, and older results of tests that matter.

Older results of a test are added only where a newer one is on record, and later ones only after enrolment: they must
change nothing.
"""

from __future__ import annotations

from datetime import timedelta
from random import Random

from hooks.demo.fhir_builders import LOINC, UCUM, Resource

from invented.story import Story

_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
LABORATORY = [{"coding": [{"system": _CATEGORY, "code": "laboratory", "display": "Laboratory"}]}]
VITAL_SIGNS = [{"coding": [{"system": _CATEGORY, "code": "vital-signs", "display": "Vital Signs"}]}]


def _test(code: str, display: str, unit: str, low: int, high: int, scale: int, category: list = LABORATORY) -> tuple:
    return {"coding": [{"system": LOINC, "code": code, "display": display}]}, unit, low, high, scale, category


UNRELATED = (
    _test("718-7", "Hemoglobin [Mass/volume] in Blood", "g/dL", 71, 145, 10),
    _test("6690-2", "Leukocytes [#/volume] in Blood by Automated count", "10*3/uL", 4, 142, 10),
    _test("777-3", "Platelets [#/volume] in Blood by Automated count", "10*3/uL", 12, 410, 1),
    _test("751-8", "Neutrophils [#/volume] in Blood by Automated count", "10*3/uL", 1, 80, 10),
    _test("26446-6", "Blasts/100 leukocytes in Blood", "%", 0, 70, 1),
    _test("2951-2", "Sodium [Moles/volume] in Serum or Plasma", "mmol/L", 131, 147, 1),
    _test("2823-3", "Potassium [Moles/volume] in Serum or Plasma", "mmol/L", 31, 52, 10),
    _test("1742-6", "Alanine aminotransferase [Enzymatic activity/volume] in Serum or Plasma", "U/L", 9, 380, 1),
    _test("2161-8", "Creatinine [Mass/volume] in Urine", "mg/dL", 20, 180, 1),
    _test("8310-5", "Body temperature", "Cel", 362, 394, 10, VITAL_SIGNS),
    _test("8867-4", "Heart rate", "/min", 62, 150, 1, VITAL_SIGNS),
    _test("29463-7", "Body weight", "kg", 92, 640, 10, VITAL_SIGNS),
    _test("8302-2", "Body height", "cm", 72, 178, 1, VITAL_SIGNS),
)
OLDER = {
    "creatinine": _test("2160-0", "Creatinine [Mass/volume] in Serum or Plasma", "mg/dL", 2, 22, 10),
    "direct bilirubin": _test("1968-7", "Bilirubin.direct [Mass/volume] in Serum or Plasma", "mg/dL", 1, 49, 10),
    "total bilirubin": _test("1975-2", "Bilirubin.total [Mass/volume] in Serum or Plasma", "mg/dL", 2, 65, 10),
}
NEWEST_OF_OLDER = 100  # days before eligibility is judged: older than any result that a story is about


def older_results(rng: Random, story: Story, count: int) -> list[Resource]:
    """`count` Observations, the older ones of tests that matter in between."""
    tests = UNRELATED + tuple(OLDER[name] for name in sorted(story.older))
    subject, last = story.ref(), story.days.frozen - timedelta(days=NEWEST_OF_OLDER)
    span = max(1, min(2500, (last - story.days.born).days - 20))
    since = (story.today - story.days.frozen).days
    random = rng.random
    resources = []
    for number in range(count):
        code, unit, low, high, scale, category = tests[int(random() * len(tests))]
        if since and random() < 0.15:  # eligibility is frozen by then: results under the study's own treatment
            day = story.today - timedelta(days=int(random() * since))
        else:
            day = last - timedelta(days=int(random() * span))
        value = low + int(random() * (high - low + 1))
        resources.append({
            "resourceType": "Observation", "id": f"{story.id}-o{number}", "status": "final", "category": category, "code": code,
            "subject": subject, "effectiveDateTime": f"{day}T{6 + number % 12:02d}:{number % 60:02d}:00+09:00",
            "valueQuantity": {"value": value / scale if scale > 1 else value, "unit": unit, "system": UCUM, "code": unit},
        })  # fmt: skip
    return resources
