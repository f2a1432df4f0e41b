"""Criterion by criterion: can it be judged from this server, only with the chart-review Questionnaire, or not at all?

Found out, not listed. The demonstration's children have complete charts; each chart is put through what this server did
to our searches (a search that failed leaves nothing, one answered in part leaves its silence without meaning), the rules
are run without any Questionnaire, and what they could answer before and cannot answer now is lost here. What would help
comes from the needs of the rules: the facts with their searches, and the questions of the chart review.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date

from cds import Protocol
from cds.case import Case
from cds.facts import PatientFacts
from cds.truth import UNKNOWN
from fhir_mappings import Answer, Outcome, Record, codelists, read_patient
from fhir_mappings.fact_sources import searches_of
from fhir_mappings.members import each
from fhir_mappings.record import Resource
from fhir_mappings.sources import SEARCHES, Search
from hooks.bundle import record_from_bundle
from hooks.demo.children import CHILDREN, PENDING, bundle
from hooks.protocol_needs import DATES, needs_of, needs_of_date

NO_REVIEW = Answer(Outcome.NOT_ASKED, why="no chart review")
FROM_SERVER, WITH_REVIEW, NOT_AT_ALL = "server", "questionnaire", "not_at_all"


@dataclass(frozen=True)
class Judgeable:
    id: str
    name: str
    how: str  # FROM_SERVER | WITH_REVIEW | NOT_AT_ALL
    facts: tuple[str, ...]  # that it needs and this server does not give in full
    dates: tuple[str, ...]  # likewise
    searches: tuple[str, ...]  # that these would have come from
    answers: tuple[str, ...]  # linkIds of the chart review that speak of it


Charts = tuple[tuple[Record, Case], ...]


def complete_charts(protocol: Protocol, as_of: date) -> Charts:
    """The demonstration's children whose work-up is complete, and what the rules see of each where nothing is lost."""
    records = (record_from_bundle(bundle(child, as_of)) for child in CHILDREN if child.overall == PENDING)
    return tuple((record, _case(_without_review(record), protocol, as_of)) for record in records)


def judgeable(protocol: Protocol, answers: Mapping[str, Answer], charts: Charts) -> tuple[Judgeable, ...]:
    pairs = [(whole, _case(_as_shown(record, answers), protocol, whole.facts.as_of)) for record, whole in charts]
    lost_dates = tuple(name for name in DATES if any(_is_lost(whole, shown, DATES[name]) for whole, shown in pairs))
    missing = {s.name for s in SEARCHES if not answers[s.name].complete}
    sources = searches_of()

    def one(criterion) -> Judgeable:
        needs = needs_of(criterion.rule, protocol.policies)
        facts = tuple(f for f in needs.facts if f != "chart_review" and missing & set(sources[f]))
        dates = tuple(d for d in needs.dates if d in lost_dates)
        of_dates = [needs_of_date(d, protocol.policies) for d in dates]
        behind = {s for f in (*facts, *(f for n in of_dates for f in n.facts if f != "chart_review")) for s in sources[f]} & missing
        decided = [(w, s) for whole, shown in pairs if (w := criterion.rule(whole, protocol.policies).truth) is not UNKNOWN
                   for s in [criterion.rule(shown, protocol.policies).truth]]  # fmt: skip
        own = needs.answers if facts or not decided else ()  # a lost date alone is mended by that date
        told = tuple(dict.fromkeys((*own, *_of_dates(dates, protocol))))
        how = WITH_REVIEW if needs.answers or (told and not facts) else NOT_AT_ALL
        if decided and all(whole is shown for whole, shown in decided):
            how = FROM_SERVER
        return Judgeable(criterion.id, criterion.name, how, facts, dates, tuple(s.name for s in SEARCHES if s.name in behind), told)

    return tuple(map(one, protocol.criteria))


def hurt_by(search: str, protocol: Protocol, answers: Mapping[str, Answer], charts: Charts) -> tuple[Judgeable, ...]:
    """What this search takes away by itself, were all others answered in full."""
    alone = {name: answer if name == search else Answer(Outcome.ANSWERED) for name, answer in answers.items()}
    hurt = (c for c in judgeable(protocol, alone, charts) if c.how != FROM_SERVER and (c.facts or c.dates))
    return tuple(c if c.facts else replace(c, answers=_of_dates(c.dates, protocol)) for c in hurt)


def _of_dates(dates: tuple[str, ...], protocol: Protocol) -> tuple[str, ...]:
    return tuple(dict.fromkeys(a for date in dates for a in needs_of_date(date, protocol.policies).answers))


def _case(record: Record, protocol: Protocol, as_of: date) -> Case:
    facts: PatientFacts = read_patient(record, as_of)
    return Case(facts, protocol.policies)


def _without_review(record: Record) -> Record:
    return replace(record, answers={**record.answers, "answers": NO_REVIEW})


def _as_shown(record: Record, answers: Mapping[str, Answer]) -> Record:
    return _without_review(replace(record, answers=dict(_shown(record, answers))))


def _shown(record: Record, answers: Mapping[str, Answer]) -> Iterator[tuple[str, Answer]]:
    for search in SEARCHES:
        whole, here = record.answer(search.name), answers[search.name]
        kept = whole.resources if here.outcome in (Outcome.ANSWERED, Outcome.PARTIAL) else ()
        yield search.name, Answer(here.outcome, tuple(r for r in kept if not search.concepts or _is_asked_for(search, r)), here.why)


def _is_asked_for(search: Search, resource: Resource) -> bool:
    """A Bundle has all Observations in one heap: what one search brings must not make up for another."""
    return any(codelists.hints(element.get("code"), *search.concepts) for element in (resource, *each(resource.get("component"))))


def _is_lost(whole: Case, shown: Case, attribute: str) -> bool:
    before, after = getattr(whole, attribute), getattr(shown, attribute)
    return bool(before and before.known) and (not (after and after.known) or bool(after.gaps and not before.gaps))
