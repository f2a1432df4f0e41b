"""What years of treatment leave in the chart of a child with leukaemia: doses, orders, results, minor illnesses, procedures.

Written in the detail of a real server: identifiers, who did it, dosage, reference ranges. The same for the same child,
number and day; everything lies before the dates that a judgement turns on, so more of it changes no verdict.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import date, timedelta

from hooks.demo import leukaemia_codes as codes
from hooks.demo.fhir_builders import HL7, RXNORM, SNOMED, UCUM, Resource, concept, measured

YOUNGEST_DAYS, OLDEST_DAYS = 1320, 2100  # before today: within the first treatment of the demonstration's child

SUPPORTIVE = tuple(concept(RXNORM, code, name) for code, name in (
    ("26225", "ondansetron"), ("161", "acetaminophen"), ("10831", "sulfamethoxazole / trimethoprim"), ("7052", "morphine"),
    ("20481", "cefepime"), ("4450", "fluconazole"), ("281", "acyclovir"), ("4603", "furosemide"), ("5224", "heparin"),
    ("8591", "potassium chloride"), ("4278", "famotidine"), ("7646", "omeprazole"), ("11124", "vancomycin"),
    ("29561", "meropenem"), ("3498", "diphenhydramine"), ("519", "allopurinol"), ("6218", "lactulose"), ("6960", "midazolam"),
    ("6915", "metoclopramide"), ("68442", "filgrastim"), ("325887", "micafungin"), ("26237", "granisetron"),
    ("5492", "hydrocortisone"), ("25480", "gabapentin"),
))  # fmt: skip
DATED_BY = (codes.VINCRISTINE, concept(RXNORM, "6851", "methotrexate"), concept(RXNORM, "3041", "cytarabine"), codes.MERCAPTOPURINE)
ONE_DOSE_IN = 8  # is of a drug that the rules date by; the others are read past

ILLNESSES = tuple(concept(SNOMED, code, name) for code, name in (
    ("65363002", "Otitis media (disorder)"), ("54150009", "Upper respiratory infection (disorder)"),
    ("409089005", "Febrile neutropenia (disorder)"), ("14760008", "Constipation (disorder)"), ("422587007", "Nausea (finding)"),
    ("95361005", "Mucositis following therapy (disorder)"), ("271737000", "Anemia (disorder)"),
    ("302215000", "Thrombocytopenic disorder (disorder)"), ("128477000", "Abscess (disorder)"),
    ("24079001", "Atopic dermatitis (disorder)"), ("195967001", "Asthma (disorder)"), ("38907003", "Varicella (disorder)"),
))  # fmt: skip
PROCEDURES = tuple(concept(SNOMED, code, name) for code, name in (
    ("277762005", "Lumbar puncture (procedure)"), ("116859006", "Transfusion of blood product (procedure)"),
    ("399208008", "Plain X-ray of chest (procedure)"), ("33195004", "External beam radiation therapy procedure (procedure)"),
    ("40701008", "Echocardiography (procedure)"), ("233527006", "Central venous catheter insertion (procedure)"),
))  # fmt: skip
RESULTS = ((codes.CREATININE["mg/dL"], 0.3, 0.5), (codes.DIRECT_BILIRUBIN, 0.1, 0.3), (codes.TOTAL_BILIRUBIN, 0.3, 0.9))


class History:
    """One child's past, resource by resource, without end."""

    def __init__(self, patient: str, today: date):
        self.patient, self.today = patient, today
        self.chance = random.Random(patient)  # steady: a seed, not the clock
        self.written = 0

    def _written(self, kind: str, **content: object) -> Resource:
        """What every resource of a real server carries."""
        self.written += 1
        number = f"{self.patient}-past-{self.written:05d}"
        return {
            "resourceType": kind, "id": number,
            "meta": {"versionId": "2", "lastUpdated": f"{self.today - timedelta(days=YOUNGEST_DAYS)}T02:14:09.000+09:00"},
            "identifier": [{"system": f"urn:invented-hospital:{kind.lower()}", "value": number.upper()}],
            **content,
        }  # fmt: skip

    def _day(self) -> date:
        return self.today - timedelta(days=self.chance.randint(YOUNGEST_DAYS, OLDEST_DAYS))

    def _moment(self) -> str:
        return f"{self._day()}T{self.chance.randint(6, 21):02d}:{self.chance.randint(0, 59):02d}:00+09:00"

    def _child(self) -> Resource:
        return {"reference": f"Patient/{self.patient}", "display": "Birkenhain, Juni"}

    def _visit(self) -> Resource:
        return {"reference": f"Encounter/visit-{self.chance.randint(1, 400):03d}", "display": "Hospital encounter"}

    def _nurse(self) -> Resource:
        return {"reference": f"Practitioner/ward-{self.chance.randint(1, 40):02d}", "display": "Ward nurse"}

    def _drug(self) -> Resource:
        return self.chance.choice(DATED_BY if self.chance.randrange(ONE_DOSE_IN) == 0 else SUPPORTIVE)

    def administration(self) -> Resource:
        return self._written(
            "MedicationAdministration", status="completed", medicationCodeableConcept=self._drug(), subject=self._child(),
            category=concept(HL7 + "medication-admin-category", "inpatient", "Inpatient"), context=self._visit(),
            effectiveDateTime=self._moment(), performer=[{"actor": self._nurse()}], request={"reference": "MedicationRequest/order"},
            dosage={"text": "as ordered", "route": concept(SNOMED, "47625008", "Intravenous route"),
                    "dose": measured(self.chance.randint(1, 400) / 10, "mg")["valueQuantity"]},
        )  # fmt: skip

    def order(self) -> Resource:
        return self._written(
            "MedicationRequest", status="completed", intent="order", medicationCodeableConcept=self._drug(), subject=self._child(),
            encounter=self._visit(), authoredOn=self._moment(), requester=self._nurse(), priority="routine",
            dosageInstruction=[{
                "text": "two times daily for 5 days", "timing": {"repeat": {"frequency": 2, "period": 1, "periodUnit": "d"}},
                "route": concept(SNOMED, "26643006", "Oral route"),
                "doseAndRate": [{"doseQuantity": measured(self.chance.randint(1, 400) / 10, "mg")["valueQuantity"]}],
            }],
            dispenseRequest={"numberOfRepeatsAllowed": 0, "quantity": {"value": 10, "unit": "tablet", "system": UCUM, "code": "1"}},
        )  # fmt: skip

    def result(self) -> Resource:
        code, low, high = self.chance.choice(RESULTS)
        taken, value = self._moment(), round(self.chance.uniform(low, high), 2)
        return self._written(
            "Observation", status="final", code=code, subject=self._child(), encounter=self._visit(), effectiveDateTime=taken, issued=taken,
            category=[concept(HL7 + "observation-category", "laboratory", "Laboratory")], performer=[self._nurse()], **measured(value, "mg/dL"),
            interpretation=[concept(HL7 + "v3-ObservationInterpretation", "N", "Normal")], specimen={"reference": "Specimen/serum"},
            referenceRange=[{"low": measured(low, "mg/dL")["valueQuantity"], "high": measured(high, "mg/dL")["valueQuantity"]}],
        )  # fmt: skip

    def illness(self) -> Resource:
        day = self._day()
        return self._written(
            "Condition", code=self.chance.choice(ILLNESSES), subject=self._child(), encounter=self._visit(), recorder=self._nurse(),
            clinicalStatus=concept(HL7 + "condition-clinical", "resolved", "Resolved"),
            verificationStatus=concept(HL7 + "condition-ver-status", "confirmed", "Confirmed"),
            category=[concept(HL7 + "condition-category", "problem-list-item", "Problem List Item")],
            onsetDateTime=str(day), abatementDateTime=str(day + timedelta(days=9)), recordedDate=str(day),
        )  # fmt: skip

    def procedure(self) -> Resource:
        return self._written(
            "Procedure", status="completed", code=self.chance.choice(PROCEDURES), subject=self._child(), encounter=self._visit(),
            category=concept(SNOMED, "387713003", "Surgical procedure"), performedDateTime=self._moment(), performer=[{"actor": self._nurse()}],
        )  # fmt: skip

    def resources(self, key: str, number: int) -> Iterator[Resource]:
        """So many of those that this prefetch key asks for."""
        one: dict[str, Callable[[], Resource]] = {
            "administrations": self.administration, "orders": self.order, "laboratory": self.result,
            "conditions": self.illness, "procedures": self.procedure,
        }  # fmt: skip
        return (one[key]() for _ in range(number))

