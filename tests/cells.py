"""What a cell of a decision table says, as FHIR resources. `cases/README.md` explains the grammar to its readers.

Entries stand one after the other, `; ` between them: `[day: ]value[ (notes)]` for results, `name[ day][ (notes)]` for
diagnoses, `linkId answer` for the chart review. An unknown word is an error, never ignored.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

from charts import (
    OWN,
    RESULTS,
    SITES,
    SNOMED,
    TESTS,
    Resource,
    answers,
    concept,
    condition,
    dose,
    first_line_treatment,
    observation,
    patient,
    quantity,
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
VERIFICATION = ("confirmed", "provisional", "differential", "unconfirmed", "refuted", "entered-in-error")
STATUS = ("preliminary", "registered", "amended", "corrected", "cancelled", "entered-in-error", "unknown")
BROKEN = {"component": "this is no list"}  # rejected by validation
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
        elif f"{test}, {note}" in TESTS:
            more["code"] = concept(TESTS[f"{test}, {note}"])
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
            elif note in VERIFICATION:
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
    told: dict[str, Any] = {}
    for entry in filter(None, cell.split("; ")):
        link_id, answer = entry.split(" ", 1)
        told[link_id] = {"true": True, "false": False}.get(answer, answer)
    return [answers(told, asked_on)] if told else []


def _drugs(cell: str, asked_on: str) -> list[Resource]:
    return [dose(drug, day or asked_on) for day, drug, _ in entries(cell)]


INPUTS: dict[str, Callable[[str, str], list[Resource]]] = {
    **{test: results(test) for test in ("creatinine", "direct bilirubin", "conjugated bilirubin", "total bilirubin", "shortening fraction",
                                        "ejection fraction", "marrow blasts", "marrow category", "BCR::ABL1")},
    "MRD": results("ngs MRD"),
    "leukaemia diagnosis": diagnoses,
    "relapse date": relapse_date,
    "administered drugs": _drugs,
    "end of first-line treatment": lambda cell, _: [first_line_treatment(None, cell)] if cell else [],
    "enrolment": lambda cell, _: [taking_part({"display": "NCT05827549"}, cell)] if cell else [],
    "chart review": review,
}  # fmt: skip
"""The columns that tell a fact, but for birth date and sex."""


def chart(cells: dict[str, str], asked_on: str) -> list[Resource]:
    told = [patient(cells.get("birth date") or None, cells.get("sex") or None)]
    for column, read in INPUTS.items():
        told += read(cells.get(column, ""), asked_on)
    return told
