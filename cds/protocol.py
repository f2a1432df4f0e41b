"""A trial: its criteria in the document's order, its risk ladder, its flags, and `assess`, which judges one child.

`assess` is pure and synchronous and has no clock: the same facts give the same assessment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from cds.assessment import Assessment, Judged, Raised, Risk
from cds.case import Case
from cds.criterion import Criterion, Flag
from cds.facts import PatientFacts
from cds.finding import Finding, Why
from cds.truth import MET, NOT_MET, UNKNOWN
from cds.values import Choice

OUT_OF_SCOPE = "OUT_OF_SCOPE"


@dataclass(frozen=True, slots=True)
class RiskRule:
    """One rung of the ladder: the first that holds is the group. The rule sees every input as if it were known."""

    group: str
    text: str  # verbatim
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
    policies: Any


def assess(protocol: Protocol, facts: PatientFacts, policies: Any = None) -> Assessment:
    """Judge one child against one trial. `policies` defaults to the protocol's own."""
    policies = policies or protocol.policies
    case = Case(facts, policies)
    base = dict(protocol=protocol.id, text_version=protocol.text_version, patient=facts.patient,
                as_of=facts.as_of, evaluated_as_of=(case.evaluated_on.last or facts.as_of).isoformat(), anchors=case.anchors,
                issues=facts.issues, not_looked_up=facts.not_looked_up)
    if protocol.applies(case).truth is NOT_MET:
        return Assessment(overall="not_applicable", criteria=(), risk=SUPPRESSED, flags=(), **base)
    judged = tuple(Judged(c, c.rule(case, policies)) for c in protocol.criteria)
    overall = _overall(judged)
    risk = SUPPRESSED if overall == "not_eligible" else risk_of(protocol, case, {j.criterion.id: j.finding for j in judged})
    flags = [Raised(f.id, f.words, finding.evidence) for f in protocol.flags if (finding := f.rule(case, policies)).truth is MET]
    blocking = [j for j in judged if j.blocks]
    if blocking and all(j.criterion.modifiable for j in blocking):
        flags.append(Raised("blocker_modifiable", "Every blocking criterion may change with time or treatment.", ()))
    return Assessment(overall=overall, criteria=judged, risk=risk, flags=tuple(flags), **base)


def _overall(judged: tuple[Judged, ...]) -> str:
    if any(j.blocks for j in judged):
        return "not_eligible"
    if any(j.finding.truth is UNKNOWN and j.finding.reason is not Why.JUDGEMENT for j in judged):
        return "insufficient_data"
    return "eligible_pending_clinician_review"


SUPPRESSED = Risk("suppressed", None, (), (), "")


def risk_of(protocol: Protocol, case: Case, findings: Mapping[str, Finding]) -> Risk:
    return risk_from(protocol, protocol.risk_inputs(case, findings))


def risk_from(protocol: Protocol, inputs: Mapping[str, Choice]) -> Risk:
    """The groups that remain when every unknown input takes every value it can still have."""
    names = tuple(inputs)
    groups = {values: _group(protocol, dict(zip(names, values))) for values in product(*(sorted(inputs[n].options) for n in names))}
    possible = frozenset(groups.values())
    needed = tuple(name for i, name in enumerate(names) if not inputs[name].exact and _matters(i, groups))
    ordered = tuple(g for g in (*protocol.groups, OUT_OF_SCOPE) if g in possible)
    status = "provisional" if len(possible) > 1 else "not_assignable" if ordered == (OUT_OF_SCOPE,) else "assigned"
    group = ordered[0] if status == "assigned" else None
    known = tuple((protocol.risk_known[n][option], inputs[n].evidence) for n in names if inputs[n].exact for option in inputs[n].options)
    gaps = tuple(gap for name in needed for gap in inputs[name].gaps)
    return Risk(status, group, ordered, needed, protocol.risk_words(possible, needed), known, gaps)


def _group(protocol: Protocol, inputs: Mapping[str, str]) -> str:
    return next((rung.group for rung in protocol.risk if rung.rule(inputs)), OUT_OF_SCOPE)


def _matters(index: int, groups: Mapping[tuple[str, ...], str]) -> bool:
    """Two completions that differ in this input alone give different groups."""
    seen: dict[tuple[str, ...], str] = {}
    return any(seen.setdefault(values[:index] + values[index + 1:], group) != group for values, group in groups.items())
