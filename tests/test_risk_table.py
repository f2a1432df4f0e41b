"""The risk table: all 324 combinations of the five inputs, by themselves and as whole charts.

`cases/nct05827549/risk-table.csv` was enumerated by hand and by an evaluator of its own, independent of this code. Its
columns `site` and `timing` are called `relapse_site` and `off_treatment_date` in an assessment.
"""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from charts import answers, condition, dose, facts, first_line_treatment, observation, patient
from cds import assess
from cds.case import Case
from cds.protocol import risk_from, risk_of
from cds.trials.nct05827549 import PROTOCOL
from cds.values import Choice

FILE = Path(__file__).parent / "cases" / "nct05827549" / "risk-table.csv"
with FILE.open(encoding="utf-8", newline="") as file:
    ROWS = tuple(csv.DictReader(file))

INPUTS = ("lineage", "relapse_site", "timing", "eoi_ngs_mrd", "eoi_marrow")
OPTIONS = {
    "lineage": {"B": {"B"}, "T": {"T"}, "unknown": {"B", "T"}},
    "relapse_site": {"isolated_marrow": {"marrow"}, "combined": {"marrow"}, "extramedullary_only": {"no marrow"}, "unknown": {"marrow", "no marrow"}},
    "off_treatment_date": {"late": {"late"}, "not_late": {"not late"}, "unknown": {"late", "not late"}},
    "eoi_ngs_mrd": {"lt_0.01pct": {"below 0.01 %"}, "ge_0.01pct": {"0.01 % or more"}, "unknown": {"below 0.01 %", "0.01 % or more"}},
    "eoi_marrow": {"M1": {"M1"}, "M2_or_M3": {"M2 or more"}, "unknown": {"M1", "M2 or more"}},
}
RENAMED = {"timing": "off_treatment_date", "site": "relapse_site"}
RAISED_BY_RISK = {"eoi_marrow_mrd_conflict", "t_all_marrow_not_in_remission"}

every_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: " ".join(row[name] for name in INPUTS))


def inputs_of(row):
    return {name: Choice(frozenset(OPTIONS[name][row["timing" if name == "off_treatment_date" else name]])) for name in OPTIONS}


def expected_risk(row):
    return {
        "status": row["status"],
        "group": row["group"] or None,
        "possible": tuple(row["possible"].split("|")),
        "needed": tuple(RENAMED.get(name, name) for name in row["needed"].split("|") if name),
        "words": row["message"],
    }


def told(risk):
    return {key: getattr(risk, key) for key in ("status", "group", "possible", "needed", "words")}


def chart_of(row):
    """A child of whom exactly this is known."""
    lineage = {"B": "b_all", "T": "t_all", "unknown": "all_lineage_unspecified"}[row["lineage"]]
    chart = [patient(), condition(lineage, "remission", "2019-02-01"), condition(lineage, "relapse", "2025-08-25"), dose("idarubicin", "2025-09-03")]
    review = {"relapse-ordinal": "first"}
    if row["relapse_site"] != "unknown":
        review["relapse-site"] = row["relapse_site"].replace("_", "-")
    if row["relapse_site"] in ("isolated_marrow", "combined"):
        chart.append(observation("marrow blasts", "62 %", "2025-08-25"))
    if row["timing"] == "late":
        chart.append(first_line_treatment("2019-02-01", "2024-08-25"))
    if row["timing"] == "not_late":
        review["on-treatment-at-relapse"] = True
    if row["eoi_ngs_mrd"] != "unknown":
        told = {"lt_0.01pct": "0.00999 %", "ge_0.01pct": "0.01 %"}[row["eoi_ngs_mrd"]]
        chart.append(observation("ngs MRD", told, "2025-10-02", eoi=True, lod="0.0001 %"))
    if row["eoi_marrow"] != "unknown":
        chart.append(observation("marrow blasts", {"M1": "4.99 %", "M2_or_M3": "5 %"}[row["eoi_marrow"]], "2025-10-02", eoi=True))
    return [*chart, answers(review)]


