"""The cheapest look at a chart: do the child and the problem list show leukaemia, so that the rest is worth asking for?"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from fhir_mappings import Answer
from fhir_mappings.diagnoses import is_leukaemia
from fhir_mappings.record import FRUITLESS, NOT_ASKED
from fhir_mappings.sources import SEARCHES, Search
from hooks.problem import Problem


class NotToBeHad(Problem):
    """The child or the problem list: without them nothing can be said. `why` is for whoever did not send anything."""

    def __init__(self, why: str, remedy: str = ""):
        super().__init__(412, f"{why}. {remedy}" if remedy else why)
        self.why = why


def shows_leukaemia(answers: Mapping[str, Answer], sent: Collection[str] = ()) -> bool:
    """Does the problem list hold, or hint at, leukaemia of the family? `sent` are the prefetch keys that came with the call.

    Raises NotToBeHad when the child or the problem list cannot be had, or when a list that is not complete shows none.
    """
    for search in (s for s in SEARCHES if s.required):
        answer = answers.get(search.name, NOT_ASKED)
        if answer.outcome in FRUITLESS:
            raise NotToBeHad(f"{search.name}: {answer.why}", _remedy(search, sent))
    conditions = answers["conditions"]
    if any(is_leukaemia(condition) for condition in conditions.resources):
        return True
    if not conditions.complete:
        raise NotToBeHad(f"conditions: {conditions.why}, so that leukaemia can be neither seen nor ruled out")
    return False


def _remedy(search: Search, sent: Collection[str]) -> str:
    """A key that came is not asked for: what its query gives at the EHR is to be looked into."""
    key = f"the prefetch key {search.name} ({search.template()})"
    return f"T{key[1:]} was sent, but without its results" if search.name in sent else f"Send {key}"
