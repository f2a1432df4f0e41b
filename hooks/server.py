"""The production server: gunicorn, several worker processes with threads, since a call mostly waits for a FHIR server."""

from __future__ import annotations

from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from hooks.app import create_app
from hooks.config import Config

THREADS = 8


class _Gunicorn(BaseApplication):
    def __init__(self, app: Flask, options: dict[str, Any]):
        self.app, self.options = app, options
        super().__init__()

    def load_config(self) -> None:
        for key, value in self.options.items():
            self.cfg.set(key, value)

    def load(self) -> Flask:
        return self.app


def run(config: Config, host: str, port: int, workers: int) -> None:
    """Serve until told to stop; SIGTERM lets running calls finish."""
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    options = {"bind": address, "workers": workers, "worker_class": "gthread", "threads": THREADS, "timeout": 60,
               "graceful_timeout": 20, "preload_app": True, "loglevel": "warning", "limit_request_line": 4094}  # fmt: skip
    _Gunicorn(create_app(config), options).run()
