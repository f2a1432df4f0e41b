"""What a card says and where: a clinician who reads the summary and the first two lines must not miss what matters."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_mappings.sources import SEARCHES
from hook_calls import RELAPSED, Chart, assessment, client, tell
from test_order_hooks import BLINATUMOMAB, CHILD, PATH, call, drug

FAILED = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "processing"}]}
CUT = {"resourceType": "Bundle", "type": "searchset", "total": 99, "link": [{"relation": "next", "url": "https://ehr.example/fhir/2"}]}
REQUIRED = ("patient", "conditions")
NAMES = {search.name: search.words for search in SEARCHES}


def shown(child: str, sent: dict[str, Any] | None = None, **settings: Any) -> dict[str, Any]:
    """The one card about a child; `sent` replaces what the EHR sends under these keys, None leaves the key out."""
    chart = Chart(child)
    keys = {**chart.prefetch(), **(sent or {})}
    (card,) = tell(client(**settings), chart.call({key: value for key, value in keys.items() if value is not None})).json["cards"]
    return card


def first_lines(card: dict[str, Any]) -> list[str]:
    return card["detail"].split("\n\n")[:2]


# --- searches that were not answered --------------------------------------------------------------------------------


@pytest.mark.parametrize("child, sent, ends, second_line", [
    ("screening-complete", {}, "5 items need your judgement", "0 missing, 5 need your judgement."),
    ("screening-complete", {"consents": FAILED}, "; 1 search not answered", "**1 search not answered:** consents."),
    ("screening-complete", {"procedures": FAILED, "statements": FAILED, "orders": FAILED, "consents": None}, "; 4 searches not answered",
     "**4 searches not answered:** procedures and treatment periods; medication history; medication orders; consents."),
    ("screening-complete", {"statements": CUT, "orders": CUT}, "5 items need your judgement", "2 searches answered only in part: medication history; medication orders."),
    ("screening-complete", {"statements": CUT, "consents": FAILED}, "; 1 search not answered",
     "**1 search not answered:** consents. 1 search answered only in part: medication history."),
    ("ph-positive", {"allergies": FAILED}, "; 1 search not answered", "**1 search not answered:** allergies."),
    ("stale-creatinine", {"consents": FAILED}, "; 1 search not answered", "**1 search not answered:** consents."),
    ("standard-risk", {"orders": FAILED}, "; 1 search not answered", "**1 search not answered:** medication orders."),
    ("asks-for-everything", {name: None for name in NAMES if name not in REQUIRED}, "; 11 searches not answered",
     "**11 searches not answered:** creatinine, bilirubin, HIV and pregnancy tests; echocardiograms and performance status; "
     "marrow, CD19, residual disease and BCR::ABL1; procedures and treatment periods; and 7 more."),
])  # fmt: skip
def test_a_search_without_an_answer_is_told_where_it_is_read(child, sent, ends, second_line):
    card = shown("screening-complete" if child == "asks-for-everything" else child, sent)
    assert card["summary"].endswith(ends) and len(card["summary"]) < 140
    assert first_lines(card)[1].endswith(second_line)


@pytest.mark.parametrize("child", RELAPSED)
def test_a_long_summary_is_cut_before_the_count_of_searches(child):
    """All results and answers gone: what is missing is a long list, and the count still stands at its end."""
    gone = {name: FAILED for name in NAMES if name not in REQUIRED}
    summary = shown(child, gone)["summary"]
    assert summary.startswith("NCT05827549: ") and summary.endswith("; 11 searches not answered") and len(summary) < 140


@pytest.mark.parametrize("sent, told", [({}, False), ({"consents": FAILED, "orders": FAILED}, True)])
def test_an_order_card_tells_how_the_child_was_judged(sent, told):
    chart = Chart(CHILD)
    prefetch = {**chart.prefetch(), **sent}
    (card,) = tell(client(), call(chart, drug(BLINATUMOMAB), prefetch=prefetch), f"{PATH}order-sign").json["cards"]
    assert ("- **2 searches not answered:** medication orders; consents." in card["detail"]) is told


def test_the_assessment_tells_failed_from_partial():
    found = assessment(tell(client(), Chart(CHILD).call({**Chart(CHILD).prefetch(), "statements": CUT, "consents": FAILED})))
    assert {told["search"]: told["words"] for told in found["not_looked_up"]} == {
        "medication history": "in part: the EHR sent the first page only", "consents": "the EHR could not look this up"}  # fmt: skip


# --- whom it is for, whom to ask, as of when ------------------------------------------------------------------------


@pytest.mark.parametrize("child", ["screening-complete", "ph-positive", "standard-risk"])
@pytest.mark.parametrize("contact, line", [
    (None, None),
    ("Trial office, ext. 4711", "Whom to ask: Trial office, ext. 4711"),
    ("<b>Dr A</b>, a@b.example", r"Whom to ask: \<b\>Dr A\</b\>, a at b.example"),
])  # fmt: skip
def test_a_card_says_whom_it_is_for_what_it_leaves_out_and_whom_to_ask(child, contact, line):
    card = shown(child, contact=contact)
    written = card["detail"].split("\n\n")
    assert "For clinicians who look after children with leukaemia. Not checked: consent forms, free places in the trial, free-text notes." in written
    assert [told for told in written if told.startswith("Whom to ask")] == ([line] if line else [])


def test_an_order_card_says_whom_to_ask():
    (card,) = tell(client(contact="ext. 4711"), call(Chart(CHILD), drug(BLINATUMOMAB)), f"{PATH}order-sign").json["cards"]
    assert card["detail"].endswith("Whom to ask: ext. 4711")


def taking_part(*, enrolled: str | None = None, reinduced: str | None = None, today: str = "2025-09-01") -> dict[str, Any]:
    """A child of whom the chart review says when it was enrolled and when the reinduction began."""
    chart = Chart("screening-complete")
    (review,) = chart.of_type("QuestionnaireResponse")
    told = {"enrolment-date": enrolled, "reinduction-start-date": reinduced}
    review["item"] += [{"linkId": name, "answer": [{"valueDate": day}]} for name, day in told.items() if day]
    (card,) = tell(client(), chart.call(chart.prefetch())).json["cards"]
    return card


@pytest.mark.parametrize("days, words", [
    ({}, "Judged as of 2025-09-01. relapse-cds"),
    ({"enrolled": "2025-09-01"}, "Judged as of 2025-09-01. relapse-cds"),
    ({"enrolled": "2025-08-30"}, "Judged as of 2025-08-30, frozen at enrolment; what was found later counts for the risk group only"),
    ({"reinduced": "2025-08-31"}, "Judged as of 2025-08-31, frozen at reinduction start; what was found later counts for the risk group only"),
    ({"enrolled": "2025-08-31", "reinduced": "2025-08-30"}, "Judged as of 2025-08-30, frozen at reinduction start;"),
    ({"enrolled": "2025-08-31", "reinduced": "2025-08-31"}, "Judged as of 2025-08-31, frozen at reinduction start and enrolment;"),
    ({"enrolled": "2025-08"}, "Judged as of 2025-08-31, frozen at enrolment;"),
])  # fmt: skip
def test_a_card_says_why_it_is_judged_as_of_an_earlier_day(days, words):
    assert words in taking_part(**days)["detail"]


# --- the first words of a blocked child -----------------------------------------------------------------------------


def blocked(child: str, *changed: str) -> str:
    """The summary about a child, in whose chart one or more things are otherwise."""
    chart = Chart(child)
    (review,) = chart.of_type("QuestionnaireResponse")
    if "transplanted" in changed:
        next(item for item in review["item"] if item["linkId"] == "prior-allogeneic-transplant")["answer"] = [{"valueCoding": {"code": "yes"}}]
    if "unstable" in changed:
        review["item"].append({"linkId": "unstable-condition", "answer": [{"valueCoding": {"code": "yes"}}]})
    (card,) = tell(client(), chart.call(chart.prefetch())).json["cards"]
    return card["summary"].removeprefix("NCT05827549: ")


@pytest.mark.parametrize("child, changed, begins, ends", [
    ("high-creatinine", (), "not met today – creatinine 1.3 mg/dL", "limit 1.2 (boy, 12 years)"),
    ("ph-positive", (), "exclusion EXC-02 applies – BCR::ABL1 Detected on", "2025-08-26"),
    ("screening-complete", ("transplanted",), "not met – prior allogeneic transplant yes", ""),
    ("screening-complete", ("unstable",), "exclusion EXC-11 applies – ", ""),
    ("ph-positive", ("unstable",), "exclusion EXC-02 applies – BCR::ABL1 Detected on", "2025-08-26; 1 more blocks"),
    ("ph-positive", ("transplanted", "unstable"), "not met – prior allogeneic transplant yes", "; 2 more block"),
    ("high-creatinine", ("transplanted",), "not met – prior allogeneic transplant yes", "; 1 more blocks"),
    ("high-creatinine", ("unstable",), "exclusion EXC-11 applies – ", "; 1 more blocks"),
])  # fmt: skip
def test_the_summary_of_a_blocked_child_names_what_will_stay(child, changed, begins, ends):
    """Never a bare "met" or "not met" for an exclusion; what may change gives way to what will not."""
    summary = blocked(child, *changed)
    assert summary.startswith(begins) and summary.endswith(ends)


# --- order, and nothing twice ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("child, sent, sections", [
    ("screening-complete", {}, ["Risk group", "For your judgement", "Found in the chart", "Dates used"]),
    ("stale-creatinine", {}, ["Missing", "Risk group", "For your judgement", "Found in the chart", "Dates used"]),
    ("ph-positive", {"laboratory": FAILED}, ["What blocks", "Missing", "Not looked up", "For your judgement", "Found in the chart", "Dates used"]),
    ("high-creatinine", {}, ["What blocks", "For your judgement", "Found in the chart", "Dates used"]),
])  # fmt: skip
def test_what_is_asked_of_a_person_stands_before_what_is_in_order(child, sent, sections):
    detail = shown(child, sent)["detail"]
    assert [line.removeprefix("### ") for line in detail.splitlines() if line.startswith("### ")] == sections


def test_nothing_is_said_twice_on_one_line():
    assert "- **creatinine** (INC-06): the EHR could not look this up" in shown("screening-complete", {"laboratory": FAILED})["detail"]
    assert shown("high-creatinine")["detail"].count("may change with time or treatment") == 1


def test_the_summary_of_a_provisional_risk_group_has_no_abbreviation():
    assert shown("mrd-censored")["summary"] == "NCT05827549: risk group SR or HR – waiting for end-of-induction NGS-MRD"
