"""The conversation with the EHR: CDS Hooks in, cards out."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from hooks.config import Config

__all__ = ["create_app"]


def create_app(config: Config | None = None) -> Flask:
    """The Flask application; see `hooks.app`. Imported on use, so that a command which needs no service starts without one."""
    from hooks.app import create_app as made

    return made(config)
