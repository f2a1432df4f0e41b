"""Allergies: to a listed drug, a likely one, a related one; "none known"; and what only a person can judge.

Refuted and mistaken entries do not exist. An intolerance, or one that is over, is listed but not sure. A drug that is
only written out is never overlooked: it is listed, and not sure either.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from cds.facts import Event
from cds.finding import Evidence
from cds.truth import MET, UNKNOWN
from fhir_mappings import codelists, dates
from fhir_mappings.code_systems import ATC, RXNORM, SNOMED
from fhir_mappings.diagnoses import status_code
from fhir_mappings.members import all_words, codings, each, text
from fhir_mappings.observations import coded_words
from fhir_mappings.record import Resource
from fhir_mappings.subject import reference_of

LISTED = ("idarubicin", "etoposide", "ifosfamide", "cytarabine", "vincristine", "mercaptopurine", "blinatumomab")
LIKELY = ("asparaginase", "methotrexate", "dexamethasone", "prednisone_prednisolone")
NONE_KNOWN = ("no_known_allergy", "no_known_drug_allergy")
STANDARD = frozenset({SNOMED, RXNORM, ATC})
NONE_OF_ANOTHER_KIND = frozenset({"429625007", "428607008"})  # no known food, or environmental, allergy: silent on drugs
RELATED_NAMES = ("daunorubicin", "teniposide", "cyclophosphamide", "thioguanine", "tioguanine", "polysorbate 80", "benzyl alcohol")


def allergy(resource: Resource) -> Event | None:
    """One AllergyIntolerance as an event; None where it does not exist, or denies only food or pollen."""
    if status_code(resource.get("verificationStatus")) in ("refuted", "entered-in-error"):
        return None
    concepts = list(_substances(resource))
    over = status_code(resource.get("clinicalStatus")) in ("inactive", "resolved")
    sure = UNKNOWN if over or resource.get("type") == "intolerance" else MET
    onset = dates.day(resource.get("onsetDateTime"))
    recorded = resource.get("onsetDateTime") or resource.get("recordedDate")
    told = next((words for c in concepts if (words := coded_words(c))), "allergy")
    kind = "intolerance to" if resource.get("type") == "intolerance" else "allergy:"
    if any(codelists.states(c, *NONE_KNOWN) for c in concepts):
        return Event("none_known", Evidence(told, reference_of(resource), dates.as_written(recorded)))
    source = Evidence(f"{kind} {told}" + (" (no longer active)" if over else ""), reference_of(resource), dates.as_written(recorded))
    if any(codelists.states(c, *LISTED) for c in concepts):
        return Event("listed", source, onset, sure)
    named = " ".join(words for c in concepts for words in all_words(c)).lower()
    if _names(named, LISTED):
        return Event("listed", source, onset, UNKNOWN)
    if any(codelists.states(c, "related_drug_or_excipient") for c in concepts) or _names(named, RELATED_NAMES):
        return Event("related", source, onset)
    if any(codelists.states(c, *LIKELY) for c in concepts) or _names(named, ("asparaginase", "pegaspargase", "methotrexate", "dexamethasone", "prednisone", "prednisolone")):
        return Event("likely", source, onset, sure)
    if not _is_named(concepts, named) or any(codelists.hints(c, "drug_allergy_substance_not_stated") for c in concepts):
        return Event("unspecified", source, onset)
    return None if named.startswith("no known") or _denies_something_else(concepts) else Event("other", source, onset)


def _substances(resource: Resource) -> Iterator[Any]:
    yield resource.get("code")
    for reaction in each(resource.get("reaction")):
        if reaction.get("substance"):
            yield reaction["substance"]


def _is_named(concepts: list[Any], named: str) -> bool:
    """By its name, or by a code of a system we read; a hospital's own number alone may be any drug."""
    return bool(named) or any(text(coding.get("system")) in STANDARD and text(coding.get("code")) for c in concepts for coding in codings(c))


def _denies_something_else(concepts: list[Any]) -> bool:
    return any(coding.get("system") == SNOMED and text(coding.get("code")) in NONE_OF_ANOTHER_KIND for c in concepts for coding in codings(c))


def _names(told: str, ingredients: tuple[str, ...]) -> bool:
    return any(re.search(rf"\b{re.escape(name)}\b", told) for name in ingredients)
