"""One EHR that may call us: how it proves who it is, which FHIR servers it may name, and what its cards may carry."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import jwt
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from hooks.fhir_address import normalised_base, origin

SANDBOX_ISSUER = "https://sandbox.cds-hooks.org"
"""Its private key is public: everybody can sign as this issuer."""

ALGORITHMS = ("ES384", "RS384", "ES256", "RS256")  # asymmetric ones only; the specification recommends the first two
Algorithm = Literal["ES384", "RS384", "ES256", "RS256"]
MINIMUM_RSA_BITS = 2048


def fhir_base(url: str) -> str:
    base = normalised_base(url)
    if base is None:
        raise ValueError("must be a FHIR base URL such as https://ehr.example/fhir, without query or user")
    return base


def safe_url(url: str) -> str:
    """https, or plain http to this very machine, as in tests and behind a local proxy."""
    place = origin(url)
    if place is None or (place.scheme == "http" and place.host not in ("127.0.0.1", "localhost", "::1")):
        raise ValueError("must be an https URL")
    return url


def public_key(jwk: dict[str, Any]) -> dict[str, Any]:
    """A JWK that can verify, with a `kid`, and that cannot sign."""
    if "d" in jwk or jwk.get("kty") == "oct":
        raise ValueError("must be a public key; this one can sign: take out the private part and replace the key")
    if not isinstance(jwk.get("kid"), str) or not jwk["kid"]:
        raise ValueError("must have a kid, the name that the token's header gives")
    try:
        key = jwt.PyJWK(jwk, algorithm=jwk.get("alg") or {"EC": "ES384", "RSA": "RS384"}.get(jwk.get("kty", "")))
    except (jwt.PyJWTError, ValueError, TypeError):
        raise ValueError("is not a public key as JWK (kty EC with crv, x and y; or kty RSA with n and e)") from None
    if getattr(key.key, "key_size", MINIMUM_RSA_BITS) < MINIMUM_RSA_BITS and jwk["kty"] == "RSA":
        raise ValueError(f"is too short: an RSA key has at least {MINIMUM_RSA_BITS} bits")
    return jwk


FhirBase = Annotated[str, AfterValidator(fhir_base)]
SafeUrl = Annotated[str, AfterValidator(safe_url)]
PublicKey = Annotated[dict[str, Any], AfterValidator(public_key)]
Words = Annotated[str, Field(min_length=1, max_length=200)]


class OverrideReason(BaseModel):
    """One reason a clinician may choose for setting the card aside, as a Coding."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: Words
    system: Words
    display: Words


class CdsClient(BaseModel):
    """Everything that differs from one caller to the next. What is not listed is not allowed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")  # ours, for logs and figures
    issuer: str = Field(min_length=1)  # `iss` of its tokens, compared character by character
    jwks_url: SafeUrl | None = None  # where its keys are published; `jku`, if sent, must be this
    keys: tuple[PublicKey, ...] = ()  # or its keys themselves, as JWKs
    audiences: tuple[str, ...] = ()  # accepted as `aud` beside the address of the service called
    tenants: tuple[str, ...] = ()  # if any are listed, `tenant` must be one of them
    fhir_servers: tuple[FhirBase, ...] = ()  # may be called; no other is
    assessment_extension: bool = False  # the whole assessment on the card, for programs
    suggestions: bool = True  # offer a draft request for a missing test; never written by itself
    override_reasons: tuple[OverrideReason, ...] = ()  # in place of ours; Epic shows those a hospital has mapped
    detail_content_type: Literal["text/markdown", "text/markdown; variant=CommonMark"] | None = None  # said to Epic only

    @model_validator(mode="after")
    def _has_one_kind_of_key(self) -> CdsClient:
        if bool(self.jwks_url) == bool(self.keys):
            raise ValueError("give either jwks_url or keys, so that its tokens can be verified")
        return self


DEVELOPER = CdsClient.model_construct(
    name="development", issuer="", jwks_url=None, keys=(), audiences=(), tenants=(), fhir_servers=(), assessment_extension=True,
    suggestions=True, override_reasons=(), detail_content_type=None,
)  # fmt: skip
"""Whoever calls in development mode, where no caller is checked."""
