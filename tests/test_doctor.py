"""`relapse-cds doctor`: what it says of servers that work, of servers that do not, and what it never says.

The servers that misbehave are in `misbehaving_ehr.py`; a real one and two recorded ones are asked as well.
"""

from __future__ import annotations

import json
from urllib.parse import urlsplit

import pytest

from cds.trials import NCT05827549
from command_line import cannot, run
from fhir_mappings.site_codes import read_site_codes
from fhir_mappings.sources import SEARCHES
from hooks.deadline import Deadline
from hooks.demo.children import transaction
from hooks.demo.fhir_search import outcome
from hooks.fhir_server import FhirServer
from hooks.gather import fetch
from misbehaving_ehr import CHILD, TODAY, answering, chart, ehr, hanging, html, refuse, searchset, send

ALL = {c.id for c in NCT05827549.criteria}
ONLY_PEOPLE_KNOW = {"INC-04", "INC-05", "INC-10", "INC-11", "INC-12", "EXC-11", "EXC-12"}
NAME, NUMBER, TOKEN = "Zebulon", "MRN-778899", "secret-of-the-test"
SUPPRESSED = {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "suppressed", "diagnostics": "Client not authorized for these"}]}
LOCAL = "urn:oid:1.2.410.100110.40.1"


def doctor(base, *options, patient=CHILD):
    named = ("--patient", patient) if patient else ()
    return run("doctor", "--fhir-base", base, *named, "--wait", "10", *options)


def diagnosed(base, *options, patient=CHILD):
    result = doctor(base, *options, "--format", "json", patient=patient)
    assert (result.exit_code, result.stderr) == (0, "")
    told = json.loads(result.stdout)
    judged = judged_from(told)
    assert set.union(*judged.values()) == ALL and sum(map(len, judged.values())) == len(ALL) == 25
    assert told["summary"]["criteria"] == {how: len(ids) for how, ids in judged.items()}
    return told


def judged_from(told):
    return {how: {c["id"] for c in told["criteria"] if c["judged_from"] == how} for how in ("server", "questionnaire", "not_at_all")}


def statuses(told):
    return {s["name"]: s["status"] for s in told["searches"]}


def search(told, name):
    return next(s for s in told["searches"] if s["name"] == name)


def advice_on(told, name):
    return " ".join(words for words in told["advice"] if name in words)


def observation(id, coding, **members):
    return {"resourceType": "Observation", "id": id, "status": "final", "subject": {"reference": f"Patient/{CHILD}"}, "code": {"coding": [coding]},
            "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory"}]}],
            "effectiveDateTime": str(TODAY), **members}  # fmt: skip


# --- what can be judged ---------------------------------------------------------------------------------------------------


def test_where_everything_works_all_is_judged_but_what_only_people_know():
    with ehr() as server:
        told = diagnosed(server.url)
    assert set(statuses(told).values()) == {"works"} and told["summary"]["card"]
    assert judged_from(told) == {"server": ALL - ONLY_PEOPLE_KNOW, "questionnaire": ONLY_PEOPLE_KNOW, "not_at_all": set()}
    assert all(s["declared"]["type"] and all(s["declared"]["parameters"].values()) for s in told["searches"])
    assert told["server"] | {"base": ""} == {"base": "", "software": "Bench 7", "fhir_version": "4.0.1", "capability_statement": "read", "token": False}


@pytest.mark.parametrize("status", [400, 403, 404, 500])
def test_where_nothing_works_nothing_is_judged_from_the_server(status):
    with ehr(everything=lambda talk, asked: "metadata" not in talk.path and send(talk, status, outcome("exception", "no"))) as server:
        told = diagnosed(server.url)
    judged = judged_from(told)
    assert not judged["server"] and ONLY_PEOPLE_KNOW < judged["questionnaire"] and {"INC-06", "EXC-10"} < judged["not_at_all"]
    assert not told["summary"]["card"] and "412" in told["advice"][0]


