"""The chart-review Questionnaire asks exactly what interfaces.md section 4 lists, and every answer to it is read back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from click.testing import CliRunner
from fhir.resources.R4B.questionnaire import Questionnaire
from fhir.resources.R4B.questionnaireresponse import QuestionnaireResponse

from cds.finding import Basis
from fhir_mappings import Answer, Outcome, Record, read_patient
from fhir_mappings.chart_review import READERS
from fhir_mappings.questionnaire import questionnaire
from hooks.cli import main

# interfaces.md section 4, item by item: linkId, answer, values.
THE_TABLE = """
| `initial-diagnosis-date` | date | |
| `lineage` | coding | b-all t-all mixed-phenotype burkitt-or-mature-b lymphoblastic-lymphoma |
| `frontline-induction-end-date` | date | |
| `same-four-drug-induction` | coding | yes no |
| `off-treatment-date` | date | |
| `on-treatment-at-relapse` | boolean | |
| `relapse-date` | date | |
| `relapse-ordinal` | coding | first second-or-later refractory suspected |
| `relapse-site` | coding | isolated-marrow combined extramedullary-only |
| `extramedullary-site` | coding, repeats | cns testis other |
| `relapse-marrow-blasts` | quantity | |
| `cd19-on-relapse-blasts` | coding | positive partial negative |
| `bcr-abl1` | coding | positive negative |
| `prior-allogeneic-transplant` | coding | yes no |
| `prior-blinatumomab` | coding | yes no |
| `treatment-history-complete` | boolean | |
| `non-pregnancy-evidence` | coding | premenarchal no-possibility-by-history amenorrhoea-over-1-year menopause-over-1-year surgically-sterilised |
| `enrolment-date` | date | |
| `reinduction-start-date` | date | |
| `eoi-date` | date | |
| `eoi-marrow-category` | coding | M1 M2 M3 |
| `eoi-ngs-mrd` | quantity | |
| `eoi-ngs-mrd-lod` | quantity | |
| `life-expectancy-at-least-1-year` | coding | yes no |
| `expected-compliance` | coding | yes no |
| `consent-and-assent-signed` | coding | yes no refused |
| `unstable-condition` | coding | yes no |
| `relevant-cns-pathology` | coding | yes no |
"""
ROWS = {
    link_id.strip(" `"): (answer.split(",")[0].strip(), values.split(), "repeats" in answer)
    for _, link_id, answer, values, _ in (line.split("|") for line in THE_TABLE.strip().splitlines())
}
TYPES = {"date": "date", "coding": "choice", "boolean": "boolean", "quantity": "quantity"}
VALUES = {"date": "valueDate", "choice": "valueCoding", "boolean": "valueBoolean", "quantity": "valueQuantity"}
AUTHOR, AUTHORED = "Dr Ottilie Quillfeather", "2025-09-01"


def items(inside: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for item in inside.get("item", ()):
        yield item
        yield from items(item)


QUESTIONS = {item["linkId"]: item for item in items(questionnaire()) if item["type"] not in ("group", "display")}


# --- the Questionnaire itself ------------------------------------------------------------------------------------


def test_it_is_valid_fhir():
    Questionnaire.model_validate(questionnaire())


def test_it_says_what_it_is():
    made = questionnaire()
    assert made["url"].endswith("/Questionnaire/nct05827549-chart-review")
    assert (made["status"], made["subjectType"]) == ("active", ["Patient"])
    assert made["version"] and made["title"]


def test_it_asks_what_the_interface_lists_and_nothing_else():
    assert set(QUESTIONS) == set(ROWS)


@pytest.mark.parametrize("link_id", ROWS)
def test_each_item_has_the_listed_type_values_and_repetition(link_id):
    answer, values, repeats = ROWS[link_id]
    item = QUESTIONS[link_id]
    offered = [option["valueCoding"] for option in item.get("answerOption", ())]
    assert (item["type"], [o["code"] for o in offered], item.get("repeats", False)) == (TYPES[answer], values, repeats)
    assert {o["system"] for o in offered} <= {"urn:relapse-cds:codes"}
    assert all(o["display"] for o in offered)


def test_a_percentage_says_its_unit():
    units = {link_id: item["extension"][0]["valueCoding"] for link_id, item in QUESTIONS.items() if item["type"] == "quantity"}
    assert {(unit["system"], unit["code"]) for unit in units.values()} == {("http://unitsofmeasure.org", "%")}


def test_the_readers_read_these_items_and_no_others():
    assert {*READERS, "extramedullary-site"} == set(QUESTIONS)


def test_nothing_is_required_and_every_link_id_is_used_once():
    everything = list(items(questionnaire()))
    assert len({item["linkId"] for item in everything}) == len(everything)
    assert not any(item.get("required") for item in everything)


def test_questions_stand_in_groups_in_the_order_of_the_illness():
    assert [group["linkId"] for group in questionnaire()["item"]] == ["history", "relapse", "results", "reinduction", "judgement"]
    assert {group["type"] for group in questionnaire()["item"]} == {"group"}


def test_no_two_questions_read_the_same():
    assert len({item["text"] for item in QUESTIONS.values()}) == len(QUESTIONS)


# --- what comes back ---------------------------------------------------------------------------------------------


def filled(asked: dict[str, Any], answers: dict[str, list[Any]]) -> dict[str, Any]:
    """A QuestionnaireResponse with the same groups as the Questionnaire, answering what `answers` names."""

    def answered(inside: dict[str, Any]) -> list[dict[str, Any]]:
        found = []
        for item in inside.get("item", ()):
            if item["type"] == "group":
                found.append({"linkId": item["linkId"], "text": item["text"], "item": answered(item)})
            elif item["linkId"] in answers:
                found.append({"linkId": item["linkId"], "answer": [{VALUES[item["type"]]: value} for value in answers[item["linkId"]]]})
        return found

    return {
        "resourceType": "QuestionnaireResponse",
        "id": "review",
        "questionnaire": f"{asked['url']}|{asked['version']}",
        "status": "completed",
        "subject": {"reference": "Patient/child"},
        "authored": f"{AUTHORED}T15:40:00+09:00",
        "author": {"reference": "Practitioner/1", "display": AUTHOR},
        "item": answered(asked),
    }


def review_of(*responses: dict[str, Any]):
    """What is read of these responses, and the issues."""
    facts = read_patient(Record("child", {"answers": Answer(Outcome.ANSWERED, responses)}), date(2025, 9, 2))
    return facts.chart_review, facts.issues


def some_answer(item: dict[str, Any]) -> Any:
    if item["type"] == "choice":
        return item["answerOption"][0]["valueCoding"]
    percent = {"value": 3, "unit": "%", "system": "http://unitsofmeasure.org", "code": "%"}
    return {"date": "2025-08-25", "boolean": True, "quantity": percent}[item["type"]]


EVERYTHING = {link_id: [some_answer(item)] for link_id, item in QUESTIONS.items()}


def test_every_answer_is_read_back_with_who_gave_it_and_when():
    response = filled(questionnaire(), EVERYTHING)
    QuestionnaireResponse.model_validate(response)
    review, issues = review_of(response)
    assert not issues and review.gap is None
    assert set(review.answers) == set(QUESTIONS) - {"extramedullary-site"}
    assert review.sites == {"cns"}
    for link_id, answer in review.answers.items():
        (evidence,) = answer.evidence
        assert (evidence.basis, evidence.reference) == (Basis.ATTESTED, "QuestionnaireResponse/review"), link_id
        assert AUTHOR in evidence.words and evidence.date.startswith(AUTHORED), link_id


OPTIONS = [(link_id, code) for link_id, (_, values, _) in ROWS.items() for code in values]


@pytest.mark.parametrize(("link_id", "code"), OPTIONS)
def test_every_offered_answer_is_understood(link_id, code):
    review, issues = review_of(filled(questionnaire(), {link_id: [{"code": code}]}))
    assert (link_id in review.answers or review.sites == {code}) and not issues


@pytest.mark.parametrize("link_id", [link_id for link_id, (answer, *_) in ROWS.items() if answer == "coding"])
def test_no_answer_is_understood_that_is_not_offered(link_id):
    offered = ROWS[link_id][1]
    for code in {code for _, code in OPTIONS} - set(offered):
        review, _ = review_of(filled(questionnaire(), {link_id: [{"code": code}]}))
        assert link_id not in review.answers and not review.sites, f"{link_id} takes {code}"


@pytest.mark.parametrize(("written", "last"), [("2024", "2024-12-31"), ("2024-02", "2024-02-29"), ("2024-02-03", "2024-02-03")])
def test_a_date_may_be_a_year_or_a_month(written, last):
    review, _ = review_of(filled(questionnaire(), {"off-treatment-date": [written]}))
    assert str(review.answers["off-treatment-date"].last) == last


def test_several_sites_are_all_read():
    sites = [{"code": "cns"}, {"code": "testis"}]
    review, _ = review_of(filled(questionnaire(), {"extramedullary-site": sites}))
    assert review.sites == {"cns", "testis"}


def test_not_detected_is_zero_with_the_limit_of_detection():
    percent = {"system": "http://unitsofmeasure.org", "code": "%"}
    review, _ = review_of(filled(questionnaire(), {"eoi-ngs-mrd": [{"value": 0, **percent}], "eoi-ngs-mrd-lod": [{"value": 0.001, **percent}]}))
    assert review.mrd_not_detected and float(review.answers["eoi-ngs-mrd"].high) == 0.001


def test_groups_may_be_left_out_or_deeper():
    flat = filled(questionnaire(), {})
    flat["item"] = [{"linkId": "lineage", "answer": [{"valueCoding": {"code": "t-all"}}]}]
    deeper = filled(questionnaire(), {})
    deeper["item"] = [{"linkId": "page", "item": filled(questionnaire(), {"lineage": [{"code": "t-all"}]})["item"]}]
    for response in (flat, deeper):
        review, _ = review_of(response)
        assert review.answers["lineage"].options == {"t_all"}


def test_an_open_questionnaire_says_nothing():
    review, issues = review_of(filled(questionnaire(), {}))
    assert not review.answers and not review.sites and not issues


def test_an_item_we_did_not_ask_says_nothing():
    response = filled(questionnaire(), {"lineage": [{"code": "b-all"}]})
    response["item"].append({"linkId": "favourite-colour", "answer": [{"valueString": "blue"}]})
    review, _ = review_of(response)
    assert set(review.answers) == {"lineage"}


def test_an_answer_that_cannot_be_read_is_an_issue_and_no_answer():
    review, issues = review_of(filled(questionnaire(), {"lineage": [{"code": "no-such-code"}]}))
    assert not review.answers
    assert ["chart review, lineage: the answer cannot be read and was not used"] == [issue.words for issue in issues]


def test_one_still_being_filled_in_does_not_count():
    response = filled(questionnaire(), EVERYTHING) | {"status": "in-progress"}
    review, _ = review_of(response)
    assert not review.answers and not review.sites


# --- the command -------------------------------------------------------------------------------------------------


def test_the_command_prints_it():
    printed = CliRunner().invoke(main, ["questionnaire"])
    assert printed.exit_code == 0 and json.loads(printed.output) == questionnaire()


def test_its_help_says_what_to_do_with_it():
    told = CliRunner().invoke(main, ["questionnaire", "--help"]).output
    for word in ("relapse-cds questionnaire >", "/Questionnaire/nct05827549-chart-review", "completed"):
        assert word in told
