"""The demonstration: invented children as valid FHIR, a small FHIR server, the EHR's half of a hook call, the page."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import pytest
import requests
from fhir.resources.R4B import get_fhir_model_class
from flask import Flask, jsonify, request

from browser import asked_for, running
from hooks.demo import create_demo
from hooks.demo.children import CHILDREN, PENDING, Child, bundle, everyone, transaction
from hooks.demo.fhir_builders import HOME
from hooks.demo.fhir_endpoint import fhir_endpoint
from hooks.demo.markdown import to_html

DAYS = [date(2025, 9, 1), date(2024, 2, 29), date(2027, 2, 28), date(2025, 3, 31), date(2026, 1, 1)]
TODAY = DAYS[0]
RELAPSED = [child for child in CHILDREN if child.overall != "not_applicable"]
by_id = pytest.mark.parametrize("child", CHILDREN, ids=lambda child: child.id)
HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>"


# --- the children ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("today", DAYS, ids=str)
def test_every_resource_is_valid_on_any_day(today: date) -> None:
    resources = list(everyone(today))
    names = [(r["resourceType"], r["id"]) for r in resources]
    assert len(names) == len(set(names))
    for resource in resources:
        get_fhir_model_class(resource["resourceType"]).model_validate(resource)
    get_fhir_model_class("Bundle").model_validate(transaction(today))


@by_id
def test_nothing_in_a_chart_lies_in_the_future(child: Child) -> None:
    for today in DAYS:
        for resource in child.build(today):
            for name in ("effectiveDateTime", "onsetDateTime", "recordedDate", "authored"):
                assert resource.get(name, "")[:10] <= str(today)


@by_id
def test_the_bundle_holds_one_child_and_all_that_is_referenced(child: Child) -> None:
    whole = bundle(child, TODAY)
    get_fhir_model_class("Bundle").model_validate(whole)
    held = {entry["fullUrl"].removeprefix(HOME + "/") for entry in whole["entry"]}
    stated = list(_references(whole))
    assert {reference.removeprefix(HOME + "/") for reference in stated} <= held
    assert {reference.startswith(HOME) for reference in stated} == {True, False}, "both kinds of reference occur"
    assert sum(name.startswith("Patient/") for name in held) == 1


def test_the_transaction_puts_everyone_with_relative_references() -> None:
    entries = transaction(TODAY)["entry"]
    assert all(entry["request"]["method"] == "PUT" for entry in entries)
    assert sum(entry["request"]["url"].startswith("Patient/") for entry in entries) == len(CHILDREN)
    assert not [r for r in _references([e["resource"] for e in entries]) if r.startswith("http")]


@pytest.mark.parametrize("child", RELAPSED, ids=lambda child: child.id)
def test_a_relapsed_child_is_complete_but_for_its_story(child: Child) -> None:
    resources = child.build(TODAY)
    codes = {coding["code"] for r in resources for coding in r.get("code", {}).get("coding", ())}
    assert codes & {"2160-0", "14682-9"} and codes >= {"11150-0", "21821-4", "56888-1", "716186003"}
    assert ({"18051-3", "18043-0"} <= codes) is (child.id != "missing-echo")
    assert ("1968-7" in codes) is (child.id != "discordant-heart")
    statuses = {r["clinicalStatus"]["text"] for r in resources if r["resourceType"] == "Condition"}
    assert "remission" in statuses and statuses & {"relapse", "recurrence"}


@pytest.mark.parametrize("today", [TODAY + timedelta(days=n) for n in range(0, 400, 7)], ids=str)
def test_dates_hold_what_the_stories_say(today: date) -> None:
    charts = {child.id: child.build(today) for child in CHILDREN}
    creatinine = next(r for r in charts["stale-creatinine"] if r.get("code", {}).get("text") == "Creatinine")
    assert date.fromisoformat(creatinine["effectiveDateTime"][:10]) == today - timedelta(days=43)

    month_only = charts["month-only"]
    assert len(month_only[0]["birthDate"]) == 7
    off = next(r for r in month_only if r["resourceType"] == "Procedure")["performedPeriod"]["end"]
    relapse = next(r for r in month_only if r.get("clinicalStatus", {}).get("text") == "relapse")["onsetDateTime"]
    assert off == f"{int(relapse[:4]) - 1}{relapse[4:7]}" and 1 < int(relapse[8:]) < 28, "both sides of one year"


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("reference"), str):
            yield value["reference"]
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _references(item)


# --- the FHIR server ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ask() -> Callable[..., Any]:
    app = Flask("fhir")
    app.register_blueprint(fhir_endpoint(everyone(TODAY)))

    def ask(address: str, status: int = 200, method: str = "GET") -> Any:
        answer = app.test_client().open(address, method=method)
        assert answer.status_code == status, answer.text
        assert answer.mimetype == "application/fhir+json"
        get_fhir_model_class(answer.json["resourceType"] if answer.json else "").model_validate(answer.json)
        return answer.json

    return lambda address, status=200, method="GET": ask(address.replace("http://localhost", ""), status, method)


def test_reading(ask: Callable[..., Any]) -> None:
    assert ask("/fhir/metadata")["fhirVersion"] == "4.0.1"
    assert ask("/fhir/Patient/asthma")["birthDate"]
    absolute = [r for r in _references(ask("/fhir/Observation?patient=standard-risk")) if r.startswith("http")]
    assert set(absolute) == {"http://localhost/fhir/Patient/standard-risk"}, "absolute references point at this server"


@pytest.mark.parametrize("query, count", [
    ("Patient?_id=asthma,t-cell", 2),
    ("Condition?patient=standard-risk", 3),
    ("Condition?subject=Patient/standard-risk&category=problem-list-item", 3),
    ("Condition?patient=standard-risk&code=http://snomed.info/sct|277571004", 2),
    ("Condition?patient=nobody", 0),
    ("Observation?patient=standard-risk&code=2160-0,http://loinc.org|1968-7", 2),
    ("Observation?patient=standard-risk&code=http://snomed.info/sct|2160-0", 0),
    ("Observation?patient=standard-risk&code=|2160-0", 0),
    ("Observation?patient=standard-risk&code=urn:relapse-cds:codes|", 2),
    ("Observation?patient=standard-risk&category=end-of-induction&code=mrd-ngs-marrow", 1),
    ("MedicationAdministration?patient=standard-risk&code=http://www.nlm.nih.gov/research/umls/rxnorm|11202", 2),
    ("ResearchSubject?individual=high-risk", 1),
    ("ResearchStudy?_id=nct05827549", 1),
    ("Consent?patient=standard-risk", 0),
])  # fmt: skip
def test_searching(ask: Callable[..., Any], query: str, count: int) -> None:
    answer = ask(f"/fhir/{query}")
    assert answer["type"] == "searchset" and answer["total"] == count == len(answer.get("entry", []))
    assert all(entry["search"]["mode"] == "match" for entry in answer.get("entry", []))


def test_paging_gives_everything_once(ask: Callable[..., Any]) -> None:
    page, ids = ask("/fhir/Observation?patient=standard-risk&_count=7"), []
    while True:
        ids += [entry["resource"]["id"] for entry in page["entry"]]
        following = [link["url"] for link in page["link"] if link["relation"] == "next"]
        if not following:
            break
        assert following[0].startswith("http://localhost/fhir/Observation?")
        page = ask(following[0])
    assert len(ids) == len(set(ids)) == page["total"] > 14
    assert "entry" not in ask("/fhir/Observation?patient=standard-risk&_count=0")


@pytest.mark.parametrize("address, status, method", [
    ("/fhir/Spaceship", 404, "GET"),
    ("/fhir/Patient/nobody", 404, "GET"),
    ("/fhir/Patient/asthma/_history/1", 404, "GET"),
    ("/fhir/Patient?patient=asthma", 400, "GET"),
    ("/fhir/Condition?patient=asthma&onset=2020", 400, "GET"),
    ("/fhir/Condition?patient=asthma&code:in=x", 400, "GET"),
    ("/fhir/Condition?patient=asthma&_count=many", 400, "GET"),
    ("/fhir/Patient/asthma", 405, "DELETE"),
    ("/fhir/Patient", 405, "POST"),
])  # fmt: skip
def test_refusals_are_operation_outcomes(ask: Callable[..., Any], address: str, status: int, method: str) -> None:
    assert ask(address, status, method)["resourceType"] == "OperationOutcome"


# --- the page and the hook call -------------------------------------------------------------------------------------


def stub_service(seen: list[dict[str, Any]]) -> Flask:
    """As much of a CDS service as the page needs to be tested: it remembers what it was sent."""
    app = Flask("stub")
    who = "{{context.patientId}}"
    prefetch = {"patient": f"Patient/{who}", "conditions": f"Condition?patient={who}",
                "user": "{{userPractitionerId}}", "odd": f"Condition?patient={who}&onset=x"}  # fmt: skip
    criteria = [
        {"id": "INC-06", "kind": "inclusion", "name": "renal function", "truth": "met", "words": "0.5 mg/dL"},
        {"id": "EXC-02", "kind": "exclusion", "name": "Ph+", "truth": "not_met", "words": HOSTILE, "basis": "recorded"},
        {"id": "EXC-11", "kind": "exclusion", "name": "unstable", "truth": "unknown", "reason": "judgement"},
    ]
    assessment = {"protocol": "NCT05827549", "text_version": "2025-06-19", "as_of": str(TODAY),
                  "overall": "eligible_pending_clinician_review", "criteria": criteria,
                  "risk": {"words": "SR"}}  # fmt: skip
    card = {"uuid": "u-1", "summary": "NCT05827549: risk rule gives SR", "indicator": "info",
            "detail": f"**bold** {HOSTILE}", "source": {"label": "stub"},
            "links": [{"label": "Rules", "url": "http://127.0.0.1/about", "type": "absolute"},
                      {"label": "Trap", "url": "javascript:alert(3)", "type": "absolute"}],
            "overrideReasons": [{"code": "done", "system": "urn:x", "display": "Already screened"}],
            "extension": {"org.relapse-cds.assessment": assessment}}  # fmt: skip

    @app.get("/cds-services")
    def discovery() -> Any:
        return jsonify(services=[{"hook": "patient-view", "id": "nct05827549-patient-view", "prefetch": prefetch}])

    @app.post("/cds-services/<_id>")
    def call(_id: str) -> Any:
        seen.append(request.json)
        patient = request.json["context"]["patientId"]
        if patient == "missing-echo":
            issue = {"severity": "error", "code": "required", "details": {"text": "the conditions could not be had"}}
            return jsonify(resourceType="OperationOutcome", issue=[issue]), 412
        if patient == "t-cell":
            return "gone wrong", 500
        return jsonify(cards=[] if patient == "asthma" else [card])

    @app.post("/cds-services/<_id>/feedback")
    def feedback(_id: str) -> Any:
        seen.append(request.json)
        return jsonify({})

    return app


@pytest.fixture
def seen() -> list[dict[str, Any]]:
    return []


@pytest.fixture
def demo(seen: list[dict[str, Any]]) -> Flask:
    return create_demo(TODAY, lambda: stub_service(seen))


@by_id
def test_every_chart_opens(demo: Flask, child: Child) -> None:
    page = demo.test_client().get(f"/chart/{child.id}")
    assert page.status_code == 200 and "Decision support" in page.text and "1 Sep 2025" in page.text
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy and "unsafe" not in policy
    assert "<style" not in page.text and "style=" not in page.text and "onclick" not in page.text
    for other in CHILDREN:
        assert f"/chart/{other.id}" in page.text


def test_the_first_page_and_what_is_not_there(demo: Flask) -> None:
    client = demo.test_client()
    assert client.get("/").text.count('class="child-name"') == len(CHILDREN)
    for missing in ("/chart/nobody", "/chart/nobody/call", "/chart/asthma/call?mode=other"):
        assert client.get(missing).status_code == 404
    with client.get("/chart-static/chart.js") as script:
        assert script.mimetype in ("text/javascript", "application/javascript")
    assert client.get("/cds-services").json["services"], "everything else is the service's"


def test_text_from_a_chart_is_only_text(monkeypatch: pytest.MonkeyPatch) -> None:
    resources = list(everyone(TODAY))
    patient = next(r for r in resources if r["id"] == "asthma")
    patient["name"][0]["family"] = HOSTILE
    monkeypatch.setattr("hooks.demo.everyone", lambda _: resources)
    page = create_demo(TODAY, lambda: Flask("no service")).test_client().get("/chart/asthma").text
    assert "<img src=x" not in page and page.count("&lt;img src=x") >= 2, "in the banner and in the list"


def test_markdown_brings_no_html_and_no_pictures() -> None:
    html = to_html(f"{HOSTILE} ![p](http://x/y.png) [a](https://x.org) [b](javascript:x) ~~gone~~\n\n|a|\n|-|\n|1|")
    assert "<script" not in html and "<img" not in html and 'href="javascript' not in html
    assert 'href="https://x.org" target="_blank" rel="noopener noreferrer"' in html
    assert "<s>gone</s>" in html and "<table>" in html and to_html(None) == ""


def test_prefetch_sends_the_chart_and_names_no_server(demo: Flask, seen: list[dict[str, Any]]) -> None:
    with running(demo) as host:
        address = f"{host}/chart/standard-risk/call?mode=prefetch"
        told = requests.get(address, headers={"Host": "evil.example"}, timeout=20).json()
    assert told["status"] == 200 and told["trouble"] == "" and told["request"] == seen[0]
    assert told["url"].startswith("http://127.0.0.1:"), "the Host header decides nothing"
    sent = seen[0]["prefetch"]
    assert sent["patient"]["id"] == "standard-risk" and sent["conditions"]["total"] == 3
    assert sent["odd"]["resourceType"] == "OperationOutcome" and "user" not in sent and "fhirServer" not in seen[0]
    assert "<strong>bold</strong>" in told["details"][0] and "<img" not in told["details"][0]


def test_fetch_names_the_server_and_sends_nothing(demo: Flask, seen: list[dict[str, Any]]) -> None:
    with running(demo) as host:
        told = requests.get(f"{host}/chart/standard-risk/call?mode=fetch", timeout=20).json()
        assert requests.get(f"{seen[0]['fhirServer']}/Patient/standard-risk", timeout=20).json()["active"]
    assert told["status"] == 200 and "prefetch" not in seen[0]


def test_no_card_and_errors_are_told_plainly(demo: Flask) -> None:
    with running(demo) as host:
        told = {
            id: requests.get(f"{host}/chart/{id}/call", timeout=20).json()
            for id in ("asthma", "missing-echo", "t-cell")
        }
    assert told["asthma"]["response"] == {"cards": []} and told["asthma"]["trouble"] == ""
    assert (told["missing-echo"]["status"], told["missing-echo"]["trouble"]) == (412, "the conditions could not be had")
    assert (told["t-cell"]["status"], told["t-cell"]["trouble"]) == (500, "gone wrong")


def test_in_a_browser(demo: Flask, seen: list[dict[str, Any]], browser: Any) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    def one(selector: str) -> Any:
        return browser.find_element(By.CSS_SELECTOR, selector)

    def every(selector: str) -> list[Any]:
        return browser.find_elements(By.CSS_SELECTOR, selector)

    def wait(condition: Callable[[], Any]) -> Any:
        return WebDriverWait(browser, 20).until(lambda _: condition())

    def settled() -> bool:
        return one("#cards").get_attribute("aria-busy") == "false"

    with running(demo) as host:
        browser.get(host)
        one("#search").send_keys("birkenhain")
        assert [e.text.split("\n")[0] for e in every(".child-name") if e.is_displayed()] == ["Juni Birkenhain"]
        one('a[href="/chart/standard-risk"]').click()
        wait(settled)
        assert one(".card-summary").text == "NCT05827549: risk rule gives SR"
        assert HOSTILE in one(".card-detail").text, "shown as text"
        assert [a.text for a in every(".card-links a")] == ["Rules"]

        one(".wire-buttons [data-wire=request]").click()
        assert json.loads(one("#wire-page pre").text)["context"]["patientId"] == "standard-risk"
        one("#tab-response").click()
        assert json.loads(one("#wire-page pre").text)["cards"]
        one("#tab-assessment").click()
        verdicts = [e.text.split("\n")[-1] for e in every(".criteria .verdict")]
        assert verdicts == ["met", "does not apply", "not known"]
        one("#wire-close").click()

        one(".switch input[value=fetch] + span").click()
        wait(lambda: settled() and "fetched" in one("#timing").text)
        one(".card-override summary").click()
        one(".card-override button").click()
        wait(lambda: every(".card-sent"))
        assert seen[-1]["feedback"][0]["overrideReason"]["reason"]["code"] == "done"

        browser.get(f"{host}/chart/asthma")
        wait(settled)
        assert one(".card-summary").text.startswith("The service answered with no card:")
        browser.get(f"{host}/chart/missing-echo")
        wait(settled)
        assert one(".card-summary").text == "the conditions could not be had"

        assert browser.get_log("browser") == []
        asked = asked_for(browser)
        assert len(asked) > 10 and all(url.startswith((host + "/", "chrome:", "data:")) for url in asked)


# --- the real service -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["prefetch", "fetch"])
def test_the_service_says_what_each_story_expects(mode: str) -> None:
    with running(create_demo()) as host:
        told = {c.id: requests.get(f"{host}/chart/{c.id}/call?mode={mode}", timeout=60).json() for c in CHILDREN}
    for child in CHILDREN:
        answer = told[child.id]
        assert answer["trouble"] == "", child.id
        cards = answer["response"]["cards"]
        assert len(cards) == (0 if child.silence else 1), child.id
        if cards:
            assessment = cards[0]["extension"]["org.relapse-cds.assessment"]
            assert assessment["not_looked_up"] == [], child.id
            assert set(assessment["risk"]["possible"]) == set(child.possible), child.id
            # A criterion this version does not judge yet is the version's gap, not the chart's.
            ours = [c for c in assessment["criteria"] if c["reason"] not in (None, "judgement", "not_looked_up")]
            open_or_blocked = [c["id"] for c in ours] + assessment["blocking"]
            assert bool(open_or_blocked) is (child.overall != PENDING), (child.id, open_or_blocked)
            assert assessment["overall"] == child.overall or child.overall == PENDING, child.id


@pytest.mark.parametrize("mode", ["prefetch", "fetch"])
def test_an_order_is_warned_of_where_it_would_break_a_criterion(mode: str) -> None:
    with running(create_demo()) as host:

        def cards(child: str, moment: str) -> list[dict[str, Any]]:
            told = requests.get(f"{host}/chart/{child}/call?mode={mode}&moment={moment}", timeout=60).json()
            assert told["status"] == 200 and told["trouble"] == ""
            return told["response"]["cards"]

        for moment, criterion in (("blinatumomab", "INC-05"), ("transplant", "INC-04")):
            (card,) = cards("screening-complete", moment)
            assert criterion in card["summary"] and card["indicator"] == "warning"
            assert cards("asthma", moment) == []
        assert cards("screening-complete", "vincristine") == []
        assert requests.get(f"{host}/chart/asthma/call?moment=other", timeout=20).status_code == 404


def test_an_order_can_be_tried_on_the_page(browser: Any) -> None:
    from selenium.webdriver.support.ui import Select, WebDriverWait

    with running(create_demo()) as host:
        browser.get(f"{host}/chart/screening-complete")
        WebDriverWait(browser, 30).until(lambda b: b.find_elements("css selector", ".card.info"))
        Select(browser.find_element("id", "moment")).select_by_value("blinatumomab")
        WebDriverWait(browser, 30).until(lambda b: b.find_elements("css selector", ".card.warning"))
        Select(browser.find_element("id", "moment")).select_by_value("vincristine")
        WebDriverWait(browser, 30).until(lambda b: "would break no criterion" in b.find_element("id", "cards").text)
        assert browser.get_log("browser") == []
