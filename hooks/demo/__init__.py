"""`relapse-cds demo`: the service, a FHIR server with invented children, and a chart that fires the hook."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from functools import lru_cache
from typing import Any

from flask import Flask

from hooks.demo.children import everyone
from hooks.demo.fhir_endpoint import fhir_endpoint
from hooks.demo.fhir_search import Holdings
from hooks.demo.pages import chart_pages

FHIR = "/fhir"
OURS = ("/chart", "/chart-static", FHIR)

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]


def create_demo(today: date | None = None, service_app_factory: Callable[[], Wsgi] | None = None) -> Flask:
    """One WSGI application: the chart at `/`, the FHIR server at `/fhir`, the service everywhere else.

    `today` dates the charts (default: the day of each request); the service judges by its own clock.
    """
    service = (service_app_factory or _the_service)()

    @lru_cache(maxsize=1)
    def charts_of(day: date) -> Holdings:
        return Holdings(everyone(day))

    def now() -> date:
        return today or date.today()

    def held() -> Holdings:
        # Rebuilt when the day turns, so that 'three days old' stays true in a demonstration left running.
        return charts_of(now())

    demo = Flask(__name__, static_folder=None)
    # Requests and cards are shown in the order they were written.
    demo.json.sort_keys = False  # type: ignore[attr-defined]
    demo.register_blueprint(chart_pages(held, now, FHIR))
    demo.register_blueprint(fhir_endpoint(held, FHIR))
    demo.wsgi_app = _side_by_side(demo.wsgi_app, service)  # type: ignore[method-assign, assignment]
    return demo


def _side_by_side(ours: Wsgi, service: Wsgi) -> Wsgi:
    """The service stays an application of its own, with its own errors and headers, as it is in production."""

    def choose(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "/")
        own = path in ("", "/") or any(path == prefix or path.startswith(prefix + "/") for prefix in OURS)
        return (ours if own else service)(environ, start_response)

    return choose


def _the_service() -> Wsgi:
    from hooks.app import create_app
    from hooks.config import Config

    return create_app(Config.development())
