"""The checklist's page: the whole judgement with all its evidence, the form beside it, and nothing of a chart as markup."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from html import unescape
from typing import Any

import pytest

from browser import asked_for, running
from cds import assess
from cds.day import partial
from cds.facts import ChartReview, PatientFacts
from cds.finding import Evidence
from cds.trials import NCT05827549
from cds.truth import UNKNOWN
from cds.values import one
from checklist_pages import ACTION, BY_ID, CONTACT, TODAY, app_showing, chart_of, context, facts_of, html_of, record_of
from fhir_mappings import Answer, Outcome, Record, read_patient
from fhir_mappings.questionnaire import CHOICE, DATE, QUESTIONS
from fhir_mappings.questionnaire_response import Percent, questionnaire_response
from hooks.checklist.banner import banner
from hooks.checklist.form import FOR_GIRLS, read_form
from hooks.checklist.judgement import NOT_ALONE
from hooks.checklist.questions import SUPPLIES, answered_now, questions_for
from hooks.checklist.view import Notice
from hooks.words import NOT_APPLICABLE, NOT_MET_TODAY, STATUS, first_line, missing_facts, short_day
from test_about import Page

HOSTILE = "<img src=x onerror=alert(1)>\"'</textarea></form>\u202e"
NEVER = re.compile(r"\b(eligible|qualif|should enrol|safe|recommended therapy)", re.I)
EVERY_CHILD = pytest.mark.parametrize("child_id", BY_ID)


class Opened(Page):
    """The page's elements and its text; `input` has no end."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "input":
            self.elements.append((tag, dict(attrs)))
        else:
            super().handle_starttag(tag, attrs)


def opened(child_id: str, **otherwise: Any) -> Opened:
    return Opened(html_of(context(chart_of(child_id), **otherwise)))


def unreviewed(child_id: str) -> list[dict[str, Any]]:
    """The chart as it was before anybody answered the Questionnaire."""
    return [r for r in chart_of(child_id) if r["resourceType"] != "QuestionnaireResponse"]


def on_page(words: str, page: Opened) -> bool:
    return " ".join(words.split()) in page.text


# --- the judgement ----------------------------------------------------------------------------------------------------


@EVERY_CHILD
def test_every_criterion_stands_with_its_sentence_and_everything_behind_it(child_id):
    for chart in (chart_of(child_id), unreviewed(child_id)):
        page, facts = Opened(html_of(context(chart))), facts_of(chart)
        judged = assess(NCT05827549, facts).criteria
        assert [anchor for anchor in page.named("id") if re.fullmatch(r"(INC|EXC)-\d\d", anchor)] == [j.criterion.id for j in judged]
        for j in judged:
            assert all(on_page(sentence, page) for sentence in (*j.criterion.text, j.criterion.reading, j.finding.words))
            for e in (*j.finding.evidence, *(e for gap in j.finding.gaps for e in gap.seen)):
                assert all(on_page(words, page) for words in (e.words, e.reference or "", short_day(e.date)))
            if j.finding.truth is UNKNOWN:
                assert all(on_page(gap.words, page) and on_page(gap.reason.value.replace("_", " "), page) for gap in j.finding.gaps)


STATUSES = {"not_eligible": (STATUS["not_eligible"], NOT_MET_TODAY), "not_applicable": (NOT_APPLICABLE,)}


@EVERY_CHILD
def test_the_status_is_said_in_the_words_of_a_card(child_id):
    page, a = opened(child_id), assess(NCT05827549, facts_of(chart_of(child_id)))
    assert a.overall == BY_ID[child_id].overall
    assert sum(on_page(words, page) for words in STATUSES.get(a.overall, (STATUS.get(a.overall, ""),))) == 1
    assert on_page(first_line(a), page) and on_page(CONTACT, page) and on_page("relapse-cds 9.9", page)
    ours = page.text
    for j in a.criteria:  # the document's sentences and our readings of them are not ours to reword
        ours = ours.replace(" ".join(" ".join(j.criterion.text).split()), "").replace(j.criterion.reading, "")
    ours = re.sub(r"Eligibility is judged as of this day|neither establishes eligibility", "", ours)
    assert not NEVER.search(ours), NEVER.search(ours)


def test_each_status_is_shown_by_some_child():
    assert {child.overall for child in BY_ID.values()} == {*STATUS, "not_applicable"}


