"""Answers on the checklist: written to the EHR in the clinician's name, read again, counted; or refused, and nothing lost."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor, as_completed
from decimal import Decimal
from html import unescape
from threading import Event

import pytest
import structlog
from fhir.resources.R4B.questionnaireresponse import QuestionnaireResponse

import hostile_fhir
from hooks.checklist import places
from hooks.checklist.places import AT_ONCE, IN_LINE
from hooks.demo.children import CHILDREN
from hooks.server import THREADS
from hooks.state import State, StateError
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
    assert "has recorded these answers" in page and "No, never" in page and "Ada Weber" in page


def test_an_ehr_that_shows_new_answers_later_only():
    with ehr(CHILD) as it:
        browser = it.service()
        path = opened(browser, it)
        answer = answered(browser, path, prior_blinatumomab="no")
        it.created.clear()
        page = browser.get(answer.location, base_url=PUBLIC_URL).text
    assert "does not show them yet, so they may not count below" in page


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


SURELY, PERHAPS = "Not recorded for", "Perhaps recorded for"
REFUSALS = {
    "forbidden": (hostile_fhir.status(403), SURELY, "did not take the answers: forbidden (403)"),
    "not valid for it": (hostile_fhir.status(422), SURELY, "the FHIR server answered 422"),
    "does not keep such": (hostile_fhir.status(404), SURELY, "the FHIR server answered 404"),
    "too many requests": (hostile_fhir.status(429), SURELY, "the FHIR server answered 429"),
    "a redirect": (hostile_fhir.redirect_to("https://evil.example/"), PERHAPS, "the FHIR server answered 302"),
    "the line broke": (hostile_fhir.hang_up, PERHAPS, "the connection to the FHIR server failed"),
    "broken": (hostile_fhir.status(500), PERHAPS, "the FHIR server answered 500"),
    "overloaded": (hostile_fhir.status(503), PERHAPS, "the FHIR server answered 503"),
    "too late": (hostile_fhir.status(408), PERHAPS, "the FHIR server answered 408"),
    "yes, and an error": (hostile_fhir.status(200), PERHAPS, "answered 200 without the QuestionnaireResponse"),
    "yes, and nothing": (hostile_fhir.status(200, {"a": 1}), PERHAPS, "answered 200 without the QuestionnaireResponse"),
    "yes, and a web page": (hostile_fhir.web_page, PERHAPS, "answered with a web page instead of FHIR"),
    "accepted for later": (hostile_fhir.status(202), PERHAPS, "the FHIR server answered 202"),
}


@pytest.mark.parametrize("fault, heading, words", REFUSALS.values(), ids=REFUSALS)
def test_answers_that_the_ehr_did_not_surely_take_are_not_lost(fault, heading, words):
    sent = []
    with ehr(CHILD, create_fault=lambda talk: (sent.append(talk.body), fault(talk))) as it:
        browser = it.service()
        path = opened(browser, it)
        with structlog.testing.capture_logs() as logs:
            answer = answered(browser, path, prior_blinatumomab="no", off_treatment_date="2024-08-31")
    assert answer.status_code == 502 and heading in answer.text and words in unescape(answer.text)
    assert ("kept nowhere else" in answer.text) is (heading == SURELY)
    assert '"valueDate": "2024-08-31"' in unescape(answer.text), "as FHIR JSON, to be kept by other means"
    assert 'value="2024-08-31"' in answer.text, "and in the form, to be sent again"
    assert len(sent) == 1, "sent once: a second time could record it twice"
    assert TOKEN not in str(logs) and "2024" not in str([log for log in logs if "answers" in log["event"]])


@pytest.mark.parametrize("reply", [hostile_fhir.status(201), lambda talk: talk.start(201, "text/html", Content_Encoding="gzip")], ids=["without Location", "broken body"])
def test_what_was_created_without_saying_where_is_not_said_to_count(reply):
    with ehr(CHILD, create_fault=reply) as it:
        browser = it.service()
        answer = answered(browser, opened(browser, it), prior_blinatumomab="no")
        assert answer.status_code == 303
        assert "does not show them yet" in browser.get(answer.location, base_url=PUBLIC_URL).text


def test_a_server_that_answers_200_with_what_it_keeps():
    with ehr(CHILD) as it:
        it.create_fault = lambda talk: (it.created.append({**json.loads(talk.body), "id": "a1"}), hostile_fhir.status(200, it.created[0])(talk))
        browser = it.service()
        answer = answered(browser, opened(browser, it), prior_blinatumomab="no")
        assert answer.location.endswith("?recorded=a1") and "has recorded these answers" in browser.get(answer.location, base_url=PUBLIC_URL).text


def test_answers_sent_when_it_is_too_late_stand_on_the_page_that_says_no(monkeypatch):
    """The visit has ended, the EHR no longer takes the token, the database is down: nothing was recorded, nothing typed is lost."""
    with ehr(CHILD) as it:
        browser = it.service()
        path = opened(browser, it)
        fields = {"form_token": form_token(shown(browser, path)), "prior-blinatumomab": "no", "off-treatment-date": "2024-08"}

        def told():
            answer = browser.post(path, data=fields, base_url=PUBLIC_URL)
            assert "Nothing was recorded" in answer.text and "No, never" in answer.text and "2024-08" in answer.text and not it.created
            return answer.status_code

        it.takes = lambda token: False
        assert told() == 502
        monkeypatch.setattr(State, "visit", lambda self, id, now: None)
        assert told() == 403
        monkeypatch.setattr(State, "visit", lambda self, id, now: (_ for _ in ()).throw(StateError("gone")))
        assert told() == 503


def test_answers_that_were_taken_are_said_to_be_even_where_the_chart_cannot_be_read_again():
    with ehr(CHILD) as it:
        browser = it.service()
        answer = answered(browser, opened(browser, it), prior_blinatumomab="no")
        it.takes = lambda token: False
        assert "has taken your answers. The chart cannot be judged" in browser.get(answer.location, base_url=PUBLIC_URL).text


def test_another_childs_patient_is_not_shown():
    """One that does not say who it is may be anybody's."""
    for stated in ({"id": "somebody-else"}, {"id": 7}, {"id": None}):
        with ehr(CHILD) as it:
            browser = it.service()
            path = opened(browser, it)
            kept = hostile_fhir.keeping(it.resources)
            who = {"resourceType": "Patient", "name": [{"text": "Somebody Else"}], **stated}
            it.__class__ = type("Mistaken", (type(it),), {"__call__": lambda self, talk: (hostile_fhir.answer(who) if "/Patient/" in talk.path else kept)(talk)})
            answer = browser.get(path, base_url=PUBLIC_URL)
        assert answer.status_code == 502 and "Somebody Else" not in answer.text