@pytest.mark.parametrize("name", [s.name for s in SEARCHES])
def test_each_search_that_fails_takes_something_away_and_says_so(name):
    """But the orders and statements, which are only one place of several; nothing else may look dispensable."""
    kind = next(s.resource_type for s in SEARCHES if s.name == name)
    with ehr(**{kind: answering(404, outcome("not-found", "no such type"))}) as server:
        told = diagnosed(server.url)
    lost = search(told, name)["lost"]
    assert judged_from(told)["server"] <= ALL - ONLY_PEOPLE_KNOW
    if name not in ("answers", "consents", "statements", "orders", "administrations"):
        assert judged_from(told)["server"] < ALL - ONLY_PEOPLE_KNOW
    assert name == "answers" or lost["questionnaire"] or lost["not_at_all"]


def test_where_administrations_are_not_kept_the_questionnaire_answers():
    with ehr(MedicationAdministration=answering(404, outcome("not-found", "unknown type"))) as server:
        told = diagnosed(server.url)
    assert statuses(told)["administrations"] == "not_kept"
    assert "prior-blinatumomab" in search(told, "administrations")["lost"]["answers"]
    assert "prior-blinatumomab" in advice_on(told, "administrations: ") and "declares it" in advice_on(told, "administrations: ")
    assert "INC-05" in judged_from(told)["questionnaire"]


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


# --- servers that cannot be diagnosed ----------------------------------------------------------------------------------------


def test_nobody_there():
    with ehr() as server:
        gone = server.url
    assert "connection" in cannot(doctor(gone))


@pytest.mark.parametrize("odd, words", [
    (html, "FHIR"), (hanging, "in time"), (answering(404, {}), "FHIR"), (answering(401, {}), "401"),
    (lambda talk, asked: talk.start(302, Location="/"), "redirect"),
])  # fmt: skip
def test_one_sentence_where_nothing_is_fhir(odd, words):
    with ehr(everything=odd) as server:
        assert words in cannot(doctor(server.url, "--wait", "0.5"))


def test_an_open_statement_before_closed_searches_asks_for_a_token():
    with ehr(everything=lambda talk, asked: "metadata" not in talk.path and send(talk, 401, {})) as server:
        assert "FHIR_TOKEN" in cannot(doctor(server.url))


def test_searches_are_judged_without_a_capability_statement():
    with ehr(metadata=answering(500, {})) as server:
        told = diagnosed(server.url)
    assert told["server"]["capability_statement"] == "the FHIR server answered 500" and set(statuses(told).values()) == {"works"}
    assert search(told, "laboratory")["declared"] == {"type": None, "parameters": {"patient": None, "code": None}}


def test_wrong_options():
    assert "--fhir-base" in cannot(doctor("ehr.example"))
    assert run("doctor").exit_code == 2


# --- what it asks -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("odd", [{}, {"Observation": refuse("code")}], ids=["as it should", "refused by code"])
def test_it_asks_what_the_service_asks(odd):
    with ehr(**odd) as server:
        with FhirServer(server.url, deadline=(deadline := Deadline.after(20))) as client:
            fetch(client, CHILD, {}, deadline, everything=True)
        asked = sorted(path for path, _ in server.heard)
        server.heard.clear()
        diagnosed(server.url)
        also = [path for path, _ in server.heard]
    for path in asked:
        also.remove(path)
    assert {urlsplit(path).path for path in also} <= {"/fhir/metadata", "/fhir/Observation"}
    assert all("category=" in path or "metadata" in path for path in also)


def test_a_patient_is_found_if_none_is_named():
    with ehr() as server:
        told = diagnosed(server.url, patient=None)
        assert told["patient"] == "found" and CHILD not in json.dumps(told) and search(told, "conditions")["results"] > 0
    with ehr([]) as server:
        told, text = diagnosed(server.url, patient=None), doctor(server.url, patient=None).stdout
    assert told["patient"] == "none" and statuses(told)["patient"] == "untested" and "--patient" in told["advice"][0]
    assert judged_from(told)["server"] == ALL - ONLY_PEOPLE_KNOW and "not tried" in text


def test_a_patient_whom_the_server_does_not_know():
    with ehr() as server:
        told = diagnosed(server.url, patient="nobody-here")
    assert "check --patient" in told["advice"][0] and not told["summary"]["card"]


