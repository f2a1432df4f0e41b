"""The vocabulary: everything a criterion may ask of a child, one commented line per fact.

Mappings fill it in; nothing here is decided. A fact that was never looked up is *anything at all* and says so; a fact
that was looked up and not found is an empty list, which is something else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date
from typing import Any, Generic, TypeVar

from cds.day import Day
from cds.finding import Evidence, Gap, Why
from cds.series import Series
from cds.truth import MET, Truth
from cds.values import Amount, Choice, any_of

LINEAGES = frozenset({"b_all", "t_all", "mixed_phenotype", "burkitt_or_mature_b", "lymphoblastic_lymphoma"})
Item = TypeVar("Item")


def not_looked_up(fact: str, words: str = "") -> Gap:
    return Gap(fact, Why.NOT_LOOKED_UP, words or f"{fact} not looked up")


@dataclass(frozen=True, slots=True)
class Listed(Generic[Item]):
    """What a search found; `gap` is set when it failed or was cut short, so that absence proves nothing.

    Where a date hangs on the first or the last of them, it matters how: nothing was seen, or only some.
    """

    items: tuple[Item, ...] = ()
    gap: Gap | None = None
    unseen: bool = False  # not sent, refused, broken or too late
    cut_short: bool = False  # what is missing may come before, between and after what is here


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One entry of the problem list that states, or hints at, leukaemia of the lymphoblastic family."""

    source: Evidence
    lineages: frozenset[str] = frozenset()  # of LINEAGES; empty when the code names no lineage
    hinted: frozenset[str] = frozenset()  # of LINEAGES; what a code hints at and cannot decide alone
    family: Truth = MET  # unknown: the code only hints (acute leukaemia of unstated type)
    confirmed: Truth = MET  # unknown: provisional, differential, unconfirmed; not met: refuted
    onset: Day | None = None
    recorded: Day | None = None
    relapse: bool = False  # recorded as relapse or recurrence
    refractory: bool = False
    remission: bool = False
    ordinal: str | None = None  # "first" or "later", where a code says so
    sites: frozenset[str] = frozenset()  # of marrow, cns, testis, other
    ph_positive: bool = False
    unreadable: bool = False  # a broken record: what it would have said against the trial stays a question

    @property
    def starts(self) -> Day | None:
        """When it began; its recording is only the latest day it can have begun."""
        return self.onset or (Day(None, self.recorded.last, None, (self.source,)) if self.recorded else None)


@dataclass(frozen=True, slots=True)
class Dose:
    """One administered dose of an anti-leukaemic drug."""

    drug: str
    when: Day
    source: Evidence


