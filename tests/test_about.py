"""The about page of each trial and its JSON: complete, the same, honest about what is used, and quiet in a browser."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from html.parser import HTMLParser
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask

import vignettes
from browser import asked_for, running
from cds.facts import PatientFacts
from cds.finding import Why
from cds.trials import TRIALS
from charts import SNOMED, facts, patient
from fhir_mappings import codelists
from fhir_mappings.code_systems import LOINC
from fhir_mappings.fact_sources import FACTS
from hooks.about import about_data, about_words, when
from hooks.about_attributes import NINE, source_attributes
from hooks.about_pages import POLICY, about_pages
from hooks.protocol_data import protocol_data
from hooks.protocol_text import SHORT
from hooks.release import RELEASED

CASES = Path(__file__).parent / "cases"
HOSTILE = "<img src=x onerror=alert(1)> Dr. O'Hara & team"
VOID = {"meta", "link", "img", "wbr"}
every_trial = pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: trial.id)


def app_with(contact: str | None = HOSTILE) -> Flask:
    app = Flask("about", static_folder=None)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.url_map.strict_slashes = False
    app.register_blueprint(about_pages(contact, TRIALS))
    return app


class Page(HTMLParser):
    """Every element with its attributes, the text without tags, and whether the tags nest."""

    def __init__(self, html: str):
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]} at {self.getpos()}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.texts).split())

    def named(self, attribute: str) -> list[str]:
        return [value for _, attributes in self.elements if (value := attributes.get(attribute)) is not None]


@pytest.fixture(scope="module")
def opened() -> Iterator[Any]:
    client = app_with().test_client()
    yield {trial.id: SimpleNamespace(response=(response := client.get(f"/about/{trial.id.lower()}")), page=Page(response.text),
                                     json=client.get(f"/about/{trial.id.lower()}.json").get_json()) for trial in TRIALS}  # fmt: skip


# --- what it says -----------------------------------------------------------------------------------------------------


@every_trial
def test_page_and_json_show_the_same_data(trial, opened):
    told = opened[trial.id]
    assert told.json == about_data(trial, version("relapse-cds"), HOSTILE)
    for name in ("purpose", "intended_user", "population", "boundary"):
        assert told.json[name] in told.page.text
    for name in ("not_looked_at", "limits", "notices"):
        assert told.json[name] and all(words in told.page.text for words in told.json[name])
    for kind in ("done", "not_done"):
        assert told.json["validation"][kind] and all(words in told.page.text for words in told.json["validation"][kind])
    assert all(words in told.page.text for words in told.json["unknown"].values())
    assert all(setting["words"] in told.page.text for setting in told.json["settings"])


@every_trial
def test_it_leaves_out_nothing_of_the_protocol(trial, opened):
    """The protocol's own data are all there, unchanged but for what is added."""

    def within(part: Any, whole: Any) -> bool:
        if isinstance(part, dict):
            return all(key in whole and within(value, whole[key]) for key, value in part.items())
        if isinstance(part, list):
            return len(part) == len(whole) and all(map(within, part, whole))
        return part == whole

    assert within(protocol_data(trial, version("relapse-cds")), opened[trial.id].json)


@every_trial
def test_every_criterion_has_its_sentences_its_reading_and_an_anchor(trial, opened):
    told = opened[trial.id]
    anchors = told.page.named("id")
    assert len(anchors) == len(set(anchors))
    for criterion, row in zip(trial.criteria, told.json["criteria"], strict=True):
        assert criterion.id in anchors
        assert row["text"] == list(criterion.text)
        for sentence in criterion.text:
            assert " ".join(sentence.split()) in told.page.text
        assert criterion.reading in told.page.text
    for rung in trial.risk:
        assert all(sentence in told.page.text for sentence in rung.text)


@every_trial
def test_every_code_of_every_codelist_in_use_is_there(trial, opened):
    told = opened[trial.id]
    shown = set(told.page.texts)
    systems = set()
    for fact in told.json["facts"]:
        for found in fact["codelists"].values():
            for system, codes in found.items():
                systems.add(system)
                assert set(codes) <= shown, (fact["fact"], system)
    assert len(systems) > 8 and systems <= set(SHORT), "every code system has a short name"


@every_trial
def test_links_lead_somewhere(trial, opened):
    page = opened[trial.id].page
    anchors = set(page.named("id"))
    here = [link[1:] for link in page.named("href") if link.startswith("#")]
    assert len(here) > 200 and set(here) <= anchors
    outside = {link for link in page.named("href") + page.named("src") if ":" in link or link.startswith("//")}
    assert {link.split("/")[2] for link in outside} == {"clinicaltrials.gov", "www.ecfr.gov"}
    client = app_with().test_client()
    for link in page.named("href") + page.named("src"):
        if link.startswith("/"):
            with client.get(link) as found:
                assert found.status_code == 200, link


