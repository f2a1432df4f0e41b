"""Raw FHIR R4 resources in few words, and the record they make: what the tests of the judgement share.

`read("0.61 mg/dL")`-like cells stay text until they become a Quantity, so that every digit arrives as it was written.
Every resource belongs to `Patient/child` and has an id of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from itertools import count
from typing import Any

from cds.facts import PatientFacts
from fhir_mappings import Answer, Outcome, Record, read_patient
from fhir_mappings.code_systems import ATC, ICD_10, ICD_10_CM, LOINC, NCIT, OWN, RXNORM, SNOMED
from fhir_mappings.sources import SEARCHES, Search

Resource = dict[str, Any]

CHILD = "child"
UCUM = "http://unitsofmeasure.org"
CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
ALLERGY_CLINICAL = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"
ALLERGY_VERIFICATION = "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification"
CHART_REVIEW = "https://hospital.example/Questionnaire/nct05827549-chart-review"

DIAGNOSES = {
    "b_all": (SNOMED, "277571004"),
    "t_all": (SNOMED, "277575008"),
    "all_lineage_unspecified": (SNOMED, "91857003"),
    "mixed_phenotype": (SNOMED, "1187123005"),
    "burkitt_or_mature_b": (SNOMED, "118617000"),
    "lymphoblastic_lymphoma": (ICD_10_CM, "C83.50"),
    "ph_positive_all": (SNOMED, "425688002"),
    "acute_leukaemia": (SNOMED, "91855006"),
    "cns_leukaemia": (SNOMED, "61301000119102"),
    "aml": (SNOMED, "91861009"),
    "none": (SNOMED, "195967001"),  # asthma
}
OTHER_CONDITIONS = {
    "down_syndrome": (SNOMED, "41040004"),
    "bloom_syndrome": (SNOMED, "4434006"),
    "ataxia_telangiectasia": (SNOMED, "68504005"),
    "fanconi_anaemia": (SNOMED, "30575002"),
    "kostmann_syndrome": (NCIT, "C166153"),
    "shwachman_syndrome": (SNOMED, "89454001"),
    "severe_congenital_neutropenia": (NCIT, "C166152"),
    "diamond_blackfan_anaemia": (SNOMED, "88854002"),
    "dyskeratosis_congenita": (SNOMED, "74911008"),
    "agranulocytosis": (ICD_10, "D70"),
    "agranulocytosis_by_chemotherapy": (ICD_10_CM, "D70.1"),
    "neutropenia": (ICD_10_CM, "D70.9"),
    "constitutional_aplastic_anaemia": (ICD_10, "D61.0"),
    "hiv_infection": (SNOMED, "86406008"),
    "hiv_inconclusive": (ICD_10_CM, "R75"),
    "pregnant": (SNOMED, "77386006"),
    "possibly_pregnant": (SNOMED, "102874004"),
    "graft_versus_host": (SNOMED, "234646005"),
    "epilepsy": (SNOMED, "84757009"),
}
TESTS = {
    "creatinine": (LOINC, "2160-0"),
    "creatinine, molar": (LOINC, "14682-9"),
    "direct bilirubin": (LOINC, "1968-7"),
    "direct bilirubin, molar": (LOINC, "14629-0"),
    "conjugated bilirubin": (LOINC, "15152-2"),
    "total bilirubin": (LOINC, "1975-2"),
    "shortening fraction": (LOINC, "18051-3"),
    "ejection fraction": (LOINC, "18043-0"),
    "ejection fraction, method not stated": (LOINC, "10230-1"),
    "ejection fraction, MRI": (LOINC, "8811-2"),
    "ejection fraction, MUGA": (LOINC, "8812-0"),
    "marrow blasts": (LOINC, "11150-0"),
    "marrow category": (OWN, "marrow-category"),
    "BCR::ABL1": (LOINC, "21821-4"),
    "CD19": (OWN, "cd19-on-blasts"),
    "Lansky": (NCIT, "C38144"),
    "Karnofsky": (LOINC, "89243-0"),
    "ECOG": (LOINC, "89247-1"),
    "HIV test": (LOINC, "56888-1"),
    "HIV RNA": (LOINC, "20447-9"),
    "urine hCG": (LOINC, "2106-3"),
    "serum hCG": (LOINC, "2118-8"),
    "pregnancy status": (LOINC, "82810-3"),
    **{f"{method} MRD": (OWN, f"mrd-{method}-marrow") for method in ("ngs", "flow", "pcr")},
    **{f"{method} MRD, blood": (OWN, f"mrd-{method}-blood") for method in ("ngs", "flow", "pcr")},
}
RESULTS = {
    "positive": (SNOMED, "10828004"),
    "negative": (SNOMED, "260385009"),
    "detected": (SNOMED, "260373001"),
    "not detected": (SNOMED, "260415000"),
    "not trackable": (OWN, "not-trackable"),
    "failed": (OWN, "failed"),
    "inadequate": (OWN, "inadequate"),
    "partial": (OWN, "partial"),
    "pregnant": (SNOMED, "77386006"),
    "not pregnant": (SNOMED, "60001007"),
    "possibly pregnant": (SNOMED, "102874004"),
    **{name: (OWN, name) for name in ("M1", "M2", "M3")},
}
SITES = {"marrow": (SNOMED, "14016003"), "testis": (SNOMED, "40689003")}
DRUGS = {
    "idarubicin": (RXNORM, "5650"),
    "vincristine": (RXNORM, "11202"),
    "mercaptopurine": (RXNORM, "103"),
    "etoposide": (RXNORM, "4179"),
    "asparaginase": (ATC, "L01XX02"),
    "blinatumomab": (RXNORM, "1597258"),
    "tisagenlecleucel": (RXNORM, "1986438"),
}
NO_KNOWN_ALLERGY, NO_KNOWN_DRUG_ALLERGY, NO_KNOWN_FOOD_ALLERGY = (SNOMED, "716186003"), (SNOMED, "409137002"), (SNOMED, "429625007")
TRANSPLANTS = {
    "allogeneic": (SNOMED, "58390007"),
    "donor not stated": (SNOMED, "23719005"),
    "autologous": (SNOMED, "58776007"),
}
OF_THE_PATIENT = {"ResearchSubject": "individual", "AllergyIntolerance": "patient", "Consent": "patient"}  # else: subject
END_OF_INDUCTION = (OWN, "end-of-induction")

_numbers = count(1)


def concept(code: tuple[str, str], *more: tuple[str, str]) -> Resource:
    return {"coding": [{"system": system, "code": code} for system, code in (code, *more)]}


def resource(kind: str, **content: Any) -> Resource:
    """Of this child, with an id; an element given as None is left out."""
    subject = OF_THE_PATIENT.get(kind, "subject")
    whole = {"resourceType": kind, "id": f"r{next(_numbers)}", subject: {"reference": f"Patient/{CHILD}"}, **content}
    return {key: value for key, value in whole.items() if value is not None}


def patient(birth_date: str | None = "2015-03-15", sex: str | None = "male", **more: Any) -> Resource:
    told = {"resourceType": "Patient", "id": CHILD, "birthDate": birth_date, "gender": sex, **more}
    return {key: value for key, value in told.items() if value is not None}


def condition(diagnosis: str, status: str | None = "active", onset: str | None = None, *, verified: str | None = "confirmed",
              sites: Iterable[str] = (), **more: Any) -> Resource:  # fmt: skip
    return resource(
        "Condition",
        code=concept((DIAGNOSES | OTHER_CONDITIONS)[diagnosis]),
        clinicalStatus=concept((CLINICAL, status)) if status else None,
        verificationStatus=concept((VERIFICATION, verified)) if verified else None,
        onsetDateTime=onset,
        bodySite=[concept(SITES[site]) for site in sites] or None,
        **more,
    )


_NUMBER = re.compile(r"(<=|>=|<|>)?\s*(\d+(?:\.\d+)?)\s*(.*)$")


def quantity(text: str) -> Resource:
    """`<0.2 mg/dL` as a Quantity, with the comparator and the unit as written; no unit where none is written."""
    comparator, number, unit = _NUMBER.match(text).groups()
    told: Resource = {"value": Decimal(number)}
    if comparator:
        told["comparator"] = comparator
    return {**told, "unit": unit, "system": UCUM, "code": unit} if unit else told


def value(text: str | None) -> Resource:
    """The value[x] of a result: a coded answer, a quantity, or none at all."""
    if text is None:
        return {}
    return {"valueCodeableConcept": concept(RESULTS[text])} if text in RESULTS else {"valueQuantity": quantity(text)}


def observation(test: str, told: str | None, day: str | None, *, status: str = "final", eoi: bool = False, lod: str | None = None,
                **more: Any) -> Resource:  # fmt: skip
    code = f"{test}, molar" if told and told.endswith("mol/L") and f"{test}, molar" in TESTS else test
    limit = [{"code": concept((OWN, "mrd-limit-of-detection")), "valueQuantity": quantity(lod)}] if lod else None
    content = {
        "status": status,
        "code": concept(TESTS[code]),
        "effectiveDateTime": day,
        "category": [concept(END_OF_INDUCTION)] if eoi else None,
        "component": limit,
        **value(told),
    }
    return resource("Observation", **{**content, **more})


def dose(drug: str, day: str, status: str = "completed") -> Resource:
    return resource("MedicationAdministration", status=status, medicationCodeableConcept=concept(DRUGS[drug]), effectiveDateTime=day)


def first_line_treatment(start: str | None, end: str | None, status: str = "completed") -> Resource:
    period = {key: day for key, day in (("start", start), ("end", end)) if day}
    return resource("Procedure", status=status, code=concept((SNOMED, "708255002")), performedPeriod=period)


def taken(drug: str, start: str | None, end: str | None, status: str = "completed") -> Resource:
    """A MedicationStatement: the drug was taken from one day to another."""
    period = {key: day for key, day in (("start", start), ("end", end)) if day}
    return medication("MedicationStatement", drug, status, None, effectivePeriod=period)


def taking_part(study: Mapping[str, Any], start: str | None, status: str = "on-study-intervention") -> Resource:
    return resource("ResearchSubject", status=status, study=dict(study), period={"start": start} if start else None)


def study(identity: str, title: str, **more: Any) -> Resource:
    """A ResearchStudy, which belongs to nobody; `identity` is its registry number and, in small letters, its id."""
    told = {"identifier": [{"system": "https://clinicaltrials.gov", "value": identity}], "title": title, "status": "active"}
    return {"resourceType": "ResearchStudy", "id": identity.lower(), **told, **more}


def medication(kind: str, drug: str, status: str, day: str | None, **more: Any) -> Resource:
    """A MedicationAdministration, MedicationStatement or MedicationRequest."""
    content: Resource = {"status": status, "medicationCodeableConcept": concept(DRUGS[drug])}
    content |= {"intent": "order", "authoredOn": day} if kind == "MedicationRequest" else {"effectiveDateTime": day}
    return resource(kind, **{**content, **more})


def transplant(donor: str, day: str | None, status: str = "completed", **more: Any) -> Resource:
    return resource("Procedure", status=status, code=concept(TRANSPLANTS[donor]), performedDateTime=day, **more)


def allergy(substance: str | tuple[str, str] | None, *, status: str | None = "active", verified: str | None = "confirmed",
            written: str | None = None, **more: Any) -> Resource:  # fmt: skip
    """To a drug by name, or to whatever a code says; `written` is the text, with or without a code."""
    code = concept(DRUGS[substance] if isinstance(substance, str) else substance) if substance else {}
    content = {
        "clinicalStatus": concept((ALLERGY_CLINICAL, status)) if status else None,
        "verificationStatus": concept((ALLERGY_VERIFICATION, verified)) if verified else None,
        "code": {**code, **({"text": written} if written else {})},
    }
    return resource("AllergyIntolerance", **{**content, **more})


def consent(status: str, day: str | None, **more: Any) -> Resource:
    """A research consent; to this trial, unless told otherwise."""
    content = {
        "status": status,
        "scope": concept(("http://terminology.hl7.org/CodeSystem/consentscope", "research")),
        "category": [concept((LOINC, "57016-8"))],
        "dateTime": day,
        "policy": [{"uri": "https://clinicaltrials.gov/study/NCT05827549"}],
    }
    return resource("Consent", **{**content, **more})


def answers(told: Mapping[str, Any], day: str | None = "2025-09-01", *, status: str = "completed", **more: Any) -> Resource:
    """A completed chart review: a date, a code, a truth or a quantity by `linkId`; a list repeats the answer."""
    items = []
    for link_id, answer in told.items():
        repeats = answer if isinstance(answer, list) else [answer]
        items.append({"linkId": link_id, "answer": [_answer(link_id, each) for each in repeats]})
    author = {"display": "Dr. Invented"}
    content = {"questionnaire": CHART_REVIEW, "status": status, "authored": day, "author": author, "item": items, **more}
    return resource("QuestionnaireResponse", **content)


def _answer(link_id: str, answer: Any) -> Resource:
    if isinstance(answer, bool):
        return {"valueBoolean": answer}
    if link_id.endswith("-date"):
        return {"valueDate": answer}
    return {"valueQuantity": quantity(answer)} if _NUMBER.match(answer) else {"valueCoding": {"code": answer}}


def record(*resources: Resource, **outcomes: Outcome) -> Record:
    """All searches answered in full with these resources, except those named here by their outcome."""
    found = {}
    for search in SEARCHES:
        outcome = outcomes.get(search.name, Outcome.ANSWERED)
        mine = tuple(r for r in resources if _belongs(r, search)) if outcome in (Outcome.ANSWERED, Outcome.PARTIAL) else ()
        found[search.name] = Answer(outcome, mine, "" if outcome is Outcome.ANSWERED else "the FHIR server did not answer")
    return Record(CHILD, found)


def _belongs(candidate: Resource, search: Search) -> bool:
    kind = candidate.get("resourceType")
    return kind in (search.resource_type, search.refers_to, search.made_of)


def facts(*resources: Resource, as_of: str = "2025-09-01", **outcomes: Outcome) -> PatientFacts:
    return read_patient(record(*resources, **outcomes), date.fromisoformat(as_of))
