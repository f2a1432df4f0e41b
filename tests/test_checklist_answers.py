"""Answers on the checklist: written to the EHR in the clinician's name, read again, counted; or refused, and nothing lost."""

from __future__ import annotations

import re
from decimal import Decimal
from html import unescape

import pytest
import structlog
from fhir.resources.R4B.questionnaireresponse import QuestionnaireResponse

import hostile_fhir
from hooks.demo.children import CHILDREN
from signed_calls import PUBLIC_URL
from smart_ehr import CLINICIAN, TOKEN, ehr, opened

CHILD = "missing-immunophenotype" if any(c.id == "missing-immunophenotype" for c in CHILDREN) else "missing-echo"


def shown(browser, path):
    answer = browser.get(path, base_url=PUBLIC_URL)
    assert answer.status_code == 200, answer.text
    return answer.text


def form_token(page):
    return re.search(r'name="form_token" value="(\w+)"', page)[1]


def answered(browser, path, **given):
    """The form of the page as it is shown, sent with these answers."""
    fields = {"form_token": form_token(shown(browser, path)), **{name.replace("_", "-"): value for name, value in given.items()}}
    return browser.post(path, data=fields, base_url=PUBLIC_URL)


def items(response):
    return {item["linkId"]: item["answer"] for group in response["item"] for item in group["item"]}


def test_an_answer_is_written_in_the_clinicians_name_and_counts_at_once():
    with ehr(CHILD) as it:
        browser = it.service()
        path = opened(browser, it)
        answer = answered(browser, path, prior_blinatumomab="no", off_treatment_date="2024-08")
        assert answer.status_code == 303 and answer.location == f"{PUBLIC_URL}{path}?recorded=answers-1"
        (written,) = it.created
        page = browser.get(answer.location, base_url=PUBLIC_URL).text
    QuestionnaireResponse.model_validate({**written, "authored": written["authored"]})
    assert written["status"] == "completed" and written["subject"] == {"reference": f"Patient/{CHILD}"}
    assert written["author"] == {"reference": CLINICIAN, "display": "Dr Ada Weber"}
    assert written["questionnaire"].split("|")[0].endswith("/Questionnaire/nct05827549-chart-review")
    assert re.search(r"T\d\d:\d\d:\d\d[+-]\d\d:\d\d$", written["authored"])
    assert items(written) == {
        "prior-blinatumomab": [{"valueCoding": {"system": "urn:relapse-cds:codes", "code": "no", "display": "No, never"}}],
        "off-treatment-date": [{"valueDate": "2024-08"}],
    }
    assert "the chart was read again" in page and "Ada Weber" in page


def test_an_ehr_that_shows_new_answers_later_only():
    with ehr(CHILD) as it:
        browser = it.service()
        path = opened(browser, it)
        answer = answered(browser, path, prior_blinatumomab="no")
        it.created.clear()
        page = browser.get(answer.location, base_url=PUBLIC_URL).text
    assert "does not show them yet, so they do not count below" in page


def test_digits_arrive_as_they_were_typed():
    with ehr("standard-risk") as it:
        browser = it.service()
        path = opened(browser, it)
        bodies = []
        it.create_fault = lambda talk: (bodies.append(talk.body), talk.start(201))
        assert answered(browser, path, eoi_ngs_mrd="0.0040", eoi_ngs_mrd_lod="0.001").status_code == 303
    assert b'"value":0.0040' in bodies[0].replace(b" ", b"") and Decimal("0.0040") == Decimal("0.004")


def test_a_form_with_a_fault_records_nothing_and_keeps_what_was_typed():
    with ehr(CHILD) as it:
        browser = it.service()
        path = opened(browser, it)
        answer = answered(browser, path, prior_blinatumomab="no", off_treatment_date="last summer")
        assert answer.status_code == 422 and not it.created
    assert "give a day as 2025-08-31" in answer.text and 'value="last summer"' in answer.text
    assert re.search(r'value="no"[^>]*checked', answer.text), "what was right need not be chosen again"