def test_the_name_is_that_of_who_is_signed_in():
    with ehr(CHILD) as it:
        kept = type(it).__call__
        someone = {"resourceType": "Practitioner", "id": "8", "name": [{"text": "Dr Wrong Person"}]}
        it.__class__ = type("Mistaken", (type(it),), {"__call__": lambda self, talk: hostile_fhir.answer(someone)(talk) if "/Practitioner/" in talk.path else kept(self, talk)})
        browser = it.service()
        answered(browser, opened(browser, it), prior_blinatumomab="no")
    assert it.created[0]["author"] == {"reference": CLINICIAN}


def test_an_ehr_that_is_slow_leaves_room_for_hook_calls(monkeypatch):
    """Three at a time wait for it and two wait in line; the next is told so at once, and the other threads of the process stay free."""
    assert AT_ONCE + IN_LINE < THREADS
    monkeypatch.setattr(places, "PATIENCE", 60)  # whoever waited in line would not be told in this test
    with ehr(CHILD) as it:
        service = it.service()
        waiting = Event()
        it.__class__ = type("Slow", (type(it),), {"__call__": lambda self, talk: waiting.wait(20)})
        ask = {"iss": it.url, "launch": "l"}
        with ThreadPoolExecutor(AT_ONCE + IN_LINE + 1) as crowd:
            asked = [crowd.submit(lambda: service.application.test_client().get("/app/launch", query_string=ask, base_url=PUBLIC_URL))
                     for _ in range(AT_ONCE + IN_LINE + 1)]  # fmt: skip
            told = next(as_completed(asked)).result()
            assert told.status_code == 503 and "Too many checklists" in told.text
            waiting.set()


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
        assert answer.status_code == 200 and "closed" in answer.text and browser.get_cookie("visit", domain="cds.example", path=path) is None
        assert browser.get(path, base_url=PUBLIC_URL).status_code == 403
        assert browser.post(f"{path}/close", data={"form_token": "x"}, base_url=PUBLIC_URL).status_code == 403


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

