"""The 52 acceptance vignettes, from FHIR to the assessment: every answer must come out as written down, and no flag more."""

from __future__ import annotations

import pytest

import vignettes
from charts import facts
from cds import assess
from cds.trials.nct05827549 import PROTOCOL

VIGNETTES = vignettes.read_vignettes()
APPLICABLE = [v for v in VIGNETTES if v.expected["overall_status"] != "not_applicable"]

ids = lambda v: f"{v.id} {v.title}"  # noqa: E731
every_vignette = pytest.mark.parametrize("vignette", VIGNETTES, ids=ids)
every_applicable = pytest.mark.parametrize("vignette", APPLICABLE, ids=ids)


def judge(vignette, chart=None):
    told = vignettes.as_record(vignette.facts) if chart is None else chart
    return assess(PROTOCOL, facts(*told, as_of=vignette.facts["evaluation_date"])).as_json("test")


def test_there_are_52():
    assert len(VIGNETTES) == 52 and len({v.id for v in VIGNETTES}) == 52
    assert all(list(v.expected["criteria"]) == [c.id for c in PROTOCOL.criteria] for v in APPLICABLE)


@every_applicable
def test_every_criterion(vignette):
    criteria = judge(vignette)["criteria"]
    words = {c["id"]: c["words"] for c in criteria}
    assert {c["id"]: c["truth"] for c in criteria} == vignette.expected["criteria"], words
    assert {c["id"]: c["reason"] for c in criteria if c["truth"] == "unknown"} == vignette.expected["unknown_reasons"], words


@every_applicable
def test_every_answer_says_what_it_rests_on(vignette):
    """A decided criterion has a basis and words, an open one its gaps; only a judgement is never decided by the record."""
    for criterion in judge(vignette)["criteria"]:
        decided = criterion["truth"] != "unknown"
        assert criterion["words"] and (criterion["basis"] is not None) is decided and bool(criterion["gaps"]) is not decided
        assert decided is (criterion["reason"] is None)


@every_vignette
def test_overall_and_blocking(vignette):
    found = judge(vignette)
    assert (found["overall"], found["blocking"]) == (vignette.expected["overall_status"], vignette.expected["blocking"])
    assert found["modifiable"] is ("blocker_modifiable" in vignette.expected["flags"])


@every_vignette
def test_risk(vignette):
    risk, expected = judge(vignette)["risk"], vignette.expected["risk"]
    assert (risk["status"], risk["group"], risk["possible"]) == (expected["status"], expected["group"], expected["possible"]), risk


@every_vignette
def test_flags(vignette):
    """Exactly these, each once."""
    assert sorted(flag["id"] for flag in judge(vignette)["flags"]) == sorted(vignette.expected["flags"])


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
