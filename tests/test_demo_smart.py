"""The demonstration as the EHR of a SMART App Launch: an app opened from a chart writes answers, and the chart and the card know them."""

from __future__ import annotations

import hashlib
import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import requests
from fhir.resources.R4B import get_fhir_model_class
from flask import Flask

from browser import running
from fhir_mappings.questionnaire import questionnaire
from hooks.demo import create_demo, lent
from hooks.demo.chart_review import QUESTIONNAIRE, REVIEWER
from hooks.demo.written import LARGEST

TODAY = date(2025, 9, 1)
VERIFIER = "an-app-thinks-of-this-and-tells-only-its-hash-0123456789"
CHALLENGE = urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
SCOPE = "launch openid fhirUser patient/*.rs patient/QuestionnaireResponse.c offline_access"
HERE = "http://localhost"
CALLBACK = f"{HERE}/app/callback"
HOSTILE = "<img src=x onerror=alert(1)>"


def asked(**other: str | None) -> dict[str, str]:
    usual = {"response_type": "code", "client_id": "checklist", "redirect_uri": CALLBACK, "scope": SCOPE, "state": "s-1",
             "aud": f"{HERE}/fhir", "launch": "t-cell", "code_challenge": CHALLENGE, "code_challenge_method": "S256"}  # fmt: skip
    return {name: value for name, value in (usual | other).items() if value is not None}


def redeemed(**other: str | None) -> dict[str, str]:
    usual = {"grant_type": "authorization_code", "redirect_uri": CALLBACK, "client_id": "checklist", "code_verifier": VERIFIER}
    return {name: value for name, value in (usual | other).items() if value is not None}


def answers(child: str = "t-cell", given: dict[str, list[dict[str, Any]]] | None = None, **other: Any) -> dict[str, Any]:
    """As an app fills the Questionnaire: questions within groups."""
    given = given or {"lineage": [{"valueCoding": {"code": "t-all", "display": "T-ALL (precursor T)"}}]}
    groups = []
    for group in questionnaire()["item"]:
        items = [{"linkId": q["linkId"], "text": q["text"], "answer": given[q["linkId"]]} for q in group["item"] if q["linkId"] in given]
        groups += [{"linkId": group["linkId"], "item": items}] if items else []
    return {"resourceType": "QuestionnaireResponse", "questionnaire": QUESTIONNAIRE, "status": "completed",
            "subject": {"reference": f"Patient/{child}"}, "authored": "2025-09-01T10:00:00+09:00",
            "author": {"reference": f"Practitioner/{REVIEWER['id']}"}, "item": groups} | other  # fmt: skip


@pytest.fixture
def demo() -> Flask:
    return create_demo(TODAY, lambda: Flask("no service"))


def sent_back(demo: Flask, **other: str | None) -> dict[str, list[str]]:
    """With what the browser is sent to the app."""
    answer = demo.test_client().get("/auth/authorize", query_string=asked(**other))
    assert answer.status_code == 302 and answer.headers["Cache-Control"] == "no-store"
    address, _, query = answer.headers["Location"].partition("?")
    assert address == CALLBACK
    return parse_qs(query)


def launched(demo: Flask, **other: str | None) -> dict[str, Any]:
    """What the app is told at the end of its launch."""
    code = sent_back(demo, **other)["code"][0]
    answer = demo.test_client().post("/auth/token", data=redeemed(code=code))
    assert answer.status_code == 200, answer.text
    return answer.json


def write(demo: Flask, body: Any, token: str | None = None, **headers: str) -> Any:
    token = launched(demo)["access_token"] if token is None else token
    told = {"Authorization": f"Bearer {token}", "Content-Type": "application/fhir+json"} | headers
    data = body if isinstance(body, (str, bytes)) else json.dumps(body)
    return demo.test_client().post("/fhir/QuestionnaireResponse", data=data, headers={k: v for k, v in told.items() if v})


