"""One access token of our own from a FHIR server: SMART Backend Services, a client credentials grant with a signed JWT."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, NamedTuple

import jwt
from fhirclient.auth import FHIROAuth2Auth

from hooks.deadline import Deadline
from hooks.oauth import TokenEndpoint

if TYPE_CHECKING:
    from hooks.backend_registration import BackendServices

ASSERTION_SECONDS = 240  # servers must refuse more than five minutes; their clocks differ from ours


class Grant(NamedTuple):
    token: str
    seconds: int  # that it lasts


def granted(backend: BackendServices, key: str, endpoint: str, deadline: Deadline, ca_bundle: str | None = None) -> Grant:
    """Ask the token endpoint. Raises NoAnswer."""
    server = TokenEndpoint(backend.fhir_server, backend.scope, deadline, ca_bundle)
    state = {"app_id": backend.client_id, "token_uri": endpoint, "jwt_token": _assertion(backend, key, endpoint)}
    with server.session:
        auth = FHIROAuth2Auth(state=state)
        auth.authorize(server)
    return Grant(auth.access_token, server.seconds)


def _assertion(backend: BackendServices, key: str, endpoint: str) -> str:
    """Who we are, signed. Good once, at one address, for some minutes."""
    now = int(time.time())
    claims = {"iss": backend.client_id, "sub": backend.client_id, "aud": endpoint, "jti": str(uuid.uuid4()), "iat": now, "exp": now + ASSERTION_SECONDS}
    return jwt.encode(claims, key, algorithm=backend.algorithm, headers={"kid": backend.kid, "typ": "JWT"})