@dataclass(frozen=True, slots=True)
class Taken:
    """An anti-leukaemic drug of the medication history: from when until when it was taken, as far as that is told."""

    drug: str
    since: Day
    until: Day
    source: Evidence
    sure: Truth = MET  # unknown: whether it was taken at all cannot be read


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, or is: a procedure, a treatment, a condition, an allergy, taking part in a study."""

    kind: str  # which of the kinds named beside the fact
    source: Evidence
    when: Day | None = None
    sure: Truth = MET  # unknown: planned, suspected, unconfirmed, or only hinted at


@dataclass(frozen=True, slots=True)
class Disputed:
    """Different answers to one item, none of which is the newest; `gap` says so, in words."""

    answers: tuple[Day | Choice | Amount, ...]
    gap: Gap


@dataclass(frozen=True, slots=True)
class ChartReview:
    """What a named clinician answered in the chart-review Questionnaire, by `linkId`; basis attested."""

    answers: Mapping[str, Day | Choice | Amount] = field(default_factory=dict)  # of a disputed item: all that its answers leave open
    sites: frozenset[str] = frozenset()  # extramedullary-site repeats
    mrd_not_detected: bool = False  # the answer to eoi-ngs-mrd was 0: below what the sample could show
    gap: Gap | None = None
    disputed: Mapping[str, Disputed] = field(default_factory=dict)


def _series(name: str):
    return field(default_factory=lambda: Series(name, gap=not_looked_up(name)))


def _listed(name: str):
    return field(default_factory=lambda: Listed(gap=not_looked_up(name)))


@dataclass(frozen=True)
class PatientFacts:
    """One child. Every fact defaults to *anything at all*."""

    patient: str  # reference, `Patient/123`
    as_of: date  # the day for which the question is asked
    birth_date: Day = field(default_factory=lambda: Day(gaps=(not_looked_up("birth date"),)))
    sex: Choice = field(default_factory=lambda: any_of({"male", "female"}, not_looked_up("sex")))
    deceased: Choice = field(default_factory=lambda: any_of({"yes", "no"}, not_looked_up("vital status")))

    diagnoses: Listed[Diagnosis] = _listed("leukaemia diagnosis")  # problem list and encounter diagnoses
    doses: Listed[Dose] = _listed("administered drugs")  # frontline and reinduction drugs, as given
    taken: Listed[Taken] = _listed("medication history")  # the same drugs, as somebody states that they were taken
    first_line_start: Listed[Day] = _listed("start of first-line treatment")  # starts of the recorded first-line treatment
    first_line_end: Listed[Day] = _listed("end of first-line treatment")  # ends of the recorded first-line treatment
    enrolment: Listed[Day] = _listed("enrolment")  # start of taking part in this trial

    marrow_blasts: Series = _series("marrow blasts")  # %, morphology; M1/M2/M3 as ranges; labels: eoi
    mrd: Series = _series("MRD")  # % of nucleated cells; labels: ngs|flow|pcr, marrow|blood, eoi
    bcr_abl1: Series = _series("BCR::ABL1")  # positive or negative
    creatinine: Series = _series("creatinine")  # mg/dL, serum or plasma
    bilirubin_direct: Series = _series("direct bilirubin")  # mg/dL
    bilirubin_conjugated: Series = _series("conjugated bilirubin")  # mg/dL; can prove direct high, never low
    bilirubin_total: Series = _series("total bilirubin")  # mg/dL
    ejection_fraction: Series = _series("ejection fraction")  # %, left ventricle, by echocardiogram; labels: another_method
    shortening_fraction: Series = _series("shortening fraction")  # %, by echocardiogram

    chart_review: ChartReview = field(default_factory=lambda: ChartReview(gap=not_looked_up("chart review")))

    # What a child received, in a lifetime
    transplants: Listed[Event] = _listed("allogeneic transplant")  # allogeneic, donor_not_stated, autologous, graft_versus_host, relapse_after_transplant
    blinatumomab: Listed[Event] = _listed("blinatumomab")  # given, ordered
    other_cd19_therapy: Listed[Event] = _listed("other CD19 therapy")  # shown only

    # Other results
    performance: Series = _series("performance status")  # score 0-100 in tens; labels: lansky|karnofsky|ecog
    cd19: Series = _series("CD19")  # positive, partial or negative, on leukaemic blasts
    hiv: Series = _series("HIV test")  # negative, reactive, detected (RNA); labels: virus, a preliminary RNA
    hcg: Series = _series("pregnancy test")  # positive or negative

    # Conditions, allergies, studies, papers
    syndromes: Listed[Event] = _listed("genetic syndrome")  # the six named, and other inherited marrow failure by name
    hiv_infection: Listed[Event] = _listed("HIV infection")
    pregnancy: Listed[Event] = _listed("pregnancy")
    sterilised: Listed[Event] = _listed("surgical sterilisation")
    neurological: Listed[Event] = _listed("neurological conditions")  # shown for EXC-12
    allergies: Listed[Event] = _listed("allergies")  # listed, likely, related, unspecified, unreadable, other, none_known
    other_studies: Listed[Event] = _listed("other studies")  # treatment, unclear, follow_up
    consent: Listed[Event] = _listed("consent")  # refused, document

    issues: tuple[Evidence, ...] = ()  # data seen and not used, with why
    not_looked_up: tuple[tuple[str, str], ...] = ()  # searches that failed or were never made, with why

    def otherwise(self, facts: Mapping[str, Any]) -> PatientFacts:
        """The same child with these facts otherwise; like `dataclasses.replace`, which would go through all of them."""
        if unheard_of := facts.keys() - self.__dict__.keys():
            raise TypeError(f"{', '.join(sorted(unheard_of))}: no such fact")
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__ | facts)
        return other


def in_order(facts: PatientFacts) -> PatientFacts:
    """The same facts, their lists in an order of their own, so that the order in which they came never shows."""
    sorted_lists: dict[str, Any] = {}
    for name in _LISTS:
        value = getattr(facts, name)
        if isinstance(value, Series) and len(value.readings) > 1:
            sorted_lists[name] = replace(value, readings=tuple(sorted(value.readings, key=_place)))
        elif isinstance(value, Listed) and len(value.items) > 1:
            sorted_lists[name] = replace(value, items=tuple(sorted(value.items, key=_place)))
    return facts.otherwise(sorted_lists) if sorted_lists else facts


def _place(item: Any) -> tuple[str, ...]:
    sources = item.evidence if isinstance(item, Day) else (item.source,)
    return tuple(part or "" for source in sources for part in (source.date, source.reference, source.words))


_LISTS = tuple(f.name for f in fields(PatientFacts))
