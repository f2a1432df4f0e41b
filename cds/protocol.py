"""A trial: its criteria in the document's order, its risk ladder, its flags, and `assess`, which judges one child.

`assess` is pure and synchronous and has no clock: the same facts give the same assessment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cds.assessment import Assessment, Judged, Raised, Risk
from cds.case import Case
from cds.criterion import Criterion, Flag
from cds.disputed import Supposed, agreed, agreed_inputs, each_answer
from cds.facts import PatientFacts
from cds.finding import Finding
from cds.judging import OUT_OF_SCOPE, SUPPRESSED, overall_of, risk_from, risk_of
from cds.next_steps import OpenFact, next_steps
from cds.truth import MET, NOT_MET
from cds.values import Choice

@dataclass(frozen=True, slots=True)
class RiskRule:
    """One rung of the ladder: the first that holds is the group. The rule sees every input as if it were known."""

    group: str
    text: tuple[str, ...]  # verbatim, by bullet
    rule: Callable[[Mapping[str, str]], bool]


@dataclass(frozen=True, slots=True)
class Protocol:
    id: str
    title: str
    text_version: str  # the date of the text
    criteria: tuple[Criterion, ...]
    applies: Callable[[Case], Finding]  # is this the disease and the situation the trial is about?
    risk: tuple[RiskRule, ...]
    risk_inputs: Callable[[Case, Mapping[str, Finding]], Mapping[str, Choice]]
    risk_known: Mapping[str, Mapping[str, str]]  # input: option: its words
    risk_words: Callable[[frozenset[str], tuple[str, ...]], str]
    groups: tuple[str, ...]
    flags: tuple[Flag, ...]
    open_facts: tuple[OpenFact, ...]  # what can be asked for, the cheapest first, with the values to try
    policies: Any


def assess(protocol: Protocol, facts: PatientFacts, policies: Any = None) -> Assessment:
    """Judge one child against one trial. `policies` defaults to the protocol's own."""
    policies = policies or protocol.policies
    case = Case(facts, policies)
    base = dict(protocol=protocol.id, text_version=protocol.text_version, patient=facts.patient,
                as_of=facts.as_of, evaluated_as_of=(case.evaluated_on.last or facts.as_of).isoformat(), anchors=case.anchors,
                issues=facts.issues, not_looked_up=facts.not_looked_up)
    supposed = each_answer(case)  # none, but where answers of the same time differ
    if all(protocol.applies(c).truth is NOT_MET for c in (case, *(s.case for s in supposed))):
        return Assessment(overall="not_applicable", criteria=(), risk=SUPPRESSED, flags=(), **base)
    judged = tuple(Judged(c, agreed(c.finding(case, policies), ((c.finding(s.case, policies), s.gap) for s in supposed))) for c in protocol.criteria)
    overall = overall_of(judged)
    risk = SUPPRESSED if overall == "not_eligible" else _risk(protocol, case, supposed, judged, policies)
    flags = [Raised(f.id, f.words, finding.evidence) for f in protocol.flags if (finding := f.rule(case, policies)).truth is MET]
    blocking = [j for j in judged if j.blocks]
    if blocking and all(j.criterion.modifiable for j in blocking):
        flags.append(Raised("blocker_modifiable", "Every blocking criterion may change with time or treatment.", ()))
    steps = next_steps(protocol, case, policies, judged, overall, risk)
    return Assessment(overall=overall, criteria=judged, risk=risk, flags=tuple(flags), next_steps=steps, **base)


def _risk(protocol: Protocol, case: Case, supposed: tuple[Supposed, ...], judged: tuple[Judged, ...], policies: Any) -> Risk:
    findings = {j.criterion.id: j.finding for j in judged}
    if not supposed:
        return risk_of(protocol, case, findings)
    inputs = ((protocol.risk_inputs(s.case, {c.id: c.finding(s.case, policies) for c in protocol.criteria}), s.gap) for s in supposed)
    return risk_from(protocol, agreed_inputs(protocol.risk_inputs(case, findings), inputs))


__all__ = ["OUT_OF_SCOPE", "Protocol", "RiskRule", "assess", "risk_from", "risk_of"]
