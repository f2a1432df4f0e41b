"""`relapse-cds demo`: the service, a FHIR server with invented children, and a chart that fires the hook and launches the app."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from functools import lru_cache
from itertools import chain
from typing import Any

from flask import Flask

from hooks.demo.children import everyone
from hooks.demo.fhir_endpoint import fhir_endpoint
from hooks.demo.fhir_search import Holdings
from hooks.demo.lent import Lent
from hooks.demo.pages import chart_pages
from hooks.demo.smart import AUTH, TOKEN_SECONDS, smart_launch
from hooks.demo.written import Written

FHIR = "/fhir"
OURS = ("/chart", "/chart-static", FHIR, AUTH)

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]


def create_demo(today: date | None = None, service_app_factory: Callable[[], Wsgi] | None = None) -> Flask:
    """One WSGI application: the chart at `/`, the FHIR server at `/fhir`, its authorization at `/auth`, the service everywhere else.

    `today` dates the charts (default: the day of each request); the service judges by its own clock.
    """
    service = (service_app_factory or _the_service)()
    tokens = Lent(TOKEN_SECONDS)
    written = Written(tokens)

    @lru_cache(maxsize=1)
    def charts_of(day: date, added: int) -> Holdings:
        """The invented charts and the first so many things that were added to them. Nobody changes these afterwards."""
        return Holdings(chain(everyone(day), written.so_far()[:added]))

    def now() -> date:
        return today or date.today()

    def held() -> Holdings:
        # Rebuilt when the day turns, so that 'three days old' stays true in a demonstration left running.
        return charts_of(now(), len(written.so_far()))

    demo = Flask(__name__, static_folder=None)
    # Requests and cards are shown in the order they were written.
    demo.json.sort_keys = False  # type: ignore[attr-defined]
    demo.register_blueprint(chart_pages(held, now, FHIR))
    demo.register_blueprint(fhir_endpoint(held, FHIR, written))
    demo.register_blueprint(smart_launch(held, tokens, FHIR))
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
