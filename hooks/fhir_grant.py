"""One access token of our own from a FHIR server: SMART Backend Services, a client credentials grant with a signed JWT.

`fhirclient` writes the question and reads the grant; the transport is ours, for the reasons given in `fhir_wire`. What a
server says in its refusal is not repeated but for the error codes of the standard.
"""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any, NamedTuple

import jwt
import requests
from fhirclient.auth import FHIROAuth2Auth
from fhirclient.server import FHIRServer

from hooks.deadline import Deadline
from hooks.fhir_address import is_loopback, origin
from hooks.fhir_json import NotFhirJson, parse
from hooks.fhir_session import body_of, guarded_session, sent
from hooks.no_answer import NoAnswer, Unwell

if TYPE_CHECKING:
    from hooks.backend_registration import BackendServices

MAX_BYTES = 256 * 1024
ASSERTION_SECONDS = 240  # servers must refuse more than five minutes; their clocks differ from ours
ASSUMED_SECONDS = 300  # of a token whose end is not told
LONGEST_SECONDS = 86_400
_ERRORS = frozenset({"invalid_request", "invalid_client", "invalid_grant", "invalid_scope", "unauthorized_client", "unsupported_grant_type"})


class Grant(NamedTuple):
    token: str
    seconds: int  # that it lasts


def granted(backend: BackendServices, key: str, endpoint: str, deadline: Deadline, ca_bundle: str | None = None) -> Grant:
    """Ask the token endpoint. Raises NoAnswer."""
    server = _TokenEndpoint(backend, deadline, ca_bundle)
    state = {"app_id": backend.client_id, "token_uri": endpoint, "jwt_token": _assertion(backend, key, endpoint)}
    with server.session:
        auth = FHIROAuth2Auth(state=state)
        auth.authorize(server)
    return Grant(auth.access_token, server.seconds)


def token_endpoint(fhir_server: str, deadline: Deadline, ca_bundle: str | None = None) -> str:
    """What the server's SMART configuration names. Raises NoAnswer.

    The document is believed if the listed server itself served it over TLS, or on this very machine. It may then name
    another host, as the identity provider of a hospital often is, for our assertion is good at no other address than the
    one in its `aud`. Never plain http, unless both are on this machine: the token would travel in the open.
    """
    if not _private(fhir_server, here=True):
        raise NoAnswer("the address of the token endpoint cannot be asked of a server without TLS; set token_url")
    asked = requests.Request("GET", f"{fhir_server}/.well-known/smart-configuration", headers={"Accept": "application/json"})
    with guarded_session(deadline, ca_bundle) as session, sent(session, asked, deadline) as response:
        told = _json(response, deadline) if response.status_code == 200 else None
    endpoint = told.get("token_endpoint") if isinstance(told, dict) else None
    if not isinstance(endpoint, str) or not _private(endpoint, here=is_loopback(fhir_server)):
        raise NoAnswer("the FHIR server names no token endpoint that we may use")
    return endpoint


class _TokenEndpoint(FHIRServer):
    """What fhirclient asks of a server while it authorises, done with a deadline and without redirects."""

    def __init__(self, backend: BackendServices, deadline: Deadline, ca_bundle: str | None) -> None:
        super().__init__(None, base_uri=backend.fhir_server)
        self.session = guarded_session(deadline, ca_bundle)
        self._scope, self._deadline = backend.scope, deadline
        self.seconds = 0

    @property
    def desired_scope(self) -> str:
        return self._scope

    def post_as_form(self, url: str, formdata: dict[str, str], auth: Any = None) -> _Granted:
        asked = requests.Request("POST", url, data=formdata, headers={"Accept": "application/json"})
        with sent(self.session, asked, self._deadline) as response:
            status, told = response.status_code, _json(response, self._deadline)
        if status >= 500 or status == 429:
            raise Unwell(f"the FHIR server gave us no access token ({status})")
        told = told if isinstance(told, dict) else {}
        token, kind = told.get("access_token"), str(told.get("token_type", "bearer")).lower()
        if status != 200 or not isinstance(token, str) or not _printable(token) or kind != "bearer":
            code = f": {told['error']}" if str(told.get("error")) in _ERRORS else ""
            raise NoAnswer(f"the FHIR server gave us no access token ({status}{code})")
        self.seconds = _seconds(told.get("expires_in"))
        return _Granted(access_token=token)


class _Granted(dict[str, Any]):
    """The part of an HTTP response that fhirclient looks at."""

    def json(self) -> dict[str, Any]:
        return self


def _assertion(backend: BackendServices, key: str, endpoint: str) -> str:
    """Who we are, signed. Good once, at one address, for some minutes."""
    now = int(time.time())
    claims = {"iss": backend.client_id, "sub": backend.client_id, "aud": endpoint, "jti": str(uuid.uuid4()), "iat": now, "exp": now + ASSERTION_SECONDS}
    return jwt.encode(claims, key, algorithm=backend.algorithm, headers={"kid": backend.kid, "typ": "JWT"})


def _json(response: requests.Response, deadline: Deadline) -> Any:
    try:
        return parse(response.headers.get("Content-Type", ""), body_of(response, MAX_BYTES, deadline))
    except NotFhirJson:
        return None


def _seconds(told: Any) -> int:
    """`expires_in`: a number, from some servers as text."""
    try:
        number = int(told) if isinstance(told, str) else told
        return int(max(0, min(number, LONGEST_SECONDS)))  # compared first: the int of 1e999999999 would fill the memory
    except (TypeError, ValueError):
        return ASSUMED_SECONDS


def _printable(token: str) -> bool:
    return bool(token) and all("\x21" <= character <= "\x7e" for character in token)


def _private(url: str, here: bool) -> bool:
    """TLS, or, where that is in order, this very machine."""
    place = origin(url)
    return place is not None and (place.scheme == "https" or (here and is_loopback(url)))
