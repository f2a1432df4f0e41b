"""What a site may settle: every policy changes exactly the answers it is about, and nothing else.

The sensitivities of the vignettes are those at the end of protocol-reading 4; the boundaries of the windows those of 0.5.
"""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date, timedelta

import pytest

import vignettes
from charts import facts, observation
from cds import assess
from cds.trials.nct05827549 import PROTOCOL
from cds.trials.nct05827549.policies import Policies

VIGNETTES = {v.id: v for v in vignettes.read_vignettes()}
BASE = VIGNETTES["V01"].facts
AFTER_INDUCTION = VIGNETTES["V02"].facts
EVALUATED = date(2025, 9, 1)
GIRL = {"sex": "female", "birth_date": "2010-03-15"}  # 15 years old


def judged(told, *more, **policies):
    """The vignette's chart, perhaps with more resources, under these policies."""
    found = facts(*vignettes.as_record(told), *more, as_of=told["evaluation_date"])
    return assess(PROTOCOL, found, replace(Policies(), **policies)).as_json("test")


def answers_of(assessment):
    return {c["id"]: (c["truth"], c["reason"]) for c in assessment["criteria"]}


def changed(told, **policies):
    """The criteria that come out otherwise than with the defaults."""
    before, after = answers_of(judged(told)), answers_of(judged(told, **policies))
    return {c: after[c] for c in after if after[c] != before[c]}


def flags_of(assessment):
    return {flag["id"] for flag in assessment["flags"]}


def ago(days: int) -> str:
    return (EVALUATED - timedelta(days=days)).isoformat()


# --- the sensitivities of the vignettes ---------------------------------------------------------------------------

MET, NOT_MET = ("met", None), ("not_met", None)
SENSITIVE = [
    ("V22", {"age_upper": "lt22"}, {"INC-01": NOT_MET}, "not_eligible", ["INC-01"]),
    ("V22", {"age_upper": "le22"}, {"INC-01": MET}, "eligible_pending_clinician_review", []),
    ("V29", {"hiv_silence": "not_met"}, {"EXC-08": NOT_MET}, "insufficient_data", []),
    ("V16", {"marrow_below_5pct": "not_met"}, {"INC-03": NOT_MET}, "not_eligible", ["INC-03"]),
    ("V32", {"cd19_negative": "blinatumomab_only"}, {"EXC-03": NOT_MET}, "not_eligible", ["INC-05"]),
    ("V49", {"bone_marrow_failure": "any_inherited_bmf"}, {"EXC-07": MET}, "not_eligible", ["EXC-07"]),
]


@pytest.mark.parametrize(("vignette", "policies", "otherwise", "overall", "blocking"), SENSITIVE, ids=lambda v: v if isinstance(v, str) else None)
def test_the_sensitive_vignettes(vignette, policies, otherwise, overall, blocking):
    told = VIGNETTES[vignette].facts
    assert changed(told, **policies) == otherwise
    found = judged(told, **policies)
    assert (found["overall"], found["blocking"]) == (overall, blocking)


READINGS = [p for _, p, *_ in SENSITIVE] + [{"cns_leukaemia": "allowed"}]


@pytest.mark.parametrize("policies", READINGS, ids=str)
@pytest.mark.parametrize("vignette", [v for v in VIGNETTES.values() if v.expected["criteria"]], ids=lambda v: v.id)
def test_no_other_vignette_changes(vignette, policies):
    sensitive = {(v, *p.items()) for v, p, *_ in SENSITIVE}
    if (vignette.id, *policies.items()) not in sensitive:
        assert changed(vignette.facts, **policies) == {}


@pytest.mark.parametrize(("born", "age"), [("2003-08-26", 21), ("2003-08-25", 22), ("2002-08-26", 22), ("2002-08-25", 23)])
@pytest.mark.parametrize(("policy", "answers"), [
    ("contested_22", {21: MET, 22: ("unknown", "source_ambiguous"), 23: NOT_MET}),
    ("lt22", {21: MET, 22: NOT_MET, 23: NOT_MET}),
    ("le22", {21: MET, 22: MET, 23: NOT_MET}),
])  # fmt: skip
def test_the_upper_age(born, age, policy, answers):
    found = judged(VIGNETTES["V22"].facts | {"birth_date": born}, age_upper=policy)
    assert answers_of(found)["INC-01"] == answers[age]
    assert ("age_22_contested" in flags_of(found)) is (age == 22)


