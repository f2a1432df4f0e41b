"""Conditions of the leukaemia family to diagnoses: lineage, confirmed or not, relapse, remission, site, dates.

Silence about verification means confirmed; `refuted` is evidence against; `entered-in-error` does not exist. A code that
only hints never decides: it leaves the diagnosis unknown and is shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cds.day import Day
from cds.facts import Diagnosis
from cds.finding import Evidence, Gap, Why
from cds.series import Reading
from cds.truth import MET, NOT_MET, UNKNOWN, Truth
from cds.values import any_amount, one
from fhir_mappings import codelists, dates
from fhir_mappings.members import codings, each, text
from fhir_mappings.observations import coded_words
from fhir_mappings.record import Resource
from fhir_mappings.subject import reference_of

LINEAGE_OF = {  # concept: lineage
    "b_all": "b_all",
    "t_all": "t_all",
    "mixed_phenotype_leukaemia": "mixed_phenotype",
    "burkitt_or_mature_b": "burkitt_or_mature_b",
    "lymphoblastic_lymphoma": "lymphoblastic_lymphoma",
}
COURSE = ("all_relapse", "all_refractory", "all_in_remission", "all_not_in_remission")
SITES = {
    "cns_leukaemia": "cns",
    "testicular_leukaemia": "testis",
    "other_extramedullary_leukaemia": "other",
    "body_site_bone_marrow": "marrow",
    "body_site_testis": "testis",
}
FAMILY = (*LINEAGE_OF, "all_lineage_not_stated", "ph_positive_all", *COURSE)
LEUKAEMIA = (*FAMILY, "acute_leukaemia_lineage_not_stated", "cns_leukaemia", "cns_leukaemia_in_remission", "testicular_leukaemia",
             "other_extramedullary_leukaemia")  # fmt: skip
"""The concepts that make a Condition worth reading: it states leukaemia of the family, or hints at it."""

NOT_READABLE = "not readable"  # a status that is there and says nothing
TELLING = ("entered-in-error", "refuted", "relapse", "recurrence", "remission")
CONFIRMED: Mapping[str | None, Truth] = {None: MET, "confirmed": MET, "refuted": NOT_MET}  # anything else is unknown


def is_leukaemia(condition: Resource) -> bool:
    """The cheapest look: could this Condition matter to the trial at all?"""
    return codelists.hints(condition.get("code"), *LEUKAEMIA)


def diagnosis(condition: Resource, rejected: bool = False) -> Diagnosis | None:
    """None for one that was entered in error. A rejected resource confirms nothing."""
    verification = status_code(condition.get("verificationStatus"))
    if verification == "entered-in-error":
        return None
    code, clinical = condition.get("code"), status_code(condition.get("clinicalStatus"))
    decided = {c for c, decides in codelists.statements(code) if decides}
    hinted = {c for c, decides in codelists.statements(code) if not decides}
    onset = _day(condition, "onset")
    recorded = dates.day(condition.get("recordedDate"))
    when = onset or recorded
    told = coded_words(code) or "leukaemia"
    course = [clinical] if clinical in ("relapse", "recurrence", "remission") and clinical not in told else []
    course += [verification] if verification not in (None, "confirmed") else []
    if course:
        told += f" ({', '.join(course)})"
    if when:
        told += f", {'onset' if onset else 'recorded'} {when}"
    source = Evidence(told, reference_of(condition), str(when) if when else None)
    return Diagnosis(
        source=source,
        lineages=_lineages(decided),
        hinted=_lineages(hinted),
        family=MET if decided & set(FAMILY) else UNKNOWN,
        confirmed=UNKNOWN if rejected else CONFIRMED.get(verification, UNKNOWN),
        onset=onset and _from(onset, source),
        recorded=recorded and _from(recorded, source),
        relapse=clinical in ("relapse", "recurrence") or "all_relapse" in decided | hinted,
        refractory="all_refractory" in decided,
        remission=clinical == "remission" or bool(decided & {"all_in_remission", "cns_leukaemia_in_remission"}),
        ordinal=_ordinal(condition),
        sites=frozenset(_sites(condition)),
        ph_positive="ph_positive_all" in decided,
        unreadable=rejected or NOT_READABLE in (verification, clinical) or (onset is None and condition.get("onsetDateTime") is not None),
    )


def ph_positive_reading(stated: Diagnosis) -> Reading | None:
    """A Philadelphia-positive diagnosis is a positive BCR::ABL1; an unconfirmed one is not a result yet."""
    if not stated.ph_positive or stated.confirmed is NOT_MET:
        return None
    when = stated.starts or Day()
    if stated.confirmed is UNKNOWN:
        problem = Gap("BCR::ABL1", Why.PENDING, f"{stated.source}: not confirmed", (stated.source,))
        return Reading(any_amount(problem), when, stated.source, frozenset(), problem)
    return Reading(one("positive", stated.source), when, stated.source)


def status_code(concept: Any) -> str | None:
    """The code of a status element; FHIR binds these to one system each, so the code alone is looked at. Beside a broader
    or a local code, the one that changes the answer is meant."""
    codes = [code for coding in codings(concept) if (code := text(coding.get("code")))]
    telling = [code for code in TELLING if code in codes]
    return next(iter(telling + codes), None) or (NOT_READABLE if concept else None)


def _lineages(concepts: set[str]) -> frozenset[str]:
    return frozenset(LINEAGE_OF[concept] for concept in concepts if concept in LINEAGE_OF)


def _sites(condition: Resource) -> Iterator[str]:
    stated = [condition.get("code"), *each(condition.get("bodySite"))]
    for concept, site in SITES.items():
        if any(codelists.states(each, concept) for each in stated):
            yield site
    if codelists.hints(condition.get("code"), "cns_leukaemia") and codelists.states(condition.get("code"), *FAMILY):
        yield "cns"


def _ordinal(condition: Resource) -> str | None:
    stages = [stage.get("type") for stage in each(condition.get("stage"))]
    for concept in (*stages, *each(condition.get("category"))):
        for ordinal in ("first", "later"):
            if codelists.states(concept, f"relapse_ordinal_{ordinal}"):
                return ordinal
    return None


def _day(condition: Resource, element: str) -> Day | None:
    return dates.day(condition.get(f"{element}DateTime")) or dates.period(condition.get(f"{element}Period"))


def _from(day: Day, source: Evidence) -> Day:
    return Day(day.first, day.last, day.instant, (source,), day.gaps)
