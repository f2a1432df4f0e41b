"""Answers of the same time that differ: none of them is the newest, so the child is judged with each of them in turn.

What comes out the same with every answer is known; whatever hangs on which of them is right is a conflict.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from cds.case import Case
from cds.finding import Finding, Gap, unknown
from cds.truth import UNKNOWN
from cds.values import Choice


@dataclass(frozen=True, slots=True)
class Supposed:
    """The child if one of the differing answers were the right one; `gap` says that they differ."""

    case: Case
    gap: Gap


def each_answer(case: Case) -> tuple[Supposed, ...]:
    """One for every differing answer; the other disputed items then stay as open as they are."""
    review = case.facts.chart_review
    return tuple(
        Supposed(case.supposing({"chart_review": replace(review, answers={**review.answers, link_id: answer}, disputed={})}), dispute.gap)
        for link_id, dispute in review.disputed.items() for answer in dispute.answers
    )  # fmt: skip


def agreed(left_open: Finding, supposed: Iterable[tuple[Finding, Gap]]) -> Finding:
    """The finding with the answers left open, if each of them gives the same; else unknown, and they are shown."""
    differ = [gap for finding, gap in supposed if finding.truth is not left_open.truth]
    if not differ or left_open.truth is UNKNOWN and set(differ) & set(left_open.gaps):
        return left_open
    return unknown(*differ, *(left_open.gaps if left_open.truth is UNKNOWN else ()))


def agreed_inputs(left_open: Mapping[str, Choice], supposed: Iterable[tuple[Mapping[str, Choice], Gap]]) -> Mapping[str, Choice]:
    """The inputs of the risk rules with every option that one of the answers leaves possible."""
    inputs = dict(left_open)
    for told, gap in supposed:
        for name, choice in told.items():
            here = inputs[name]
            if choice.options != here.options:
                also = () if gap in here.gaps else (gap,)
                inputs[name] = Choice(here.options | choice.options, here.evidence, here.gaps + also)
    return inputs
