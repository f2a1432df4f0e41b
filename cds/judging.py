"""The three sums of a judgement: the overall status, the groups that remain, and what a completion of unknowns gives."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import TYPE_CHECKING

from cds.assessment import Judged, Risk
from cds.case import Case
from cds.finding import Finding, Why
from cds.truth import UNKNOWN
from cds.values import Choice

if TYPE_CHECKING:
    from cds.protocol import Protocol

OUT_OF_SCOPE = "OUT_OF_SCOPE"


def overall_of(judged: tuple[Judged, ...]) -> str:
    """Not eligible as soon as one criterion blocks; unknowns do not rescue it, and judgement alone leaves it pending."""
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
