"""SMART App Launch: an EHR opens the checklist for the child on its screen, and vouches for the clinician.

`begin` sends the browser to the EHR's authorization server, `finish` takes what it came back with. `fhirclient` writes the
questions, with the proof key (PKCE) that ties both together; a confidential app also sends its secret.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import jwt
from fhirclient.auth import FHIROAuth2Auth

from hooks.checklist.registration import SmartApp
from hooks.deadline import Deadline
from hooks.fhir_address import is_below
from hooks.oauth import TokenEndpoint, endpoints
from hooks.request import FHIR_ID

CLINICIAN = re.compile(r"(https://[^\s?#]+/)?(Practitioner|PractitionerRole)/[A-Za-z0-9\-.]{1,64}")  # or in a directory elsewhere
CLOCKS = 60  # seconds that the EHR's clock may differ from ours


class NotOpened(Exception):
    """Why there is no checklist, and what to do about it, in words for a clinician."""

    def __init__(self, words: str, status: int = 403):
        super().__init__(words)
        self.status = status


@dataclass(frozen=True, slots=True)
class Granted:
    """What the EHR allows, about whom, and to whom."""

    token: str = field(repr=False)
    seconds: int
    patient_id: str
    user: str
    app_context: str  # of the card's link, handed through by the EHR; empty when opened from elsewhere


def begin(app: SmartApp, issuer: str, launch: str, redirect_uri: str, state: str, deadline: Deadline, ca_bundle: str | None) -> tuple[str, dict[str, str]]:
    """Where to send the browser, and what to remember until it is back. Raises NoAnswer."""
    if app.authorize_url and app.token_url:
        authorize, token = app.authorize_url, app.token_url
    else:
        authorize, token = endpoints(("authorization_endpoint", "token_endpoint"), app.fhir_server, deadline, ca_bundle)
    asked = {"app_id": app.client_id, "aud": issuer, "authorize_uri": authorize, "token_uri": token, "redirect_uri": redirect_uri, "auth_state": state}
    auth = FHIROAuth2Auth(state=asked)
    address = auth.authorize_uri(TokenEndpoint(app.fhir_server, app.scope, deadline, ca_bundle, launch))
    return address, {name: value for name, value in auth.state.items() if isinstance(value, str)}


def finish(app: SmartApp, authorization: Mapping[str, str], callback: str, secret: str | None, deadline: Deadline, ca_bundle: str | None) -> Granted:
    """Exchange the code in the address that the browser came back to. Raises NoAnswer, or NotOpened for a grant that is of no use."""
    server = TokenEndpoint(app.fhir_server, app.scope, deadline, ca_bundle)
    auth = FHIROAuth2Auth(state={**authorization, "app_secret": secret})
    with server.session:
        told = auth.handle_callback(callback, server)
    patient = told.get("patient")
    if not isinstance(patient, str) or not FHIR_ID.fullmatch(patient):
        raise NotOpened("The EHR did not say which child this is about. Open the checklist from the child's chart.")
    return Granted(auth.access_token, server.seconds, patient, _clinician(told, app), str(told.get("appContext", "")))


def _clinician(told: Mapping[str, Any], app: SmartApp) -> str:
    """Who is signed in at the EHR. The signature is not looked at: the token came from the token endpoint itself, over TLS, and
    to nobody else (OpenID Connect Core, 3.1.3.7)."""
    wanted: dict[str, Any] = {"verify_signature": False, "verify_aud": True, "verify_exp": True, "require": ["aud", "exp"]}
    try:
        claims = jwt.decode(str(told.get("id_token")), options=wanted, audience=app.client_id, leeway=CLOCKS)
    except jwt.PyJWTError:
        raise NotOpened("The EHR did not say who you are, so that your answers could not bear your name. Its administrators must grant "
                        "this app the scopes openid and fhirUser.") from None  # fmt: skip
    user = str(claims.get("fhirUser") or claims.get("profile") or "")
    if is_below(user, app.fhir_server):
        user = "/".join(user.rstrip("/").split("/")[-2:])
    if not CLINICIAN.fullmatch(user):
        raise NotOpened("This checklist is for clinicians who look after children with leukaemia; the EHR says that you are signed in as somebody else.")
    return user