def test_where_nothing_is_judged_it_says_why_and_still_asks():
    page = opened("first-remission")
    for words in ("Why nothing is judged", "B-ALL (remission)", "marrow blasts 1 %", "no completed chart review found"):
        assert on_page(words, page)
    assert not on_page("Risk group", page) and "ask-relapse-date" in page.named("id")
    assert on_page("no leukaemia of this family among them", opened("asthma"))


def test_of_a_child_who_died_it_says_so():
    chart = chart_of("two-lineages")
    chart[0] = chart[0] | {"deceasedBoolean": True}
    page = Opened(html_of(context(chart)))
    assert on_page("Not applicable – recorded as deceased", page) and not on_page("no relapse, on record", page)


def test_what_is_missing_says_why_what_it_would_settle_and_where_to_answer():
    told = {item["fact"]: item for item in context(unreviewed("stale-creatinine"))["missing"]}
    assert list(told) == ["creatinine", "pregnancy test", "allogeneic transplant", "blinatumomab"], "the cheapest first"
    assert told["creatinine"]["words"] == "creatinine 0.5 mg/dL on 2025-07-22 is 43 days old (limit 14)"
    assert [told[fact]["would"] for fact in ("creatinine", "blinatumomab")] == ["A new one would settle INC-06.", "It would settle INC-05."]
    assert [[q.link_id for q in told[fact]["questions"]] for fact in ("creatinine", "blinatumomab")] == [
        [], ["prior-blinatumomab", "treatment-history-complete"]]  # fmt: skip


def test_a_fact_that_changes_nothing_alone_says_so():
    told = {item["fact"]: item["would"] for item in context(chart_of("missing-echo"))["missing"]}
    assert set(told.values()) == {"The echocardiogram would settle INC-08."}
    items = context(unreviewed("high-creatinine"))["missing"]
    assert items and {item["would"] for item in items} == {NOT_ALONE}, "it blocks anyway"


def test_a_conflict_of_records_is_not_for_an_answer_to_settle():
    (item,) = context(chart_of("two-lineages"))["missing"]
    assert item["fact"] == "lineage" and item["questions"] == []


SOME = {CHOICE: lambda q: list(q.options), DATE: lambda q: ["2023-01-15", "2025-08-20", "2025-09-02"], "boolean": lambda q: [True, False],
        "quantity": lambda q: [Percent(Decimal(5)), Percent(Decimal(0))]}  # fmt: skip
ONLY_BESIDE_ANOTHER = {"eoi-date", "eoi-ngs-mrd-lod"}  # of use only beside the answer they are about


def test_a_question_that_is_offered_for_a_gap_can_fill_it():
    """Tried: each of its answers is given, and one of them must change what was missing."""
    offered, helped = set(), set()
    bare = [r for r in unreviewed("screening-complete") if r["resourceType"] in ("Patient", "Condition")]
    for chart in (*map(unreviewed, BY_ID), bare):
        facts = facts_of(chart)
        a = assess(NCT05827549, facts)
        for gap in {*(gap for _, _, gap in missing_facts(a)), *a.risk.gaps}:
            for q in questions_for(gap, facts):
                what = (gap.fact, gap.reason, q.link_id)
                offered.add(what)
                if what not in helped and any(gap not in gaps_after(chart, q, answer) for answer in SOME[q.type](q)):
                    helped.add(what)
    assert len(offered) > 15
    assert {what for what in offered - helped if what[2] not in ONLY_BESIDE_ANOTHER} == set()
    assert {q for questions in SUPPLIES.values() for q in questions} <= set(QUESTIONS)


def gaps_after(chart: list[dict[str, Any]], question: Any, answer: Any) -> set[Any]:
    given = {question.link_id: answer}
    response = questionnaire_response(given, chart[0]["id"], {"reference": "Practitioner/1"}, datetime(2025, 9, 3, tzinfo=UTC))
    a = assess(NCT05827549, facts_of([*chart, response | {"id": "review"}]))
    return {*(gap for j in a.criteria if j.finding.truth is UNKNOWN for gap in j.finding.gaps), *a.risk.gaps}


