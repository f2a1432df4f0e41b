"""`relapse-cds doctor`: which criteria can be judged from a server, as text and as data; and servers that cannot be diagnosed.

The servers that misbehave are in `misbehaving_ehr.py`; a real one and two recorded ones are asked as well.
"""

from __future__ import annotations

import json

import pytest

from command_line import cannot, run
from diagnosed import ALL, ONLY_PEOPLE_KNOW, advice_on, diagnosed, doctor, judged_from, search, statuses
from fhir_mappings.sources import SEARCHES
from hooks.demo.children import transaction
from hooks.demo.fhir_search import outcome
from misbehaving_ehr import TODAY, answering, ehr, hanging, html, refuse, send

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
        "local_codes", "checklist", "observations_by_category", "advice", "summary"]  # fmt: skip
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
