"""Allergies: to a listed drug, a likely one, a related one; "none known"; and what only a person can judge.

Refuted and mistaken entries do not exist. An intolerance, or one that is over, is listed but not sure. A drug that is
only written out is never overlooked: it is listed, and not sure either. A text says that it is something else only where it names
nothing but everyday allergens; whatever we do not know by name may be any drug.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cds.facts import Event
from cds.finding import Evidence
from cds.truth import MET, UNKNOWN
from fhir_mappings import codelists, dates, substances
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
FOOD_OR_SURROUNDINGS = frozenset({"food", "environment"})
NONE_OF_ANOTHER_KIND = frozenset({"429625007", "428607008"})  # no known food, or environmental, allergy: silent on drugs


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
    said = [words for c in concepts for words in all_words(c)]
    written = "; ".join(said)
    kind = "intolerance to" if resource.get("type") == "intolerance" else "allergy:"
    if any(codelists.states(c, *NONE_KNOWN) for c in concepts) and not substances.named(written, substances.LISTED):
        return Event("none_known", Evidence(told, reference_of(resource), dates.as_written(recorded)))
    source = Evidence(f"{kind} {told}" + (" (no longer active)" if over else ""), reference_of(resource), dates.as_written(recorded))
    if any(codelists.states(c, *LISTED) for c in concepts):
        return Event("listed", source, onset, sure)
    if substances.named(written, substances.LISTED):
        return Event("listed", source, onset, UNKNOWN)
    if any(codelists.states(c, "related_drug_or_excipient") for c in concepts) or substances.named(written, substances.RELATED):
        return Event("related", source, onset)
    if any(codelists.hints(c, "drug_allergy_substance_not_stated") for c in concepts) or substances.named(written, substances.OF_NO_ONE_DRUG):
        return Event("unspecified", source, onset)
    if _denies_something_else(concepts) or (said and all(map(substances.denies, said))):
        return None
    told_what = [c for c in concepts if codings(c) or all_words(c)]
    if not (told_what and all(map(_is_known, told_what))) and not _only_food_or_surroundings(resource, written):
        return Event("unspecified", source, onset)
    likely = any(codelists.states(c, *LIKELY) for c in concepts) or substances.named(written, substances.LIKELY)
    return Event("likely", source, onset, sure) if likely else Event("other", source, onset)


def _substances(resource: Resource) -> Iterator[Any]:
    """What it is to; the code may be empty, or say no more than "drug reaction", where the reaction names the substance."""
    yield resource.get("code")
    for reaction in each(resource.get("reaction")):
        if reaction.get("substance"):
            yield reaction["substance"]


def _is_known(concept: Any) -> bool:
    """A code of a system we read says which substance it is; words do where we know every one of them."""
    coded = any(text(coding.get("system")) in STANDARD and text(coding.get("code")) for coding in codings(concept))
    return coded or substances.all_known(all_words(concept), substances.LIKELY, substances.EVERYDAY)


def _only_food_or_surroundings(resource: Resource, written: str) -> bool:
    categories = resource.get("category")
    return bool(written and isinstance(categories, list) and categories) and FOOD_OR_SURROUNDINGS.issuperset(map(str, categories))


def _denies_something_else(concepts: list[Any]) -> bool:
    return any(coding.get("system") == SNOMED and text(coding.get("code")) in NONE_OF_ANOTHER_KIND for c in concepts for coding in codings(c))
