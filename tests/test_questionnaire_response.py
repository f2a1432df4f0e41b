"""What the form writes is what the chart review reads: every question, every answer, in the Questionnaire's own shape."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from fhir.resources.R4B.questionnaireresponse import QuestionnaireResponse
from hypothesis import given
from hypothesis import strategies as st

from cds.finding import Basis
from cds.values import bounded
from fhir_mappings import Answer, Outcome, Record, read_patient
from fhir_mappings.answers import LINEAGE, SITE
from fhir_mappings.chart_review import answer_and_author
from fhir_mappings.measures import MARROW_CATEGORIES
from fhir_mappings.questionnaire import BOOLEAN, CHOICE, DATE, GROUPS, QUESTIONS, questionnaire
from fhir_mappings.questionnaire_response import Percent, questionnaire_response

AUTHOR = {"reference": "Practitioner/1", "display": "Dr Ottilie Quillfeather"}
AUTHORED = datetime(2025, 9, 1, 15, 40, 12, 345678, timezone(timedelta(hours=9)))
PERCENT_UNIT = {"unit": "%", "system": "http://unitsofmeasure.org", "code": "%"}


def written(answers: Any, **otherwise: Any) -> dict[str, Any]:
    return questionnaire_response(**{"answers": answers, "patient_id": "child", "author": AUTHOR, "authored": AUTHORED} | otherwise)


def answers_in(response: dict[str, Any]) -> dict[str, list[Any]]:
    return {item["linkId"]: item["answer"] for group in response["item"] for item in group["item"]}


def read_back(response: dict[str, Any]) -> Any:
    record = Record("child", {"answers": Answer(Outcome.ANSWERED, (response | {"id": "review"},))})
    facts = read_patient(record, date(2025, 9, 2))
    assert not facts.issues and facts.chart_review.gap is None
    return facts.chart_review


# --- its shape --------------------------------------------------------------------------------------------------------

DIGITS = st.decimals(min_value=0, max_value=100, places=5).map(lambda d: Decimal(str(d)))
DATES = st.dates(date(1990, 1, 1), date(2025, 9, 1)).flatmap(lambda d: st.sampled_from([d.isoformat(), d.isoformat()[:7], d.isoformat()[:4]]))


def some_answer(question: Any) -> st.SearchStrategy[Any]:
    if question.repeats:
        return st.lists(st.sampled_from(sorted(question.options)), min_size=1, unique=True).map(tuple)
    if question.type == CHOICE:
        return st.sampled_from(sorted(question.options))
    signs = st.sampled_from(["", "<", "<=", ">", ">="] if question.comparator else [""])
    return {DATE: DATES, BOOLEAN: st.booleans()}.get(question.type, st.builds(Percent, DIGITS, signs))


REVIEWS = st.fixed_dictionaries({}, optional={link_id: some_answer(q) for link_id, q in QUESTIONS.items()}).filter(bool)


@given(REVIEWS)
def test_it_is_valid_fhir_and_answers_only_what_was_answered(answers):
    response = written(answers)
    QuestionnaireResponse.model_validate(response)
    assert set(answers_in(response)) == set(answers)


def test_it_says_of_whom_by_whom_and_when():
    response = written({"lineage": "b-all"})
    assert response["questionnaire"] == f"{questionnaire()['url']}|{questionnaire()['version']}"
    assert (response["status"], response["subject"]) == ("completed", {"reference": "Patient/child"})
    assert (response["author"], response["authored"]) == (AUTHOR, "2025-09-01T15:40:12+09:00")
    assert written({"lineage": "b-all"}, author={"reference": "Practitioner/1", "display": None})["author"] == {"reference": "Practitioner/1"}
    assert written({"lineage": "b-all"}, authored=datetime(2025, 9, 1, tzinfo=UTC))["authored"] == "2025-09-01T00:00:00+00:00"


def test_groups_and_items_stand_in_the_order_of_the_questionnaire():
    response = written({"eoi-ngs-mrd": Percent(Decimal("0.004")), "relapse-date": "2025", "lineage": "t-all", "initial-diagnosis-date": "2020-02"})
    assert [(g["linkId"], g["text"], [i["linkId"] for i in g["item"]]) for g in response["item"]] == [
        ("history", GROUPS["history"][0], ["initial-diagnosis-date", "lineage"]),
        ("relapse", GROUPS["relapse"][0], ["relapse-date"]),
        ("reinduction", GROUPS["reinduction"][0], ["eoi-ngs-mrd"]),
    ]


@pytest.mark.parametrize(("link_id", "answer", "values"), [
    ("relapse-date", "2025", [{"valueDate": "2025"}]),
    ("relapse-date", "2025-08", [{"valueDate": "2025-08"}]),
    ("relapse-date", "2025-08-31", [{"valueDate": "2025-08-31"}]),
    ("lineage", "b-all", [{"valueCoding": {"system": "urn:relapse-cds:codes", "code": "b-all", "display": "B-ALL (precursor B)"}}]),
    ("on-treatment-at-relapse", False, [{"valueBoolean": False}]),
    ("relapse-marrow-blasts", Percent(Decimal("62.0")), [{"valueQuantity": {"value": Decimal("62.0"), **PERCENT_UNIT}}]),
    ("eoi-ngs-mrd", Percent(Decimal("0.010"), "<"), [{"valueQuantity": {"value": Decimal("0.010"), "comparator": "<", **PERCENT_UNIT}}]),
    ("extramedullary-site", ("cns", "testis"), [
        {"valueCoding": {"system": "urn:relapse-cds:codes", "code": "cns", "display": "CNS"}},
        {"valueCoding": {"system": "urn:relapse-cds:codes", "code": "testis", "display": "Testis"}}]),
])  # fmt: skip
def test_each_kind_of_answer_as_it_was_typed(link_id, answer, values):
    found = answers_in(written({link_id: answer}))[link_id]
    assert found == values and str(found) == str(values), "digits too"


@pytest.mark.parametrize("answers", [
    {}, {"favourite-colour": "blue"}, {"lineage": "leukaemia"}, {"lineage": ("b-all", "t-all")}, {"relapse-date": True},
    {"on-treatment-at-relapse": "yes"}, {"relapse-marrow-blasts": Percent(Decimal(5), "<")}, {"eoi-ngs-mrd-lod": Percent(Decimal(5), "<")},
    {"eoi-ngs-mrd": "0.01"}], ids=str)  # fmt: skip
def test_what_is_no_answer_is_not_written(answers):
    with pytest.raises(ValueError):
        written(answers)


def test_a_time_without_its_offset_is_refused():
    with pytest.raises(ValueError, match="offset"):
        written({"lineage": "b-all"}, authored=datetime(2025, 9, 1))


# --- and back ---------------------------------------------------------------------------------------------------------


@given(REVIEWS)
def test_what_is_written_is_what_is_read(answers):
    review = read_back(written(answers))
    assert review.sites == set(answers.get("extramedullary-site", ()))
    assert set(review.answers) == set(answers) - {"extramedullary-site"}
    for link_id, answer in review.answers.items():
        (source,) = answer.evidence
        assert (source.basis, source.date, source.reference) == (Basis.ATTESTED, "2025-09-01", "QuestionnaireResponse/review")
        told, author = answer_and_author(link_id, source)
        assert author == AUTHOR["display"] and told == in_words(answers[link_id])
        check(link_id, answers, answer, review)


def in_words(given: Any) -> str:
    if isinstance(given, bool):
        return "yes" if given else "no"
    return " ".join(filter(None, (given.comparator, str(given.value), "%"))) if isinstance(given, Percent) else given


def check(link_id: str, answers: Any, read: Any, review: Any) -> None:
    given, question = answers[link_id], QUESTIONS[link_id]
    if link_id == "eoi-marrow-category":
        assert (read.low, read.high) == (MARROW_CATEGORIES[given].low, MARROW_CATEGORIES[given].high)
    elif link_id == "eoi-ngs-mrd" and given.value == 0 and given.comparator in ("", "<", "<="):
        limit = answers.get("eoi-ngs-mrd-lod")
        assert review.mrd_not_detected and read.high == (limit.value if limit and limit.value else 100)
    elif isinstance(given, Percent):
        same = bounded(given.comparator, given.value, "%")
        if link_id == "eoi-ngs-mrd" and same.high is not None and (limit := answers.get("eoi-ngs-mrd-lod")) and limit.value > same.high:
            same = replace(same, high=limit.value, high_open=True)  # no finer than the sample
        assert (read.low, read.high, read.low_open, read.high_open) == (same.low, same.high, same.low_open, same.high_open)
    elif question.type == DATE:
        assert str(read) == given
    else:
        code = {True: "yes", False: "no"}.get(given, given)
        assert read.options == {{**LINEAGE, **SITE}.get(code, code)}