def test_the_token_is_sent_and_not_shown(monkeypatch):
    monkeypatch.setenv("FHIR_TOKEN", TOKEN)
    with ehr(Consent=refuse("patient", f"token {TOKEN} is too weak")) as server:
        told, text = doctor(server.url, "--format", "json").stdout, doctor(server.url).stdout
        assert {headers.get("Authorization") for _, headers in server.heard} == {f"Bearer {TOKEN}"}
    assert TOKEN not in told + text and "is too weak" in told and json.loads(told)["server"]["token"]


def test_no_name_and_no_identifier_is_shown(monkeypatch):
    resources = chart(observation("o1", {"system": LOCAL, "code": "BL1", "display": f"Creatinine of {NAME}"}))
    (patient,) = (r for r in resources if r["resourceType"] == "Patient")
    patient |= {"name": [{"family": "Quagga", "given": [NAME]}], "identifier": [{"value": NUMBER}]}
    words = f"Patient {CHILD} ({NAME} QUAGGA, {NUMBER}, born {patient['birthDate']}): see https://a.example/Consent?name=Okapi"
    with ehr(resources, Consent=refuse("patient", words)) as server:
        shown = doctor(server.url, "--format", "json").stdout + doctor(server.url).stdout
    for secret in (NAME, "Quagga", NUMBER, CHILD, patient["birthDate"], "Okapi"):
        assert secret.lower() not in shown.lower(), secret
    assert "Creatinine of …" in shown and "Patient …: see …" in shown


WHO = "Kim Minjun, MRN 00412345, born 2015-03-04, of 12 Long Street"


@pytest.mark.parametrize("status", [200, 403, 404, 500])
@pytest.mark.parametrize(("words", "told"), [
    (f"You are not authorized to read data of {WHO}", "You are not authorized to read data of …"),
    (f"{WHO}", None),
    (f"No access to record http://ehr.example/Patient/00412345 ({WHO})", "No access to record …"),
])  # fmt: skip
def test_a_server_that_names_the_patient_is_not_repeated(status, words, told):
    """Also where the patient cannot be read, so that nobody told what the patient is called."""
    here = answering(status, outcome("forbidden", words)) if status != 200 else None
    odd = {"Consent": refuse("patient", words)} | ({"Patient": here} if here else {})
    strange = observation("o1", {"system": LOCAL, "code": "BL1", "display": "Kim Minjun"}, valueQuantity={"value": 1, "unit": "Minjun"})
    resources = chart(strange)
    (patient,) = (r for r in resources if r["resourceType"] == "Patient")
    patient |= {"name": [{"family": "Kim", "given": ["Minjun"]}]}
    with ehr(resources, **odd) as server:
        as_data, text = doctor(server.url, "--format", "json").stdout, doctor(server.url).stdout
    for secret in ("Kim", "Minjun", "00412345", "2015-03-04", "Long Street", CHILD):
        assert secret not in as_data and secret not in text, secret
    assert [a["said"] for a in search(json.loads(as_data), "consents")["asked"]] == [[told] if told else []]


def test_a_closed_door_without_a_token_asks_for_one(monkeypatch):
    for token, words in ((None, "Set FHIR_TOKEN"), (TOKEN, "Ask for the scope")):
        monkeypatch.delenv("FHIR_TOKEN", raising=False)
        if token:
            monkeypatch.setenv("FHIR_TOKEN", token)
        with ehr(Procedure=answering(401, {})) as server:
            told = diagnosed(server.url)
        assert words in advice_on(told, "procedures: ") and ("this token" in advice_on(told, "procedures: ")) is bool(token)


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


# --- settings, and the text --------------------------------------------------------------------------------------------------


def test_the_configuration_is_minded(tmp_path):
    config = tmp_path / "service.toml"
    config.write_text("fetch_seconds = 0.000001\n")
    with ehr() as server:
        told = diagnosed(server.url, "--config", str(config))
        assert all(s["slow"] for s in told["searches"]) and "fetch_seconds" in advice_on(told, "fetch_seconds")
        assert "cannot be read" in cannot(doctor(server.url, "--config", str(tmp_path / "none.toml")))
        config.write_text('site_codes = "none.csv"\n')
        assert "none.csv" in cannot(doctor(server.url, "--config", str(config)))


