"""What all commands share: how one ends that could not do its work, the settings it reads, the JSON it prints."""

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
