"""The chart-review Questionnaire: what a named clinician answered, where records have no dependable place for it.

Completed or amended responses count; the newest answer to each item wins; items may be nested. Every answer is attested,
with its author and date. Answers of which none is surely the newest are kept side by side (interfaces 7, "Same time").
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import reduce
from typing import Any

from cds.day import Day
from cds.facts import ChartReview, Disputed, not_looked_up
from cds.finding import Basis, Evidence, Gap, Why
from cds.series import Reading
from cds.values import Amount, Choice
from fhir_mappings import dates
from fhir_mappings.answers import READERS, Answer, code_of, percent
from fhir_mappings.members import each, text
from fhir_mappings.mrd import no_finer_than, not_detected
from fhir_mappings.record import Resource
from fhir_mappings.subject import reference_of

QUESTIONNAIRE = "/Questionnaire/nct05827549-chart-review"
COUNTS = frozenset({"completed", "amended"})
UNFINISHED = frozenset({"in-progress", "stopped", "entered-in-error"})
LONGEST_NAME = 40
_SIGNED = " (chart review, "  # between an answer and who gave it
EXTRAMEDULLARY = ("cns", "testis", "other")


def is_chart_review(response: Resource) -> bool:
    """One that is finished, or whose status cannot be read: it may be."""
    questionnaire = str(response.get("questionnaire", "")).split("|")[0]
    return questionnaire.endswith(QUESTIONNAIRE) and text(response.get("status")) not in UNFINISHED


def chart_review(responses: list[Resource], broken: list[Resource], gap: Gap | None) -> tuple[ChartReview, list[Evidence]]:
    """All answers, and the issues: answers that were given and could not be read.

    What a broken response would have changed cannot be told, so no answer counts that may be older.
    """
    if broken:
        gap = not_looked_up("chart review", "chart review: a response that cannot be read")
    read: dict[str, Answer] = {}
    disputed: dict[str, Disputed] = {}
    issues: list[Evidence] = []
    sites: set[str] = set()
    newest = _newest([r for r in responses if all(_authored(b).surely_before(_authored(r)) for b in broken)])
    limit = _limit(newest.get("eoi-ngs-mrd-lod", []))
    undetected = False
    for link_id, told in newest.items():
        if link_id == "extramedullary-site":
            sites |= {code for answer, _ in told if (code := code_of(answer)) in EXTRAMEDULLARY}
            continue
        if link_id not in READERS:
            continue
        answers = [READERS[link_id](answer, _source(link_id, response)) for answer, response in told]
        if None in answers:
            words = f"chart review, {link_id.replace('-', ' ')}: the answer cannot be read and was not used"
            issues += [Evidence(words, reference_of(response)) for answer, (_, response) in zip(answers, told) if answer is None]
            continue
        if link_id == "eoi-ngs-mrd":
            undetected = all(map(_is_zero, answers))
            answers = [_below_detection(answer, limit) if _is_zero(answer) else no_finer_than(limit, answer) for answer in answers]
        read[link_id] = answers[0]
        if differing := _differing(answers):
            gap_of_these = _differ(link_id, differing)
            disputed[link_id] = Disputed(differing, gap_of_these)
            read[link_id] = reduce(lambda one, other: one.either(other, gap_of_these), differing)
    return ChartReview(read, frozenset(sites), undetected, gap, disputed), issues


def _newest(responses: list[Resource]) -> dict[str, list[tuple[Mapping[str, Any], Resource]]]:
    """By item, every answer than which none is surely newer; in an order of their own, however they came."""
    given: dict[str, list[tuple[Mapping[str, Any], Resource]]] = {}
    for response in sorted(responses, key=lambda r: (str(_authored(r)), reference_of(r))):
        for link_id, answers in _answers(response.get("item")):
            given.setdefault(link_id, []).extend((answer, response) for answer in answers)
    return {link_id: list(_without_superseded(told)) for link_id, told in given.items()}


def _without_superseded(told: list[tuple[Mapping[str, Any], Resource]]) -> Iterator[tuple[Mapping[str, Any], Resource]]:
    days = {id(response): _authored(response) for _, response in told}
    to_the_day = [day for day in days.values() if day.first]
    # whatever is older than any other is older than one of these: a child may have a thousand responses
    latest = [max(group, key=when) for group, when in (
        (to_the_day, lambda day: day.first), ([d for d in to_the_day if not d.instant], lambda day: day.first),
        ([d for d in to_the_day if d.instant], lambda day: day.instant)) if group]  # fmt: skip
    yield from ((a, r) for a, r in told if not any(days[id(r)].surely_before(newest) for newest in latest))


def _differing(answers: list[Answer]) -> tuple[Answer, ...]:
    """Each of the different answers once; none where all say the same."""
    by_value = {_value(answer): answer for answer in answers}
    return tuple(answer for _, answer in sorted(by_value.items())) if len(by_value) > 1 else ()


def _value(answer: Answer) -> str:
    return "".join(sorted(answer.options)) if isinstance(answer, Choice) else str(answer)


def _differ(link_id: str, answers: tuple[Answer, ...]) -> Gap:
    seen = tuple(answer.evidence[0] for answer in answers)
    return Gap(link_id.replace("-", " "), Why.CONFLICT, f"{' but '.join(map(str, seen))}: neither is the newer answer", seen)


def _is_zero(answer: Answer | None) -> bool:
    return isinstance(answer, Amount) and answer.exact and answer.low == 0


def _limit(told: list[tuple[Mapping[str, Any], Resource]]) -> Amount | None:
    """Of several limits of detection the highest: no more than that was shown."""
    limits = [percent(answer, _source("eoi-ngs-mrd-lod", response)) for answer, response in told]
    known = [limit for limit in limits if limit is not None and limit.exact and limit.low]
    return max(known, key=lambda limit: limit.low) if known and known == limits else None


def _below_detection(mrd: Amount, limit: Amount | None) -> Amount:
    reading = Reading(mrd, Day(), mrd.evidence[0])
    return not_detected("end-of-induction NGS-MRD", reading, limit, mrd.evidence[0], frozenset()).value


def _answers(items: Any, depth: int = 0) -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
    """Every answered item, however deep in groups (and in answers of answers)."""
    for item in each(items) if depth < 20 else ():
        answers = each(item.get("answer"))
        if answers and isinstance(item.get("linkId"), str):
            yield item["linkId"], answers
        yield from _answers(item.get("item"), depth + 1)
        for answer in answers:
            yield from _answers(answer.get("item"), depth + 1)


def _authored(response: Resource) -> Day:
    """When it was answered; one without a date may be older or newer than any other."""
    return dates.day(response.get("authored")) or Day()


def _source(link_id: str, response: Resource) -> Evidence:
    author = response.get("author")
    name = (text(author.get("display")) or text(author.get("reference"))) if isinstance(author, dict) else None
    name = name and name[:LONGEST_NAME]
    words = f"{link_id.replace('-', ' ')}{_SIGNED}{name or 'author not recorded'})"
    return Evidence(words, reference_of(response), dates.as_written(response.get("authored")), Basis.ATTESTED)


def answer_and_author(link_id: str, source: Evidence) -> tuple[str, str]:
    """What was answered, in the words it was given in, and by whom: out of the sentence made above.

    >>> answer_and_author("lineage", Evidence("lineage b-all (chart review, Dr Ottilie Quillfeather)"))
    ('b-all', 'Dr Ottilie Quillfeather')
    """
    answer, _, author = source.words.removeprefix(link_id.replace("-", " ")).strip().partition(_SIGNED)
    return answer, author.removesuffix(")")