def test_the_text_tells_every_search_and_every_criterion_at_80_columns():
    with ehr(Consent=refuse("patient")) as server:
        result = doctor(server.url)
    assert (result.exit_code, result.stderr) == (0, "") and "\x1b" not in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80
    assert all(s.name in result.stdout and s.resource_type in result.stdout for s in SEARCHES) and all(id in result.stdout for id in ALL)
    words = "12 of 13 searches work; 18 of 25 criteria can be judged from this server, 7 with the Questionnaire, 0 not at all."
    assert words in " ".join(result.stdout.split())


def test_the_shape_of_the_data():
    with ehr() as server:
        told = diagnosed(server.url)
    assert told["format"] == 1 and list(told) == [
        "format", "software_version", "protocol", "server", "patient", "seconds", "searches", "references", "criteria", "facts", "issues", "units",
        "local_codes", "observations_by_category", "advice", "summary"]  # fmt: skip
    for each in told["searches"]:
        assert list(each) == ["name", "resource", "words", "required", "status", "why", "seconds", "slow", "results", "pages", "fallback", "declared",
                              "asked", "lost"]  # fmt: skip
        assert {k for a in each["asked"] for k in a} == {"by", "status", "why", "results", "pages", "of_other_patients", "codes_not_asked_for", "said"}
    assert [s["name"] for s in told["searches"]] == [s.name for s in SEARCHES]
    assert all(list(c) == ["id", "name", "judged_from", "facts", "dates", "searches", "answers"] for c in told["criteria"])
    assert all(list(f) == ["fact", "name", "state", "count", "searches"] for f in told["facts"])
    assert list(told["summary"]) == ["card", "searches", "criteria", "words"]


def test_help_teaches():
    told = run("doctor", "--help").stdout
    assert "relapse-cds doctor --fhir-base https://ehr.example/fhir --patient" in told and "FHIR_TOKEN" in told
    assert "doctor" in run("--help").stdout


# --- real and recorded servers -----------------------------------------------------------------------------------------------


def test_a_real_server(start_fhir_server):
    """It searches neither chart reviews nor trial subjects by patient; everything else works."""
    server = start_fhir_server()
    server.load(transaction(TODAY))
    told = diagnosed(server.base_url)
    assert {n: s for n, s in statuses(told).items() if s != "works"} == {"answers": "ignores_patient", "studies": "ignores_patient"}
    assert [a["by"] for a in search(told, "answers")["asked"]] == ["patient", "subject"]
    assert not search(told, "studies")["declared"]["parameters"]["patient"] and "parameter ignored" in json.dumps(search(told, "studies")["asked"])
    assert {"INC-01", "EXC-02", "EXC-07", "EXC-13"} < judged_from(told)["server"] and "EXC-10" in judged_from(told)["not_at_all"]
    assert diagnosed(server.base_url, patient=None)["patient"] == "found"


@pytest.mark.parametrize("vendor, patient, works, in_part", [
    ("cerner", "12742399", {"patient", "procedures", "allergies"}, {"orders"}),
    ("epic", "erXuFYUfucBZaryVksYEcMg3", {"patient"}, {"procedures"}),
])  # fmt: skip
def test_recorded_servers(replay, recordings, vendor, patient, works, in_part):
    base = replay(vendor)
    told = diagnosed(base, patient=patient)
    found = statuses(told)
    assert {n for n, s in found.items() if s == "works"} == works and {n for n, s in found.items() if s == "in_part"} == in_part
    assert all(s == "not_kept" for n, s in found.items() if n not in works | in_part) and told["server"]["fhir_version"] == "4.0.1"
    shown = json.dumps(told) + doctor(base, patient=patient).stdout
    (whole,) = (r.body for r in recordings if r.name == f"patient-{patient}")
    names = [word for n in whole["name"] for word in (n.get("family"), *n.get("given", ())) if word and len(word) > 2]
    assert names
    assert patient not in shown and not [name for name in names if f" {name} " in shown]
    if vendor == "epic":
        assert "not authorized" in json.dumps(search(told, "procedures")["asked"])
