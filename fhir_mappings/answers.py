"""How each item of the chart-review Questionnaire is answered: by a date, a code, yes or no, an amount. One line per item."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from cds.day import Day
from cds.finding import Evidence
from cds.values import Amount, Choice, one
from fhir_mappings import dates
from fhir_mappings.measures import MARROW_CATEGORIES
from fhir_mappings.observations import Result, amount_reading
from fhir_mappings.units import MRD, PERCENT

Answer = Day | Choice | Amount

LINEAGE = {"b-all": "b_all", "t-all": "t_all", "mixed-phenotype": "mixed_phenotype", "burkitt-or-mature-b": "burkitt_or_mature_b",
           "lymphoblastic-lymphoma": "lymphoblastic_lymphoma"}  # fmt: skip
SITE = {"isolated-marrow": "isolated_marrow", "combined": "combined", "extramedullary-only": "extramedullary_only"}
ORDINALS = {code: code for code in ("first", "second-or-later", "refractory", "suspected")}
YES_NO = {"yes": "yes", "no": "no"}
NON_PREGNANCY = ("premenarchal", "no-possibility-by-history", "amenorrhoea-over-1-year", "menopause-over-1-year", "surgically-sterilised")


def code_of(answer: Mapping[str, Any]) -> str | None:
    coding = answer.get("valueCoding")
    return coding.get("code") if isinstance(coding, dict) else None


def _told(source: Evidence, answer: str) -> Evidence:
    return replace(source, words=source.words.replace(" (chart", f" {answer} (chart", 1))


def _day(answer: Mapping[str, Any], source: Evidence) -> Day | None:
    found = dates.day(answer.get("valueDate")) or dates.day(answer.get("valueDateTime"))
    return found and replace(found, evidence=(_told(source, str(found)),))


def _choice(options: Mapping[str, str]) -> Callable[[Mapping[str, Any], Evidence], Choice | None]:
    def read(answer: Mapping[str, Any], source: Evidence) -> Choice | None:
        option = options.get(str(code_of(answer)))
        return one(option, _told(source, str(code_of(answer)))) if option else None

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
    category = MARROW_CATEGORIES.get(str(code_of(answer)))
    return category and replace(category, evidence=(_told(source, str(code_of(answer))),))


percent = _quantity(PERCENT)
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
    "relapse-marrow-blasts": percent,
    "bcr-abl1": _choice({"positive": "positive", "negative": "negative"}),
    "enrolment-date": _day,
    "reinduction-start-date": _day,
    "eoi-date": _day,
    "eoi-marrow-category": _marrow,
    "eoi-ngs-mrd": _quantity(MRD),
    "eoi-ngs-mrd-lod": percent,
}
"""Every item of the Questionnaire but the repeating `extramedullary-site`, by linkId."""
