"""Who is calling? The caller's signed token, checked step by step before anything else of the request is looked at.

The order is that of our notes (cds-hooks 2.14): cheap and unforgeable looks first, the replay store last, so that forged
tokens cannot fill it. Whatever fails, the caller is told the same; the log names the reason and what the token says of itself
(`iss`, `kid`, `jti`), never the token.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import jwt
import structlog

from hooks import metrics
from hooks.caller_token import REASONS, Untrusted, bearer, named, peeked, unverified
from hooks.cds_client import CdsClient
from hooks.config import Config
from hooks.fhir_address import normalised_base
from hooks.jwks import KeySet, KeysUnavailable
from hooks.problem import Problem
from hooks.public_key import KEY_TYPES, PublicKey

log = structlog.get_logger()
LONGEST_ID = 255
SKEW_SECONDS = 60
LONGEST_LIFE_SECONDS = 3600
REFUSED = "the caller could not be verified; send a valid signed token as Authorization: Bearer"

FirstUse = Callable[[str, str, float], bool]
"""`first_use(issuer, jti, until)`: False when the same token id was used before, on whatever worker or host."""


class Trust:
    """Every caller that is configured, with its keys. Thread-safe."""

    def __init__(self, config: Config, first_use: FirstUse, now: Callable[[], float] = time.time):
        self._public_url = (config.public_url or "").rstrip("/")
        self._clients = {client.issuer: client for client in config.clients}
        self.keys = {client.issuer: KeySet(client, ca_bundle=config.trusted) for client in config.clients}
        self._first_use, self._now = first_use, now

    def fetch_keys_ahead(self) -> None:
        """For a worker that starts: nobody who calls should have to wait for keys."""
        for keys in self.keys.values():
            keys.fetch_ahead()

    def caller(self, authorization: str | None, path: str) -> CdsClient:
        """The client whose token this is. Raise Problem(401), the same for every reason."""
        seen: dict[str, str] = {}
        try:
            return self._verified(authorization or "", path, seen)
        except Untrusted as told:
            reason, why = told.reason, told.why
        except KeysUnavailable as told:
            reason, why = "keys_unavailable", {"why": str(told)}
        log.warning("untrusted", reason=reason, **why, **seen)
        metrics.UNTRUSTED.labels(reason).inc()
        raise Problem(401, REFUSED)

    def _verified(self, authorization: str, path: str, seen: dict[str, str]) -> CdsClient:
        token = bearer(authorization)
        header, claims = peeked(token)
        seen |= named(iss=claims.get("iss"), kid=header.get("kid"), jti=claims.get("jti"))
        client = self._clients.get(str(claims.get("iss")))
        if client is None:
            raise Untrusted("issuer")
        seen |= {"client": client.name}
        key = self._key(client, header)
        claims = self._signed(token, key, header["alg"], client, path)
        if client.tenants and claims.get("tenant") not in client.tenants:
            raise Untrusted("tenant")
        jti = claims["jti"]
        if not isinstance(jti, str) or not 0 < len(jti) <= LONGEST_ID:
            raise Untrusted("jti")
        if not self._first_use(client.issuer, jti, claims["exp"] + SKEW_SECONDS):
            raise Untrusted("replayed")
        return client

    def _key(self, client: CdsClient, header: Mapping[str, Any]) -> PublicKey:
        if str(header.get("typ", "")).upper() != "JWT":
            raise Untrusted("typ")
        algorithm = header.get("alg")
        if not isinstance(algorithm, str) or algorithm not in KEY_TYPES or "crit" in header:
            raise Untrusted("algorithm")
        jku = header.get("jku")
        if jku is not None and client.jwks_url is None:
            raise Untrusted("jku", why="the token names the address of its keys (jku), and this client has keys alone: give jwks_url")
        if jku is not None and not _same_address(jku, str(client.jwks_url)):
            raise Untrusted("jku", why="the token's jku is not the jwks_url of this client")
        kid = header.get("kid")
        key = self.keys[client.issuer].key(kid) if isinstance(kid, str) else None
        if key is None:
            raise Untrusted("kid")
        if not key.fits(algorithm):
            raise Untrusted("key_type")
        return key

    def _signed(self, token: str, key: PublicKey, algorithm: str, client: CdsClient, path: str) -> dict[str, Any]:
        try:
            claims = jwt.decode(
                token, key.key, algorithms=[algorithm], issuer=client.issuer, audience=self._audiences(client, path), leeway=SKEW_SECONDS,
                options={"require": ["iss", "aud", "exp", "iat", "jti"]},
            )  # fmt: skip
        except Exception as error:  # whatever a hostile token does to the library, it is not let in
            reason = next((ours for kind, ours in REASONS if isinstance(error, kind)), "claim_malformed")
            raise Untrusted(reason, **(named(aud=unverified(token).get("aud")) if reason == "audience" else {})) from None
        exp, iat = claims["exp"], claims["iat"]
        if not all(isinstance(moment, int | float) and not isinstance(moment, bool) for moment in (exp, iat)):
            raise Untrusted("times")
        if exp - iat > LONGEST_LIFE_SECONDS or exp > self._now() + LONGEST_LIFE_SECONDS + SKEW_SECONDS:
            raise Untrusted("lifetime")
        return claims

    def _audiences(self, client: CdsClient, path: str) -> list[str]:
        """The address called, from the configuration and never from the request's Host; with and without the last slash."""
        here = self._public_url + "/" + path.strip("/")
        return [here, here + "/", *client.audiences]


def _same_address(one: Any, other: str) -> bool:
    return isinstance(one, str) and normalised_base(one) is not None and normalised_base(one) == normalised_base(other)


