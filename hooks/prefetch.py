"""What the EHR sent along: each prefetch key is data, nothing, partial, failed or another patient's, and these differ.

The table is cds-hooks 2.6. A key that was never sent is left out of the answer, so that it can be fetched.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fhir_mappings.record import Answer, Outcome
from fhir_mappings.sources import SEARCHES, Search
from hooks.fhir_outcome import read_outcome
from hooks.paging import CutShort, next_target, read_bundle


def templates() -> dict[str, str]:
    """What the EHR is asked to send along, by key; made from the table of sources, a site's own codes included."""
    return {search.name: search.template() for search in SEARCHES}


def sent(prefetch: Mapping[str, Any]) -> dict[str, Answer]:
    """The answers that came with the call."""
    return {s.name: answer_of(s, prefetch[s.name]) for s in SEARCHES if s.name in prefetch}


def answer_of(search: Search, value: Any) -> Answer:
    if search.resource_type == "Patient":
        return _patient(value)
    if value is None:
        return Answer(Outcome.ANSWERED)
    if isinstance(value, dict) and value.get("resourceType") == "OperationOutcome":
        verdict = read_outcome(value)
        if verdict.outcome is Outcome.ANSWERED:
            return Answer(Outcome.FAILED, why="the EHR sent a message instead of results")
        return Answer(Outcome.FAILED, why="the EHR could not look this up")
    page = read_bundle(value, search.resource_type)
    outcome, why = page.verdict.outcome, page.verdict.why.replace("the FHIR server", "the EHR")
    missing = _missing(value, len(page.entries)) if isinstance(value, dict) else ""
    if outcome is Outcome.ANSWERED and missing:
        outcome, why = Outcome.PARTIAL, missing
    cut = outcome is Outcome.PARTIAL and bool(page.verdict.cut or missing)
    return Answer(outcome, page.entries if outcome is not Outcome.FAILED else (), why, page.rejected, cut)


def _patient(value: Any) -> Answer:
    """The patient is read, not searched: `null`, an outcome or anything else is an error, never "no patient"."""
    found = [value] if isinstance(value, dict) and value.get("resourceType") == "Patient" else read_bundle(value, "Patient").entries
    if len(found) == 1 and isinstance(found[0].get("id"), str):  # a Bundle of one: some EHRs search where we ask to read
        return Answer(Outcome.ANSWERED, tuple(found))
    return Answer(Outcome.FAILED, why="the EHR sent no Patient resource")


def _missing(bundle: Mapping[str, Any], entries: int) -> str:
    """Why a Bundle is not all there is: a next page, or fewer entries than its total says."""
    try:
        if next_target(bundle) is not None:
            return "the EHR sent the first page only"
    except CutShort as why:
        return str(why)
    total = bundle.get("total")
    if isinstance(total, int) and not isinstance(total, bool) and total > entries:
        return "the EHR sent fewer results than it counted"
    return ""