@pytest.mark.parametrize("policy", ["contested_22", "lt22", "le22"])
@pytest.mark.parametrize(("born", "answer"), [("2024-08-25", MET), ("2024-08-26", NOT_MET)])
def test_the_lower_age_is_not_contested(born, answer, policy):
    assert answers_of(judged(VIGNETTES["V19"].facts | {"birth_date": born}, age_upper=policy))["INC-01"] == answer


def test_below_5_percent_where_only_blasts_speak():
    told = BASE | {"relapse_marrow_blasts_pct": 4.9}
    assert answers_of(judged(told))["INC-03"] == ("unknown", "source_ambiguous")
    assert answers_of(judged(told, marrow_below_5pct="not_met"))["INC-03"] == NOT_MET
    assert answers_of(judged(told | {"relapse_marrow_blasts_pct": 5.0}, marrow_below_5pct="not_met"))["INC-03"] == MET
    assert answers_of(judged(told | {"relapse_marrow_blasts_pct": None}, marrow_below_5pct="not_met"))["INC-03"] == ("unknown", "missing")


@pytest.mark.parametrize(("expression", "answer"), [("negative", NOT_MET), ("partial", ("unknown", "source_ambiguous")),
                                                    ("positive", NOT_MET), (None, ("unknown", "missing"))])  # fmt: skip
def test_cd19_that_only_denies_blinatumomab(expression, answer):
    """Only a clear negative changes; the flag says that blinatumomab has no target, whatever the policy."""
    found = judged(BASE | {"cd19_on_relapse_blasts": expression}, cd19_negative="blinatumomab_only")
    assert answers_of(found)["EXC-03"] == answer
    assert ("blinatumomab_not_suitable_cd19_negative" in flags_of(found)) is (expression == "negative")


def test_cd19_negative_eligible_without_blinatumomab_before():
    found = judged(BASE | {"cd19_on_relapse_blasts": "negative"}, cd19_negative="blinatumomab_only")
    assert (found["overall"], found["blocking"]) == ("eligible_pending_clinician_review", [])


def test_any_inherited_marrow_failure_still_names_its_wording():
    found = judged(VIGNETTES["V49"].facts, bone_marrow_failure="any_inherited_bmf")
    assert "bone_marrow_failure_wording" in flags_of(found)


def test_silence_on_hiv_is_all_the_policy_settles():
    """A stale negative or an unconfirmed reactive test is not silence."""
    for result, days, answer in (("negative", 181, ("unknown", "stale")), ("negative", 180, NOT_MET), ("positive", 3, ("unknown", "pending"))):
        told = BASE | {"hiv": {"result": result, "date": ago(days)}}
        assert answers_of(judged(told, hiv_silence="not_met"))["EXC-08"] == answer


def test_cns_leukaemia_allowed():
    """The flag goes; EXC-12 stays a judgement, and no other answer changes."""
    told = VIGNETTES["V12"].facts
    assert "cns_leukaemia_inc03_vs_exc12" in flags_of(judged(told))
    found = judged(told, cns_leukaemia="allowed")
    assert "cns_leukaemia_inc03_vs_exc12" not in flags_of(found)
    assert answers_of(found)["EXC-12"] == ("unknown", "judgement")


# --- look-back windows: a result exactly that old is current ------------------------------------------------------

