"""What all commands share: how one ends that could not do its work, the settings and addresses it reads, the JSON it prints."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from hooks.config import Config


class CannotDo(click.ClickException):
    """One plain sentence on standard error, exit status 1."""

    exit_code = 1

    def show(self, file: Any = None) -> None:
        click.echo(f"relapse-cds: {self.message}", err=True)


def configured(file: Path | None, dev: bool = False) -> Config:
    """The settings of the file, or the defaults; secrets from the environment either way."""
    from hooks.config import DATABASE_VARIABLE, Config, ConfigError  # on use, as below: a command first says that it has begun

    if file is None:
        config = Config.development() if dev else Config()
        return config.model_copy(update={"database": os.environ.get(DATABASE_VARIABLE) or config.database})
    try:
        return Config.read(file, dev=dev)
    except ConfigError as error:
        raise CannotDo(str(error)) from None


def fhir_base_of(told: str, name: str = "") -> str:
    """The base URL, normalised. What it holds beside an address may be a secret, which is not repeated."""
    from hooks.fhir_address import normalised_base

    base = normalised_base(told)
    if base is not None:
        return base
    if "@" in told:
        raise CannotDo(f"{name or 'the source'}: a user or password cannot be part of a FHIR base URL, which is one such as "
                        "https://ehr.example/fhir; put an access token into FHIR_TOKEN")
    if "?" in told or "#" in told:
        raise CannotDo(f"{name or 'the source'}: a query cannot be part of a FHIR base URL, which is one such as https://ehr.example/fhir")
    raise CannotDo(f"{f'{name} {told}'.strip()}: must be a FHIR base URL such as https://ehr.example/fhir")


def patient_id_of(told: str) -> str:
    """The bare id, also of `Patient/123`, which is what an assessment calls a child."""
    bare = told.removeprefix("Patient/")
    if not bare or "/" in bare:
        raise CannotDo(f"{told}: must be the id of a Patient, such as 123 or Patient/123")
    return bare


def use_site_codes(config: Config) -> None:
    """From now on codes mean what the site says, too."""
    from fhir_mappings import codelists
    from fhir_mappings.codelists import CodelistError
    from fhir_mappings.site_codes import read_site_codes

    try:
        if config.site_codes:
            codelists.use(read_site_codes(config.site_codes))
    except CodelistError as error:
        raise CannotDo(f"site_codes: {error}") from None


def print_json(content: Any) -> None:
    """Readable UTF-8; half a surrogate pair from a broken chart becomes a question mark, not a crash."""
    click.echo(json.dumps(content, indent=2, ensure_ascii=False).encode("utf-8", "replace").decode())
