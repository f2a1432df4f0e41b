"""What the doctor says of the checklist: can it be opened from this server, and does the server take its answers?"""

from __future__ import annotations

import json

import pytest

import hostile_fhir
from diagnosed import diagnosed, doctor
from hostile_fhir import HostileFhir
from misbehaving_ehr import chart

SIGN_IN = {"authorization_endpoint": "https://login.example/authorize", "token_endpoint": "https://login.example/token"}


def server(configuration=None, interactions=("read", "create")):
    kept = hostile_fhir.keeping(chart())
    statement = {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1", "rest": [
        {"resource": [{"type": "QuestionnaireResponse", "interaction": [{"code": code} for code in interactions]}]}]}  # fmt: skip

    def behaviour(talk):
        if talk.path.endswith("/.well-known/smart-configuration"):
            return hostile_fhir.text(json.dumps(configuration).encode(), "application/json")(talk) if configuration else hostile_fhir.status(404)(talk)
        return hostile_fhir.answer(statement)(talk) if talk.path.endswith("/metadata") else kept(talk)

    return HostileFhir(behaviour)


@pytest.fixture
def settings(tmp_path):
    def written(base, **more):
        file = tmp_path / "settings.toml"
        told = {"fhir_server": base, "client_id": "checklist", **more}
        file.write_text('public_url = "https://cds.example"\n[[smart_apps]]\n' + "".join(f"{key} = {json.dumps(value)}\n" for key, value in told.items()))
        return "--config", str(file)

    return written


def test_a_server_that_opens_it_and_takes_answers(settings):
    with server(SIGN_IN) as running:
        assert diagnosed(running.url)["checklist"] == {"registered": False, "opens": True, "why": "", "records": True}
        told = diagnosed(running.url, *settings(running.url))
        assert told["checklist"]["registered"] and not [words for words in told["advice"] if "checklist" in words]
        assert "Checklist (SMART app): not registered in the settings; can be opened from this server; it declares" in " ".join(doctor(running.url).stdout.split())


@pytest.mark.parametrize("configuration", [None, {}, {"token_endpoint": "https://login.example/token"}, {**SIGN_IN, "authorization_endpoint": "http://login.example/"}])
def test_a_server_that_does_not_say_where_to_sign_in(settings, configuration):
    with server(configuration) as running:
        assert "cannot be opened" in doctor(running.url).stdout
        told = diagnosed(running.url, *settings(running.url))
        assert not told["checklist"]["opens"] and "names no authorization endpoint" in told["checklist"]["why"]
        (advice,) = (words for words in told["advice"] if "checklist is registered" in words)
        assert "authorize_url and token_url" in advice
        given = settings(running.url, authorize_url=SIGN_IN["authorization_endpoint"], token_url=SIGN_IN["token_endpoint"])
        assert diagnosed(running.url, *given)["checklist"]["opens"], "what the settings say need not be asked"


def test_a_server_that_does_not_declare_that_it_takes_answers(settings):
    with server(SIGN_IN, interactions=("read",)) as running:
        assert diagnosed(running.url)["checklist"]["records"] is False
        told = diagnosed(running.url, *settings(running.url))
        assert [words for words in told["advice"] if "may refuse the answers" in words]
