"""What would change the answer: for each fact still open, every value it could take is tried, one fact at a time.

A fact is a next step if some value of it would change the overall status or the groups still possible. Nothing is written
by hand but the values to try. A recorded fact is tried again only where the criterion it decides can change with time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from cds.assessment import Judged, NextStep, Risk
from cds.case import Case
from cds.facts import PatientFacts
from cds.judging import overall_of, risk_of
from cds.truth import UNKNOWN

if TYPE_CHECKING:
    from cds.protocol import Protocol

Supposing = Callable[[PatientFacts, Case], Mapping[str, Any]]
"""The facts that would be otherwise, with one thing settled in one way."""


class Outcome(NamedTuple):
    """What would be, if it were so; what is decided already stays decided."""

    again: tuple[Judged, ...]  # the criteria tried again
    overall: str
    groups: tuple[str, ...]  # still possible; none where they were not asked for, or are not told


@dataclass(frozen=True, slots=True)
class OpenFact:
    """A fact that can be asked for."""

    fact: str  # what a clinician calls it
    gaps: tuple[str, ...]  # the names its gaps go by
    values: tuple[Supposing, ...]  # what it could turn out to be
    lifts: str = ""  # the criterion that it may meet tomorrow though it fails today


def next_steps(protocol: Protocol, case: Case, policies: Any, judged: tuple[Judged, ...], overall: str, risk: Risk) -> tuple[NextStep, ...]:
    """The facts worth asking for, in the order of the protocol's table."""
    unknown = [j for j in judged if j.finding.truth is UNKNOWN]
    lifting = {j.criterion.id: j for j in judged if j.blocks and j.criterion.modifiable}
    of_risk = {gap.fact for gap in risk.gaps}
    deciding = [j for j in judged if j.blocks or j.finding.truth is UNKNOWN]  # what is met stays met, and changes no status
    missing = {gap.fact for j in unknown for gap in j.finding.gaps} | of_risk

    def step(fact: OpenFact) -> NextStep | None:
        tried = [j for j in unknown if any(gap.fact in fact.gaps for gap in j.finding.gaps)]
        tried += [lifting[fact.lifts]] if fact.lifts in lifting else []
        left = None if of_risk.isdisjoint(fact.gaps) else risk.possible  # only an input of the risk group can change it
        others = [j for j in deciding if not any(j is again for again in tried)]

        def outcome(value: Supposing) -> Outcome:
            supposed = case.supposing(value(case.facts, case))
            again = tuple(Judged(j.criterion, j.criterion.finding(supposed, policies)) for j in tried)
            would = overall_of((*others, *again))
            return Outcome(again, would, () if left is None or would == "not_eligible" else _groups(protocol, supposed, (*judged, *again)))

        outcomes = [outcome(value) for value in fact.values]
        if all(o.overall == overall and (left is None or o.groups in ((), left)) for o in outcomes):
            return None
        settled = tuple(j.criterion.id for j, *again in zip(tried, *(o.again for o in outcomes)) if _is_settled(j, again))
        effect = f"settles {', '.join(settled)}" if settled else "narrows the risk group" if risk.possible else "may change the answer"
        return NextStep(fact.fact, settled, f"{fact.fact}: {effect}")

    open_facts = [fact for fact in protocol.open_facts if missing & set(fact.gaps) or fact.lifts in lifting]
    return tuple(found for fact in open_facts if (found := step(fact)))


def _is_settled(judged: Judged, again: list[Judged]) -> bool:
    """Decided whatever the fact turns out to be, and by one of its values otherwise than today."""
    truths = [j.finding.truth for j in again]
    return UNKNOWN not in truths and any(truth is not judged.finding.truth for truth in truths)


def _groups(protocol: Protocol, case: Case, judged: tuple[Judged, ...]) -> tuple[str, ...]:
    """Those that remain; of a criterion judged twice the later answer counts."""
    return risk_of(protocol, case, {j.criterion.id: j.finding for j in judged}).possible
