"""The answers of the checklist's form, read strictly: a clinician attests them, so nothing is guessed or put right.

Every fault is a sentence under the question it is about. A field left empty is left open and is not sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from cds.day import Day, on
from cds.facts import PatientFacts
from fhir_mappings import dates
from fhir_mappings.questionnaire import BOOLEAN, CHOICE, DATE, QUESTIONS, Question
from fhir_mappings.questionnaire_response import Given, Percent
from hooks.markdown import visible

WHOLE = "form"
"""The key of a fault of the form as a whole."""
TOKEN = "form_token"
COMPARATOR = ".comparator"  # `<linkId>.comparator` holds the sign of an amount
FOR_GIRLS = "non-pregnancy-evidence"
SIGNS = {"<": "less than", "<=": "at most", ">": "more than", ">=": "at least"}
LONGEST = 20  # characters: no date, number or sign is longer
MOST_SHOWN = 100  # characters of what was typed that are shown again

_DATE = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?")
_NUMBER = re.compile(r"[0-9]{1,3}(\.[0-9]+)?")
DATE_FORM = "give a day as 2025-08-31, a month as 2025-08 or a year as 2025"
NUMBER_FORM = "give a number such as 12 or 0.004: with a point, without a sign and without %"
SIGN_BESIDE = ". For a result such as <0.1, choose “less than” beside it and give the number alone"

IN_ORDER = (  # where both are answered, the first does not come after the second
    ("initial-diagnosis-date", "frontline-induction-end-date"), ("initial-diagnosis-date", "off-treatment-date"),
    ("frontline-induction-end-date", "off-treatment-date"), ("initial-diagnosis-date", "relapse-date"),
    ("off-treatment-date", "relapse-date"), ("relapse-date", "enrolment-date"), ("relapse-date", "reinduction-start-date"),
    ("reinduction-start-date", "eoi-date"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answers:
    answers: Mapping[str, Given]  # by linkId, those without a fault
    faults: Mapping[str, str]  # by linkId, or WHOLE; nothing may be recorded unless there are none
    typed: Mapping[str, tuple[str, ...]]  # by field, to be shown again


def read_form(form: Any, facts: PatientFacts) -> Answers:
    """`form` is a werkzeug MultiDict or a mapping of lists; `facts` tell today's date, and when the child was born."""
    fields = _fields(form)
    answers: dict[str, Given] = {}
    faults: dict[str, str] = {}
    for question in QUESTIONS.values():
        try:
            if (given := _read(question, fields, facts)) is not None:
                answers[question.link_id] = given
        except Fault as fault:
            faults[question.link_id] = str(fault)
    for link_id, words in _contradictions(answers):
        faults.setdefault(link_id, words)
    if FOR_GIRLS in answers and not is_asked(FOR_GIRLS, facts):
        faults[FOR_GIRLS] = "is asked of girls only, and the record says male"
    if unheard_of := sorted(name for name in fields if name not in _NAMES):
        faults[WHOLE] = f"the form has a field that is no question of this page: {visible(unheard_of[0], 40)}"
    elif not answers and not faults:
        faults[WHOLE] = "no question was answered"
    typed = {name: tuple(value[:MOST_SHOWN] for value in values) for name, values in fields.items() if name in _NAMES}
    return Answers({link_id: given for link_id, given in answers.items() if link_id not in faults}, faults, typed)


def in_words(form: Any) -> str:
    """What was filled in, a line for each question, to be copied where it cannot be recorded."""
    fields = _fields(form)

    def told(question: Question) -> str:
        signs = fields.get(question.link_id + COMPARATOR, [])[:1]
        return ", ".join(" ".join([*signs, question.options.get(value, value)]) for value in fields[question.link_id])

    return "\n".join(f"{q.text} {visible(told(q), MOST_SHOWN)}" for q in QUESTIONS.values() if q.link_id in fields)


def is_asked(link_id: str, facts: PatientFacts) -> bool:
    """Of this child; where the record does not say male, a girl's question is asked."""
    return link_id != FOR_GIRLS or facts.sex.options != {"male"}


class Fault(Exception):
    """What is wrong with one answer, in a sentence."""


_NAMES = frozenset({*QUESTIONS, *(link_id + COMPARATOR for link_id, question in QUESTIONS.items() if question.comparator)})


