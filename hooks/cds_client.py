"""One EHR that may call us: how it proves who it is, which FHIR servers it may name, and what its cards may carry."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from hooks.fhir_address import normalised_base, origin
from hooks.public_key import public_key

SANDBOX_ISSUER = "https://sandbox.cds-hooks.org"
"""Its private key is public: everybody can sign as this issuer."""


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


def verifying(jwk: dict[str, Any]) -> dict[str, Any]:
    public_key(jwk)
    return jwk


FhirBase = Annotated[str, AfterValidator(fhir_base)]
SafeUrl = Annotated[str, AfterValidator(safe_url)]
Jwk = Annotated[dict[str, Any], AfterValidator(verifying)]
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
    keys: tuple[Jwk, ...] = ()  # its public keys, as JWKs
    jwks_url: SafeUrl | None = None  # or where it publishes them; a token's `jku` must be this
    audiences: tuple[str, ...] = ()  # accepted as `aud` beside the address of the service called
    tenants: tuple[str, ...] = ()  # if any are listed, `tenant` must be one of them
    fhir_servers: tuple[FhirBase, ...] = ()  # may be called; no other is
    assessment_extension: bool = False  # the whole assessment on the card, for programs
    suggestions: bool = True  # offer a draft request for a missing test; never written by itself
    override_reasons: tuple[OverrideReason, ...] = ()  # in place of ours; Epic shows those a hospital has mapped
    detail_content_type: Literal["text/markdown", "text/markdown; variant=CommonMark"] | None = None  # said to Epic only

    @model_validator(mode="after")
    def _can_be_verified(self) -> CdsClient:
        if not self.jwks_url and not self.keys:
            raise ValueError("give keys, jwks_url or both, so that its tokens can be verified")
        return self


DEVELOPER = CdsClient.model_construct(
    name="development", issuer="", jwks_url=None, keys=(), audiences=(), tenants=(), fhir_servers=(), assessment_extension=True,
    suggestions=True, override_reasons=(), detail_content_type=None,
)  # fmt: skip
"""Whoever calls in development mode, where no caller is checked."""
