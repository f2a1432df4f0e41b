"""Damaged evidence against the trial stays a question: no broken record may ever make a criterion favourable.

A complete chart, one record against the trial in it, and that record broken in every place and every way. Removing a
record cannot be told from its absence; breaking it can. A clinician's own answer settles what the record leaves open
(`cds/history.py`), so the chart here answers that the treatment history is complete, and no more.
"""

from __future__ import annotations

from copy import deepcopy

import pytest

import charts
from cds import assess
from cds.trials.nct05827549 import PROTOCOL
from charts import allergy, answers, condition, facts, medication, observation, resource, taking_part, transplant
from damage import damaged
from fhir_mappings import codelists
from hook_calls import Chart, favourable

CHILD = "screening-complete"
STUDY = {"identifier": {"value": "NCT00000000"}, "display": "Another study"}
DAY = "2024-01-01"

EVENTS = {  # on record once is on record for good: nothing broken about such a record lets its silence speak
    "Down syndrome": ("EXC-07", condition("down_syndrome", "active", DAY)),
    "Diamond-Blackfan anaemia": ("EXC-07", condition("diamond_blackfan_anaemia", "active", DAY)),
    "HIV infection": ("EXC-08", condition("hiv_infection", "active", DAY)),
    "blinatumomab given": ("INC-05", medication("MedicationAdministration", "blinatumomab", "completed", DAY)),
    "blinatumomab taken": ("INC-05", medication("MedicationStatement", "blinatumomab", "active", DAY)),
    "blinatumomab ordered": ("INC-05", medication("MedicationRequest", "blinatumomab", "active", DAY)),
    "blinatumomab as a procedure": ("INC-05", resource("Procedure", status="completed", performedDateTime=DAY,
                                                       code=charts.concept(("http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets", "J9039")))),
    "allogeneic transplant": ("INC-04", transplant("allogeneic", DAY)),
    "transplant, donor not stated": ("INC-04", transplant("donor not stated", DAY)),
    "graft-versus-host disease": ("INC-04", condition("graft_versus_host", "active", DAY)),
    "another trial": ("EXC-10", taking_part(STUDY, DAY)),
    "allergy": ("EXC-13", allergy("vincristine", written="vincristine", type="allergy", recordedDate=DAY)),
}  # fmt: skip
RESULTS = {  # a result that does not say whose it is, or what was measured, is no result of this fact: the others stand
    "creatinine": ("INC-06", observation("creatinine", "2.5 mg/dL", "2025-08-31")),
    "bilirubin": ("INC-07", observation("direct bilirubin", "5 mg/dL", "2025-08-31")),
    "ejection fraction": ("INC-08", observation("ejection fraction", "30 %", "2025-08-31")),
    "performance": ("INC-09", observation("Lansky", None, "2025-08-31", valueInteger=20)),
    "BCR::ABL1": ("EXC-02", observation("BCR::ABL1", "detected", "2025-07-15")),
    "HIV RNA": ("EXC-08", observation("HIV RNA", "detected", "2025-08-20")),
}
OF_WHOM_AND_OF_WHAT = ("subject", "code")
DIAGNOSES = {
    "Philadelphia-positive": ("EXC-02", condition("ph_positive_all", "active", "2025-07-01")),
    "Burkitt": ("EXC-01", condition("burkitt_or_mature_b", "active", "2025-07-01")),
    "mixed phenotype": ("EXC-05", condition("mixed_phenotype", "active", "2025-07-01")),
    "an earlier relapse": ("INC-03", condition("b_all", "relapse", "2023-01-01", sites=["marrow"])),
}
NEVER_TOLD = tuple(
    f"{member} {how}" for member in ("clinicalStatus", "clinicalStatus.coding", "onsetDateTime") for how in ("removed", "wrong_type: None", "wrong_type: {}")
)
"""A status or a date that is not there cannot be told from one that nobody recorded."""


PREGNANT = condition("pregnant", "active", "2025-08-20")
TESTS = ("hcg_urine_qualitative", "hcg_serum_qualitative")
AGAINST = {  # what would settle a suspicion of it
    "a negative test": [observation("urine hCG", "negative", "2025-08-30")],
    "a hysterectomy": [resource("Procedure", status="completed", performedDateTime=DAY, code=charts.concept((charts.SNOMED, "236886002")))],
    "a clinician's word": [answers({"non-pregnancy-evidence": "premenarchal"}, "2025-08-30")],
    "her age": [],
}