@every_trial
def test_every_setting_choice_and_reason_has_its_words(trial):
    words = about_words(trial.id)
    assert set(words["unknown"]) == {why.value for why in Why}
    data = about_data(trial, "test", None)
    assert set(words["settings"]) == {setting["name"] for setting in data["settings"]}
    users = {fact["fact"]: set(fact["used_by"]) for fact in data["facts"]}
    for setting in data["settings"]:
        assert set(words["settings"][setting["name"]].get("choices", ())) == set(setting["choices"])
        assert "{" not in setting["words"]
        for fact in setting["limits"]:
            assert users[fact] & set(setting["used_by"]), f"no rule reads both {setting['name']} and {fact}"
        if setting["name"].endswith("_days"):
            assert setting["limits"], f"{setting['name']}: which results does it limit?"


def test_windows_are_those_of_the_settings(opened):
    by_name = {fact["fact"]: fact for fact in opened["NCT05827549"].json["facts"]}
    words = {s["name"]: s["words"] for s in opened["NCT05827549"].json["settings"]}
    assert by_name["creatinine"]["windows"] == ["creatinine_days"] and words["creatinine_days"] == "A creatinine counts for 14 days."
    assert by_name["ejection_fraction"]["windows"] == ["echo_days"] and by_name["transplants"]["windows"] == []
    assert words["age_upper"] == "Relapse at 22 years of age: unknown, for the study team."


def test_the_ladder_says_what_each_rung_asks_for(opened):
    rungs = [(r["group"], r["when"]) for r in opened["NCT05827549"].json["risk"]["rungs"]]
    assert rungs[1] == ("SR", ["B-ALL", "marrow involved", "late", "NGS-MRD below 0.01 %"])
    assert rungs[0] == ("VHR", ["B-ALL", "marrow involved", "EOI marrow M2 or more"])
    known = {"a": {"x": "an x", "y": "a y"}, "b": {"x": "another x", "y": "another y"}}
    assert when(lambda r: r["a"] == "x" or r["b"] == "x", known) == [], "no plain list of conditions"


@every_trial
def test_no_more_validation_is_claimed_than_there_is(trial):
    counts, cases = about_words(trial.id)["validation"]["counts"], CASES / trial.id.lower()
    assert counts["decision_tables"] == len(list(cases.glob("*.md")))
    assert counts["risk_inputs"] == len((cases / "risk-table.csv").read_text(encoding="utf-8").splitlines()) - 1
    assert counts["worked_patients"] == len(vignettes.read_vignettes())


def test_this_version_has_a_release_date():
    assert version("relapse-cds") in RELEASED
    assert all(date.fromisoformat(day) <= date(2100, 1, 1) for day in RELEASED.values())
    unreleased = about_data(TRIALS[0], "9.9.9", None)
    assert unreleased["released"] is None and "not released" in unreleased["source_attributes"][3]["words"]


# --- the 13 attributes ------------------------------------------------------------------------------------------------


@every_trial
def test_thirteen_attributes_numbered_and_answered(trial, opened):
    told = opened[trial.id]
    rows = told.json["source_attributes"]
    assert [row["number"] for row in rows] == list(range(1, 14)) and all(row["name"] and row["words"] for row in rows)
    assert all(row["name"] in told.page.text and row["words"] in told.page.text for row in rows)
    assert [row["used"] for row in rows[:4]] == [None] * 4


def test_what_is_used_is_found_in_the_rules(opened):
    rows = {row["id"]: row for row in opened["NCT05827549"].json["source_attributes"]}

    def criteria(id: str) -> list[str]:
        return [user for user in rows[id]["used_by"] if user[:3] in ("INC", "EXC")]

    assert criteria("sex") == ["INC-06", "EXC-09"] and "INC-06 (renal function)" in rows["sex"]["words"]
    assert criteria("date_of_birth") == ["INC-01", "INC-06", "INC-09", "EXC-09"]
    assert criteria("health_status_assessments") == ["INC-09", "EXC-09"]
    unused = ("race", "ethnicity", "language", "sexual_orientation", "gender_identity", "social_determinants")
    assert all(rows[id]["used"] is False and rows[id]["used_by"] == [] and rows[id]["words"].startswith("Not used") for id in unused)


def test_a_rule_that_reads_a_race_would_show():
    data = about_data(TRIALS[0], "test", None)
    data["facts"].append({"fact": "race", "name": "race", "used_by": ["INC-06"]})
    row = source_attributes(data, about_words(TRIALS[0].id))[4]
    assert row["used"] and row["words"].startswith("Used: race in INC-06 (renal function).")


def test_the_vocabulary_has_no_place_for_what_is_not_used():
    carried = {asked.id: set(asked.carried_by) & set(FACTS) for asked in NINE}
    assert {id for id, found in carried.items() if found} == {"sex", "date_of_birth", "health_status_assessments"}
    assert not [name for name in PatientFacts.__dataclass_fields__
                if any(part in name for part in ("race", "ethnic", "language", "orientation", "gender", "social"))]  # fmt: skip


