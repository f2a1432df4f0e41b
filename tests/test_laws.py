"""What must hold for every criterion of every trial, now and later, whatever the facts.

An empty record proves nothing. More facts never overturn an answer, and only ever leave fewer risk groups. Order does not
matter, facts are never changed, every answer has evidence and every unknown says what is missing.
"""

from __future__ import annotations

import copy
import random
from dataclasses import fields, replace
from itertools import pairwise

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cds import PatientFacts, assess
from cds.case import Case
from cds.day import on
from cds.facts import ChartReview, Listed
from cds.finding import Why
from cds.protocol import risk_of
from cds.series import Series
from cds.trials import TRIALS
from cds.truth import NOT_MET, UNKNOWN
from invented_facts import AS_OF, any_facts, stories

laws = settings(derandomize=True, deadline=None, database=None, max_examples=150, suppress_health_check=list(HealthCheck))

BLANK = PatientFacts("Patient/invented", AS_OF)
FACTS = tuple(f.name for f in fields(PatientFacts) if f.name not in ("patient", "as_of", "issues", "not_looked_up"))
DATING = ("diagnoses", "chart_review", "enrolment", "doses", "marrow_blasts", "first_line_end")  # what dates the first step into the trial


def judged(facts):
    """Every criterion of every trial that is about this child, and the risk groups each still leaves open."""
    answers, groups = {}, {}
    for protocol in TRIALS:
        case = Case(facts)
        if protocol.applies(case).truth is NOT_MET:
            continue
        findings = {criterion.id: criterion.rule(case, protocol.policies) for criterion in protocol.criteria}
        answers |= {(protocol.id, criterion): finding for criterion, finding in findings.items()}
        groups[protocol.id] = risk_of(protocol, case, findings)
    return answers, groups


def revealed(facts, order):
    """The judgement after each further fact; from a child of whom nothing is known to the whole.

    Which day counts for a result follows from the first step into the trial. While nobody has looked for one there is
    none, so a child who made that step is told from there on.
    """
    steps = [(name,) for name in order]
    if Case(facts).evaluated_on != on(facts.as_of):
        steps = [DATING, *((name,) for name in order if name not in DATING)]
    shown = BLANK
    yield "nothing", *judged(shown)
    for names in steps:
        shown = replace(shown, **{name: getattr(facts, name) for name in names})
        yield ", ".join(names), *judged(shown)


def shuffled(facts, seed):
    """The same facts, each list in another order."""
    order = random.Random(seed)

    def mixed(items):
        return tuple(order.sample(items, len(items)))

    changed = {}
    for name in FACTS:
        value = getattr(facts, name)
        if isinstance(value, Series):
            changed[name] = replace(value, readings=mixed(value.readings))
        elif isinstance(value, Listed):
            changed[name] = replace(value, items=mixed(value.items))
        elif isinstance(value, ChartReview):
            changed[name] = replace(value, answers=dict(mixed(tuple(value.answers.items()))))
    return replace(facts, **changed)


def test_an_empty_record_proves_nothing():
    answers, groups = judged(BLANK)
    assert {finding.truth for finding in answers.values()} == {UNKNOWN}
    assert all(len(risk.possible) > 1 for risk in groups.values())
    assert {assess(protocol, BLANK).overall for protocol in TRIALS} == {"insufficient_data"}


@laws
@given(facts=any_facts() | stories())
def test_every_answer_has_evidence_and_every_unknown_a_gap(facts):
    for criterion, finding in judged(facts)[0].items():
        if finding.truth is UNKNOWN:
            assert finding.gaps and finding.reason and finding.words, criterion
            assert all(gap.words.strip() and gap.fact.strip() for gap in finding.gaps), criterion
        else:
            assert finding.evidence and finding.basis and finding.words and not finding.gaps, criterion


@laws
@given(facts=any_facts() | stories(), seed=st.integers(0, 9))
def test_order_does_not_matter(facts, seed):
    for protocol in TRIALS:
        assert assess(protocol, shuffled(facts, seed)).as_json("test") == assess(protocol, facts).as_json("test")


@laws
@given(facts=any_facts() | stories())
def test_the_same_facts_give_the_same_assessment_and_stay_as_they_were(facts):
    before = copy.deepcopy(facts)
    for protocol in TRIALS:
        assert assess(protocol, facts) == assess(protocol, facts)
    assert facts == before


@laws
@given(facts=stories(), order=st.permutations(FACTS))
def test_more_facts_never_overturn_an_answer(facts, order):
    """Facts that agree with each other, revealed one by one. What is left of the risk groups only shrinks."""
    for (_, before, _), (name, after, _) in pairwise(revealed(facts, order)):
        for criterion, finding in before.items():
            if finding.truth is not UNKNOWN and criterion in after:
                assert after[criterion].truth is finding.truth, (criterion, name, finding.words, after[criterion].words)


@laws
@given(facts=stories(), order=st.permutations(FACTS))
def test_more_facts_only_leave_fewer_risk_groups(facts, order):
    for (_, _, before), (name, _, after) in pairwise(revealed(facts, order)):
        for trial, risk in after.items() if before else ():
            assert set(risk.possible) <= set(before[trial].possible), (trial, name, before[trial].words, risk.words)


@laws
@given(facts=any_facts(), order=st.permutations(FACTS))
def test_only_a_contradiction_reopens_an_answer(facts, order):
    """Facts that may contradict each other: a decided answer can become unknown for a conflict, never the opposite."""
    for (_, before, _), (name, after, _) in pairwise(revealed(facts, order)):
        for criterion, finding in before.items():
            now = after.get(criterion, finding)
            if finding.truth is not UNKNOWN and now.truth is not finding.truth:
                assert (now.truth, now.reason) == (UNKNOWN, Why.CONFLICT), (criterion, name, finding.words, now.words)
