"""What would change the answer: every open fact is named once, and each claim is tried against the judgement itself."""

from __future__ import annotations

import pytest

import vignettes
from cds import assess
from cds.case import COURSE, OF_THE_COURSE, Case
from cds.finding import Why
from cds.trials.nct05827549 import PROTOCOL
from cds.truth import UNKNOWN
from charts import facts
from hooks.protocol_needs import needs_of

VIGNETTES = {v.id: v for v in vignettes.read_vignettes()}


def child(identity: str):
    vignette = VIGNETTES[identity]
    return facts(*vignettes.as_record(vignette.facts), as_of=vignette.facts["evaluation_date"])


def steps(identity: str) -> dict[str, tuple[str, ...]]:
    return {step.fact: step.criteria for step in assess(PROTOCOL, child(identity)).next_steps}


JUDGEMENT = ["life expectancy", "expected compliance", "consent and assent", "unstable conditions", "CNS pathology"]


@pytest.mark.parametrize(
    ("identity", "fact", "criteria"),
    [
        ("V43", "immunophenotype", ("INC-02", "EXC-01", "EXC-05")),  # one test settles three (CD19 is unknown as well)
        ("V29", "creatinine", ("INC-06",)),
        ("V29", "echocardiogram", ("INC-08",)),
        ("V29", "HIV test", ("EXC-08",)),
        ("V31", "prior allogeneic transplant", ("INC-04",)),
        ("V31", "prior blinatumomab", ("INC-05",)),
        ("V36", "pregnancy test", ("EXC-09",)),
        ("V24", "creatinine", ("INC-06",)),  # fails today, may pass tomorrow
        ("V28", "direct bilirubin", ("INC-07",)),
        ("V11", "off-treatment date", ()),  # decides between SR and HR
        ("V05", "end-of-induction NGS-MRD", ()),
        ("V08", "end-of-induction marrow", ()),
    ],
)
def test_the_fact_that_would_settle_it_is_named(identity, fact, criteria):
    assert steps(identity)[fact] == criteria


@pytest.mark.parametrize("identity", ["V33", "V35", "V44", "V18"])
def test_what_blocks_for_good_is_not_asked_again(identity):
    assert not set(steps(identity)) - set(JUDGEMENT)


def test_the_cheapest_fact_comes_first():
    order = [fact.fact for fact in PROTOCOL.open_facts]
    for identity in VIGNETTES:
        named = list(steps(identity))
        assert named == sorted(named, key=order.index)


def test_a_child_with_a_complete_chart_needs_only_judgement():
    assert list(steps("V02")) == JUDGEMENT


@pytest.mark.parametrize("identity", VIGNETTES)
def test_every_open_criterion_can_be_asked_for(identity):
    """For each unknown that is no question of the text itself, some fact of the table goes by its gap's name."""
    names = {gap for fact in PROTOCOL.open_facts for gap in fact.gaps}
    for judged in assess(PROTOCOL, child(identity)).criteria:
        if judged.finding.truth is UNKNOWN and judged.finding.reason not in (Why.SOURCE_AMBIGUOUS, Why.OUT_OF_TABLE):
            assert {gap.fact for gap in judged.finding.gaps} & names, (judged.criterion.id, judged.finding.words)


@pytest.mark.parametrize("identity", VIGNETTES)
def test_settling_a_named_fact_settles_what_it_says(identity):
    """The claim, tried again from the outside: with any of its values, each named criterion is decided."""
    told = child(identity)
    by_name = {fact.fact: fact for fact in PROTOCOL.open_facts}
    case = Case(told, PROTOCOL.policies)
    for fact, criteria in steps(identity).items():
        for value in by_name[fact].values:
            again = {j.criterion.id: j.finding.truth for j in assess(PROTOCOL, case.facts.otherwise(value(case.facts, case))).criteria}
            assert not [id for id in criteria if again.get(id, None) is UNKNOWN], fact


def test_a_fact_that_changes_nothing_is_not_named():
    """With a permanent blocker, nothing else can change the overall status: a missing echocardiogram is no next step."""
    from charts import observation, patient  # a chart of its own: Ph+, nothing else measured

    told = facts(*[r for r in vignettes.as_record(VIGNETTES["V33"].facts) if r["resourceType"] != "Observation"], patient(),
                 observation("BCR::ABL1", "positive", "2025-08-27"))  # fmt: skip
    assert assess(PROTOCOL, told).overall == "not_eligible"
    assert "echocardiogram" not in {step.fact for step in assess(PROTOCOL, told).next_steps}


@pytest.mark.parametrize("identity", VIGNETTES)
def test_a_supposed_child_is_judged_as_that_child_would_be(identity):
    """What the supposed child takes over from the real one, such as the date of the relapse, is what would be found anew."""
    case = Case(child(identity), PROTOCOL.policies)
    assess_all(case)  # so that there is something to take over
    for fact in PROTOCOL.open_facts:
        for value in fact.values:
            otherwise = value(case.facts, case)
            assert assess_all(case.supposing(otherwise)) == assess_all(Case(case.facts.otherwise(otherwise), PROTOCOL.policies)), fact.fact


def assess_all(case):
    findings = {c.id: c.rule(case, PROTOCOL.policies) for c in PROTOCOL.criteria}
    return findings, PROTOCOL.risk_inputs(case, findings)


@pytest.mark.parametrize("name", OF_THE_COURSE)
def test_what_is_taken_over_is_read_from_the_facts_of_the_course(name):
    needs = needs_of(lambda case, _: case.computed(name), PROTOCOL.policies)
    assert {*needs.facts, *(["chart_review"] if needs.answers else [])} <= COURSE


def test_no_such_fact():
    with pytest.raises(TypeError, match="shoe_size: no such fact"):
        child("V01").otherwise({"shoe_size": 30})
