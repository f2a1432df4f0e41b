"""The chart-review Questionnaire: what a named clinician answered, where records have no dependable place for it.

Completed or amended responses count; the newest answer to each item wins; items may be nested. Every answer is attested,
with its author and date.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timezone
from typing import Any

from cds.day import Day
from cds.facts import ChartReview, not_looked_up
from cds.finding import Basis, Evidence, Gap
from cds.series import Reading
from cds.values import Amount, Choice, one
from fhir_mappings import dates
from fhir_mappings.members import each, text
from fhir_mappings.measures import MARROW_CATEGORIES
from fhir_mappings.mrd import not_detected
from fhir_mappings.observations import Result, amount_reading
from fhir_mappings.record import Resource
from fhir_mappings.subject import reference_of
from fhir_mappings.units import MRD, PERCENT

QUESTIONNAIRE = "/Questionnaire/nct05827549-chart-review"
COUNTS = frozenset({"completed", "amended"})
UNFINISHED = frozenset({"in-progress", "stopped", "entered-in-error"})
LAST = "9999"  # of a broken response without a date: nothing is surely newer
Answer = Day | Choice | Amount

LINEAGE = {"b-all": "b_all", "t-all": "t_all", "mixed-phenotype": "mixed_phenotype", "burkitt-or-mature-b": "burkitt_or_mature_b",
           "lymphoblastic-lymphoma": "lymphoblastic_lymphoma"}  # fmt: skip
SITE = {"isolated-marrow": "isolated_marrow", "combined": "combined", "extramedullary-only": "extramedullary_only"}
ORDINALS = {code: code for code in ("first", "second-or-later", "refractory", "suspected")}
YES_NO = {"yes": "yes", "no": "no"}
NON_PREGNANCY = ("premenarchal", "no-possibility-by-history", "amenorrhoea-over-1-year", "menopause-over-1-year", "surgically-sterilised")
LONGEST_NAME = 40
EXTRAMEDULLARY = ("cns", "testis", "other")


def is_chart_review(response: Resource) -> bool:
    """One that is finished, or whose status cannot be read: it may be."""
    questionnaire = str(response.get("questionnaire", "")).split("|")[0]
    return questionnaire.endswith(QUESTIONNAIRE) and text(response.get("status")) not in UNFINISHED


def chart_review(responses: list[Resource], broken: list[Resource], gap: Gap | None) -> tuple[ChartReview, list[Evidence]]:
    """All answers, and the issues: answers that were given and could not be read.

    What a broken response would have changed cannot be told, so no answer counts that may be older.
    """
    until = max((_authored_key(response) or LAST for response in broken), default="")
    if broken:
        gap = not_looked_up("chart review", "chart review: a response that cannot be read")
    newest: dict[str, tuple[str, list[Mapping[str, Any]], Resource]] = {}
    for response in sorted((r for r in responses if _authored_key(r) > until or not broken), key=_authored_key):
        for link_id, answers in _answers(response.get("item")):
            newest[link_id] = (link_id, answers, response)
    read: dict[str, Answer] = {}
    issues: list[Evidence] = []
    sites: set[str] = set()
    limit = newest.get("eoi-ngs-mrd-lod")
    for link_id, answers, response in newest.values():
        source = _source(link_id, response)
        if link_id == "extramedullary-site":
            sites |= {code for a in answers if (code := _code(a)) in EXTRAMEDULLARY}
            continue
        reader = READERS.get(link_id)
        answer = reader(answers[0], source) if reader else None
        if answer is not None:
            read[link_id] = answer
        elif reader:
            issues.append(Evidence(f"chart review, {link_id.replace('-', ' ')}: the answer cannot be read and was not used", source.reference))
    undetected = isinstance(mrd := read.get("eoi-ngs-mrd"), Amount) and mrd.exact and mrd.low == 0
    if undetected:
        read["eoi-ngs-mrd"] = _below_detection(mrd, limit)
    return ChartReview(read, frozenset(sites), undetected, gap), issues


def _below_detection(mrd: Amount, limit: Any) -> Amount:
    found = _percent(limit[1][0], mrd.evidence[0]) if limit else None
    reading = Reading(mrd, Day(), mrd.evidence[0])
    return not_detected("end-of-induction NGS-MRD", reading, found, mrd.evidence[0], frozenset()).value


def _answers(items: Any, depth: int = 0) -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
    """Every answered item, however deep in groups (and in answers of answers)."""
    for item in each(items) if depth < 20 else ():
        answers = each(item.get("answer"))
        if answers and isinstance(item.get("linkId"), str):
            yield item["linkId"], answers
        yield from _answers(item.get("item"), depth + 1)
        for answer in answers:
            yield from _answers(answer.get("item"), depth + 1)


def _authored_key(response: Resource) -> str:
    """Orders by the instant; one without a date counts as the oldest."""
    authored = dates.day(response.get("authored"))
    if authored is None:
        return ""
    return authored.instant.astimezone(timezone.utc).isoformat() if authored.instant else str(authored.first)


def _source(link_id: str, response: Resource) -> Evidence:
    author = response.get("author")
    name = (text(author.get("display")) or text(author.get("reference"))) if isinstance(author, dict) else None
    name = name and name[:LONGEST_NAME]
    words = f"{link_id.replace('-', ' ')} (chart review, {name or 'author not recorded'})"
    return Evidence(words, reference_of(response), dates.as_written(response.get("authored")), Basis.ATTESTED)


def _told(source: Evidence, answer: str) -> Evidence:
    return replace(source, words=source.words.replace(" (chart", f" {answer} (chart", 1))


def _code(answer: Mapping[str, Any]) -> str | None:
    coding = answer.get("valueCoding")
    return coding.get("code") if isinstance(coding, dict) else None


def _day(answer: Mapping[str, Any], source: Evidence) -> Day | None:
    found = dates.day(answer.get("valueDate")) or dates.day(answer.get("valueDateTime"))
    return found and replace(found, evidence=(_told(source, str(found)),))


def _choice(options: Mapping[str, str]) -> Callable[[Mapping[str, Any], Evidence], Choice | None]:
    def read(answer: Mapping[str, Any], source: Evidence) -> Choice | None:
        option = options.get(str(_code(answer)))
        return one(option, _told(source, str(_code(answer)))) if option else None

    return read


def _boolean(answer: Mapping[str, Any], source: Evidence) -> Choice | None:
    value = answer.get("valueBoolean")
    option = {True: "yes", False: "no"}[value] if isinstance(value, bool) else None
    return one(option, _told(source, option)) if option else None


def _quantity(analyte) -> Callable[[Mapping[str, Any], Evidence], Amount | None]:
    def read(answer: Mapping[str, Any], source: Evidence) -> Amount | None:
        response = {"resourceType": "QuestionnaireResponse", "status": "final"}
        reading = amount_reading(Result(response, answer, "answer"), analyte)
        told = reading.source.words.removeprefix("answer ")
        return None if reading.problem else replace(reading.value, evidence=(_told(source, told),))

    return read


def _marrow(answer: Mapping[str, Any], source: Evidence) -> Amount | None:
    category = MARROW_CATEGORIES.get(str(_code(answer)))
    return category and replace(category, evidence=(_told(source, str(_code(answer))),))


_percent = _quantity(PERCENT)
READERS: Mapping[str, Callable[[Mapping[str, Any], Evidence], Answer | None]] = {
    "initial-diagnosis-date": _day,
    "frontline-induction-end-date": _day,
    "same-four-drug-induction": _choice(YES_NO),
    "cd19-on-relapse-blasts": _choice({code: code for code in ("positive", "partial", "negative")}),
    "prior-allogeneic-transplant": _choice(YES_NO),
    "prior-blinatumomab": _choice(YES_NO),
    "treatment-history-complete": _boolean,
    "non-pregnancy-evidence": _choice({code: code for code in NON_PREGNANCY}),
    "life-expectancy-at-least-1-year": _choice(YES_NO),
    "expected-compliance": _choice(YES_NO),
    "consent-and-assent-signed": _choice(YES_NO | {"refused": "refused"}),
    "unstable-condition": _choice(YES_NO),
    "relevant-cns-pathology": _choice(YES_NO),
    "lineage": _choice(LINEAGE),
    "off-treatment-date": _day,
    "on-treatment-at-relapse": _boolean,
    "relapse-date": _day,
    "relapse-ordinal": _choice(ORDINALS),
    "relapse-site": _choice(SITE),
    "relapse-marrow-blasts": _percent,
    "bcr-abl1": _choice({"positive": "positive", "negative": "negative"}),
    "enrolment-date": _day,
    "reinduction-start-date": _day,
    "eoi-date": _day,
    "eoi-marrow-category": _marrow,
    "eoi-ngs-mrd": _quantity(MRD),
    "eoi-ngs-mrd-lod": _percent,
}
"""Every item of the Questionnaire but the repeating `extramedullary-site`, by linkId."""