def _fields(form: Any) -> dict[str, list[str]]:
    """What was filled in, by field; the token is not an answer."""
    given: Mapping[str, Sequence[str]] = form.to_dict(flat=False) if hasattr(form, "to_dict") else form
    filled = {name: [value.strip() for value in values if value.strip()] for name, values in given.items() if name != TOKEN}
    return {name: values for name, values in filled.items() if values}


def _read(question: Question, fields: Mapping[str, list[str]], facts: PatientFacts) -> Given | None:
    values, signs = fields.get(question.link_id, []), fields.get(question.link_id + COMPARATOR, [])
    if signs and not values:
        raise Fault(f"“{SIGNS.get(signs[0], 'the sign')}” needs a number beside it")
    if not values:
        return None
    if len(values) > 1 and not question.repeats or len(signs) > 1:
        raise Fault("is answered more than once")
    if any(len(value) > LONGEST for value in values) and question.type != CHOICE:
        raise Fault(f"is longer than {LONGEST} characters")
    if question.type == DATE:
        return _date(values[0], facts)
    if question.type in (CHOICE, BOOLEAN):
        return _chosen(question, values)
    return _percent(question, values[0], signs[0] if signs else "")


def _date(text: str, facts: PatientFacts) -> str:
    if not _DATE.fullmatch(text):
        raise Fault(DATE_FORM)
    if (day := dates.day(text)) is None:
        raise Fault(f"{text} is not a possible date: {DATE_FORM}")
    if day.surely_after(on(facts.as_of)):
        raise Fault(f"{text} is in the future")
    if day.surely_before(facts.birth_date):
        raise Fault(f"{text} is before the child was born ({facts.birth_date})")
    return text


def _chosen(question: Question, values: list[str]) -> Given:
    offered = question.options or {"yes": "", "no": ""}
    if unheard_of := [value for value in values if value not in offered]:
        raise Fault(f"“{visible(unheard_of[0], 40)}” is none of the answers offered")
    if question.repeats:
        return tuple(code for code in offered if code in values)
    return values[0] == "yes" if question.type == BOOLEAN else values[0]


def _percent(question: Question, text: str, sign: str) -> Percent:
    if not _NUMBER.fullmatch(text):
        raise Fault(NUMBER_FORM + (SIGN_BESIDE if question.comparator else ""))
    if sign and sign not in SIGNS:
        raise Fault("the sign before the number is none of those offered")
    value = Decimal(text)
    if not 0 <= value <= 100:
        raise Fault(f"{text} is not between 0 and 100")
    if (sign, value) in (("<", 0), (">", 100)):
        raise Fault(f"nothing is {SIGNS[sign]} {text} %")
    return Percent(value, sign)


def _contradictions(answers: Mapping[str, Given]) -> Iterator[tuple[str, str]]:
    """Answers of one form that cannot all be true, each at the one that is likelier to be the slip."""
    for link_id, holds, words in TOGETHER:
        if link_id in answers and holds(answers):
            yield link_id, words
    for first, second in IN_ORDER:
        days: list[Day | None] = [dates.day(answers.get(link_id)) for link_id in (first, second)]
        if days[0] and days[1] and days[1].surely_before(days[0]):
            yield second, f"{days[1]} is before the day of “{QUESTIONS[first].text}”, {days[0]}"


TOGETHER: tuple[tuple[str, Callable[[Mapping[str, Given]], bool], str], ...] = (
    ("off-treatment-date", lambda a: a.get("on-treatment-at-relapse") is True,
     "treatment cannot have ended if the relapse came during treatment: leave one of the two open"),
    ("extramedullary-site", lambda a: a.get("relapse-site") == "isolated-marrow",
     "a relapse of the marrow only has no other site: change one of the two"),
    ("eoi-ngs-mrd-lod", lambda a: "eoi-ngs-mrd" not in a,
     "the limit of detection says nothing without the MRD of that sample: for “not detected”, enter 0 there"),
    ("eoi-ngs-mrd", lambda a: a["eoi-ngs-mrd"] == Percent(Decimal(0)) and "eoi-ngs-mrd-lod" not in a,
     "“not detected” (0) shows nothing without the limit of detection of that sample: give it below"),
)  # fmt: skip