WINDOWS = [
    ("creatinine_days", 14, "INC-06", lambda day: {"creatinine": {"value": 0.5, "unit": "mg/dL", "date": day}}, MET),
    ("bilirubin_days", 14, "INC-07", lambda day: {"direct_bilirubin": {"value": 0.2, "unit": "mg/dL", "date": day}}, MET),
    ("bilirubin_days", 14, "INC-07", lambda day: {"direct_bilirubin": None, "total_bilirubin": {"value": 1.2, "unit": "mg/dL", "date": day}}, MET),
    ("echo_days", 30, "INC-08", lambda day: {"echo": BASE["echo"] | {"date": day}}, MET),
    ("performance_status_days", 14, "INC-09", lambda day: {"performance_status": {"scale": "lansky", "score": 80, "date": day}}, MET),
    ("hiv_days", 180, "EXC-08", lambda day: {"hiv": {"result": "negative", "date": day}}, NOT_MET),
    ("hcg_days", 7, "EXC-09", lambda day: GIRL | {"pregnancy_evidence": {"type": "hcg_urine", "result": "negative", "date": day}}, NOT_MET),
    ("hcg_days", 7, "EXC-09", lambda day: GIRL | {"pregnancy_evidence": {"type": "hcg_serum", "result": "negative", "date": day}}, NOT_MET),
]
IDS = [f"{criterion} {policy} {i}" for i, (policy, _, criterion, _, _) in enumerate(WINDOWS)]


@pytest.mark.parametrize(("policy", "days", "criterion", "told", "current"), WINDOWS, ids=IDS)
@pytest.mark.parametrize("configured", [None, 0, 3, 400])
def test_a_window_at_its_boundary(policy, days, criterion, told, current, configured):
    assert getattr(Policies(), policy) == days
    limit = days if configured is None else configured
    policies = {} if configured is None else {policy: configured}
    missing = told("").get("total_bilirubin")  # an old total says nothing of the direct bilirubin, which is what is missing
    assert answers_of(judged(BASE | told(ago(limit + 1)), **policies))[criterion] == ("unknown", "missing" if missing else "stale")
    assert answers_of(judged(BASE | told(ago(limit)), **policies))[criterion] == current


@pytest.mark.parametrize(("policy", "days", "criterion", "told", "current"), WINDOWS, ids=IDS)
def test_a_result_after_the_freeze_is_ignored(policy, days, criterion, told, current):
    """The same test the day after enrolment: eligibility was frozen without it."""
    frozen = AFTER_INDUCTION | told("2025-09-03")
    assert answers_of(judged(frozen))[criterion][0] == "unknown"
    assert answers_of(judged(AFTER_INDUCTION | told("2025-09-02")))[criterion] == current


@pytest.mark.parametrize(("policy", "days", "criterion", "told", "current"), WINDOWS, ids=IDS)
def test_a_window_concerns_its_own_criterion(policy, days, criterion, told, current):
    assert set(changed(BASE | told(ago(3)), **{policy: 2})) == {criterion}


@pytest.mark.parametrize("failing", [{"creatinine": {"value": 9.0, "unit": "mg/dL", "date": ago(15)}}, {"direct_bilirubin": {"value": 9.0, "unit": "mg/dL", "date": ago(15)}},
                                     {"performance_status": {"scale": "lansky", "score": 10, "date": ago(15)}}])  # fmt: skip
def test_an_old_bad_result_is_stale_too(failing):
    found = answers_of(judged(BASE | failing))
    assert [why for why in found.values() if why == ("unknown", "stale")] == [("unknown", "stale")]


# --- puberty -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("born", "limit", "answer"), [
    ("2017-09-02", None, NOT_MET),  # 7 years and 364 days
    ("2017-09-01", None, ("unknown", "missing")),  # the eighth birthday
    ("2017-09-01", 9, NOT_MET),
    ("2016-09-01", 9, ("unknown", "missing")),
    ("2024-08-01", 0, ("unknown", "missing")),  # no presumption at any age
    ("2024-08-01", 1, ("unknown", "missing")),
    ("2024-08-01", 2, NOT_MET),
])  # fmt: skip
def test_the_age_below_which_pregnancy_is_presumed_absent(born, limit, answer):
    policies = {} if limit is None else {"prepubertal_presumption_below_age": limit}
    found = judged(BASE | {"sex": "female", "birth_date": born}, **policies)
    assert answers_of(found)["EXC-09"] == answer
    presumed = answer == NOT_MET
    assert ("pregnancy_presumed_absent_prepubertal_age" in flags_of(found)) is presumed
    assert next(c["basis"] for c in found["criteria"] if c["id"] == "EXC-09") == ("assumed_absent" if presumed else None)


def test_nothing_is_presumed_of_a_child_whose_sex_is_not_recorded():
    for born in ("2020-03-15", "2010-03-15"):
        assert answers_of(judged(BASE | {"sex": "unknown", "birth_date": born}))["EXC-09"] == ("unknown", "missing")