def test_what_could_not_be_looked_up_or_used_is_named():
    chart = chart_of("missing-echo")
    whole = record_of(chart)
    facts = read_patient(Record(whole.patient_id, {**whole.answers, "answers": Answer(Outcome.FAILED, why="timed out")}), TODAY)
    facts = facts.otherwise({"issues": (Evidence("unit 'mg' is not a creatinine unit", "Observation/77"),)})
    page, a = Opened(html_of(context(chart, facts))), assess(NCT05827549, facts)
    assert a.not_looked_up and all(on_page(f"{search}: {words}", page) for search, words in a.not_looked_up)
    assert on_page("unit 'mg' is not a creatinine unit Observation/77", page)
    assert on_page("what was answered before may not be shown here", page)
    assert all(on_page(anchor.words, page) for anchor in a.anchors)


def test_flags_are_shown_with_what_raised_them():
    a = assess(NCT05827549, facts_of(chart_of("discordant-heart")))
    page = opened("discordant-heart")
    assert a.flags and all(on_page(words, page) for f in a.flags for words in (f.words, *(e.words for e in f.evidence)))


# --- the form ---------------------------------------------------------------------------------------------------------


def fields(page: Opened) -> dict[str, list[dict[str, str | None]]]:
    found: dict[str, list[dict[str, str | None]]] = {}
    for tag, attributes in page.elements:
        if tag in ("input", "select"):
            found.setdefault(str(attributes["name"]), []).append(attributes)
    return found


@EVERY_CHILD
def test_every_question_is_there_and_nothing_is_chosen_beforehand(child_id):
    page = opened(child_id)
    boy = "male" in facts_of(chart_of(child_id)).sex.options and facts_of(chart_of(child_id)).sex.exact
    assert set(fields(page)) == {"form_token", "eoi-ngs-mrd.comparator", *QUESTIONS} - ({FOR_GIRLS} if boy else set())
    for name, inputs in fields(page).items():
        if name != "form_token":
            assert not any(i.get("value") for i in inputs if i.get("type") == "text")
            assert [i.get("value") for i in inputs if "checked" in i] == ([""] if inputs[0].get("type") == "radio" else [])
    for link_id in QUESTIONS.keys() - {FOR_GIRLS}:
        assert on_page(QUESTIONS[link_id].text, page) and on_page(QUESTIONS[link_id].help, page)
    assert {"action": ACTION, "method": "post"}.items() <= dict(next(a for tag, a in page.elements if tag == "form")).items()
    assert fields(page)["form_token"][0]["value"] == "token-1"


def test_what_is_answered_now_stands_beside_the_empty_question():
    page = opened("two-lineages")
    assert on_page("Blinatumomab, ever? Any dose, elsewhere too; not the blinatumomab of this trial. Now: No, never, by Dr Ottilie Quillfeather, 1 Sep 2025", page)
    assert on_page("Now: 21 Dec 2019, by Dr Ottilie Quillfeather, 1 Sep 2025", page)


def test_what_nobody_signed_is_not_signed_by_us():
    facts = PatientFacts("Patient/child", TODAY, chart_review=ChartReview(
        {"lineage": one("b_all", Evidence("lineage b-all (chart review, author not recorded)"))}, frozenset({"testis", "cns"})))  # fmt: skip
    assert answered_now(QUESTIONS["lineage"], facts) == ("B-ALL (precursor B), author not recorded, date not recorded",)
    assert answered_now(QUESTIONS["extramedullary-site"], facts) == ("CNS, Testis",)


def test_answers_that_differ_are_both_shown_and_asked_again():
    chart = unreviewed("two-lineages")
    for id, code in (("one", "b-all"), ("two", "t-all")):
        chart.append(questionnaire_response({"lineage": code}, "two-lineages", {"display": f"Dr {id}"}, datetime(2025, 9, 2, tzinfo=UTC)) | {"id": id})
    page = Opened(html_of(context(chart)))
    assert on_page("Now, answers that differ: B-ALL (precursor B), by Dr one, 2 Sep 2025 – but T-ALL (precursor T), by Dr two, 2 Sep 2025", page)


