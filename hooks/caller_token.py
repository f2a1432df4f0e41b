"""A caller's token before anything of it is believed: cut out of the header, taken apart, and named for the log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jwt

from hooks.logs import quoted

LONGEST_TOKEN = 8 * 1024
REASONS: tuple[tuple[type[Exception], str], ...] = (  # what the library finds, in our words; the first that fits
    (jwt.InvalidSignatureError, "signature"),
    (jwt.ExpiredSignatureError, "expired"),
    (jwt.ImmatureSignatureError, "not_yet"),
    (jwt.InvalidAudienceError, "audience"),
    (jwt.InvalidIssuerError, "issuer"),
    (jwt.MissingRequiredClaimError, "claim_missing"),
)


class Untrusted(Exception):
    """A reason code for the log, and more words where they help; the caller never sees them."""

    def __init__(self, reason: str, **why: str):
        super().__init__(reason)
        self.reason, self.why = reason, why


def bearer(authorization: str) -> str:
    scheme, _, token = authorization.partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise Untrusted("no_token")
    if len(token) > LONGEST_TOKEN or token.count(".") != 2 or "," in token or " " in token:
        raise Untrusted("malformed")
    return token


def peeked(token: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """What the token says of itself, to find the key by; nothing of it is believed yet."""
    try:
        return jwt.get_unverified_header(token), unverified(token)
    except Exception:
        raise Untrusted("malformed") from None


def unverified(token: str) -> Mapping[str, Any]:
    claims: Mapping[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


def named(**told: Any) -> dict[str, str]:
    """Those that are there, as a log may quote them."""
    return {name: words for name, value in told.items() if (words := quoted(value))}