def refusal(answer: Any, status: int) -> str:
    assert answer.status_code == status and answer.mimetype == "application/fhir+json", answer.text
    get_fhir_model_class("OperationOutcome").model_validate(answer.json)
    return answer.json["issue"][0]["diagnostics"]


# --- the launch -----------------------------------------------------------------------------------------------------


def test_an_app_finds_everything_in_the_configuration(demo: Flask) -> None:
    answer = demo.test_client().get("/fhir/.well-known/smart-configuration", headers={"Host": "evil.example"})
    assert answer.status_code == 200 and answer.mimetype == "application/json"
    told = answer.json
    assert told["issuer"] == f"{HERE}/fhir", "the Host header decides nothing"
    assert told["authorization_endpoint"] == f"{HERE}/auth/authorize" and told["token_endpoint"] == f"{HERE}/auth/token"
    assert told["response_types_supported"] == ["code"] and told["code_challenge_methods_supported"] == ["S256"]
    assert told["grant_types_supported"] == ["authorization_code"] and told["token_endpoint_auth_methods_supported"] == ["none"]
    assert {"launch-ehr", "client-public", "context-ehr-patient", "sso-openid-connect", "permission-v2"} <= set(told["capabilities"])
    assert {"openid", "fhirUser", "launch", "patient/*.rs", "patient/QuestionnaireResponse.c"} <= set(told["scopes_supported"])


def test_a_whole_launch(demo: Flask) -> None:
    back = sent_back(demo, nonce="n-1")
    assert back["state"] == ["s-1"] and set(back) == {"code", "state"}
    answer = demo.test_client().post("/auth/token", data=redeemed(code=back["code"][0]))
    assert answer.status_code == 200 and answer.headers["Cache-Control"] == "no-store"
    told = answer.json
    assert told["token_type"] == "Bearer" and told["expires_in"] == 3600 and told["need_patient_banner"] is True
    assert told["patient"] == "t-cell", "the child whose chart is open"
    assert told["scope"] == "launch openid fhirUser patient/*.rs patient/QuestionnaireResponse.c", "what there is of it"

    keys = demo.test_client().get(urlsplit(demo.test_client().get("/fhir/.well-known/smart-configuration").json["jwks_uri"]).path).json
    key = jwt.PyJWKSet.from_dict(keys)[jwt.get_unverified_header(told["id_token"])["kid"]]
    who = jwt.decode(told["id_token"], key, ["RS256"], audience="checklist", issuer=f"{HERE}/fhir", options={"require": ["exp", "iat", "sub"]})
    assert who["nonce"] == "n-1"
    clinician = demo.test_client().get(who["fhirUser"].removeprefix(HERE))
    assert clinician.json["name"] == REVIEWER["name"]


def test_without_openid_nobody_is_told_who_is_signed_in(demo: Flask) -> None:
    assert "id_token" not in launched(demo, scope="launch patient/*.rs")
    token = launched(demo, scope="launch openid")["id_token"]
    assert not {"fhirUser", "nonce"} & set(jwt.decode(token, options={"verify_signature": False}))


@pytest.mark.parametrize("redirect_uri", [
    None, "", "https://evil.example/app/callback", "http://localhost.evil.example/app/callback", "http://localhost@evil.example/app/callback",
    "http://evil.example:80@localhost/app/callback", "https://localhost/app/callback", "http://localhost:81/app/callback", "//localhost/app/callback",
    "http://localhost/fhir", "http://localhost/app/callback/more", "http://localhost/chart?to=/app/callback", "http://localhost/app/callback#x",
    "http://localhost/app/callback?x=1", "http://localhost\\@evil.example/app/callback", "http://localhost/app/callback\n", "/app/callback",
])  # fmt: skip
def test_nobody_is_sent_to_a_stranger(demo: Flask, redirect_uri: str | None) -> None:
    answer = demo.test_client().get("/auth/authorize", query_string=asked(redirect_uri=redirect_uri), headers={"Host": "evil.example"})
    assert answer.status_code == 400 and "Location" not in answer.headers
    assert answer.json["error"] == "invalid_request" and "evil" not in answer.text


