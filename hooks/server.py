"""The production server: gunicorn, several worker processes with threads, since a call mostly waits for a FHIR server."""

from __future__ import annotations

import gc
import os
import tempfile
from collections.abc import Callable
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from hooks.config import Config

THREADS = 8
SHARED_FIGURES = "PROMETHEUS_MULTIPROC_DIR"  # named by the library of `metrics.py`, which looks at it when it is first imported
GRACE_SECONDS = 20
KEEP_ALIVE_SECONDS = 75  # longer than a proxy keeps its own end open, so that no call is sent into a closing connection
WORKER_START = "relapse_cds_worker_start"  # the extension of an application that each worker calls once; threads do not survive the fork
NEW_OBJECTS = 10_000  # between two looks for garbage; the JSON of 500 resources alone is 9,000, all needed to the end of the call


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

    def create() -> Flask:
        from hooks.app import create_app

        return create_app(config)

    serve(create, host, port, workers)


def serve(create: Callable[[], Flask], host: str, port: int, workers: int) -> None:
    """Any application on this server; the benchmark puts a bare one on it, to compare with."""
    with tempfile.TemporaryDirectory(prefix="relapse-cds-figures-") as folder:
        os.environ[SHARED_FIGURES] = folder  # every worker writes its figures here, and any of them tells the sum
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        options = {"bind": address, "workers": workers, "worker_class": "hooks.gunicorn_worker.Worker", "logger_class": "hooks.gunicorn_worker.Log",
                   "threads": THREADS, "timeout": 60, "keepalive": KEEP_ALIVE_SECONDS,
                   "graceful_timeout": GRACE_SECONDS, "preload_app": True, "loglevel": "warning", "limit_request_line": 4094,
                   "child_exit": _figures_of_the_dead, "post_worker_init": lambda worker: app.extensions.get(WORKER_START, lambda: None)()}  # fmt: skip
        app = create()
        _leave_alone_what_stays()
        _Gunicorn(app, options).run()


def _leave_alone_what_stays() -> None:
    """The looks for garbage pass over what was loaded before the workers start, and come less often. They had taken 8 of
    the 21 ms of a call without leukaemia and 500 resources, a sixth of one with 5,000, and little of others."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS)


def _figures_of_the_dead(server: Any, worker: Any) -> None:
    """A worker that ended keeps its counts, and loses what was true only while it lived."""
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(worker.pid)
