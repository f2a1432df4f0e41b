"""The acceptance vignettes as charts: the plain facts of `cases/nct05827549/vignettes.yaml` told in FHIR R4.

`as_record` tells each fact where an EHR keeps it: Conditions, Observations, treatment periods, given doses. Only what
has no home of its own is a chart-review answer. `as_chart_review` tells everything it can as such answers. What only
criteria of a later version read (syndromes, allergies, other trials) is told where it is easy, to stand in the way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from charts import (
    DIAGNOSES,
    KARNOFSKY,
    LANSKY,
    LOINC,
    OWN,
    Resource,
    answers,
    concept,
    condition,
    dose,
    first_line_treatment,
    observation,
    patient,
    resource,
    taking_part,
    value,
)

FILE = Path(__file__).parent / "cases" / "nct05827549" / "vignettes.yaml"
THIS_TRIAL = {"display": "Relapsed childhood ALL (NCT05827549)"}
ORDINALS = {"first_relapse": "first", "second_or_later_relapse": "second-or-later", "refractory": "refractory", "suspected_relapse": "suspected"}
LATER = frozenset({"first_relapse", "second_or_later_relapse"})  # a relapse that a clinician documented


@dataclass(frozen=True)
class Vignette:
    id: str
    title: str
    facts: Mapping[str, Any]
    expected: Mapping[str, Any]

    @property
    def as_of(self) -> date:
        return date.fromisoformat(self.facts["evaluation_date"])


def read_vignettes() -> tuple[Vignette, ...]:
    told = yaml.safe_load(FILE.read_text(encoding="utf-8"))["vignettes"]
    return tuple(Vignette(v["id"], v["title"], v["facts"], v["expected"]) for v in told)


# --- where an EHR keeps it ---------------------------------------------------------------------------------------


def as_record(f: Mapping[str, Any]) -> list[Resource]:
    return [patient(f["birth_date"], f["sex"]), *illness(f), *results(f), *treatment(f), *end_of_induction(f), *chart_review(homeless(f))]


def illness(f: Mapping[str, Any]) -> list[Resource]:
    """The problem list: first diagnosis, relapse, CNS leukaemia; and the marrows that showed them."""
    verified = "confirmed" if f["diagnosis_confirmed"] is not False else "provisional"
    if f["diagnosis"] == "none":
        return [condition("none")]
    chart = [condition(f["diagnosis"], "remission", f["initial_diagnosis_date"], verified=verified)]
    if f["initial_diagnosis_date"]:
        chart.append(observation("marrow blasts", "88 %", f["initial_diagnosis_date"]))
    if f["frontline_induction_end_date"]:
        chart.append(observation("marrow blasts", "1 %", f["frontline_induction_end_date"]))
    if f["disease_status"] in LATER:
        sites = [site for site in f["extramedullary_sites"] if site != "cns"]
        if f["relapse_site"] in ("isolated_marrow", "combined"):
            sites.append("marrow")
        chart.append(condition(f["diagnosis"], "relapse", f["relapse_date"], verified=verified, sites=sites))
    if "cns" in f["extramedullary_sites"]:
        chart.append(condition("cns_leukaemia", "active", f["relapse_date"]))
    if (blasts := f["relapse_marrow_blasts_pct"]) is not None:
        chart.append(observation("marrow blasts", f"{blasts} %", f["relapse_date"]))
    return chart


def results(f: Mapping[str, Any]) -> list[Resource]:
    chart = []
    for test, told in (("creatinine", f["creatinine"]), ("direct bilirubin", f["direct_bilirubin"]), ("total bilirubin", f["total_bilirubin"])):
        if told:
            chart.append(observation(test, f"{told['value']} {told['unit']}", told["date"]))
    for test in ("shortening_fraction", "ejection_fraction"):
        if (percent := f["echo"][f"{test}_pct"]) is not None:
            chart.append(observation(test.replace("_", " "), f"{percent} %", f["echo"]["date"]))
    day = f["relapse_date"] or f["initial_diagnosis_date"]
    if f["bcr_abl1"] and day:
        chart.append(observation("BCR::ABL1", {"positive": "detected", "negative": "not detected"}[f["bcr_abl1"]], day))
    if f["cd19_on_relapse_blasts"] and day:
        told = value(f["cd19_on_relapse_blasts"]) if f["cd19_on_relapse_blasts"] != "partial" else {"valueCodeableConcept": concept((OWN, "partial"))}
        chart.append(resource("Observation", status="final", code=concept((OWN, "cd19-on-blasts")), effectiveDateTime=day, **told))
    performance = f["performance_status"]
    code = LANSKY if performance["scale"] == "lansky" else KARNOFSKY
    chart.append(resource("Observation", status="final", code=concept(code), effectiveDateTime=performance["date"], valueInteger=performance["score"]))
    if f["hiv"]:
        chart.append(resource("Observation", status="final", code=concept((LOINC, "56888-1")), effectiveDateTime=f["hiv"]["date"], **value(f["hiv"]["result"])))
    return chart


def treatment(f: Mapping[str, Any]) -> list[Resource]:
    chart = []
    if f["off_treatment_date"] not in (None, "on_treatment"):
        chart.append(first_line_treatment(f["initial_diagnosis_date"], f["off_treatment_date"]))
    if f["enrolment_date"]:
        chart.append(taking_part(THIS_TRIAL, f["enrolment_date"]))
    if f["reinduction_start_date"]:
        chart += [dose("idarubicin", f["reinduction_start_date"]), dose("vincristine", f["reinduction_start_date"])]
    if f["other_trial"] != "none_recorded":
        status = {"follow_up_only": "follow-up", "active_treatment": "on-study-intervention", "unknown": "on-study"}[f["other_trial"]]
        chart.append(taking_part({"display": "Another study (NCT00000000)"}, "2025-01-15", status))
    return chart


def end_of_induction(f: Mapping[str, Any]) -> list[Resource]:
    if not f["eoi"]:
        return []
    day, blasts = f["eoi"]["date"], f["eoi"]["marrow_blasts_pct"]
    chart = [observation("marrow blasts", f"{blasts} %", day, eoi=True)] if blasts is not None else []
    for mrd in f["eoi"]["mrd"]:
        unit = {"percent": "%", "cells_per_million": "{cells}/10*6"}[mrd["unit"]]
        told = None if mrd["value"] is None else "not detected" if mrd["value"] == 0 else f"{mrd['value']} {unit}"
        status = {"final": "final", "pending": "registered"}[mrd["status"]]
        chart.append(observation(f"{mrd['method']} MRD", told, day, status=status, eoi=True, lod=f"{mrd['lod_pct']:f} %"))
    return chart


def homeless(f: Mapping[str, Any]) -> dict[str, Any]:
    """Answers for what a record has no dependable place for."""
    told = {
        "frontline-induction-end-date": f["frontline_induction_end_date"],
        "same-four-drug-induction": {"yes": "yes", "no": "no"}.get(f["frontline_induction_same_4_drugs"]),
        "on-treatment-at-relapse": f["off_treatment_date"] == "on_treatment" and f["disease_status"] in LATER or None,
        "relapse-ordinal": ORDINALS[f["disease_status"]] if f["disease_status"] in LATER else None,
        "relapse-site": f["relapse_site"] and f["relapse_site"].replace("_", "-"),
        "prior-allogeneic-transplant": f["prior_allo_sct"] if f["prior_allo_sct"] in ("yes", "no") else None,
        "prior-blinatumomab": f["prior_blinatumomab"] if f["prior_blinatumomab"] in ("yes", "no") else None,
        "treatment-history-complete": f["treatment_history_complete"] or None,
        "consent-and-assent-signed": {"refused": "refused", "signed": "yes"}.get(f["consent"]),
    }
    return {link_id: answer for link_id, answer in told.items() if answer is not None}


def chart_review(told: Mapping[str, Any]) -> list[Resource]:
    return [answers(told, "2025-09-01")] if told else []


# --- everything a person can answer, answered by a person -------------------------------------------------------

LINEAGES = {"b_all": "b-all", "t_all": "t-all", "mixed_phenotype": "mixed-phenotype", "burkitt_or_mature_b": "burkitt-or-mature-b"}


def as_chart_review(f: Mapping[str, Any]) -> list[Resource]:
    """The same child of an EHR that knows of "ALL" and of measured results, and no more."""
    known = f["diagnosis"] in LINEAGES or f["diagnosis"] == "all_lineage_unspecified"
    chart = [patient(f["birth_date"], f["sex"]), condition("all_lineage_unspecified" if known else f["diagnosis"], None)]
    assert set(DIAGNOSES) >= {f["diagnosis"]}
    told = {
        **homeless(f),
        "initial-diagnosis-date": f["initial_diagnosis_date"],
        "lineage": LINEAGES.get(f["diagnosis"]),
        "off-treatment-date": None if f["off_treatment_date"] == "on_treatment" else f["off_treatment_date"],
        "relapse-date": f["relapse_date"] if f["disease_status"] in LATER else None,
        "extramedullary-site": f["extramedullary_sites"] or None,
        "bcr-abl1": f["bcr_abl1"],
        "enrolment-date": f["enrolment_date"],
        "reinduction-start-date": f["reinduction_start_date"],
    }
    if f["relapse_marrow_blasts_pct"] is not None:
        told["relapse-marrow-blasts"] = f"{f['relapse_marrow_blasts_pct']} %"
    if f["eoi"]:
        told |= _end_of_induction_answers(f["eoi"])
    measured = [r for r in results(f) if r["code"] != concept((LOINC, "21821-4"))]
    return [*chart, *measured, answers({link_id: answer for link_id, answer in told.items() if answer is not None})]


def _end_of_induction_answers(eoi: Mapping[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {"eoi-date": eoi["date"]}
    blasts = eoi["marrow_blasts_pct"]
    if blasts is not None:
        told["eoi-marrow-category"] = "M1" if blasts == "<5" or blasts < 5 else "M2" if blasts <= 25 else "M3"
    for mrd in eoi["mrd"]:
        if mrd["method"] == "ngs" and mrd["value"] is not None:
            told["eoi-ngs-mrd"] = f"{mrd['value']} {'%' if mrd['unit'] == 'percent' else '{cells}/10*6'}"
            told["eoi-ngs-mrd-lod"] = f"{mrd['lod_pct']:f} %"
    return told
