"""What a cell of a decision table says, as FHIR resources. `cases/README.md` explains the grammar to its readers.

Entries stand one after the other, `; ` between them: `[day: ]value[ (notes)]` for results, `name[ day][ (notes)]` for
diagnoses and conditions, `[day: ]linkId answer` for the chart review. An unknown word is an error, never ignored.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

from charts import (
    CLINICAL,
    DIAGNOSES,
    DRUGS,
    ICD_10_CM,
    LOINC,
    NO_KNOWN_ALLERGY,
    NO_KNOWN_DRUG_ALLERGY,
    NO_KNOWN_FOOD_ALLERGY,
    OTHER_CONDITIONS,
    OWN,
    RESULTS,
    RXNORM,
    SITES,
    SNOMED,
    TESTS,
    TRANSPLANTS,
    VERIFICATION,
    Resource,
    allergy,
    answers,
    concept,
    condition,
    consent,
    dose,
    first_line_treatment,
    medication,
    observation,
    patient,
    quantity,
    resource,
    study,
    taking_part,
)

ASKED_ON = "2025-09-01"

NAMES = {
    "B-ALL": "b_all",
    "T-ALL": "t_all",
    "ALL": "all_lineage_unspecified",
    "MPAL": "mixed_phenotype",
    "Burkitt leukaemia": "burkitt_or_mature_b",
    "lymphoblastic lymphoma": "lymphoblastic_lymphoma",
    "Ph-positive ALL": "ph_positive_all",
    "acute leukaemia": "acute_leukaemia",
    "CNS leukaemia": "cns_leukaemia",
    "AML": "aml",
    "asthma": "none",
}
MORE_NAMES = {"refractory ALL": (SNOMED, "12311000132101"), "ALL in relapse": (SNOMED, "12301000132103")}
CLINICAL_STATUS = ("active", "remission", "relapse", "recurrence", "inactive", "resolved")
VERIFICATION_STATUS = ("confirmed", "provisional", "differential", "unconfirmed", "refuted", "entered-in-error")
STATUS = ("preliminary", "registered", "amended", "corrected", "cancelled", "entered-in-error", "unknown")
BROKEN = {"component": "this is no list"}  # rejected by validation
NOTED_TESTS = TESTS | {"serum hCG, quantitative": (LOINC, "19080-1"), "CD19, on blasts of no stated sample": (LOINC, "51103-0"),
                      "CD19, panel": (LOINC, "45270-6")}  # fmt: skip
CONDITIONS = {name.replace("_", " "): code for name, code in (DIAGNOSES | OTHER_CONDITIONS).items()} | {
    "mosaic down syndrome": (ICD_10_CM, "Q90.1"),
    "congenital agranulocytosis": (ICD_10_CM, "D70.0"),
    "aplastic anaemia by a drug": (ICD_10_CM, "D61.1"),
    "asthma": DIAGNOSES["none"],
    "seizure": (ICD_10_CM, "R56.9"),
}
PROCEDURES = {f"{donor} transplant": code for donor, code in TRANSPLANTS.items()} | {
    "hysterectomy": (SNOMED, "236886002"),
    "both ovaries removed": (SNOMED, "76876009"),
}
MEDICATIONS = {  # how a drug is told, and the usual status
    "administration": ("MedicationAdministration", "completed"),
    "statement": ("MedicationStatement", "completed"),
    "order": ("MedicationRequest", "active"),
}
SUBSTANCES = DRUGS | {
    "ifosfamide": (RXNORM, "5657"),
    "cytarabine": (RXNORM, "3041"),
    "methotrexate": (RXNORM, "6851"),
    "penicillin": (RXNORM, "7980"),
    "none known": NO_KNOWN_ALLERGY,
    "no drug allergy known": NO_KNOWN_DRUG_ALLERGY,
    "no food allergy known": NO_KNOWN_FOOD_ALLERGY,
    "a drug, which is not stated": (SNOMED, "416098002"),
}
OBSERVATIONAL = {"category": [{"text": "Observational"}]}
_DAY = re.compile(r"\d{4}(-\d\d(-\d\d(T\S+)?)?)?$")
_ENTRY = re.compile(r"(?:(\d{4}\S*): )?(.*?)(?: \(([^)]*)\))?$")


def entries(cell: str) -> Iterator[tuple[str | None, str, list[str]]]:
    """(day, value, notes) of every entry."""
    for entry in filter(None, cell.split("; ")):
        day, told, notes = _ENTRY.match(entry).groups()
        if day and not _DAY.match(day):
            raise ValueError(f"{day!r} is not a day")
        yield day, told.strip(), [note.strip() for note in notes.split(",")] if notes else []


def results(test: str) -> Callable[[str, str], list[Resource]]:
    def read(cell: str, asked_on: str) -> list[Resource]:
        return [_result(test, day or asked_on, told, notes) for day, told, notes in entries(cell)]

    return read


def _result(test: str, day: str | None, told: str, notes: list[str]) -> Resource:
    more: dict[str, Any] = {}
    for note in notes:
        if note in STATUS:
            more["status"] = note
        elif note == "no unit":
            assert "unit" not in quantity(told), f"{told!r} has a unit"
        elif note == "no date":
            day = None
        elif note.startswith("reported "):
            more["issued"] = f"{note.removeprefix('reported ')}T12:00:00+09:00"
        elif note == "end of induction":
            more["eoi"] = True
        elif note.startswith("limit "):
            more["lod"] = note.removeprefix("limit ")
        elif f"{test}, {note}" in NOTED_TESTS:
            more["code"] = concept(NOTED_TESTS[f"{test}, {note}"])
        elif note == "as integer":
            return observation(test, None, day, valueInteger=int(told), **more)
        elif note == "not valid":
            more |= BROKEN
        elif note == "method echocardiogram":
            more |= {"code": concept(TESTS["ejection fraction, method not stated"]), "method": {"text": "Echocardiogram"}}
        else:
            raise ValueError(f"{note!r} is no note on a {test}")
    if told.startswith('"'):
        return observation(test, None, day, valueString=told.strip('"'), **more)
    if told == "no value":
        return observation(test, None, day, **more)
    if found := re.match(r"(\d\S*)-(\d\S*) (\S+)$", told):
        low, high, unit = found.groups()
        return observation(test, None, day, valueRange={"low": quantity(f"{low} {unit}"), "high": quantity(f"{high} {unit}")}, **more)
    if not (told in RESULTS or re.match(r"[<>]?=?\d", told)):
        raise ValueError(f"{told!r} is no value of {test}")
    return observation(test, told, day, **more)


def diagnoses(cell: str, asked_on: str) -> list[Resource]:
    chart = []
    for _, told, notes in entries(cell):
        name, _, last = told.rpartition(" ")
        name, day = (name, last) if _DAY.match(last) else (told, None)
        more: dict[str, Any] = {"status": None, "verified": None, "sites": []}
        for note in notes:
            if note in CLINICAL_STATUS:
                more["status"] = note
            elif note in VERIFICATION_STATUS:
                more["verified"] = note
            elif note in SITES:
                more["sites"].append(note)
            elif note.startswith("recorded "):
                more["recordedDate"] = note.removeprefix("recorded ")
            elif note in ("first", "later"):
                more["category"] = [concept((OWN, f"relapse-ordinal-{note}"))]
            elif note == "not valid":
                more["stage"] = "this is no list"
            else:
                raise ValueError(f"{note!r} is no note on a diagnosis")
        if name in MORE_NAMES:
            more["code"] = concept(MORE_NAMES[name])
            name = "ALL"
        told_condition = condition(NAMES[name], onset=day, **{key: value for key, value in more.items() if key != "code"})
        chart.append({**told_condition, **({"code": more["code"]} if "code" in more else {})})
    return chart


def relapse_date(cell: str, asked_on: str) -> list[Resource]:
    """A documented relapse of B-ALL with this onset; first diagnosed 45 days before its first possible day."""
    if not cell:
        return []
    first = date.fromisoformat((cell + "-01-01")[:10])
    return diagnoses(f"B-ALL {first - timedelta(days=45)}; B-ALL {cell} (relapse)", asked_on)


def review(cell: str, asked_on: str) -> list[Resource]:
    """One chart review for each day on which something was answered."""
    told: dict[str, dict[str, Any]] = {}
    for day, entry, _ in entries(cell):
        link_id, answer = entry.split(" ", 1)
        told.setdefault(day or asked_on, {})[link_id] = {"true": True, "false": False}.get(answer, answer)
    return [answers(answered, day) for day, answered in told.items()]


def conditions(cell: str, asked_on: str) -> list[Resource]:
    """Everything on the problem list besides the leukaemia."""
    chart = []
    for _, told, notes in entries(cell):
        name, _, last = told.rpartition(" ")
        name, day = (name, last) if _DAY.match(last) else (told, None)
        said: dict[str, Any] = {"clinicalStatus": "active", "verificationStatus": "confirmed", "recordedDate": None}
        for note in notes:
            if note.startswith("recorded "):
                said["recordedDate"] = note.removeprefix("recorded ")
            elif note in CLINICAL_STATUS:
                said["clinicalStatus"] = note
            elif note in VERIFICATION_STATUS:
                said["verificationStatus"] = note
            elif note == "not valid":
                said["asserter"] = "not a reference"
            else:
                raise ValueError(f"{note!r} is no note on a condition")
        said["clinicalStatus"] = concept((CLINICAL, said["clinicalStatus"])) if said["verificationStatus"] != "entered-in-error" else None
        said["verificationStatus"] = concept((VERIFICATION, said["verificationStatus"]))
        code = concept(CONDITIONS[name.lower().replace("-", " ")])
        chart.append(resource("Condition", code=code, onsetDateTime=day, **said))
    return chart


def _status(notes: list[str], usual: str) -> str:
    """The one note of an entry that may have no other: the FHIR status."""
    if len(notes) > 1:
        raise ValueError(f"{notes}: one status only")
    return notes[0] if notes else usual


def procedures(cell: str, asked_on: str) -> list[Resource]:
    return [resource("Procedure", status=_status(notes, "completed"), code=concept(PROCEDURES[told]), performedDateTime=day)
            for day, told, notes in entries(cell)]  # fmt: skip


def medications(drug: str) -> Callable[[str, str], list[Resource]]:
    def read(cell: str, asked_on: str) -> list[Resource]:
        return [_medication(drug, day, told, notes) for day, told, notes in entries(cell)]

    return read


def _medication(drug: str, day: str | None, told: str, notes: list[str]) -> Resource:
    if told == "procedure":
        return resource("Procedure", status=_status(notes, "completed"), code=concept(DRUGS[drug]), performedDateTime=day)
    kind, usual = MEDICATIONS[told]
    if notes == ["do not perform"]:
        return medication(kind, drug, usual, day, doNotPerform=True)
    undated = kind == "MedicationAdministration" and day is None  # R4 wants a time: one that says nothing
    return medication(kind, drug, _status(notes, usual), day, **({"effectivePeriod": {}} if undated else {}))


def allergies(cell: str, asked_on: str) -> list[Resource]:
    chart = []
    for _, told, notes in entries(cell):
        more: dict[str, Any] = {}
        for note in notes:
            if note in ("intolerance", "allergy"):
                more["type"] = note
            elif note in ("active", "inactive", "resolved"):
                more["status"] = note
            elif note in VERIFICATION_STATUS:
                more["verified"] = note
                more |= {"status": None} if note == "entered-in-error" else {}
            elif note in ("food", "environment", "medication"):
                more["category"] = [note]
            elif note == "not valid":
                more["recorder"] = "not a reference"
            elif note.startswith("reaction to "):
                more["reaction"] = [{"substance": concept(SUBSTANCES[note.removeprefix("reaction to ")]), "manifestation": [{"text": "rash"}]}]
            else:
                raise ValueError(f"{note!r} is no note on an allergy")
        uncoded = told.startswith('"')
        written = told.strip('"') if uncoded or told == "penicillin" else None  # a code we do not know comes with its name
        chart.append(allergy(None if uncoded else SUBSTANCES[told], written=written, **more))
    return chart


def studies(cell: str, asked_on: str) -> list[Resource]:
    """Taking part in studies other than this one, by the status of taking part; the period starts on the day."""
    chart = []
    for number, (day, status, notes) in enumerate(entries(cell)):
        more, name, end = {}, f"NCT0000000{number}", None
        for note in notes:
            if note == "observational":
                more = OBSERVATIONAL
            elif note == "this trial":
                name = "NCT05827549"
            elif note.startswith("until "):
                end = note.removeprefix("until ")
            else:
                raise ValueError(f"{note!r} is no note on taking part")
        subject = taking_part({"reference": f"ResearchStudy/{name.lower()}"}, day, status)
        chart += [subject | ({"period": {"start": day, "end": end}} if end else {}), study(name, "Another study", **more)]
    return chart


def consents(cell: str, asked_on: str) -> list[Resource]:
    chart = []
    for day, status, notes in entries(cell):
        if notes not in ([], ["another trial"]):
            raise ValueError(f"{notes} is no note on a consent")
        chart.append(consent(status, day or asked_on, **({"policy": [{"uri": "https://clinicaltrials.gov/study/NCT00000000"}]} if notes else {})))
    return chart


def _drugs(cell: str, asked_on: str) -> list[Resource]:
    return [dose(drug, day or asked_on) for day, drug, _ in entries(cell)]


INPUTS: dict[str, Callable[[str, str], list[Resource]]] = {
    **{test: results(test) for test in ("creatinine", "direct bilirubin", "conjugated bilirubin", "total bilirubin", "shortening fraction",
                                        "ejection fraction", "marrow blasts", "marrow category", "BCR::ABL1", "CD19", "Lansky", "Karnofsky",
                                        "ECOG", "HIV test", "HIV RNA", "urine hCG", "serum hCG", "pregnancy status")},
    "MRD": results("ngs MRD"),
    "leukaemia diagnosis": diagnoses,
    "relapse date": relapse_date,
    "administered drugs": _drugs,
    "end of first-line treatment": lambda cell, _: [first_line_treatment(None, cell)] if cell else [],
    "enrolment": lambda cell, _: [taking_part({"display": "NCT05827549"}, cell)] if cell else [],
    "conditions": conditions,
    "procedures": procedures,
    "blinatumomab": medications("blinatumomab"),
    "tisagenlecleucel": medications("tisagenlecleucel"),
    "allergies": allergies,
    "other trial": studies,
    "consent": consents,
    "chart review": review,
}  # fmt: skip
"""The columns that tell a fact, but for birth date and sex."""


def chart(cells: dict[str, str], asked_on: str) -> list[Resource]:
    told = [patient(cells.get("birth date") or None, cells.get("sex") or None)]
    for column, read in INPUTS.items():
        told += read(cells.get(column, ""), asked_on)
    return told
