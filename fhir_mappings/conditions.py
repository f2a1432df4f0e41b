"""Conditions and Procedures to events: what the child has, or had done, besides the leukaemia itself.

One table says which codelist states which event. A code that only hints raises a question where the table says so, and
nothing elsewhere: nearly every child in this trial has had neutropenia, and one code means that and a rare syndrome.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from cds.day import Day
from cds.facts import Event
from cds.finding import Evidence
from cds.truth import MET, NOT_MET, UNKNOWN
from fhir_mappings import codelists, dates
from fhir_mappings.called import called
from fhir_mappings.diagnoses import CONFIRMED, status_code
from fhir_mappings.members import text
from fhir_mappings.observations import coded_words
from fhir_mappings.record import Resource
from fhir_mappings.subject import reference_of
from fhir_mappings.treatments import DENIED


class States(NamedTuple):
    """A codelist states this event of this fact; `asks`: its hints raise the question too."""

    fact: str
    kind: str
    asks: bool = False


EVENTS: Mapping[str, States] = {
    "down_syndrome": States("syndromes", "Down syndrome", asks=True),
    "bloom_syndrome": States("syndromes", "Bloom syndrome"),
    "ataxia_telangiectasia": States("syndromes", "ataxia-telangiectasia", asks=True),
    "fanconi_anaemia": States("syndromes", "Fanconi anaemia", asks=True),
    "kostmann_syndrome": States("syndromes", "Kostmann syndrome"),
    "shwachman_diamond_syndrome": States("syndromes", "Shwachman syndrome"),
    "severe_congenital_neutropenia": States("syndromes", "severe congenital neutropenia", asks=True),
    "diamond_blackfan_anaemia": States("syndromes", "Diamond-Blackfan anaemia"),
    "dyskeratosis_congenita": States("syndromes", "dyskeratosis congenita"),
    "other_inherited_marrow_failure": States("syndromes", "other inherited marrow failure"),
    "hiv_infection": States("hiv_infection", "hiv_infection"),
    "hiv_inconclusive": States("hiv_infection", "hiv_infection", asks=True),
    "pregnant": States("pregnancy", "pregnancy"),
    "possibly_pregnant": States("pregnancy", "possible pregnancy", asks=True),
    "allogeneic_hsct": States("transplants", "allogeneic"),
    "hsct_donor_not_stated": States("transplants", "donor_not_stated", asks=True),
    "graft_versus_host_disease": States("transplants", "graft_versus_host"),
    "hysterectomy": States("sterilised", "hysterectomy"),
    "bilateral_oophorectomy": States("sterilised", "bilateral oophorectomy"),
    "tubal_sterilisation": States("sterilised", "tubal sterilisation"),
    "cns_epilepsy": States("neurological", "epilepsy", asks=True),
    "cns_epilepsy_intractable": States("neurological", "epilepsy", asks=True),
    "cns_seizure": States("neurological", "seizure", asks=True),
    "cns_paralysis": States("neurological", "paralysis", asks=True),
    "cns_aphasia": States("neurological", "aphasia", asks=True),
    "cns_brain_injury": States("neurological", "brain injury", asks=True),
    "cns_cerebellar": States("neurological", "cerebellar disease", asks=True),
    "cns_organic_brain_syndrome": States("neurological", "organic brain syndrome", asks=True),
    "cns_psychosis": States("neurological", "psychosis", asks=True),
    "cns_movement_or_coordination": States("neurological", "movement or coordination disorder", asks=True),
}
SUSPECTED = frozenset({"unconfirmed", "provisional", "differential"})
ALWAYS_UNSURE = frozenset({"hiv_inconclusive", "possibly_pregnant"})


def stated_by(code: object) -> list[tuple[States, bool]]:
    """The events that a code states, or asks about; True where it settles them. Without a code, what it is called only asks."""
    found: dict[States, bool] = {}
    statements = codelists.statements(code)
    acquired = any(concept == "acquired_cytopenia_not_syndrome" for concept, _ in statements)  # most children's neutropenia
    relapse = any(concept == "all_relapse" for concept, _ in statements)
    for concept, decides in statements:
        states = EVENTS.get(concept)
        if relapse and concept == "hsct_donor_not_stated":  # "relapse in a transplanted marrow": there was a transplant, whosever
            states = States("transplants", "relapse_after_transplant", asks=True)
        if states and (decides or (states.asks and not acquired)):
            found[states] = found.get(states, False) or (decides and concept not in ALWAYS_UNSURE)
    return list(found.items()) or [(States(fact, kind, asks=True), False) for fact, kind in called(code)]


def condition_events(condition: Resource) -> Iterator[tuple[str, Event]]:
    """`(fact, event)` for each; none for one that was entered in error."""
    verification = status_code(condition.get("verificationStatus"))
    if verification == "entered-in-error":
        return
    onset = dates.day(condition.get("onsetDateTime")) or dates.period(condition.get("onsetPeriod"))
    recorded = dates.day(condition.get("recordedDate"))
    when = onset or (Day(None, recorded.last) if recorded else None)
    told = coded_words(condition.get("code")) or "condition"
    if verification not in (None, "confirmed"):
        told += f" ({verification})"
    source = Evidence(told, reference_of(condition), str(onset or recorded) if onset or recorded else None)
    ended = status_code(condition.get("clinicalStatus")) in ("inactive", "resolved", "remission")
    for states, settled in stated_by(condition.get("code")):
        if states.fact == "pregnancy" and (ended or condition.get("abatementDateTime")):
            continue  # a pregnancy that is over
        confirmed = CONFIRMED.get(verification, UNKNOWN)
        sure = confirmed if settled or confirmed is NOT_MET else UNKNOWN
        if states.fact != "pregnancy":
            yield states.fact, Event(states.kind, source, when, sure)
        else:
            yield states.fact, Event("possible pregnancy" if verification in SUSPECTED else states.kind, source, onset or recorded, sure)


def procedure_events(procedure: Resource) -> Iterator[tuple[str, Event]]:
    """Procedures that were done, or may have been: under way, or of a status that cannot be read. Planned and cancelled
    ones are none."""
    status = text(procedure.get("status"))
    if status in DENIED["Procedure"]:
        return
    done = MET if status == "completed" else UNKNOWN
    when = dates.day(procedure.get("performedDateTime")) or dates.period(procedure.get("performedPeriod"))
    source = Evidence(coded_words(procedure.get("code")) or "procedure", reference_of(procedure), str(when) if when else None)
    for states, settled in stated_by(procedure.get("code")):
        yield states.fact, Event(states.kind, source, when, done if settled else UNKNOWN)
