"""What a server says about its own answer: OperationOutcomes, and the verdict they lead to.

A search that found nothing and a search whose results were withheld both come as status 200 without results. Only the
codes tell them apart, and only the first means that there is nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any, Iterable, Iterator

from fhir_mappings.record import Outcome


@dataclass(frozen=True, slots=True)
class Verdict:
    """How far an answer can be trusted. `refused`: the server wants the question put differently."""

    outcome: Outcome = Outcome.ANSWERED
    why: str = ""
    refused: bool = False
    cut: bool = False  # what is missing may be newer than what came


ANSWERED = Verdict()
WITHHELD = Verdict(Outcome.PARTIAL, "the FHIR server withheld some results")
INCOMPLETE = Verdict(Outcome.PARTIAL, "the FHIR server says that its answer is incomplete", cut=True)
UNREADABLE = Verdict(Outcome.PARTIAL, "the FHIR server added a message that could not be read")
ERROR = Verdict(Outcome.FAILED, "the FHIR server reported an error")
REFUSED = Verdict(Outcome.FAILED, "the FHIR server does not accept this search", refused=True)

# Epic's numbers stand in `details.coding`, under a system that differs from customer to customer: compared alone.
# 59204, 59205: not authorised for part of the results; 413x: behind "break the glass".
_WITHHELD = re.compile(r"suppressed|5920[45]|413\d")
# 4119: more data may exist; 4127: stopped at a hundred.
_INCOMPLETE = re.compile(r"incomplete|throttled|4119|4127")
_REFUSED = re.compile(r"required|not-supported")
# As a mere warning beside results these say that part of the work was not done. `required`: Intelichart leaves out
# results without the required coding and says so with this code. Epic's 59100 (unknown parameter ignored) is `invalid`
# and harmless: what an ignored filter lets through, we filter ourselves.
_CUT_SHORT = re.compile(
    r"required|security|login|expired|forbidden|too-costly|transient|lock-error|no-store|exception|timeout"
)


def read_outcome(outcome: Any) -> Verdict:
    """The gravest thing an OperationOutcome says."""
    issues = outcome.get("issue") if isinstance(outcome, dict) else None
    if not isinstance(issues, list) or not issues:
        return UNREADABLE
    return gravest(_read_issue(issue) for issue in issues)


def gravest(verdicts: Iterable[Verdict]) -> Verdict:
    """The first of the worst; among errors, one that another question may avoid."""
    order = (Outcome.ANSWERED, Outcome.PARTIAL, Outcome.NOT_KEPT, Outcome.FAILED)
    verdicts = list(verdicts)
    worst = max(verdicts, key=lambda verdict: (order.index(verdict.outcome), verdict.refused), default=ANSWERED)
    cut = worst.outcome is Outcome.PARTIAL and any(verdict.cut for verdict in verdicts)
    return replace(worst, cut=True) if cut else worst


def _read_issue(issue: Any) -> Verdict:
    codes = set(_codes(issue))
    if _any(_WITHHELD, codes):
        return WITHHELD
    if _any(_INCOMPLETE, codes):
        return INCOMPLETE
    match issue:
        case {"severity": "fatal" | "error"}:
            return REFUSED if _any(_REFUSED, codes) else ERROR
        case {"severity": "warning"}:
            return INCOMPLETE if _any(_CUT_SHORT, codes) else ANSWERED
        case {"severity": "information" | "success"}:
            return ANSWERED
    return UNREADABLE


def _any(pattern: re.Pattern[str], codes: set[str]) -> bool:
    return any(map(pattern.fullmatch, codes))


def _codes(issue: Any) -> Iterator[str]:
    match issue:
        case {"code": str(code)}:
            yield code
    match issue:
        case {"details": {"coding": [*codings]}}:
            for coding in codings:
                match coding:
                    case {"code": str(code)}:
                        yield code
