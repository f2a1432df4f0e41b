"""The conversation with a real FHIR server: the children of the demonstration and ordinary ones, stored and asked for.

The EHR's half is played with the discovery document alone: each prefetch template is filled and sent to the server as a
GET, as an EHR would. Whether the data were sent or fetched, and however the server writes references, must not matter.

This server cannot search chart reviews or trial subjects by patient: it ignores the parameter and answers with every
child's. So these two come with the call, from the chart itself, and a test of their own shows what becomes of such answers.
"""

from __future__ import annotations

import json
import re
from datetime import date

import pytest

from cds_hooks_schema import check_assessment
from command_line import run
from hook_calls import HOOK_INSTANCE, TODAY, TOKEN, Chart, assessment, client, refusal, same, tell, unanswered
from hooks.demo.children import CHILDREN, bundle, transaction
from hooks.fhir_server import FhirServer
from real_fhir_server import RealFhirServer

NOT_SEARCHABLE = {"answers": "QuestionnaireResponse", "studies": "ResearchSubject"}
every_child = pytest.mark.parametrize("child", CHILDREN, ids=lambda child: child.id)


def searchable(whole):
    return {**whole, "entry": [e for e in whole["entry"] if e["resource"]["resourceType"] not in NOT_SEARCHABLE.values()]}


@pytest.fixture(scope="module")
def stored(start_fhir_server) -> RealFhirServer:
    server = start_fhir_server()
    server.load(searchable(transaction(TODAY)))
    return server


@pytest.fixture(scope="module")
def stored_with_absolute_references(start_fhir_server) -> RealFhirServer:
    server = start_fhir_server(absolute_references=True)
    server.load(searchable(transaction(TODAY)))
    return server


def call(patient_id, **members):
    return {"hook": "patient-view", "hookInstance": HOOK_INSTANCE, "context": {"userId": "Practitioner/1", "patientId": patient_id}, **members}


def asked_of(server, patient_id, *keys):
    """The prefetch an EHR makes of our templates; numbers keep the digits the server wrote."""
    (service,) = [s for s in client().get("/cds-services").json["services"] if s["hook"] == "patient-view"]
    filled = {key: template.replace("{{context.patientId}}", patient_id) for key, template in service["prefetch"].items()}
    return json.loads(json.dumps({key: server.get(filled[key]) for key in keys or set(filled) - set(NOT_SEARCHABLE)}, default=float))


def along(child_id):
    whole = Chart(child_id).prefetch()
    return {key: whole[key] for key in NOT_SEARCHABLE}


def by_prefetch(server, child_id):
    return tell(client(), call(child_id, prefetch={**asked_of(server, child_id), **along(child_id)}))


def by_fetching(server, child_id):
    return tell(client(fhir_servers=(server.base_url,)), call(child_id, prefetch=along(child_id), fhirServer=server.base_url, fhirAuthorization=TOKEN))


@every_child
def test_sent_and_fetched_give_the_same_card(stored, child):
    answer = by_fetching(stored, child.id)
    assert same(answer.json, by_prefetch(stored, child.id).json)
    if child.overall == "not_applicable":
        assert answer.json == {"cards": []}
    else:
        found = assessment(answer)
        assert found["not_looked_up"] == [] and found["issues"] == [] and found["risk"]["possible"] == list(child.possible)


@every_child
def test_absolute_references_give_the_same_card(stored, stored_with_absolute_references, child):
    server = stored_with_absolute_references
    conditions = server.get(f"Condition?patient={child.id}")["entry"]
    assert {entry["resource"]["subject"]["reference"] for entry in conditions} == {f"{server.base_url}/Patient/{child.id}"}
    relative = by_fetching(stored, child.id)
    assert same(relative.json, by_fetching(server, child.id).json)
    assert same(relative.json, by_prefetch(server, child.id).json)