# --- the windows of samples ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("before", "configured", "inside"), [(14, None, True), (15, None, False), (15, 15, True), (1, 0, False), (0, 0, True)])
def test_samples_of_the_relapse(before, configured, inside):
    """The marrow and the CD19 of the relapse may be so many days older than the relapse is dated."""
    day = (date(2025, 8, 25) - timedelta(days=before)).isoformat()
    samples = observation("marrow blasts", "62 %", day), observation("CD19", "positive", day)
    told = BASE | {"relapse_marrow_blasts_pct": None, "cd19_on_relapse_blasts": None}
    policies = {} if configured is None else {"relapse_sample_days_before": configured}
    found = answers_of(judged(told, *samples, **policies))
    assert (found["INC-03"], found["EXC-03"]) == ((MET, NOT_MET) if inside else (("unknown", "missing"),) * 2)


@pytest.mark.parametrize(("after", "configured", "inside"), [
    (20, None, False), (21, None, True), (56, None, True), (57, None, False), (20, (20, 30), True), (31, (20, 30), False), (30, (20, 30), True),
])  # fmt: skip
def test_the_end_of_induction(after, configured, inside):
    """Results without a label count from so long to so long after the first dose of reinduction, on 2025-09-03."""
    day = (date(2025, 9, 3) + timedelta(days=after)).isoformat()
    results = observation("marrow blasts", "2 %", day), observation("ngs MRD", "0.004 %", day, lod="0.0001 %")
    told = AFTER_INDUCTION | {"eoi": None, "evaluation_date": "2025-12-01"}
    risk = judged(told, *results, **({} if configured is None else {"eoi_days": configured}))["risk"]
    assert (risk["status"], risk["possible"]) == (("assigned", ["SR"]) if inside else ("provisional", ["SR", "HR", "VHR"]))


def test_a_labelled_result_needs_no_window():
    early = "2025-09-12"
    results = observation("marrow blasts", "2 %", early, eoi=True), observation("ngs MRD", "0.004 %", early, eoi=True, lod="0.0001 %")
    assert judged(AFTER_INDUCTION | {"eoi": None}, *results)["risk"]["group"] == "SR"


# --- all of them --------------------------------------------------------------------------------------------------


def test_methods_of_mrd_that_count():
    """A-25: only NGS by default; a site that accepts flow cytometry has its result decide."""
    day = "2025-10-02"
    results = observation("marrow blasts", "2 %", day, eoi=True), observation("flow MRD", "0.004 %", day, eoi=True, lod="0.001 %")
    told = AFTER_INDUCTION | {"eoi": None}
    assert judged(told, *results)["risk"]["possible"] == ["SR", "HR"]
    assert judged(told, *results, mrd_methods=("ngs", "flow"))["risk"]["possible"] == ["SR"]


class Watched:
    """Policies that remember which of them were asked for."""

    def __init__(self):
        self.asked = set()

    def __getattr__(self, name):
        self.asked.add(name)
        return getattr(Policies(), name)


@pytest.mark.parametrize("policy", [f.name for f in fields(Policies)])
def test_a_policy_that_no_rule_asks_for_settles_nothing(policy):
    watched = Watched()
    for vignette in VIGNETTES.values():
        assess(PROTOCOL, facts(*vignettes.as_record(vignette.facts), as_of=vignette.facts["evaluation_date"]), watched)
    assert policy in watched.asked


def test_the_defaults_are_the_documented_ones():
    documented = {
        "creatinine_days": 14, "bilirubin_days": 14, "echo_days": 30, "performance_status_days": 14, "hcg_days": 7, "hiv_days": 180,
        "relapse_sample_days_before": 14, "eoi_days": (21, 56), "age_upper": "contested_22", "prepubertal_presumption_below_age": 8,
        "mrd_methods": ("ngs",), "marrow_below_5pct": "review", "cd19_negative": "exclude", "bone_marrow_failure": "named_only_else_review",
        "hiv_silence": "unknown", "cns_leukaemia": "review",
    }  # fmt: skip
    assert {f.name: getattr(Policies(), f.name) for f in fields(Policies)} == documented