US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-"
TOLD_BESIDES = {
    "communication": [{"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": "ko"}]}, "preferred": True}],
    "maritalStatus": {"text": "never married"},
    "address": [{"country": "KR", "postalCode": "05505"}],
    "extension": [
        {"url": f"{US_CORE}race", "extension": [{"url": "ombCategory", "valueCoding": {"system": "urn:oid:2.16.840.1.113883.6.238", "code": "2028-9"}}]},
        {"url": f"{US_CORE}ethnicity", "extension": [{"url": "text", "valueString": "Not Hispanic or Latino"}]},
        {"url": f"{US_CORE}genderIdentity", "valueCodeableConcept": {"coding": [{"system": SNOMED, "code": "446141000124107"}]}},
        {"url": "http://hl7.org/fhir/StructureDefinition/individual-genderIdentity",
         "extension": [{"url": "value", "valueCodeableConcept": {"coding": [{"system": SNOMED, "code": "446141000124107"}]}}]},
        {"url": "http://hl7.org/fhir/StructureDefinition/individual-pronouns", "valueString": "she"},
        {"url": f"{US_CORE}birthsex", "valueCode": "M"},
    ],
}  # fmt: skip


def test_a_child_with_all_of_it_on_record_is_the_same_child_to_the_rules():
    plain, told = patient(), patient(**TOLD_BESIDES)
    assert facts(told) == facts(plain)
    girl = {**TOLD_BESIDES, "extension": [{"url": f"{US_CORE}birthsex", "valueCode": "F"}]}
    assert facts(patient(**girl)).sex.options == {"male", "female"}, "the recorded sex is read, and may contradict"


@pytest.mark.parametrize("code", ["32624-9", "72826-1", "69490-1", "54899-0", "76690-7", "76691-5", "93025-5", "96777-8", "71802-3"])
def test_no_codelist_holds_race_language_identity_or_social_circumstances(code):
    assert (LOINC, code) not in codelists.in_use().lookup


# --- the page ---------------------------------------------------------------------------------------------------------


@every_trial
def test_the_markup_nests_and_reads_in_order(trial, opened):
    page = opened[trial.id].page
    assert page.open == [] and ("html", {"lang": "en"}) in page.elements
    tags = [tag for tag, _ in page.elements]
    assert not {"script", "style", "iframe", "form", "object"} & set(tags) and not page.named("style")
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    levels = [int(tag[1]) for tag in tags if tag in ("h1", "h2", "h3", "h4")]
    assert levels.count(1) == 1 and levels[0] == 1 and all(b - a <= 1 for a, b in zip(levels, levels[1:]))
    assert all(attributes.get("scope") in ("col", "row") for tag, attributes in page.elements if tag == "th")


def test_the_contact_is_text(opened):
    told = opened["NCT05827549"]
    assert told.json["contact"] == HOSTILE and HOSTILE in told.page.text
    assert "<img src=x" not in told.response.text and "&lt;img src=x" in told.response.text
    silent = app_with(None).test_client().get("/about/nct05827549")
    assert "has set no contact" in silent.text


def test_headers_slashes_and_what_is_not_there():
    client = app_with().test_client()
    for address in ("/about/nct05827549", "/about/nct05827549/", "/about/nct05827549.json", "/about/nct05827549.json/"):
        found = client.get(address)
        assert found.status_code == 200 and found.is_json == (".json" in address)
        assert found.headers["Content-Security-Policy"] == POLICY
        assert found.headers["X-Content-Type-Options"] == "nosniff" and found.headers["Referrer-Policy"] == "no-referrer"
    for nothing in ("/about/nct00000000", "/about/nct00000000.json", "/about/static", "/about/NCT05827549"):
        assert client.get(nothing).status_code == 404


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 400, 1400])
def test_in_a_browser(browser, width, scheme):
    with running(app_with()) as host:
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False})
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
        browser.get(f"{host}/about/nct05827549#INC-06")
        unfold = "for (const d of document.querySelectorAll('details')) d.open = true;"
        for before in ("", unfold):
            assert browser.execute_script(f"{before} return innerWidth") == width
            assert browser.execute_script("const { scrollWidth, clientWidth } = document.documentElement; return scrollWidth <= clientWidth")
        ground = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
        assert (sum(map(int, ground[4:-1].split(","))) < 200) == (scheme == "dark"), "the sheet was loaded, for day or night"
        assert browser.execute_script("return document.querySelector(':target').id") == "INC-06"
        assert browser.get_log("browser") == []
        asked = asked_for(browser)
        assert len(asked) >= 3 and all(url.startswith((host + "/", "chrome:", "data:")) for url in asked)
