"""Answers to the chart-review Questionnaire, as the FHIR QuestionnaireResponse that an EHR stores.

`chart_review.py` reads it back to exactly these answers (tested). Only what was answered is in it: an open question is
no item, so an older answer to it goes on counting.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from fhir_mappings.code_systems import OWN
from fhir_mappings.questionnaire import BOOLEAN, CHOICE, DATE, GROUPS, PERCENT, QUESTIONS, URL, VERSION, Question
from fhir_mappings.units import UCUM


class Percent(NamedTuple):
    """An amount in per cent with the digits it was typed with; the comparator only where the question allows one."""

    value: Decimal
    comparator: str = ""  # <, <=, > or >=


Given = str | bool | Percent | tuple[str, ...]
"""A date as far as it is known (`2025-08`), a code, yes or no, an amount; the codes of a question with several answers."""


def questionnaire_response(answers: Mapping[str, Given], patient_id: str, author: Mapping[str, Any], authored: datetime) -> dict[str, Any]:
    """The completed response of one person, by linkId; ValueError for what the Questionnaire does not ask or offer."""
    if unheard_of := [link_id for link_id in answers if link_id not in QUESTIONS]:
        raise ValueError(f"{', '.join(unheard_of)}: no such question")
    if not answers:
        raise ValueError("nothing was answered, so there is nothing to record")
    if authored.utcoffset() is None:
        raise ValueError("authored: a time without its offset can be any of two days")
    return {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": f"{URL}|{VERSION}",
        "status": "completed",
        "subject": {"reference": f"Patient/{patient_id}"},
        "authored": authored.isoformat(timespec="seconds"),
        "author": {key: author[key] for key in ("reference", "display") if author.get(key)},
        "item": [{"linkId": link_id, "text": title, "item": items} for link_id, (title, questions) in GROUPS.items()
                 if (items := [_item(q, answers[q.link_id]) for q in questions if q.link_id in answers])],
    }  # fmt: skip


def _item(question: Question, given: Given) -> dict[str, Any]:
    each = given if question.repeats and isinstance(given, tuple) else (given,)
    return {"linkId": question.link_id, "text": question.text, "answer": [_answer(question, one) for one in each]}


def _answer(question: Question, given: Any) -> dict[str, Any]:
    match question.type, given:
        case (t, str()) if t == CHOICE and given in question.options:
            return {"valueCoding": {"system": OWN, "code": given, "display": question.options[given]}}
        case (t, str()) if t == DATE:
            return {"valueDate": given}
        case (t, bool()) if t == BOOLEAN:
            return {"valueBoolean": given}
        case (t, Percent()) if t == PERCENT and (question.comparator or not given.comparator):
            sign = {"comparator": given.comparator} if given.comparator else {}
            return {"valueQuantity": {"value": given.value, **sign, "unit": "%", "system": UCUM, "code": "%"}}
    raise ValueError(f"{question.link_id}: {given!r} is no answer to this question")