def test_a_refused_form_keeps_what_was_typed_and_says_what_is_wrong():
    facts = facts_of(chart_of("two-lineages"))
    typed = {"lineage": ["t-all"], "relapse-date": ["31.8.2025"], "eoi-ngs-mrd": ["0,01"], "eoi-ngs-mrd.comparator": ["<"],
             "extramedullary-site": ["cns", "testis"], "relapse-marrow-blasts": [HOSTILE]}  # fmt: skip
    read = read_form(typed, facts)
    html = html_of(context(chart_of("two-lineages"), typed=read.typed, faults=read.faults))
    page = Opened(html)
    found = fields(page)
    assert {i["value"] for name in typed for i in found[name] if "checked" in i} == {"t-all", "cns", "testis"}
    assert [found[name][0]["value"] for name in ("relapse-date", "eoi-ngs-mrd", "relapse-marrow-blasts")] == ["31.8.2025", "0,01", HOSTILE]
    assert any(tag == "option" and a.get("value") == "<" and "selected" in a for tag, a in page.elements)
    assert on_page("Nothing was recorded: please look at this again", page) and "<img src=x" not in html
    for link_id, fault in read.faults.items():
        assert page.text.count(fault) == 2, "above, and at its question"
        assert f"#q-{link_id}" in page.named("href") and f"q-{link_id}" in page.named("id")
    assert any("relapse-date-fault" in (a.get("aria-describedby") or "") and a.get("aria-invalid") == "true" for _, a in page.elements)
    assert ("details", {"class": "besides", "open": None}) in page.elements, "no fault is folded away"


RESPONSE = questionnaire_response({"lineage": "t-all", "eoi-ngs-mrd": Percent(Decimal("0.0040"), "<")}, "two-lineages",
                                  {"reference": "Practitioner/1"}, datetime(2025, 9, 3, tzinfo=UTC))  # fmt: skip


def test_what_was_recorded_is_told():
    page = opened("two-lineages", notice=Notice("recorded", "Stored as QuestionnaireResponse/77.", RESPONSE))
    assert on_page("Recorded for Jonas Willowmere Stored as QuestionnaireResponse/77. Which leukaemia is it? T-ALL (precursor T)", page)
    assert on_page("< 0.0040 %", page) and "textarea" not in [tag for tag, _ in page.elements]


def test_what_the_ehr_refused_can_be_copied():
    html = html_of(context(chart_of("two-lineages"), notice=Notice("not recorded", f"The EHR says {HOSTILE}", RESPONSE)))
    assert "<img src=x" not in html and "Not recorded for Jonas Willowmere" in html
    kept = unescape(re.search(r"<textarea[^>]* readonly[^>]*>(.*?)</textarea>", html, re.S)[1])
    assert json.loads(kept, parse_float=str) == json.loads(json.dumps(RESPONSE, default=str)) and '"value": 0.0040' in kept


# --- the child --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("patient", "name", "number"), [
    ({"name": [{"given": ["Ann", "Bo"], "family": "Cee"}], "identifier": [{"value": "7"}]}, "Ann Bo Cee", "7"),
    ({"name": [{"use": "old", "text": "Before"}, {"use": "nickname", "text": "Nick"}, {"use": "official", "text": "Now"}]}, "Now", "not recorded"),
    ({"name": [{"use": "maiden", "text": "Before"}, {"use": "nickname", "text": "Nick"}]}, "Nick", "not recorded"),
    ({"identifier": [{"value": "1"}, {"value": "2", "type": {"coding": [{"code": "MR"}]}}]}, "name not recorded", "2"),
    ({"name": "Ann", "identifier": {"value": "7"}}, "name not recorded", "not recorded"),
    ({"name": [None, {"given": "Ann", "family": 7}, {"use": ["x"], "text": " "}], "identifier": [{"value": 7}, None]}, "name not recorded", "not recorded"),
    ({"name": [{"text": "A\u202eB\nC"}]}, "AB C", "not recorded"),
    ({}, "name not recorded", "not recorded"),
])  # fmt: skip
def test_who_the_child_is_however_broken(patient, name, number):
    child = banner(patient, PatientFacts("Patient/child", TODAY))
    assert (child.name, child.record_number) == (name, number)
    assert child.called == ("this child" if name == "name not recorded" else name)
    assert (child.sex, child.born, child.age) == ("sex not looked up", "birth date not looked up", "age not known")


@pytest.mark.parametrize(("born", "age"), [
    ("2015-09-03", "10 years old"), ("2015-09-04", "9 years old"), ("2015-09", "9 or 10 years old"), ("2015", "9 or 10 years old"),
    ("2024-09-03", "1 year old"), ("2026-01-01", "age not known: born in the future"),
])  # fmt: skip
def test_the_age_is_as_exact_as_the_birth_date(born, age):
    child = banner({}, PatientFacts("Patient/child", TODAY, birth_date=partial(born)))
    assert (child.age, child.born) == (age, short_day(born))


# --- the markup -------------------------------------------------------------------------------------------------------


