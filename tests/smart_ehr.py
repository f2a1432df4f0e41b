"""An EHR that opens the checklist: SMART configuration, authorization, tokens, and a chart that takes answers. For the tests.

`with ehr(child) as it:` runs it on loopback; `it.service()` is the service with the checklist registered there, and
`opened(service, it)` follows a launch to the page, as a browser would. Every part can be told to misbehave.
"""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jwt
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

import hostile_fhir
from hook_calls import Chart, ToldTheDay
from hooks import create_app
from hooks.checklist.registration import SmartApp
from hostile_fhir import Behaviour, HostileFhir
from signed_calls import PUBLIC_URL

CLIENT_ID, CLINICIAN, TOKEN, CODE = "checklist-at-this-ehr", "Practitioner/7", "the-token-of-dr-weber", "the-code"
WEBER = {"resourceType": "Practitioner", "id": "7", "name": [{"prefix": ["Dr"], "given": ["Ada"], "family": "Weber"}]}


@dataclass
class SmartEhr:
    """The behaviour of the server, and what it was told."""

    resources: list[dict[str, Any]]
    patient: str
    grant: dict[str, Any] = field(default_factory=dict)  # members of the token's answer to be other than usual; None: left out
    claims: dict[str, Any] = field(default_factory=dict)  # the same of the id_token
    token_fault: Behaviour | None = None
    create_fault: Behaviour | None = None
    takes: Callable[[str], bool] = lambda token: token == TOKEN
    url: str = ""
    exchanges: list[dict[str, str]] = field(default_factory=list)
    authorizations: list[str] = field(default_factory=list)  # the header of each exchange
    created: list[dict[str, Any]] = field(default_factory=list)

    def __call__(self, talk: Any) -> None:
        if talk.path.endswith("/.well-known/smart-configuration"):
            told = {"authorization_endpoint": f"{talk.origin}/authorize?tenant=7", "token_endpoint": f"{talk.origin}/token"}
            hostile_fhir.text(json.dumps(told).encode(), "application/json")(talk)
        elif talk.path == "/token":
            self.exchanges.append(talk.form)
            self.authorizations.append(talk.headers.get("Authorization", ""))
            (self.token_fault or hostile_fhir.text(json.dumps(self._granted()).encode(), "application/json"))(talk)
        elif not self.takes(talk.headers.get("Authorization", "").removeprefix("Bearer ")):
            hostile_fhir.status(401)(talk)
        elif talk.command == "POST":
            self._create(talk)
        else:
            hostile_fhir.keeping([*self.resources, WEBER, *self.created])(talk)

    def _create(self, talk: Any) -> None:
        if self.create_fault:
            return self.create_fault(talk)
        self.created.append({**json.loads(talk.body), "id": f"answers-{len(self.created) + 1}"})
        talk.start(201, Location=f"{talk.base}/QuestionnaireResponse/answers-{len(self.created)}")

    def _granted(self) -> dict[str, Any]:
        claims = {"iss": self.url, "aud": CLIENT_ID, "sub": "weber", "exp": int(time.time()) + 300, "fhirUser": CLINICIAN, **self.claims}
        id_token = jwt.encode({k: v for k, v in claims.items() if v is not None}, "a key that nobody looks at, long enough for all", "HS256")
        told = {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 3600, "patient": self.patient, "id_token": id_token, **self.grant}
        return {name: value for name, value in told.items() if value is not None}

    def registered(self, **settings: Any) -> SmartApp:
        return SmartApp(**{"fhir_server": self.url, "client_id": CLIENT_ID, **settings})

    def service(self, **settings: Any) -> FlaskClient:
        told = {"smart_apps": (self.registered(**settings.pop("app", {})),), "public_url": PUBLIC_URL, "database": "sqlite://", **settings}
        return create_app(ToldTheDay(**told)).test_client()


@contextmanager
def ehr(child: str, **behaviour: Any) -> Iterator[SmartEhr]:
    it = SmartEhr(Chart(child).resources, child, **behaviour)
    with HostileFhir(it) as server:
        it.url = server.url
        yield it


def launched(browser: FlaskClient, it: SmartEhr) -> dict[str, str]:
    """What the browser is sent to the EHR's authorization server with."""
    sent = browser.get("/app/launch", query_string={"iss": it.url, "launch": "l-1"}, base_url=PUBLIC_URL)
    assert sent.status_code == 302, sent.text
    return dict(parse_qsl(urlsplit(sent.location).query))


def back(browser: FlaskClient, **told: str) -> TestResponse:
    """The browser returns from there."""
    return browser.get("/app/callback", query_string=told, base_url=PUBLIC_URL)


def opened(browser: FlaskClient, it: SmartEhr) -> str:
    """The address of the page, after a launch that went well."""
    answer = back(browser, code=CODE, state=launched(browser, it)["state"])
    assert answer.status_code == 303, answer.text
    return urlsplit(answer.location).path


def challenge_of(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
