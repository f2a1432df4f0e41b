"""SMART App Launch: an EHR opens the checklist for the child on its screen, and vouches for the clinician.

`begin` sends the browser to the EHR's authorization server, `finish` takes what it came back with. `fhirclient` writes the
questions, with the proof key (PKCE) that ties both together; a confidential app also sends its secret. Between the two
nothing is stored here: whoever is not let in by an EHR leaves no trace.
"""

from __future__ import annotations

import re
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import jwt
from fhirclient.auth import FHIROAuth2Auth

from hooks.checklist.registration import SmartApp
from hooks.deadline import Deadline
from hooks.fhir_address import is_below
from hooks.no_answer import NoAnswer
from hooks.oauth import SIGN_IN, TokenEndpoint, endpoints
from hooks.request import FHIR_ID

CLINICIAN = re.compile(r"(https://[^\s?#]+/)?(Practitioner|PractitionerRole)/[A-Za-z0-9\-.]{1,64}")  # or in a directory elsewhere
CLOCKS = 60  # seconds that the EHR's clock may differ from ours
KNOWN_FOR = 300.0  # seconds that the addresses of an authorization server are kept, so that launches do not ask a busy EHR each time
FAILED_FOR = 10.0  # seconds that it is not asked again when it did not tell them
AGAIN = "Open it again from the child's chart."


class NotOpened(Exception):
    """Why there is no checklist, and what to do next, in words for a clinician."""

    def __init__(self, why: str, what_next: str = AGAIN, status: int = 403):
        super().__init__(why)
        self.why, self.what_next, self.status = why, what_next, status


@dataclass(frozen=True, slots=True)
class Launching:
    """A clinician who is on the way to the EHR's authorization server. Kept in the browser alone, as a cookie."""

    issuer: str
    verifier: str = field(repr=False)

    @property
    def cookie(self) -> str:
        return f"{self.verifier}.{urlsafe_b64encode(self.issuer.encode()).decode()}"

    @property
    def state(self) -> str:
        """Comes back with the browser; whoever knows it does not know the verifier."""
        return sha256(self.cookie.encode()).hexdigest()[:40]

    @classmethod
    def read(cls, cookie: str, state: str) -> Launching | None:
        """The launch that this browser began under this state."""
        verifier, _, issuer = cookie.partition(".")
        try:
            begun = cls(urlsafe_b64decode(issuer.encode("ascii")).decode(), verifier)
        except ValueError:
            return None
        return begun if verifier and begun.state == state else None


@dataclass(frozen=True, slots=True)
class Granted:
    """What the EHR allows, about whom, and to whom."""

    token: str = field(repr=False)
    seconds: int
    patient_id: str
    user: str
    app_context: str  # of the card's link, handed through by the EHR; empty when opened from elsewhere


class Authorization:
    """Where a registered EHR lets clinicians in. Lives as long as the process."""

    def __init__(self, app: SmartApp, redirect_uri: str, ca_bundle: str | None) -> None:
        self._app, self._redirect_uri, self._ca_bundle = app, redirect_uri, ca_bundle
        self._known: tuple[tuple[str, ...] | NoAnswer, float] | None = None

    def begin(self, begun: Launching, launch: str, deadline: Deadline) -> str:
        """Where to send the browser. Raises NoAnswer."""
        auth = self._auth(begun, deadline)
        address: str = auth.authorize_uri(TokenEndpoint(self._app.fhir_server, self._app.scope, deadline, self._ca_bundle, launch))
        return address

    def finish(self, begun: Launching, callback: str, deadline: Deadline) -> Granted:
        """Exchange the code in the address that the browser came back to. Raises NoAnswer, NotOpened for a grant that is of no use,
        SecretMissing."""
        server = TokenEndpoint(self._app.fhir_server, self._app.scope, deadline, self._ca_bundle)
        auth = self._auth(begun, deadline, app_secret=self._app.secret())
        try:
            with server.session:
                told = auth.handle_callback(callback, server)
        except NoAnswer:
            raise
        except Exception:  # fhirclient's own, bare, for an answer that says both yes and no
            raise NotOpened("The EHR did not let the checklist be opened.") from None
        patient = told.get("patient")
        if not isinstance(patient, str) or not FHIR_ID.fullmatch(patient):
            raise NotOpened("The EHR did not say which child this is about.")
        return Granted(auth.access_token, server.seconds, patient, _clinician(told, self._app), str(told.get("appContext", "")))

    def _auth(self, begun: Launching, deadline: Deadline, **more: str | None) -> Any:
        authorize, token = self._endpoints(deadline)
        return FHIROAuth2Auth(state={
            "app_id": self._app.client_id, "aud": begun.issuer, "authorize_uri": authorize, "token_uri": token,
            "redirect_uri": self._redirect_uri, "auth_state": begun.state, "code_verifier": begun.verifier, **more,
        })  # fmt: skip

    def _endpoints(self, deadline: Deadline) -> tuple[str, ...]:
        if self._app.authorize_url and self._app.token_url:
            return self._app.authorize_url, self._app.token_url
        known = self._known
        if known is None or time.monotonic() > known[1]:
            try:
                known = endpoints(SIGN_IN, self._app.fhir_server, deadline, self._ca_bundle), time.monotonic() + KNOWN_FOR
            except NoAnswer as why:
                known = why, time.monotonic() + FAILED_FOR
            self._known = known
        if isinstance(known[0], NoAnswer):
            raise NoAnswer(str(known[0]))
        return known[0]


def _clinician(told: Mapping[str, Any], app: SmartApp) -> str:
    """Who is signed in at the EHR. The signature is not looked at: the token came from the token endpoint itself, over TLS, and
    to nobody else (OpenID Connect Core, 3.1.3.7)."""
    wanted: dict[str, Any] = {"verify_signature": False, "verify_aud": True, "verify_exp": True, "require": ["aud", "exp"]}
    try:
        claims = jwt.decode(str(told.get("id_token")), options=wanted, audience=app.client_id, leeway=CLOCKS)
    except jwt.PyJWTError:
        raise NotOpened("The EHR did not say who you are, so that your answers could not bear your name.",
                        "Ask whoever looks after the EHR to grant this app the scopes openid and fhirUser.") from None  # fmt: skip
    user = str(claims.get("fhirUser") or claims.get("profile") or "").encode("ascii", "replace").decode()
    if is_below(user, app.fhir_server):
        user = "/".join(user.rstrip("/").split("/")[-2:])
    if not CLINICIAN.fullmatch(user):
        raise NotOpened("This checklist is for clinicians who look after children with leukaemia.",
                        "The EHR says that you are signed in as somebody else: sign in there as a clinician.")  # fmt: skip
    return user