@EVERY_CHILD
def test_the_markup_nests_links_lead_somewhere_and_inputs_have_names(child_id):
    for chart in (chart_of(child_id), unreviewed(child_id)):
        page = Opened(html_of(context(chart)))
        ids = page.named("id")
        assert page.open == [] and len(ids) == len(set(ids))
        assert {link[1:] for link in page.named("href") if link.startswith("#")} <= set(ids)
        assert {part for told in page.named("aria-describedby") for part in told.split()} <= set(ids)
        assert {*page.named("for"), *page.named("aria-labelledby")} <= set(ids)
        assert not {"script", "style", "iframe", "object"} & {tag for tag, _ in page.elements} and not page.named("style")
        assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
        levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
        assert levels.count(1) == 1 and levels[0] == 1 and all(b - a <= 1 for a, b in zip(levels, levels[1:]))


def test_hostile_words_of_a_chart_are_text():
    chart = json.loads(json.dumps(chart_of("two-lineages"), default=str))
    chart[0] |= {"name": [{"text": HOSTILE}], "identifier": [{"value": HOSTILE}]}
    for resource in chart[1:]:
        for key in ("code", "valueCodeableConcept"):
            if isinstance(resource.get(key), dict):
                resource[key]["text"] = HOSTILE
        if resource["resourceType"] == "QuestionnaireResponse":
            resource["author"] = {"display": HOSTILE}
    html = html_of(context(chart, contact=HOSTILE, author=HOSTILE, form_token=HOSTILE))
    assert "<img src=x" not in html and html.count("</form>") == 2, "the answers, and closing the checklist"
    page = Opened(html)
    assert page.open == [] and page.texts.count("Record these answers for <img src=x onerror=alert(1)>\"'</textarea></form>") == 1


def test_the_page_for_what_cannot_be_shown():
    html = html_of({"title": "This visit has ended", "sentence": HOSTILE, "what_next": "Open it again."}, "checklist/cannot.html")
    page = Opened(html)
    assert "<img src=x" not in html and page.open == [] and on_page("Open it again.", page)


# --- in a browser -----------------------------------------------------------------------------------------------------

WIDER = "return [...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1).map(e => e.className || e.tagName)"


def look(browser: Any, host: str, width: int, scheme: str) -> None:
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False})
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
    browser.get(f"{host}/app/visits/abc/")


def test_in_a_browser(browser):
    chart = unreviewed("stale-creatinine")
    read = read_form({"relapse-date": ["soon"]}, facts_of(chart))
    page = context(chart, typed=read.typed, faults=read.faults, notice=Notice("not recorded", "No.", RESPONSE))
    unfold = "for (const d of document.querySelectorAll('details')) d.open = true;"
    with running(app_showing(page)) as host:
        for width, scheme in ((320, "light"), (320, "dark"), (768, "light"), (1280, "light")):
            look(browser, host, width, scheme)
            for before in ("", unfold):
                assert browser.execute_script(f"{before} return document.documentElement.scrollWidth") <= width
                assert browser.execute_script(WIDER) == []
            ground = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
            assert (sum(map(int, ground[4:-1].split(","))) < 200) == (scheme == "dark")
            browser.execute_script("scrollTo(0, 4000)")
            top, height = browser.execute_script("const b = document.querySelector('.child').getBoundingClientRect(); return [b.top, b.height]")
            assert top == 0 and height < 160, "the child stays in view, and leaves room"
        assert browser.get_log("browser") == []
        assert all(url.startswith((host + "/", "chrome:", "data:")) for url in asked_for(browser))


def test_it_is_filled_in_by_keyboard_and_sent(browser):
    from selenium.webdriver.common.keys import Keys

    sent: list[Any] = []
    app = app_showing(context(unreviewed("stale-creatinine")))

    @app.before_request
    def note() -> None:
        from flask import request

        if request.method == "POST":
            sent.append((request.path, {name: value for name, value in request.form.items() if value}))

    with running(app) as host:
        look(browser, host, 1280, "light")
        browser.find_element("id", "q-prior-blinatumomab").send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
        browser.find_element("id", "q-eoi-date").send_keys("2025-09")
        browser.switch_to.active_element.send_keys(Keys.ENTER)
        assert sent == [(ACTION, {"form_token": "token-1", "prior-blinatumomab": "no", "eoi-date": "2025-09"})]
        assert browser.get_log("browser") == []
