"""The settings of our own access to a FHIR server, apart from the access itself: reading them loads no cryptography."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, model_validator

from hooks.cds_client import FhirBase, SafeUrl
from hooks.public_key import Algorithm


class BackendServices(BaseModel):
    """How we are registered at one FHIR server. The private key is read from a file or an environment variable."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fhir_server: FhirBase
    client_id: str = Field(min_length=1)
    key_file: Path | None = None  # a private key as PEM
    key_env: str | None = None  # or the name of the environment variable that holds it
    kid: str = Field(min_length=1)  # the key's name in the key set registered there
    algorithm: Algorithm = "RS384"
    scope: str = "system/*.rs"
    token_url: SafeUrl | None = None  # otherwise asked of the server's .well-known/smart-configuration

    @model_validator(mode="after")
    def _has_one_key(self) -> BackendServices:
        if bool(self.key_file) == bool(self.key_env):
            raise ValueError("give either key_file or key_env, the private key registered with this server")
        return self
