"""The 52 acceptance vignettes, from FHIR to the assessment: what this version judges must come out as written down.

A vignette states the answer of the whole text. This version does not judge every bullet yet, so what is compared is
said in `expected_*` below: judged criteria exactly, the others as an honest "not judged yet".
"""

from __future__ import annotations

import csv

import pytest

import vignettes
from charts import facts
from cds import assess
from cds.trials.nct05827549 import PROTOCOL

JUDGED = ("INC-01", "INC-02", "INC-03", "INC-06", "INC-07", "INC-08", "EXC-01", "EXC-02", "EXC-05")
MODIFIABLE = {"INC-06", "INC-07", "INC-08"}
FLAGS = {flag.id for flag in PROTOCOL.flags} | {"blocker_modifiable"}
VIGNETTES = vignettes.read_vignettes()
APPLICABLE = [v for v in VIGNETTES if v.expected["overall_status"] != "not_applicable"]

ids = lambda v: f"{v.id} {v.title}"  # noqa: E731
every_vignette = pytest.mark.parametrize("vignette", VIGNETTES, ids=ids)
every_applicable = pytest.mark.parametrize("vignette", APPLICABLE, ids=ids)


def judge(vignette, chart=None):
    told = vignettes.as_record(vignette.facts) if chart is None else chart
    return assess(PROTOCOL, facts(*told, as_of=vignette.facts["evaluation_date"])).as_json("test")


def by_id(assessment):
    return {criterion["id"]: criterion for criterion in assessment["criteria"]}


def expected_blocking(vignette):
    return [c for c in vignette.expected["blocking"] if c in JUDGED]


def expected_overall(vignette):
    """Blocked by a judged criterion: not eligible. Otherwise what is not judged yet is missing."""
    if vignette.expected["overall_status"] == "not_applicable":
        return "not_applicable"
    return "not_eligible" if expected_blocking(vignette) else "insufficient_data"


def expected_flags(vignette):
    flags = set(vignette.expected["flags"]) & FLAGS - {"blocker_modifiable"}
    blocking = expected_blocking(vignette)
    return flags | ({"blocker_modifiable"} if blocking and set(blocking) <= MODIFIABLE else set())


def expected_risk(vignette):
    """Status, group and possible groups. A child blocked only by a criterion not judged yet is not suppressed here:
    the vignette then says nothing, and the row of the risk table for its facts does."""
    risk = vignette.expected["risk"]
    if risk["status"] != "suppressed" or expected_blocking(vignette) or vignette.expected["overall_status"] == "not_applicable":
        return risk["status"], risk["group"], risk["possible"]
    f = vignette.facts
    assert f["eoi"] is None and f["disease_status"] == "first_relapse"
    timing = "not_late" if f["off_treatment_date"] == "on_treatment" else "late"
    row = next(r for r in risk_table() if (r["lineage"], r["relapse_site"], r["timing"], r["eoi_ngs_mrd"], r["eoi_marrow"])
               == ({"b_all": "B", "t_all": "T"}[f["diagnosis"]], f["relapse_site"], timing, "unknown", "unknown"))  # fmt: skip
    return row["status"], row["group"] or None, row["possible"].split("|")


def risk_table():
    with vignettes.FILE.with_name("risk-table.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_there_are_52():
    assert len(VIGNETTES) == 52 and len({v.id for v in VIGNETTES}) == 52
    assert {c for v in APPLICABLE for c in v.expected["criteria"]} == {c.id for c in PROTOCOL.criteria}


@every_applicable
def test_judged_criteria(vignette):
    found = by_id(judge(vignette))
    truths = {c: found[c]["truth"] for c in JUDGED}
    assert truths == {c: vignette.expected["criteria"][c] for c in JUDGED}, {c: found[c]["words"] for c in JUDGED}
    reasons = {c: found[c]["reason"] for c in JUDGED if found[c]["truth"] == "unknown"}
    assert reasons == {c: why for c, why in vignette.expected["unknown_reasons"].items() if c in JUDGED}


@every_applicable
def test_what_is_not_judged_yet_says_so(vignette):
    for criterion in judge(vignette)["criteria"]:
        if criterion["id"] not in JUDGED:
            assert (criterion["truth"], criterion["basis"]) == ("unknown", None)
            assert "not judged yet" in criterion["words"]
            assert all("not judged yet" in gap["words"] for gap in criterion["gaps"]) and criterion["gaps"]


@every_vignette
def test_overall_and_blocking(vignette):
    found = judge(vignette)
    assert found["overall"] == expected_overall(vignette)
    assert found["blocking"] == expected_blocking(vignette)
    assert found["modifiable"] is (bool(found["blocking"]) and set(found["blocking"]) <= MODIFIABLE)


@every_vignette
def test_risk(vignette):
    risk = judge(vignette)["risk"]
    assert (risk["status"], risk["group"], risk["possible"]) == expected_risk(vignette), risk


@every_vignette
def test_flags(vignette):
    assert {flag["id"] for flag in judge(vignette)["flags"]} == expected_flags(vignette)


@pytest.mark.parametrize("vignette", [v for v in VIGNETTES if v not in APPLICABLE], ids=ids)
def test_not_applicable_says_nothing(vignette):
    found = judge(vignette)
    assert (found["overall"], found["criteria"], found["flags"], found["blocking"], found["modifiable"]) == ("not_applicable", [], [], [], False)
    assert found["risk"] == {"status": "suppressed", "group": None, "possible": [], "needed": [], "words": ""}


@every_vignette
def test_frozen_at_the_first_step_into_the_trial(vignette):
    days = [vignette.facts[key] for key in ("evaluation_date", "enrolment_date", "reinduction_start_date")]
    assert judge(vignette)["evaluated_as_of"] == min(day for day in days if day)


@every_vignette
def test_nothing_in_these_charts_is_unusable(vignette):
    """Every resource of a vignette is good FHIR; only a result still pending is reported as not used."""
    issues = [issue["words"] for issue in judge(vignette)["issues"]]
    assert all("registered" in words for words in issues), issues