@pytest.mark.parametrize("other, error", [
    ({"aud": "https://other.example/fhir"}, "invalid_request"),
    ({"aud": None}, "invalid_request"),
    ({"launch": "nobody"}, "invalid_request"),
    ({"launch": None}, "invalid_request"),
    ({"client_id": None}, "invalid_request"),
    ({"code_challenge": None}, "invalid_request"),
    ({"code_challenge": VERIFIER}, "invalid_request"),
    ({"code_challenge_method": None}, "invalid_request"),
    ({"code_challenge_method": "plain"}, "invalid_request"),
    ({"response_type": None}, "invalid_request"),
    ({"response_type": "token"}, "unsupported_response_type"),
    ({"scope": "openid patient/*.rs"}, "invalid_scope"),
])  # fmt: skip
def test_the_app_is_told_what_was_wrong_with_its_request(demo: Flask, other: dict[str, str | None], error: str) -> None:
    back = sent_back(demo, **other)
    assert back["error"] == [error] and back["state"] == ["s-1"] and back["error_description"] and "code" not in back


def test_a_state_is_needed(demo: Flask) -> None:
    assert "state" not in (back := sent_back(demo, state=None)) and back["error"] == ["invalid_request"]


@pytest.mark.parametrize("other, error", [
    ({"code": "guessed"}, "invalid_grant"),
    ({"code": None}, "invalid_grant"),
    ({"redirect_uri": f"{HERE}/other/app/callback"}, "invalid_grant"),
    ({"redirect_uri": None}, "invalid_grant"),
    ({"client_id": "another"}, "invalid_grant"),
    ({"code_verifier": VERIFIER + "x"}, "invalid_grant"),
    ({"code_verifier": CHALLENGE}, "invalid_grant"),
    ({"code_verifier": "\N{SNOWMAN}"}, "invalid_grant"),
    ({"code_verifier": None}, "invalid_grant"),
    ({"grant_type": "client_credentials"}, "unsupported_grant_type"),
    ({"grant_type": None}, "invalid_request"),
])  # fmt: skip
def test_a_code_is_for_the_app_that_asked(demo: Flask, other: dict[str, str | None], error: str) -> None:
    code = sent_back(demo)["code"][0]
    answer = demo.test_client().post("/auth/token", data=redeemed(**{"code": code} | other))
    assert answer.status_code == 400 and answer.json["error"] == error and "access_token" not in answer.text
    assert answer.headers["Cache-Control"] == "no-store" and answer.mimetype == "application/json"


def test_a_code_is_good_once(demo: Flask) -> None:
    for first in (redeemed(), redeemed(code_verifier="wrong")):
        code = sent_back(demo)["code"][0]
        demo.test_client().post("/auth/token", data=first | {"code": code})
        again = demo.test_client().post("/auth/token", data=redeemed(code=code))
        assert (again.status_code, again.json["error"]) == (400, "invalid_grant")


