"""What `relapse-cds doctor` finds out about each search: how it may fail, and the codes and units that it brings."""

from __future__ import annotations

import json

from diagnosed import LOCAL, NAME, advice_on, diagnosed, doctor, judged_from, observation, search, statuses
from fhir_mappings.site_codes import read_site_codes
from hooks.demo.fhir_search import outcome
from misbehaving_ehr import answering, chart, ehr, hanging, html, refuse, searchset, send

SUPPRESSED = {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "suppressed", "diagnostics": "Client not authorized for these"}]}


# --- how a search may fail ------------------------------------------------------------------------------------------------


def test_refused_by_code_then_asked_by_category():
    with ehr(Observation=refuse("code", "code lists are \x1b[31mnot supported")) as server:
        told, text = diagnosed(server.url), doctor(server.url).stdout
    laboratory = search(told, "laboratory")
    assert (laboratory["status"], laboratory["fallback"]) == ("works", "category") and laboratory["results"] > 0
    assert [(a["by"], a["status"]) for a in laboratory["asked"]] == [("code", 400), ("category", 200)]
    assert laboratory["asked"][0]["said"] == ["code lists are not supported"]
    assert "nothing to do" in advice_on(told, "laboratory, ") and "INC-06" in judged_from(told)["server"]
    assert "code lists are not supported" in " ".join(text.split()) and "\x1b" not in text


def test_refused_altogether():
    with ehr(AllergyIntolerance=refuse("patient")) as server:
        told = diagnosed(server.url)
    assert statuses(told)["allergies"] == "refused" and "EXC-13" in judged_from(told)["not_at_all"]
    assert "EXC-13" in advice_on(told, "allergies: ")


def test_another_patients_results_are_counted_and_never_used():
    other = {"resourceType": "Procedure", "id": "x", "status": "completed", "subject": {"reference": "Patient/other"}, "code": {"text": NAME}}
    with ehr(Procedure=answering(200, searchset(other))) as server:
        result = doctor(server.url, "--format", "json")
    told = json.loads(result.stdout)
    procedures = search(told, "procedures")
    assert (procedures["status"], procedures["results"], procedures["asked"][0]["of_other_patients"]) == ("ignores_patient", 0, 1)
    assert NAME not in result.stdout


def test_codes_that_were_not_asked_for_are_counted():
    with ehr(Observation=lambda talk, asked: send(talk, 200, searchset(*(r for r in chart() if r["resourceType"] == "Observation")))) as server:
        told = diagnosed(server.url)
    assert statuses(told)["laboratory"] == "works"
    assert search(told, "laboratory")["asked"][0]["codes_not_asked_for"] > 0 and "costs time" in advice_on(told, "laboratory, ")


def test_withheld_results_make_silence_unknown():
    with ehr(ResearchSubject=answering(200, searchset(SUPPRESSED))) as server:
        told = diagnosed(server.url)
    studies = search(told, "studies")
    assert (studies["status"], studies["asked"][0]["said"]) == ("in_part", ["Client not authorized for these"])
    assert "EXC-10" in judged_from(told)["not_at_all"] and "EXC-10" in advice_on(told, "studies: ")


def test_a_failed_search_for_enrolments_hides_the_day_of_evaluation():
    """Then nobody knows whether eligibility is frozen already, and what is judged as of a day hangs on that day."""
    with ehr(ResearchSubject=answering(500, {})) as server:
        told = diagnosed(server.url)
    renal = next(c for c in told["criteria"] if c["id"] == "INC-06")
    assert (renal["judged_from"], renal["facts"], renal["dates"]) == ("questionnaire", [], ["day of evaluation"])
    assert renal["answers"] == ["enrolment-date", "reinduction-start-date"] and "enrolment-date" in told["advice"][0]
    with ehr(ResearchSubject=answering(404, {})) as server:  # not kept here: nobody can be enrolled by this record
        assert "INC-06" in judged_from(diagnosed(server.url))["server"]


def test_a_web_page_a_silence_and_a_closed_door_are_told_apart():
    with ehr(Consent=html, AllergyIntolerance=hanging, Procedure=answering(403, outcome("forbidden", "no"))) as server:
        told = diagnosed(server.url, "--wait", "3")
    assert {n: s for n, s in statuses(told).items() if s != "works"} == {"consents": "failed", "allergies": "failed", "procedures": "not_allowed"}
    assert "in time" in search(told, "allergies")["why"] and search(told, "allergies")["slow"]
    assert "scope that reads Procedure" in advice_on(told, "procedures: ") and "fetch_seconds" in advice_on(told, "fetch_seconds")


# --- codes and units ---------------------------------------------------------------------------------------------------------


def test_local_codes_come_as_rows_for_the_sites_csv(tmp_path):
    odd = observation("o1", {"system": LOCAL, "code": "BL3120", "display": "=Creatinine, central"}, valueQuantity={"value": 1, "unit": "mg/dL"})
    sodium = observation("o2", {"system": LOCAL, "code": "BL1", "display": "Sodium"})
    beside = observation("o3", {"system": LOCAL, "code": "BL2"})
    beside["code"]["coding"].append({"system": "http://loinc.org", "code": "2951-2"})
    with ehr(chart(sodium, odd, beside)) as server:
        told, text = diagnosed(server.url), doctor(server.url).stdout
    assert [(r["code"], r["would_matter"], r["concept"]) for r in told["local_codes"]] == [("BL3120", True, ""), ("BL1", False, "")]
    assert "no code that is mapped" in told["issues"][0]["words"]
    header, row = (line for line in text.splitlines() if line.startswith(("system,", f"{LOCAL},BL3120")))
    file = tmp_path / "codes.csv"
    file.write_text(f"{header}\n{row.replace(',BL3120,,', ',BL3120,creatinine_serum_mass,')}\n")
    assert (LOCAL, "BL3120") in read_site_codes(file).lookup
    config = tmp_path / "service.toml"
    config.write_text('site_codes = "codes.csv"\n')
    with ehr(chart(sodium, odd)) as server:
        mapped = diagnosed(server.url, "--config", str(config))
    assert [r["code"] for r in mapped["local_codes"]] == ["BL1"] and "BL3120" not in json.dumps(mapped["issues"])


def test_units_that_cannot_be_read_are_named():
    strange = observation("o1", {"system": "http://loinc.org", "code": "2160-0"}, valueQuantity={"value": 71, "unit": "mg percent"})
    with ehr(chart(strange)) as server:
        told = diagnosed(server.url)
    assert told["units"] == [{"fact": "creatinine", "unit": "mg percent", "count": 1}] and "mg percent" in advice_on(told, "UCUM")
    assert "71" not in json.dumps(told["issues"])


def test_what_was_never_seen_is_told_apart_from_what_could_not_be_looked_up():
    with ehr(Consent=refuse("patient")) as server:
        told, text = diagnosed(server.url), doctor(server.url).stdout
    states = {f["fact"]: f["state"] for f in told["facts"]}
    assert (states["creatinine"], states["mrd"], states["consent"]) == ("seen", "none_seen", "not_looked_up")
    assert "none seen for this patient" in text


def test_a_search_by_code_that_silently_finds_nothing_is_noticed():
    with ehr(Observation=lambda talk, asked: "code" in dict(asked) and send(talk, 200, searchset())) as server:
        told = diagnosed(server.url)
    assert {f["fact"]: f["state"] for f in told["facts"]}["creatinine"] == "only_by_category" and "asked by code it does not" in " ".join(told["advice"])