@every_child
def test_the_command_line_says_of_a_stored_child_what_it_says_of_the_file(stored, child, tmp_path):
    file = tmp_path / "chart.json"
    file.write_text(json.dumps(searchable(bundle(child, TODAY))), encoding="utf-8")
    day = ("--as-of", str(TODAY), "--format", "json")
    result = run("assess", child.id, "--fhir-base", stored.base_url, *day)
    assert (result.exit_code, result.stderr) == (0, "")
    found, expected = json.loads(result.stdout), json.loads(run("assess", "--bundle", file, *day).stdout)
    check_assessment(found)
    assert in_any_order(found) == in_any_order(expected)


def in_any_order(found):
    """Evidence, and the sentence made of it, stand in the order in which a server happens to answer."""
    words = lambda told: sorted(re.split(r"; ", told))  # noqa: E731
    return {
        **found,
        "criteria": [{**c, "words": words(c["words"]), "evidence": sorted(c["evidence"], key=str)} for c in found["criteria"]],
    }


def test_every_bystander_is_passed_over_in_silence(fhir_server, bystanders, monkeypatch):
    """Ordinary children with long charts: no card, and nothing is asked for but the child and the problem list."""
    asked = []
    for name in ("read", "search"):
        real = getattr(FhirServer, name)
        monkeypatch.setattr(FhirServer, name, lambda self, kind, *rest, real=real: asked.append(kind) or real(self, kind, *rest))
    service = client(fhir_servers=(fhir_server.base_url,))
    for patient_id in bystanders:
        assert tell(service, call(patient_id, fhirServer=fhir_server.base_url, fhirAuthorization=TOKEN)).json == {"cards": []}
    assert sorted(asked) == sorted(["Condition", "Patient"] * len(bystanders))


def test_bystanders_whose_charts_were_sent_are_passed_over_or_not_judged(fhir_server, bystanders):
    """A problem list of more than one page comes in part: leukaemia could stand on the next, so silence would be a guess."""
    told = []
    for patient_id in bystanders:
        sent = asked_of(fhir_server, patient_id)
        answer = tell(client(), call(patient_id, prefetch=sent))
        cut_short = any(link["relation"] == "next" for link in sent["conditions"]["link"])
        assert answer.status_code == 412 if cut_short else answer.json == {"cards": []}
        told.append(answer.status_code)
    assert min(told.count(200), told.count(412)) > 3, "both kinds are among them"


def test_bystanders_are_not_applicable_on_the_command_line(fhir_server, bystanders):
    for patient_id in bystanders[:3]:
        asked = ("assess", patient_id, "--fhir-base", fhir_server.base_url)
        found = json.loads(run(*asked, "--format", "json").stdout)
        check_assessment(found)
        assert found["overall"] == "not_applicable" and found["patient"] == f"Patient/{patient_id}"
        assert "Not applicable" in run(*asked).stdout and json.loads(run(*asked, "--format", "cards").stdout) == {"cards": []}


def test_the_command_line_judges_by_the_day_it_is_told(stored):
    asked = ("assess", "high-creatinine", "--fhir-base", stored.base_url, "--format", "json")
    then, now = json.loads(run(*asked, "--as-of", str(TODAY)).stdout), json.loads(run(*asked).stdout)
    assert then["as_of"] == str(TODAY) and now["as_of"] == str(date.today())
    assert "INC-06" in then["blocking"] and "INC-06" not in now["blocking"], "a stale result blocks nothing"


def test_a_server_that_ignores_the_patient_has_failed_at_that_search(start_fhir_server):
    """It answers with every child's chart reviews: fetched, they are not looked up; sent, they end the call."""
    server = start_fhir_server()
    server.load(transaction(TODAY))
    reviewed = server.get("QuestionnaireResponse?patient=ph-positive")["entry"]
    others = {e["resource"]["subject"]["reference"] for e in reviewed if "subject" in e["resource"]} - {"Patient/ph-positive"}
    assert others, "this server has learned to search: the two searches above can be fetched like the others"
    found = assessment(tell(client(fhir_servers=(server.base_url,)), call("ph-positive", fhirServer=server.base_url, fhirAuthorization=TOKEN)))
    assert unanswered(found) == set(NOT_SEARCHABLE)
    answer = tell(client(), call("ph-positive", prefetch=asked_of(server, "ph-positive", "patient", "conditions", "answers")))
    assert answer.status_code == 400 and "another patient" in refusal(answer)