def test_a_code_is_good_for_a_minute_and_a_token_for_an_hour(demo: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    now = lent.monotonic()
    monkeypatch.setattr(lent, "monotonic", lambda: now)
    early, late = sent_back(demo)["code"][0], sent_back(demo)["code"][0]
    monkeypatch.setattr(lent, "monotonic", lambda: now + 59)
    token = demo.test_client().post("/auth/token", data=redeemed(code=early)).json["access_token"]
    monkeypatch.setattr(lent, "monotonic", lambda: now + 60)
    assert demo.test_client().post("/auth/token", data=redeemed(code=late)).json["error"] == "invalid_grant"
    monkeypatch.setattr(lent, "monotonic", lambda: now + 59 + 3599)
    assert write(demo, answers(), token).status_code == 201
    monkeypatch.setattr(lent, "monotonic", lambda: now + 59 + 3600)
    refusal(write(demo, answers(), token), 401)


# --- writing --------------------------------------------------------------------------------------------------------


def test_answers_are_created(demo: Flask) -> None:
    sent = answers(id="mine", meta={"lastUpdated": "1999-01-01T00:00:00Z", "source": "urn:app"})
    answer = write(demo, sent)
    assert answer.status_code == 201 and answer.mimetype == "application/fhir+json"
    made = answer.json
    get_fhir_model_class("QuestionnaireResponse").model_validate(made)
    assert made["id"] != "mine" and made["meta"]["lastUpdated"] > "2025" and made["meta"]["source"] == "urn:app"
    assert {k: v for k, v in made.items() if k not in ("id", "meta")} == {k: v for k, v in sent.items() if k not in ("id", "meta")}
    assert answer.headers["Location"] == f"{HERE}/fhir/QuestionnaireResponse/{made['id']}"
    client = demo.test_client()
    assert client.get(answer.headers["Location"]).json == made
    found = client.get("/fhir/QuestionnaireResponse?patient=t-cell").json
    assert [e["resource"] for e in found["entry"]][-1] == made and found["total"] == 2, "beside what was there"
    assert made["id"] not in client.get("/fhir/QuestionnaireResponse?patient=asthma").text


def test_the_subject_may_be_named_by_its_address(demo: Flask) -> None:
    assert write(demo, answers(subject={"reference": f"{HERE}/fhir/Patient/t-cell"})).status_code == 201
    assert demo.test_client().get("/fhir/QuestionnaireResponse?patient=t-cell").json["total"] == 2


def test_writing_needs_a_token_of_this_server(demo: Flask) -> None:
    for headers in ({"Authorization": ""}, {"Authorization": "Bearer guessed"}, {"Authorization": "Bearer"}, {"Authorization": "Basic eDp5"}):
        answer = write(demo, answers(), "", **headers)
        refusal(answer, 401)
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    code = sent_back(demo)["code"][0]
    refusal(write(demo, answers(), code), 401)
    reader = demo.test_client().get("/fhir/Patient/t-cell", headers={"Authorization": "Bearer guessed"})
    assert reader.status_code == 200, "reading stays open"


@pytest.mark.parametrize("subject", [
    {"reference": "Patient/asthma"}, {"reference": "https://other.example/fhir/Patient/t-cell"}, {"reference": "Group/t-cell"},
    {"reference": "t-cell"}, {"display": "t-cell"}, {"reference": "Patient/t-cell/_history/1"},
])  # fmt: skip
def test_an_app_writes_into_the_chart_that_it_was_launched_from(demo: Flask, subject: dict[str, str]) -> None:
    refusal(write(demo, answers(subject=subject)), 403)
    nobodys = answers()
    del nobodys["subject"]
    refusal(write(demo, nobodys), 403)


def test_an_app_that_asked_for_reading_only_cannot_write(demo: Flask) -> None:
    token = launched(demo, scope="launch patient/*.rs patient/Observation.c patient/*.cruds")["access_token"]
    assert "QuestionnaireResponse" in refusal(write(demo, answers(), token), 403)


@pytest.mark.parametrize("body", [
    "", "no JSON", "[]", "null", "{}", '{"resourceType": "Observation", "status": "final", "code": {"text": "x"}}', b"\xff",
    '{"resourceType": "QuestionnaireResponse"}', answers(colour="green"), answers(item=[{"answer": [{"valueBoolean": True}]}]),
    answers(authored="yesterday"), answers(subject=None), answers(meta=None), answers(item=[{"linkId": "x", "answer": [{"valueDecimal": float("nan")}]}]),
    json.dumps(answers()).replace('"status"', '"status": "completed", "status"'),
    json.dumps(answers(item=[{"linkId": "x", "answer": [{"valueDecimal": 1}]}])).replace('"valueDecimal": 1', '"valueDecimal": 1e999'),
    '{"item": [' * 40 + "]}" * 40, "[" * 100_000,
])  # fmt: skip
def test_only_a_sound_questionnaire_response_is_taken(demo: Flask, body: Any) -> None:
    refusal(write(demo, body), 400)
    client = demo.test_client()
    assert client.get("/fhir/QuestionnaireResponse?patient=t-cell").json["total"] == 1
    assert client.get("/chart/t-cell").status_code == 200


def test_answers_within_answers_may_not_be_too_deep(demo: Flask) -> None:
    def nested(levels: int) -> dict[str, Any]:
        item: dict[str, Any] = {"linkId": "lineage", "answer": [{"valueBoolean": True}]}
        for _ in range(levels):
            item = {"linkId": "group", "item": [item]}
        return answers(item=[item])

    assert write(demo, nested(20)).status_code == 201
    assert "deep" in refusal(write(demo, nested(100)), 400)
    assert demo.test_client().get("/fhir/QuestionnaireResponse?patient=t-cell").status_code == 200


def test_a_body_has_a_size_and_a_type(demo: Flask) -> None:
    refusal(write(demo, b" " * (LARGEST + 1)), 413)
    refusal(write(demo, b" " * (5 * LARGEST)), 413)
    body = json.dumps(answers()).encode()
    assert write(demo, body + b" " * (LARGEST - len(body))).status_code == 201
    refusal(write(demo, body, **{"Content-Type": "application/x-www-form-urlencoded"}), 415)
    assert write(demo, body, **{"Content-Type": "application/json; charset=utf-8"}).status_code == 201


def test_everything_else_can_only_be_read(demo: Flask) -> None:
    headers = {"Authorization": f"Bearer {launched(demo)['access_token']}", "Content-Type": "application/fhir+json"}
    client = demo.test_client()
    made = write(demo, answers()).json["id"]
    for method, path in [("POST", "Observation"), ("POST", ""), ("PUT", f"QuestionnaireResponse/{made}"), ("DELETE", f"QuestionnaireResponse/{made}"),
                         ("PUT", "QuestionnaireResponse"), ("PATCH", "Patient/t-cell"), ("POST", "QuestionnaireResponse/_search")]:  # fmt: skip
        refusal(client.open(f"/fhir/{path}", method=method, data=json.dumps(answers()), headers=headers), 405)
    told = client.get("/fhir/metadata").json
    get_fhir_model_class("CapabilityStatement").model_validate(told)
    creates = [r["type"] for r in told["rest"][0]["resource"] if {"code": "create"} in r["interaction"]]
    assert creates == ["QuestionnaireResponse"] and "read-only" not in told["implementation"]["description"]


def test_what_was_written_stays_when_the_day_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    class Calendar(date):
        day_now = TODAY

        @classmethod
        def today(cls) -> date:
            return cls.day_now

    monkeypatch.setattr("hooks.demo.date", Calendar)
    demo = create_demo(service_app_factory=lambda: Flask("no service"))
    made = write(demo, answers()).json["id"]
    Calendar.day_now = TODAY + timedelta(days=1)
    page = demo.test_client().get("/chart/t-cell").text
    assert "2 Sep 2025" in page and "yesterday" in page
    assert demo.test_client().get(f"/fhir/QuestionnaireResponse/{made}").status_code == 200


def test_several_apps_write_at_the_same_time(demo: Flask) -> None:
    token = launched(demo)["access_token"]
    with ThreadPoolExecutor(8) as apps:
        made = [answer.json["id"] for answer in apps.map(lambda _: write(demo, answers(), token), range(40))]
    found = demo.test_client().get("/fhir/QuestionnaireResponse?patient=t-cell").json
    assert len(set(made)) == 40 and set(made) <= {entry["resource"]["id"] for entry in found["entry"]}


# --- the chart and the card -----------------------------------------------------------------------------------------


def reviewed(demo: Flask, child: str = "t-cell") -> list[str]:
    """The rows of the chart review, newest first, as a reader sees them."""
    page = demo.test_client().get(f"/chart/{child}").text
    shelf = page.partition("<h2>Chart review</h2>")[2].partition("</section>")[0]
    rows = re.findall(r"<tr>(.*?)</tr>", shelf.partition("<tbody>")[2], re.DOTALL)
    return [" | ".join(" ".join(part.split()) for part in re.sub(r"<[^>]+>", "\n", row).split("\n") if part.strip()) for row in rows]


def test_the_chart_shows_every_answer_with_author_and_day(demo: Flask) -> None:
    before = reviewed(demo)
    sites = [{"valueCoding": {"code": "cns", "display": "CNS"}}, {"valueCoding": {"code": "testis"}}]
    given = {"extramedullary-site": sites, "relapse-date": [{"valueDate": "2025-08"}], "prior-blinatumomab": [{"valueCoding": {"code": "no"}}],
             "eoi-ngs-mrd": [{"valueQuantity": {"value": 0.004, "unit": "%"}}], "on-treatment-at-relapse": [{"valueBoolean": False}]}  # fmt: skip
    write(demo, answers(given=given))
    rows = reviewed(demo)
    assert rows[5:] == before
    assert set(rows[:5]) == {f"{row} | 1 Sep 2025 | today" for row in (
        "Which sites outside the marrow? | Dr Ottilie Quillfeather | CNS, testis",
        "Date of the relapse | Dr Ottilie Quillfeather | Aug 2025",
        "Blinatumomab before | Dr Ottilie Quillfeather | no",
        "MRD at end of induction, marrow, by NGS (%) | Dr Ottilie Quillfeather | 0.004 %",
        "On frontline treatment when the relapse came | Dr Ottilie Quillfeather | no",
    )}  # fmt: skip


@pytest.mark.parametrize("other, note", [
    ({"author": {"reference": f"{HERE}/fhir/Practitioner/{REVIEWER['id']}"}}, "Dr Ottilie Quillfeather"),
    ({"author": {"reference": "Practitioner/somebody"}}, "author not named"),
    ({"author": {"display": "Dr Other"}}, "Dr Other"),
    ({"status": "in-progress"}, "Dr Ottilie Quillfeather · in-progress"),
])  # fmt: skip
def test_the_chart_says_who_answered(demo: Flask, other: dict[str, Any], note: str) -> None:
    assert write(demo, answers(**other)).status_code == 201
    assert reviewed(demo)[0] == f"Which leukaemia is it? | {note} | T-ALL (precursor T) | 1 Sep 2025 | today"


def test_the_chart_bears_answers_of_every_shape(demo: Flask) -> None:
    shapes = [{"valueQuantity": {"unit": "%"}}, {"valueQuantity": {"value": 3}}, {"valueCoding": {}}, {"valueReference": {"reference": "Patient/x"}},
              {"valueAttachment": {"title": "x"}}, {"valueDateTime": "2025-08-01T10:00:00Z"}, {"valueTime": "10:00:00"}, {"valueString": HOSTILE},
              {"valueUri": "javascript:alert(1)"}, {"valueInteger": 0}, {"extension": [{"url": "urn:x", "valueBoolean": True}]},
              {"valueBoolean": True, "item": [{"linkId": "within", "answer": [{"valueInteger": 7}]}]}]  # fmt: skip
    item = [{"linkId": f"q{n}", "text": HOSTILE, "answer": [shape]} for n, shape in enumerate(shapes)]
    sent = answers(item=[{"linkId": "deep", "item": [{"linkId": "deeper", "item": item}]}])
    for name in ("authored", "author"):
        del sent[name]
    assert write(demo, sent).status_code == 201
    page = demo.test_client().get("/chart/t-cell")
    assert page.status_code == 200 and HOSTILE not in page.text and "author not named" in page.text and "&lt;img" in page.text
    assert "within | author not named | 7" in " ".join(reviewed(demo)) and "{" not in " ".join(reviewed(demo))


@pytest.mark.parametrize("mode", ["prefetch", "fetch"])
def test_the_next_card_knows_what_was_answered(mode: str) -> None:
    """The whole loop but for the app: the hook, the launch, the answers, the hook again."""
    with running(create_demo()) as host, requests.Session() as session:
        session.trust_env = False

        def criteria() -> dict[str, dict[str, Any]]:
            told = session.get(f"{host}/chart/screening-complete/call?mode={mode}", timeout=60).json()
            (card,) = told["response"]["cards"]
            return {c["id"]: c for c in card["extension"]["org.relapse-cds.assessment"]["criteria"]}

        before = criteria()
        back = f"{host}/app/callback"
        configuration = session.get(f"{host}/fhir/.well-known/smart-configuration", timeout=20).json()
        request = asked(aud=f"{host}/fhir", redirect_uri=back, launch="screening-complete")
        page = session.get(configuration["authorization_endpoint"], params=request, allow_redirects=False, timeout=20)
        code = parse_qs(urlsplit(page.headers["Location"]).query)["code"][0]
        told = session.post(configuration["token_endpoint"], data=redeemed(redirect_uri=back, code=code), timeout=20).json()
        sent = answers(told["patient"], {"life-expectancy-at-least-1-year": [{"valueCoding": {"system": "urn:relapse-cds:codes", "code": "yes"}}]},
                       authored=f"{date.today()}T00:00:00Z")  # fmt: skip
        made = session.post(f"{host}/fhir/QuestionnaireResponse", json=sent, headers={"Authorization": f"Bearer {told['access_token']}"}, timeout=20)
        assert made.status_code == 201
        after = criteria()

    changed = {id for id in before if (before[id]["truth"], before[id]["basis"]) != (after[id]["truth"], after[id]["basis"])}
    (only,) = changed
    assert before[only]["reason"] == "judgement" and after[only]["truth"] == "met" and after[only]["basis"] == "attested"
    assert "life expectancy" in after[only]["words"]


def card_with_an_app() -> Flask:
    """A service whose only card offers an app; the app is one page that says nothing."""
    app = Flask("service")
    links = [{"label": "About", "url": "/about", "type": "absolute"}, {"label": "Answer the open questions", "url": "{here}app/launch", "type": "smart"},
             {"label": "Trap", "url": "javascript:alert(3)", "type": "smart"}]  # fmt: skip

    @app.get("/cds-services")
    def discovery() -> Any:
        return {"services": [{"hook": "patient-view", "id": "nct05827549-patient-view"}]}

    @app.post("/cds-services/<_id>")
    def call(_id: str) -> Any:
        from flask import request

        here = [link | {"url": link["url"].replace("{here}", request.host_url)} for link in links]
        return {"cards": [{"summary": "a card", "indicator": "info", "source": {"label": "stub"}, "links": here}]}

    @app.get("/app/launch")
    def launch() -> str:
        return "<!doctype html><link rel=icon href=data:,><title>the app</title>"

    return app


def test_coming_back_from_the_app_the_chart_is_read_again(browser: Any) -> None:
    from selenium.webdriver.support.ui import WebDriverWait

    def every(selector: str) -> list[Any]:
        return browser.find_elements("css selector", selector)

    def wait(condition: Callable[[], Any]) -> Any:
        return WebDriverWait(browser, 20).until(lambda _: condition())

    demo = create_demo(TODAY, card_with_an_app)
    with running(demo) as host:
        browser.get(f"{host.replace('127.0.0.1', 'localhost')}/chart/t-cell")
        (main,) = wait(lambda: every("a.card-app"))
        assert main.text == "Answer the open questions" and [a.text for a in every(".card-links a")] == ["About"]
        assert main.location["y"] < every(".card-links")[0].location["y"] and main.get_attribute("target") == "_blank"
        told = parse_qs(urlsplit(main.get_attribute("href")).query)
        assert told == {"iss": [f"{host}/fhir"], "launch": ["t-cell"]}, "the one address that the authorization server takes as aud"
        chart = browser.current_window_handle
        rows = len(every(".tables tr"))

        main.click()
        wait(lambda: len(browser.window_handles) == 2)
        browser.switch_to.window(next(handle for handle in browser.window_handles if handle != chart))
        wait(lambda: browser.title == "the app")
        write(demo, answers(subject={"reference": "Patient/t-cell"}))
        browser.close()
        browser.switch_to.window(chart)
        wait(lambda: len(every(".tables tr")) == rows + 1)
        assert wait(lambda: every("a.card-app")), "the hook was fired again"
