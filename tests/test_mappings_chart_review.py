"""The chart-review Questionnaire: which responses count, which answer wins, and how each kind of answer is read."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from charts import SNOMED, Outcome, answers, concept, condition, facts, observation, patient, quantity, resource
from cds import assess
from cds.trials.nct05827549 import PROTOCOL


def review(*responses):
    return facts(patient(), *responses).chart_review


def lineage(*responses):
    found = review(*responses).answers.get("lineage")
    return found and "/".join(sorted(found.options))


@pytest.mark.parametrize(
    "status, counts", [("completed", True), ("amended", True), ("in-progress", False), ("entered-in-error", False), ("stopped", False), ("banana", False)]
)
def test_status_by_allow_list(status, counts):
    assert (lineage(answers({"lineage": "b-all"}, status=status)) == "b_all") is counts


@pytest.mark.parametrize(
    "questionnaire, counts",
    [("https://hospital.example/Questionnaire/nct05827549-chart-review", True), ("https://x/fhir/Questionnaire/nct05827549-chart-review|1.2", True),
     ("Questionnaire/nct05827549-chart-review", False), ("/Questionnaire/nct05827549-chart-review", True), ("https://x/Questionnaire/nct05827549-chart-review-2", False),
     ("https://x/Questionnaire/another", False), ("", False)],
)  # fmt: skip
def test_which_questionnaire(questionnaire, counts):
    assert (lineage(answers({"lineage": "b-all"}, questionnaire=questionnaire)) == "b_all") is counts


def test_the_newest_answer_to_each_item_wins():
    old = answers({"lineage": "t-all", "relapse-ordinal": "first"}, "2025-08-01")
    new = answers({"lineage": "b-all"}, "2025-08-30")
    for order in ([old, new], [new, old]):
        told = review(*order)
        assert told.answers["lineage"].options == {"b_all"} and told.answers["relapse-ordinal"].options == {"first"}
    assert lineage(answers({"lineage": "t-all"}, "2025-08-30T10:00:00+09:00"), answers({"lineage": "b-all"}, "2025-08-30T02:00:00Z")) == "b_all"


SAME_TIME = [("2025-09-01", "2025-09-01"), (None, None), (None, "2025-09-01"), ("2025-09", "2025-09-01"), ("2025-09-01", "2025-09-01T08:00:00+09:00"),
             ("2025-09-01T08:00:00+09:00", "2025-08-31T23:00:00Z")]  # fmt: skip
ANSWERED_TWICE = [("prior-blinatumomab", "yes", "no", "INC-05"), ("prior-allogeneic-transplant", "yes", "no", "INC-04"), ("lineage", "b-all", "mixed-phenotype", "INC-02"),
                  ("relapse-ordinal", "first", "second-or-later", "INC-03"), ("relapse-site", "combined", "extramedullary-only", "INC-03"),
                  ("relapse-marrow-blasts", "62 %", "2 %", "INC-03"), ("bcr-abl1", "positive", "negative", "EXC-02"),
                  ("cd19-on-relapse-blasts", "positive", "negative", "EXC-03"), ("relapse-date", "2025-08-25", "2014-08-25", "INC-01"),
                  ("consent-and-assent-signed", "refused", "yes", "INC-12"), ("expected-compliance", "no", "yes", "INC-11")]  # fmt: skip


def judged_with(*responses, diagnosed="b_all"):
    chart = [patient(), condition("all_lineage_unspecified" if diagnosed is None else diagnosed, "remission", "2013-02-01"),
             condition("all_lineage_unspecified", "relapse", "2025-08-25")]  # fmt: skip
    return assess(PROTOCOL, facts(*chart, *responses)).as_json("test")


@pytest.mark.parametrize("link_id, one, other, criterion", ANSWERED_TWICE, ids=lambda x: str(x))
@pytest.mark.parametrize("first, second", SAME_TIME)
def test_answers_of_the_same_time_that_differ_are_a_conflict(link_id, one, other, criterion, first, second):
    """In any order, and both are shown: neither is the newer one."""
    told = answers({link_id: one}, first), answers({link_id: other}, second)
    found = [next(c for c in judged_with(*order, diagnosed=None)["criteria"] if c["id"] == criterion) for order in (told, told[::-1])]
    undated_judgement = None in (first, second) and criterion in ("INC-11", "INC-12")
    assert found[0] == found[1] and found[0]["truth"] == "unknown"
    assert undated_judgement or found[0]["reason"] == "conflict", found[0]["words"]
    assert undated_judgement or {t["id"] for t in told} <= {e["reference"].split("/")[1] for e in found[0]["evidence"]}


def test_the_same_item_twice_in_one_response_and_two_answers_to_one_item():
    yes, no = ([{"valueCoding": {"code": code}}] for code in ("yes", "no"))
    for item in ([{"linkId": "prior-blinatumomab", "answer": yes}, {"linkId": "prior-blinatumomab", "answer": no}], [{"linkId": "prior-blinatumomab", "answer": yes + no}]):
        (found,) = (c for c in judged_with(answers({}, item=item))["criteria"] if c["id"] == "INC-05")
        assert (found["truth"], found["reason"]) == ("unknown", "conflict")


def test_an_answer_against_an_off_treatment_date_on_record_is_a_conflict_even_beside_one_that_agrees():
    """One of them would make the relapse an early one: the record and the other must not decide."""
    end = resource("Procedure", status="completed", code=concept((SNOMED, "708255002")), performedPeriod={"start": "2013-02-01", "end": "2021-06-30"})
    late = observation("ngs MRD", "0.001 %", "2025-10-02", eoi=True), observation("marrow blasts", "1 %", "2025-10-02", eoi=True)
    course = [patient(), condition("b_all", "remission", "2013-02-01"), condition("b_all", "relapse", "2025-08-25"), observation("marrow blasts", "62 %", "2025-08-25"),
              end, *late, answers({"reinduction-start-date": "2025-09-03", "enrolment-date": "2025-09-02"})]  # fmt: skip
    agreeing, against, on_treatment = ({"off-treatment-date": "2021-06-30"}, {"off-treatment-date": "2024-12-30"}, {"on-treatment-at-relapse": True})
    assert _groups(*course, answers(agreeing)) == ("SR",)
    assert _groups(*course, answers(agreeing), answers(against)) == ("SR", "HR")
    assert _groups(*course, answers(on_treatment), answers({"on-treatment-at-relapse": False})) == ("SR", "HR")


def _groups(*chart):
    return assess(PROTOCOL, facts(*chart, as_of="2025-10-10")).risk.possible


def test_answers_of_the_same_time_that_agree_are_one_answer():
    told = review(answers({"lineage": "b-all"}), answers({"lineage": "b-all"}))
    assert told.answers["lineage"].options == {"b_all"} and not told.disputed


def test_every_extramedullary_site_of_the_same_time_is_one():
    assert review(answers({"extramedullary-site": "cns"}), answers({"extramedullary-site": ["testis"]})).sites == {"cns", "testis"}


def test_residual_disease_of_zero_beside_another_answer_and_with_two_limits():
    limits = [answers({"eoi-ngs-mrd": "0 %", "eoi-ngs-mrd-lod": lod}) for lod in ("0.0001 %", "0.1 %")]
    assert str(review(*limits).answers["eoi-ngs-mrd"]) == "< 0.1 %"
    told = review(answers({"eoi-ngs-mrd": "0 %", "eoi-ngs-mrd-lod": "0.0001 %"}), answers({"eoi-ngs-mrd": "0.5 %"}))
    assert "eoi-ngs-mrd" in told.disputed and not told.mrd_not_detected


def test_a_newer_answer_in_progress_does_not_count():
    assert lineage(answers({"lineage": "b-all"}, "2025-08-01"), answers({"lineage": "t-all"}, "2025-08-30", status="in-progress")) == "b_all"


def test_items_may_be_nested_in_groups_and_in_answers():
    item = {"linkId": "lineage", "answer": [{"valueCoding": {"code": "b-all"}}]}
    for nested in ([{"linkId": "group", "item": [{"linkId": "inner", "item": [item]}]}], [{"linkId": "asked", "answer": [{"valueBoolean": True, "item": [item]}]}]):
        assert lineage(answers({}, item=nested)) == "b_all"


def test_codes_count_whatever_their_system():
    for coding in ({"system": "urn:anything", "code": "b-all"}, {"code": "b-all", "display": "B cell"}):
        assert lineage(answers({}, item=[{"linkId": "lineage", "answer": [{"valueCoding": coding}]}])) == "b_all"


@pytest.mark.parametrize("code, option", [("b-all", "b_all"), ("t-all", "t_all"), ("mixed-phenotype", "mixed_phenotype"), ("burkitt-or-mature-b", "burkitt_or_mature_b"),
                                          ("lymphoblastic-lymphoma", "lymphoblastic_lymphoma"), ("B-ALL", None), ("other", None)])  # fmt: skip
def test_every_lineage(code, option):
    assert lineage(answers({"lineage": code})) == option


DATES = ("initial-diagnosis-date", "off-treatment-date", "relapse-date", "enrolment-date", "reinduction-start-date", "eoi-date")


@pytest.mark.parametrize("link_id", DATES)
@pytest.mark.parametrize("told, first, last", [("2025-08-25", "2025-08-25", "2025-08-25"), ("2025-08", "2025-08-01", "2025-08-31"), ("2025", "2025-01-01", "2025-12-31")])
def test_every_date_may_be_partial(link_id, told, first, last):
    day = review(answers({link_id: told})).answers[link_id]
    assert (day.first, day.last) == (date.fromisoformat(first), date.fromisoformat(last))
    assert day.evidence[0].basis.value == "attested"


@pytest.mark.parametrize(
    "link_id, codes",
    [("relapse-ordinal", ("first", "second-or-later", "refractory", "suspected")), ("relapse-site", ("isolated-marrow", "combined", "extramedullary-only")),
     ("bcr-abl1", ("positive", "negative")), ("eoi-marrow-category", ("M1", "M2", "M3"))],
)  # fmt: skip
def test_every_code_of_the_interface_is_read(link_id, codes):
    for code in codes:
        assert link_id in review(answers({link_id: code})).answers
    assert link_id not in review(answers({link_id: "something else"})).answers


@pytest.mark.parametrize("told, low, high", [("62 %", "62", "62"), ("<5 %", "0", "5"), (">25 %", "25", None)])
def test_quantities(told, low, high):
    found = review(answers({"relapse-marrow-blasts": told})).answers["relapse-marrow-blasts"]
    assert (found.low, found.high) == (Decimal(low), high and Decimal(high))


def test_residual_disease_of_zero_is_below_what_the_sample_could_show():
    for lod, expected in (("0.0001 %", "< 0.0001 %"), ("0.1 %", "< 0.1 %")):
        assert str(review(answers({"eoi-ngs-mrd": "0 %", "eoi-ngs-mrd-lod": lod})).answers["eoi-ngs-mrd"]) == expected
    assert str(review(answers({"eoi-ngs-mrd": "0 %"})).answers["eoi-ngs-mrd"]) == "≤ 100 %"
    assert str(review(answers({"eoi-ngs-mrd": "0.004 %"})).answers["eoi-ngs-mrd"]) == "0.004 %"


@pytest.mark.parametrize(
    "link_id, answer",
    [("lineage", {"valueString": "B-ALL"}), ("lineage", {"valueCoding": {"code": "alien"}}), ("relapse-date", {"valueDate": "25.08.2025"}), ("relapse-date", {"valueDate": "0001-01-01"}),
     ("relapse-marrow-blasts", {"valueQuantity": quantity("62")}), ("relapse-marrow-blasts", {"valueDecimal": 62}), ("on-treatment-at-relapse", {"valueString": "yes"})],
)  # fmt: skip
def test_an_answer_that_cannot_be_read_is_an_issue_and_answers_nothing(link_id, answer):
    told = facts(patient(), answers({}, item=[{"linkId": link_id, "answer": [answer]}]))
    assert link_id not in told.chart_review.answers
    assert len(told.issues) == 1 and told.issues[0].reference.startswith("QuestionnaireResponse/")


def test_an_item_without_an_answer_says_nothing():
    told = facts(patient(), answers({}, item=[{"linkId": "lineage"}, {"linkId": "relapse-date", "answer": []}]))
    assert told.chart_review.answers == {} and told.issues == ()


def test_the_author_and_the_date_are_named():
    chart = [patient(), condition("all_lineage_unspecified", "remission", "2019-02-01"), condition("all_lineage_unspecified", "relapse", "2025-08-25")]
    for author, expected in (({"display": "Dr. Kim"}, "Dr. Kim"), ({"reference": "Practitioner/7"}, "Practitioner/7"), (None, "author not recorded")):
        told = answers({"lineage": "b-all"}, "2025-08-30")
        told.pop("author")
        criterion = assess(PROTOCOL, facts(*chart, {**told, **({"author": author} if author else {})})).as_json("test")["criteria"][1]
        assert (criterion["truth"], criterion["basis"], criterion["evidence"][0]["date"]) == ("met", "attested", "2025-08-30")
        assert expected in criterion["words"]


def test_an_answer_counts_whenever_it_was_given():
    assert lineage(answers({"lineage": "b-all"}, "2019-02-01")) == lineage(answers({"lineage": "b-all"}, "2026-01-01")) == "b_all"


CONTRADICTIONS = [  # a record, an answer against it, the criterion that then is unknown
    ([condition("b_all", "active", "2019-02-01")], {"lineage": "t-all"}, "INC-02"),
    ([observation("BCR::ABL1", "positive", "2025-08-25")], {"bcr-abl1": "negative"}, "EXC-02"),
    ([observation("BCR::ABL1", "negative", "2025-08-25")], {"bcr-abl1": "positive"}, "EXC-02"),
    ([observation("marrow blasts", "62 %", "2025-08-25")], {"relapse-marrow-blasts": "2 %"}, "INC-03"),
    ([observation("marrow blasts", "62 %", "2025-08-25")], {"relapse-site": "extramedullary-only"}, "INC-03"),
]


@pytest.mark.parametrize("record, told, criterion", CONTRADICTIONS, ids=lambda x: x if isinstance(x, str) else "")
def test_a_contradiction_with_the_record_is_unknown_and_shows_both(record, told, criterion):
    chart = [patient(), condition("b_all", "remission", "2019-02-01"), condition("b_all", "relapse", "2025-08-25"), *record, answers(told)]
    found = next(c for c in assess(PROTOCOL, facts(*chart)).as_json("test")["criteria"] if c["id"] == criterion)
    assert (found["truth"], found["reason"]) == ("unknown", "conflict")
    kinds = {evidence["reference"].split("/")[0] for evidence in found["evidence"]}
    assert "QuestionnaireResponse" in kinds and len(kinds) > 1


def test_an_answer_stands_where_the_record_has_no_readable_result():
    chart = [patient(), condition("b_all", "remission", "2019-02-01"), condition("b_all", "relapse", "2025-08-25")]
    failed = observation("BCR::ABL1", "failed", "2025-08-25")
    found = {c["id"]: c for c in assess(PROTOCOL, facts(*chart, failed, answers({"bcr-abl1": "negative"}))).as_json("test")["criteria"]}
    assert (found["EXC-02"]["truth"], found["EXC-02"]["basis"]) == ("not_met", "attested")


def test_a_failed_search_for_answers_is_told():
    told = facts(patient(), answers=Outcome.FAILED)
    assert ("chart review answers", "the FHIR server did not answer") in told.not_looked_up and told.chart_review.gap


def test_an_undated_answer_is_no_evidence_against_a_pregnancy():
    for code, day, truth in (("premenarchal", None, "unknown"), ("surgically-sterilised", None, "unknown"), ("premenarchal", "2025-08-30", "not_met")):
        chart = [patient("2011-03-15", "female"), condition("b_all", "remission", "2019-02-01"), condition("b_all", "relapse", "2025-08-25")]
        found = assess(PROTOCOL, facts(*chart, answers({"non-pregnancy-evidence": code}, day))).as_json("test")["criteria"]
        assert next(c["truth"] for c in found if c["id"] == "EXC-09") == truth, (code, day)
