"""`relapse-cds protocol` tells every criterion and every rung with the document's words, as text, as data and as FHIR."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import fields
from datetime import date
from typing import Any

import pytest
from click.testing import CliRunner
from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.group import Group
from fhir.resources.R4B.researchstudy import ResearchStudy

from cds import assess
from cds.day import on
from cds.facts import Diagnosis, Listed, PatientFacts
from cds.finding import Evidence
from cds.series import Reading, Series
from cds.trials import NCT05827549 as TRIAL
from cds.values import amount, one
from hooks.cli import main
from hooks.protocol_data import protocol_data
from hooks.protocol_text import WIDTH
from hooks.version import SOFTWARE_VERSION

FORMATS = ("text", "json", "fhir")
CRITERIA = pytest.mark.parametrize("criterion", TRIAL.criteria, ids=lambda c: c.id)
RUNGS = pytest.mark.parametrize("number", range(len(TRIAL.risk)))


def printed(form: str) -> str:
    result = CliRunner().invoke(main, ["protocol", "--format", form])
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture(scope="module")
def text() -> str:
    """The text without its line breaks."""
    return re.sub(r"\s+", " ", printed("text"))


@pytest.fixture(scope="module")
def data() -> dict[str, Any]:
    return json.loads(printed("json"))


@pytest.fixture(scope="module")
def bundle() -> dict[str, Any]:
    return json.loads(printed("fhir"))


@pytest.fixture(scope="module")
def study(bundle) -> dict[str, Any]:
    return bundle["entry"][0]["resource"]


@pytest.fixture(scope="module")
def group(bundle) -> dict[str, Any]:
    return bundle["entry"][1]["resource"]


# --- verbatim, everywhere ----------------------------------------------------------------------------------------


@CRITERIA
def test_every_criterion_is_told_in_the_documents_words(criterion, text, data, group):
    (told,) = [c for c in data["criteria"] if c["id"] == criterion.id]
    (shown,) = [c for c in group["characteristic"] if c["id"] == criterion.id]
    assert tuple(told["text"]) == criterion.text
    for sentence in criterion.text:
        assert f"“{sentence}”" in text
        assert sentence in shown["code"]["text"]


@CRITERIA
def test_every_criterion_is_told_with_our_reading(criterion, text, data, group):
    (told,) = [c for c in data["criteria"] if c["id"] == criterion.id]
    (shown,) = [c for c in group["characteristic"] if c["id"] == criterion.id]
    assert told["reading"] == criterion.reading and criterion.reading in text
    assert shown.get("valueCodeableConcept", {"text": ""})["text"] == criterion.reading
    assert f"{criterion.id} {criterion.name}" in text


@RUNGS
def test_every_rung_is_told_in_the_documents_words(number, text, data, study):
    rung = TRIAL.risk[number]
    assert f"{number + 1}. {rung.group} Text {' '.join(f'“{sentence}”' for sentence in rung.text)}" in text
    assert (data["risk"]["rungs"][number]["group"], data["risk"]["rungs"][number]["text"]) == (rung.group, list(rung.text))
    assert " ".join(rung.text) in study["note"][number]["text"] and rung.group in study["note"][number]["text"]


def test_the_standard_risk_rung_is_told_whole():
    """Both its bullets: without the second, a late relapse alone would read as standard risk."""
    (standard,) = (rung for rung in TRIAL.risk if rung.group == "SR")
    assert standard.text == ("Late (Relapse ≥ 1 year after off treatment) B-ALL marrow or Combined relapse AND", "End of induction MRD < 0.01%")


def test_the_order_is_the_documents(text, data, group):
    ids = [c.id for c in TRIAL.criteria]
    assert [c["id"] for c in data["criteria"]] == ids
    assert [c["code"]["coding"][0]["code"] for c in group["characteristic"]] == ids
    assert sorted(ids, key=lambda id: text.index(f"{id} ")) == ids


def test_the_version_of_the_text_is_told(text, data, group, study):
    assert f"Text version {TRIAL.text_version}" in text
    assert (data["protocol"], data["title"], data["text_version"]) == (TRIAL.id, TRIAL.title, TRIAL.text_version)
    assert data["software_version"] == SOFTWARE_VERSION
    assert TRIAL.text_version in group["name"] and TRIAL.text_version in study["description"]


# --- what else a reader of the rules asks ------------------------------------------------------------------------


def test_every_setting_is_told_with_its_default_and_its_alternatives(text, data):
    told = {setting["name"]: setting for setting in data["settings"]}
    assert list(told) == [f.name for f in fields(TRIAL.policies)]
    assert (told["creatinine_days"]["default"], told["eoi_days"]["default"]) == (14, [21, 56])
    assert told["age_upper"]["choices"] == ["contested_22", "lt22", "le22"]
    assert told["creatinine_days"]["used_by"] == ["INC-06"]
    assert "creatinine_days = 14: INC-06" in text and "age_upper = contested_22 (or lt22, le22): INC-01" in text


def test_a_criterion_names_the_settings_that_apply(text, data):
    settings = {c["id"]: c["settings"] for c in data["criteria"]}
    assert settings["EXC-08"] == ["hiv_days", "hiv_silence"] and settings["INC-02"] == []
    assert "Settings hiv_days = 180; hiv_silence = unknown (or not_met)" in text


def test_a_criterion_names_the_data_it_needs(text, data):
    needs = {c["id"]: c["needs"] for c in data["criteria"]}
    assert needs["INC-06"] == {"facts": ["birth_date", "sex", "creatinine"], "answers": [], "dates": ["day of evaluation"]}
    assert "Data birth date, sex, creatinine Dates day of evaluation" in text


def test_each_fact_is_told_with_its_searches_and_codes(text, data):
    facts = {fact["fact"]: fact for fact in data["facts"]}
    assert facts["creatinine"]["searches"] == ["laboratory"]
    assert "2160-0" in facts["creatinine"]["codelists"]["creatinine_serum_mass"]["http://loinc.org"]
    assert facts["creatinine"]["used_by"] == ["INC-06"]
    assert "direct bilirubin: Observation (laboratory) – LOINC 1968-7, 14629-0, 35191-6" in text
    searches = {search["name"] for search in data["searches"]}
    assert all(set(fact["searches"]) <= searches for fact in facts.values())


def test_everything_a_rule_needs_is_explained(data):
    facts, answers = {f["fact"] for f in data["facts"]}, {a["linkId"] for a in data["chart_review"]}
    dates, settings = {d["name"] for d in data["dates"]}, {s["name"] for s in data["settings"]}
    asked = [c["needs"] for c in [*data["criteria"], *data["flags"], *data["dates"], data["risk"], data["applies"]]]
    for needs in asked:
        assert set(needs["facts"]) <= facts and set(needs["answers"]) <= answers and set(needs["dates"]) <= dates
    assert all(set(c["settings"]) <= settings for c in data["criteria"])


def test_a_rung_names_every_input_it_looks_at(data):
    looked_at = [(rung["group"], set(rung["inputs"])) for rung in data["risk"]["rungs"]]
    both = {"lineage", "relapse_site"}
    assert looked_at == [("VHR", both | {"eoi_marrow"}), ("SR", both | {"off_treatment_date", "eoi_ngs_mrd"}), ("HR", both), ("HR", both)]
    assert list(data["risk"]["inputs"]) == ["lineage", "relapse_site", "off_treatment_date", "eoi_ngs_mrd", "eoi_marrow"]


def test_every_flag_is_told_with_its_words(text, data):
    assert {f.id for f in TRIAL.flags} | {"blocker_modifiable"} == {f["id"] for f in data["flags"]}
    assert all(f"{f['id']}: {f['words']}" in text for f in data["flags"])


def test_the_flag_that_the_judgement_itself_raises_has_its_words(data):
    source = Evidence("on record")
    b_all = frozenset({"b_all"})
    relapsed = (Diagnosis(source, b_all, onset=on("2019-02-01")), Diagnosis(source, b_all, onset=on("2025-08-25"), relapse=True))
    creatinine = Series("creatinine", (Reading(amount("9 mg/dL"), on("2025-08-30"), source),))
    child = PatientFacts("Patient/1", date(2025, 9, 1), birth_date=on("2015-03-15"), sex=one("male"), deceased=one("no"),
                         diagnoses=Listed(relapsed), creatinine=creatinine)  # fmt: skip
    raised = {flag.id: flag.words for flag in assess(TRIAL, child).flags}
    assert raised["blocker_modifiable"] == next(f["words"] for f in data["flags"] if f["id"] == "blocker_modifiable")


def test_the_text_fits_a_terminal_and_a_printed_page():
    assert max(map(len, printed("text").splitlines())) <= WIDTH


def test_the_text_and_the_data_are_the_same_every_time(data):
    assert data == json.loads(json.dumps(protocol_data(TRIAL, SOFTWARE_VERSION)))
    assert printed("text") == printed("text")


# --- FHIR --------------------------------------------------------------------------------------------------------


def test_the_bundle_holds_one_study_and_its_group(bundle, study, group):
    Bundle.model_validate(bundle)
    ResearchStudy.model_validate(study)
    Group.model_validate(group)
    assert bundle["type"] == "collection" and len(bundle["entry"]) == 2
    assert {"system": "https://clinicaltrials.gov", "value": "NCT05827549"} in study["identifier"]
    assert (study["title"], study["status"]) == (TRIAL.title, "active")
    assert (group["type"], group["actual"], "member" in group) == ("person", False, False)


def test_the_study_points_to_the_group(bundle, study):
    (enrolment,) = study["enrollment"]
    assert enrolment["reference"] == bundle["entry"][1]["fullUrl"]


def test_the_ids_are_stable(bundle, study, group):
    assert (bundle["id"], study["id"], group["id"]) == ("nct05827549-protocol", "nct05827549", "nct05827549-eligibility")
    assert [entry["fullUrl"] for entry in bundle["entry"]] == [
        "urn:uuid:b346d790-60e2-5124-9927-f0d7d7b9872b",
        "urn:uuid:0e5d0496-a561-5554-a008-00c623514ffc",
    ]
    assert printed("fhir") == printed("fhir")


@CRITERIA
def test_exclusions_are_marked(criterion, group):
    (shown,) = [c for c in group["characteristic"] if c["id"] == criterion.id]
    assert shown["exclude"] is (criterion.kind == "exclusion")
    assert shown["code"]["coding"] == [{"system": "urn:relapse-cds:criteria", "code": criterion.id, "display": criterion.name}]


def test_a_sentence_that_needs_no_reading_is_simply_true(group):
    values = [c for c in group["characteristic"] if "valueBoolean" in c]
    assert values and all(c["valueBoolean"] is True for c in values)
    assert all(len([key for key in c if key.startswith("value")]) == 1 for c in group["characteristic"])


def strings(content: Any) -> Iterator[str]:
    for each in content.values() if isinstance(content, dict) else content if isinstance(content, list) else ():
        yield from [each] if isinstance(each, str) else strings(each)


def test_no_string_is_empty(bundle):
    assert all(string.strip() for string in strings(bundle))


# --- the command -------------------------------------------------------------------------------------------------


def test_text_is_the_default():
    assert CliRunner().invoke(main, ["protocol"]).output == printed("text")


@pytest.mark.parametrize("form", FORMATS)
def test_the_help_tells_each_format(form):
    assert form in CliRunner().invoke(main, ["protocol", "--help"]).output


def test_another_format_is_wrong_usage():
    assert CliRunner().invoke(main, ["protocol", "--format", "xml"]).exit_code == 2
