"""The acceptance vignettes as charts: the plain facts of `cases/nct05827549/vignettes.yaml` told in FHIR R4.

`as_record` tells each fact where an EHR keeps it: Conditions, Observations, treatment periods, given doses, allergies,
studies, a consent. Only what has no home of its own is a chart-review answer. `as_chart_review` tells everything it can
as such answers. Every fact of the file is told, and a fact the file does not name stays unsaid.
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
    NO_KNOWN_ALLERGY,
    TESTS,
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
    study,
    taking_part,
    transplant,
)

FILE = Path(__file__).parent / "cases" / "nct05827549" / "vignettes.yaml"
THIS_TRIAL = study("NCT05827549", "Relapsed childhood ALL")
ANOTHER_TRIAL = study("NCT00000000", "Another study")
IN_THE_OTHER = {"follow_up_only": "follow-up", "active_treatment": "on-study-intervention", "unknown": "on-study"}
SYNDROMES = {"other_inherited_bone_marrow_failure": "diamond_blackfan_anaemia", "suspected": "down_syndrome"}  # others by their name
NEUROLOGICAL = {"epilepsy_controlled": "epilepsy"}  # CNS leukaemia is told among the sites of the relapse
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
    told = homeless(f) | {"prior-allogeneic-transplant": _only(f["prior_allo_sct"], "no"), "prior-blinatumomab": _only(f["prior_blinatumomab"], "no")}
    chart = [patient(f["birth_date"], f["sex"]), *illness(f), *results(f), *treatment(f), *end_of_induction(f)]
    return [*chart, *received(f), *besides(f), *papers(f), *chart_review(told)]


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
        chart.append(observation("CD19", f["cd19_on_relapse_blasts"], day))
    performance = f["performance_status"]
    chart.append(observation(performance["scale"].capitalize(), None, performance["date"], valueInteger=performance["score"]))
    if f["hiv"]:
        chart.append(observation("HIV test", f["hiv"]["result"], f["hiv"]["date"]))
    evidence = f["pregnancy_evidence"]
    if evidence and evidence["type"] in HCG:
        chart.append(observation(HCG[evidence["type"]], evidence["result"], evidence["date"]))
    return chart


HCG = {"hcg_urine": "urine hCG", "hcg_serum": "serum hCG"}


def treatment(f: Mapping[str, Any]) -> list[Resource]:
    chart = []
    if f["off_treatment_date"] not in (None, "on_treatment"):
        chart.append(first_line_treatment(f["initial_diagnosis_date"], f["off_treatment_date"]))
    if f["enrolment_date"]:
        chart += [taking_part({"reference": "ResearchStudy/nct05827549"}, f["enrolment_date"]), THIS_TRIAL]
    if f["reinduction_start_date"]:
        chart += [dose("idarubicin", f["reinduction_start_date"]), dose("vincristine", f["reinduction_start_date"])]
    return chart


def received(f: Mapping[str, Any]) -> list[Resource]:
    """What a child had in a lifetime, as the records of having it."""
    day = f["frontline_induction_end_date"]
    chart = [transplant("allogeneic", day)] if f["prior_allo_sct"] == "yes" else []
    return [*chart, medication("MedicationAdministration", "blinatumomab", "completed", day)] if f["prior_blinatumomab"] == "yes" else chart


def besides(f: Mapping[str, Any]) -> list[Resource]:
    """Other conditions, allergies and studies: what no chart review asks about."""
    chart = []
    if (syndrome := f["genetic_syndrome"]) != "none_recorded":
        verified = "provisional" if syndrome == "suspected" else "confirmed"
        chart.append(condition(SYNDROMES.get(syndrome, syndrome), "active", f["birth_date"], verified=verified))
    chart += [condition(NEUROLOGICAL[found], "active", "2024-05-01") for found in f["neuro_findings"] if found != "cns_leukaemia"]
    if f["allergies"]["information"] == "none_known":
        chart.append(allergy(NO_KNOWN_ALLERGY))
    chart += [allergy(drug, written=drug, type="allergy", recordedDate="2024-06-01") for drug in f["allergies"]["substances"]]
    if f["other_trial"] != "none_recorded":
        chart += [taking_part({"reference": "ResearchStudy/nct00000000"}, "2025-01-15", IN_THE_OTHER[f["other_trial"]]), ANOTHER_TRIAL]
    return chart


def papers(f: Mapping[str, Any]) -> list[Resource]:
    status = {"refused": "rejected", "signed": "active"}.get(f["consent"])
    return [consent(status, "2025-08-30")] if status else []


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
        "treatment-history-complete": f["treatment_history_complete"] or None,
        "non-pregnancy-evidence": NOT_PREGNANT.get((f["pregnancy_evidence"] or {}).get("type")),
    }
    return {link_id: answer for link_id, answer in told.items() if answer is not None}


NOT_PREGNANT = {
    "premenarchal_documented": "premenarchal",
    "history_no_possibility": "no-possibility-by-history",
    "amenorrhoea_gt_1y": "amenorrhoea-over-1-year",
    "menopause_gt_1y": "menopause-over-1-year",
    "sterilised": "surgically-sterilised",
}


def _only(told: str, *answerable: str) -> str | None:
    return told if told in answerable else None


def chart_review(told: Mapping[str, Any]) -> list[Resource]:
    given = {link_id: answer for link_id, answer in told.items() if answer is not None}
    return [answers(given, "2025-09-01")] if given else []


# --- everything a person can answer, answered by a person -------------------------------------------------------

LINEAGES = {"b_all": "b-all", "t_all": "t-all", "mixed_phenotype": "mixed-phenotype", "burkitt_or_mature_b": "burkitt-or-mature-b"}


def as_chart_review(f: Mapping[str, Any]) -> list[Resource]:
    """The same child of an EHR that knows of "ALL", of measured results, and of what no chart review asks about."""
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
        "cd19-on-relapse-blasts": f["cd19_on_relapse_blasts"],
        "prior-allogeneic-transplant": _only(f["prior_allo_sct"], "yes", "no"),
        "prior-blinatumomab": _only(f["prior_blinatumomab"], "yes", "no"),
        "consent-and-assent-signed": {"refused": "refused", "signed": "yes"}.get(f["consent"]),
        "enrolment-date": f["enrolment_date"],
        "reinduction-start-date": f["reinduction_start_date"],
    }
    if f["relapse_marrow_blasts_pct"] is not None:
        told["relapse-marrow-blasts"] = f"{f['relapse_marrow_blasts_pct']} %"
    if f["eoi"]:
        told |= _end_of_induction_answers(f["eoi"])
    answered = [concept(TESTS[test]) for test in ("BCR::ABL1", "CD19")]
    measured = [r for r in results(f) if r["code"] not in answered]
    return [*chart, *measured, *besides(f), *chart_review(told)]


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