def complete_chart():
    chart = [r for r in Chart(CHILD).resources if r["resourceType"] != "QuestionnaireResponse"]
    review = {"frontline-induction-end-date": "2019-01-15", "treatment-history-complete": True}
    return [*chart, of_child(answers(review, "2025-08-01"))]


def of_child(told):
    told = deepcopy(told)
    told[charts.OF_THE_PATIENT.get(told["resourceType"], "subject")] = {"reference": f"Patient/{CHILD}"}
    return told


def judged(monkeypatch, *chart):
    monkeypatch.setattr(charts, "CHILD", CHILD)
    return favourable(assess(PROTOCOL, facts(*chart)).as_json("test"))


def turned(monkeypatch, criterion, told, passed_over=()):
    """The damages after which the criterion speaks for the trial."""
    chart, told = complete_chart(), of_child(told)
    assert criterion in judged(monkeypatch, *chart), "without the record it is favourable"
    assert criterion not in judged(monkeypatch, *chart, told), "with the record it is not"
    tried = [(how, broken) for how, broken in damaged(told) if not how.startswith(passed_over)]
    assert len(tried) > 20
    return [how for how, broken in tried if criterion in judged(monkeypatch, *chart, broken)]


@pytest.mark.parametrize(("criterion", "told"), EVENTS.values(), ids=EVENTS)
def test_a_broken_record_of_an_event_stays_a_question(monkeypatch, criterion, told):
    assert turned(monkeypatch, criterion, told) == []


@pytest.mark.parametrize(("criterion", "told"), RESULTS.values(), ids=RESULTS)
def test_a_broken_result_does_not_let_another_decide(monkeypatch, criterion, told):
    """A result without any value is none, too: an order that was resulted empty."""
    value = next(member for member in told if member.startswith("value"))
    assert turned(monkeypatch, criterion, told, (*OF_WHOM_AND_OF_WHAT, f"{value} removed")) == []


@pytest.mark.parametrize(("criterion", "told"), DIAGNOSES.values(), ids=DIAGNOSES)
def test_a_broken_diagnosis_stays_a_question(monkeypatch, criterion, told):
    assert turned(monkeypatch, criterion, told, (*OF_WHOM_AND_OF_WHAT, *(NEVER_TOLD if criterion == "INC-03" else ()))) == []


REVIEWS = {
    "blinatumomab": ("INC-05", {"prior-blinatumomab": "yes"}),
    "transplant": ("INC-04", {"prior-allogeneic-transplant": "yes"}),
    "a later relapse": ("INC-03", {"relapse-ordinal": "second-or-later"}),
}


@pytest.mark.parametrize(("criterion", "told"), REVIEWS.values(), ids=REVIEWS)
def test_a_broken_chart_review_does_not_let_an_older_one_decide(monkeypatch, criterion, told):
    """Without its questionnaire it is nobody's chart review; without an answer, or the name of its question, it says nothing."""
    newer = {**answers(told, "2025-08-30"), "id": "newer-review"}
    assert turned(monkeypatch, criterion, newer, ("questionnaire", "subject", "item")) == []


@pytest.mark.parametrize("against", AGAINST)
def test_a_broken_pregnancy_stays_a_question(monkeypatch, against):
    """Of a record that does not say whose or what it is, nothing says that it is a pregnancy; it is no silence either."""
    monkeypatch.setattr(charts, "CHILD", CHILD)
    born = {"gender": "female", "birthDate": "2019-03-15" if against == "her age" else "2010-03-15"}
    chart = [{**r, **born} if r["resourceType"] == "Patient" else r for r in complete_chart() if not codelists.states(r.get("code"), *TESTS)]
    chart += map(of_child, AGAINST[against])
    passed_over = () if against == "her age" else OF_WHOM_AND_OF_WHAT
    assert "EXC-09" in judged(monkeypatch, *chart), "without the record it is favourable"
    assert "EXC-09" not in judged(monkeypatch, *chart, of_child(PREGNANT)), "with the record it is not"
    tried = [(how, broken) for how, broken in damaged(of_child(PREGNANT)) if not how.startswith(passed_over)]
    assert [how for how, broken in tried if "EXC-09" in judged(monkeypatch, *chart, broken)] == []