def test_the_table_is_complete():
    assert len(ROWS) == 324
    assert {tuple(row[name] for name in INPUTS) for row in ROWS} == {
        (a, b, c, d, e) for a in OPTIONS["lineage"] for b in OPTIONS["relapse_site"] for c in OPTIONS["off_treatment_date"]
        for d in OPTIONS["eoi_ngs_mrd"] for e in OPTIONS["eoi_marrow"]
    }  # fmt: skip
    assert Counter(row["status"] for row in ROWS) == {"assigned": 94, "provisional": 149, "not_assignable": 81}


@every_row
def test_the_ladder(row):
    assert told(risk_from(PROTOCOL, inputs_of(row))) == expected_risk(row)


@every_row
def test_the_whole_chart(row):
    case = Case(facts(*chart_of(row), as_of="2025-10-10"))
    findings = {c.id: c.rule(case, PROTOCOL.policies) for c in PROTOCOL.criteria}
    assert told(risk_of(PROTOCOL, case, findings)) == expected_risk(row)


@every_row
def test_flags_of_the_whole_chart(row):
    raised = {flag.id for flag in assess(PROTOCOL, facts(*chart_of(row), as_of="2025-10-10")).flags}
    assert raised & RAISED_BY_RISK == set(filter(None, row["flags"].split("|")))


@every_row
def test_the_assessment(row):
    """A relapse outside the marrow is not eligible, so its risk is suppressed; all others as in the table."""
    assessment = assess(PROTOCOL, facts(*chart_of(row), as_of="2025-10-10"))
    if row["relapse_site"] == "extramedullary_only":
        assert (assessment.overall, assessment.risk.status, assessment.risk.possible) == ("not_eligible", "suppressed", ())
    else:
        assert (assessment.overall, told(assessment.risk)) == ("insufficient_data", expected_risk(row))


def test_standard_risk_needs_proof_of_everything():
    """Wrongly assigned, SR withholds treatment from a child who needs it: no unknown among its inputs."""
    for row in ROWS:
        if row["group"] == "SR":
            assert "unknown" not in [row[name] for name in INPUTS] and row["eoi_marrow"] == "M1" and row["timing"] == "late"


def test_every_unknown_input_that_matters_has_its_gap():
    for row in ROWS[:81]:
        risk = assess(PROTOCOL, facts(*chart_of(row), as_of="2025-10-10")).risk
        assert len(risk.gaps) >= len(risk.needed) or risk.status == "suppressed"
        assert all(gap.words for gap in risk.gaps)


TIMING = [  # off treatment, relapse, late?
    ("2024-08-25", "2025-08-25", "late"),
    ("2024-08-26", "2025-08-25", "not late"),
    ("2024-02-29", "2025-02-28", "not late"),
    ("2024-02-29", "2025-03-01", "late"),
    ("2023-02-28", "2024-02-28", "late"),
    ("2024-08", "2025-08-25", "unknown"),
    ("2024-08", "2025-08-31", "late"),
    ("2024-08", "2025-07-31", "not late"),
    ("2024", "2025-12-31", "late"),
    ("2024", "2025-06-01", "unknown"),
    ("2023", "2025-06-01", "late"),
    (None, "2025-08-25", "unknown"),
]


@pytest.mark.parametrize("off, relapse, expected", TIMING)
def test_late_is_the_same_calendar_day_a_year_later(off, relapse, expected):
    chart = [patient(), condition("b_all", "remission", "2019-02-01"), condition("b_all", "relapse", relapse)]
    chart += [first_line_treatment("2019-02-01", off)] if off else []
    inputs = PROTOCOL.risk_inputs(Case(facts(*chart, as_of="2026-01-01")), {"INC-03": PROTOCOL.criteria[2].rule(Case(facts()), PROTOCOL.policies)})
    options = inputs["off_treatment_date"].options
    assert (next(iter(options)) if len(options) == 1 else "unknown") == expected


def test_a_first_diagnosis_updated_in_place_does_not_date_the_relapse():
    """One Condition, written down in 2019 and set to "relapse" years later: the relapse marrow dates it, not 2019."""
    told = condition("b_all", "relapse", "2019-02-01", recordedDate="2019-02-01")
    chart = [patient(), told, first_line_treatment("2019-02-01", "2021-06-30"), observation("marrow blasts", "62 %", "2025-08-25"), answers({"relapse-ordinal": "first"})]
    assert assess(PROTOCOL, facts(*chart)).risk.possible == ("SR", "HR", "VHR")
