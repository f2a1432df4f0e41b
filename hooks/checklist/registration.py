"""The settings of the checklist at one EHR, apart from the app itself: reading them loads nothing else."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from hooks.cds_client import FhirBase, SafeUrl, safe_url
from hooks.fhir_address import origin

NEEDED = ("launch", "openid", "fhirUser")
SCOPE = "launch openid fhirUser patient/*.rs patient/QuestionnaireResponse.c user/Practitioner.r"


class SecretMissing(ValueError):
    """What is wrong with the app's secret, in one sentence, and nothing of the secret."""


def _scope(text: str) -> str:
    if lacking := [scope for scope in NEEDED if scope not in text.split()]:
        raise ValueError(f"must hold {' and '.join(lacking)} as well: who looks at which child comes with {'these' if len(lacking) > 1 else 'it'}")
    return text


def _page_origin(url: str) -> str:
    place = origin(safe_url(url))
    if place is None or url.rstrip("/").count("/") != 2 or "?" in url or "#" in url:
        raise ValueError("must be an origin such as https://ehr.example, without a path")
    return url.rstrip("/")


class SmartApp(BaseModel):
    """How the checklist is registered at one FHIR server, with `<public_url>/app/launch` and `<public_url>/app/callback`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fhir_server: Annotated[FhirBase, AfterValidator(safe_url)]
    client_id: str = Field(min_length=1)
    client_secret_env: str | None = None  # of a confidential app: the name of the environment variable that holds its secret
    scope: Annotated[str, AfterValidator(_scope)] = SCOPE
    authorize_url: SafeUrl | None = None  # otherwise asked of the server's .well-known/smart-configuration
    token_url: SafeUrl | None = None
    embedded_by: tuple[Annotated[str, AfterValidator(_page_origin)], ...] = ()  # EHR pages that may show it in a frame of theirs

    @model_validator(mode="after")
    def _names_both_or_none(self) -> SmartApp:
        if bool(self.authorize_url) != bool(self.token_url):
            raise ValueError("give both authorize_url and token_url, or neither")
        return self

    def secret(self, environment: Mapping[str, str] = os.environ) -> str | None:
        """Raise SecretMissing where one is announced and not there."""
        if self.client_secret_env is None:
            return None
        secret = environment.get(self.client_secret_env, "")
        if not secret:
            raise SecretMissing(f"client_secret_env {self.client_secret_env}: this environment variable is not set; put the app's secret into it")
        return secret