@pytest.mark.parametrize("fields", [{}, {"form_token": ""}, {"form_token": "0" * 40}])
def test_a_form_that_is_not_from_our_page_records_nothing(fields):
    with ehr(CHILD) as it:
        browser = it.service()
        path = opened(browser, it)
        answer = browser.post(path, data={**fields, "prior-blinatumomab": "no"}, base_url=PUBLIC_URL)
        assert answer.status_code == 403 and "did not come from this page" in answer.text and not it.created


REFUSALS = {
    "forbidden": (hostile_fhir.status(403), "did not record the answers: forbidden (403)"),
    "not valid for it": (hostile_fhir.status(422), "did not record the answers: the FHIR server answered 422"),
    "does not keep such": (hostile_fhir.status(404), "did not record the answers: the FHIR server answered 404"),
    "a redirect": (hostile_fhir.redirect_to("https://evil.example/"), "did not record the answers: answered with a redirect"),
    "the line broke": (hostile_fhir.hang_up, "They may have been recorded or not"),
    "overloaded": (hostile_fhir.status(503), "They may have been recorded or not"),
}


@pytest.mark.parametrize("fault, words", REFUSALS.values(), ids=REFUSALS)
def test_answers_that_the_ehr_did_not_take_are_not_lost(fault, words):
    sent = []
    with ehr(CHILD, create_fault=lambda talk: (sent.append(talk.body), fault(talk))) as it:
        browser = it.service()
        path = opened(browser, it)
        with structlog.testing.capture_logs() as logs:
            answer = answered(browser, path, prior_blinatumomab="no", off_treatment_date="2024-08-31")
    assert answer.status_code == 502 and words in unescape(answer.text)
    assert '"valueDate": "2024-08-31"' in unescape(answer.text), "as FHIR JSON, to be kept by other means"
    assert 'value="2024-08-31"' in answer.text, "and in the form, to be sent again"
    assert len(sent) == 1, "sent once: a second time could record it twice"
    assert TOKEN not in str(logs) and "2024" not in str([log for log in logs if "answers" in log["event"]])


def test_two_children_side_by_side():
    """In one browser, each at its own address: what is sent from one page is about its child."""
    with ehr(CHILD) as one, ehr("standard-risk") as other:
        browser = one.service(smart_apps=(one.registered(), other.registered()))
        first, second = opened(browser, one), opened(browser, other)
        assert answered(browser, first, prior_blinatumomab="no").status_code == 303
        assert [r["subject"]["reference"] for r in one.created] == [f"Patient/{CHILD}"] and not other.created
        stray = {"form_token": form_token(shown(browser, first)), "prior-blinatumomab": "no"}
        assert browser.post(second, data=stray, base_url=PUBLIC_URL).status_code == 403 and not other.created


def test_a_visit_that_was_closed_has_ended():
    with ehr(CHILD) as it:
        browser = it.service()
        path = opened(browser, it)
        answer = browser.post(f"{path}/close", data={"form_token": form_token(shown(browser, path))}, base_url=PUBLIC_URL)
        assert answer.status_code == 200 and "closed" in answer.text
        assert browser.get(path, base_url=PUBLIC_URL).status_code == 403


def test_an_ehr_that_has_stopped_taking_the_token():
    with ehr(CHILD) as it:
        browser = it.service()
        path = opened(browser, it)
        it.takes = lambda token: False
        answer = browser.get(path, base_url=PUBLIC_URL)
    assert answer.status_code == 502 and "not authorised (401)" in answer.text and "Open it again" in unescape(answer.text)


def test_a_search_that_fails_is_told_and_the_rest_is_shown():
    with ehr(CHILD) as it:
        sound = hostile_fhir.keeping(it.resources)
        browser = it.service()
        path = opened(browser, it)
        it.__class__ = type("WithoutAllergies", (type(it),), {"__call__": lambda self, talk: hostile_fhir.status(500)(talk)
                            if "AllergyIntolerance" in talk.path else sound(talk)})  # fmt: skip
        page = shown(browser, path)
    assert "the FHIR server answered 500" in page and "EXC-13" in page


def test_a_flood_is_refused():
    with ehr(CHILD) as it:
        browser = it.service()
        path = opened(browser, it)
        answer = browser.post(path, data={"form_token": form_token(shown(browser, path)), "lineage": "b" * 200_000}, base_url=PUBLIC_URL)
        assert answer.status_code in (403, 413) and not it.created

