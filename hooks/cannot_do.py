"""How a command ends that could not do its work."""

from __future__ import annotations

from typing import Any

import click


class CannotDo(click.ClickException):
    """One plain sentence on standard error, exit status 1."""

    exit_code = 1

    def show(self, file: Any = None) -> None:
        click.echo(f"relapse-cds: {self.message}", err=True)
