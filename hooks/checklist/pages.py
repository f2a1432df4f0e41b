"""The routes of the checklist: an EHR's launch, the way back from its authorization server, and one page for each visit.

Every visit has an address and a cookie of its own, so that two charts open side by side cannot be mistaken for each other. No
page has a script, and none can be put into a frame but by an EHR that the settings name.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

import structlog
from flask import Blueprint, Response, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as Redirect

from cds.protocol import Protocol
from fhir_mappings.questionnaire_response import questionnaire_response
from hooks.checklist.chart import name_of, read_chart, record
from hooks.checklist.form import read_form
from hooks.checklist.launch import NotOpened, begin, finish
from hooks.checklist.registration import SecretMissing
from hooks.checklist.view import view
from hooks.checklist.visits import Key, Launching, Visit, found, keep
from hooks.config import Config
from hooks.deadline import Deadline
from hooks.fhir_load import FhirLoad
from hooks.logs import quoted_address
from hooks.metrics import count_searches
from hooks.no_answer import NoAnswer, Unwell
from hooks.state import State, StateError
from hooks.version import SOFTWARE_VERSION

log = structlog.get_logger()
LAUNCH_SECONDS = 600  # for signing in at the EHR, if it asks
EXCHANGE_SECONDS = 15.0
LONGEST_FORM = 64 * 1024
POLICY = "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors %s"
AGAIN = "Open it again from the child's chart."


def checklist_pages(config: Config, state: State, load: FhirLoad, trials: Iterable[Protocol]) -> Blueprint:
    protocols = {trial.id: trial for trial in trials}
    pages = Blueprint("checklist", __name__, url_prefix="/app", template_folder="../templates", static_folder="../static", static_url_path="/static")

    @pages.get("/launch")
    def launch() -> Response:
        issuer, opened = request.args.get("iss", ""), request.args.get("launch", "")
        app = config.smart_app_of(issuer)
        if app is None:
            log.warning("launch_refused", server=quoted_address(issuer))
            raise NotOpened("This checklist is not registered at the EHR that opened it. Ask whoever looks after relapse-cds to name that EHR's "
                            "FHIR server under [[smart_apps]].")  # fmt: skip
        if not opened:
            raise NotOpened("This address is for an EHR to open, with a launch of its own. Open the checklist from a child's chart.")
        key = Key.new()
        address, authorization = begin(app, issuer, opened, _own("/app/callback"), key.id, Deadline.after(EXCHANGE_SECONDS), config.trusted)
        keep(state, key, Launching(app.fhir_server, authorization), time.time() + LAUNCH_SECONDS)
        return _with_cookie(redirect(address, 302), f"launch-{key.id}", key, "/app/callback", LAUNCH_SECONDS)

    @pages.get("/callback")
    def callback() -> Response:
        id = request.args.get("state", "")
        began = found(state, id, request.cookies.get(f"launch-{id}", ""), Launching)
        if began is None or not state.end_visit(id):
            raise NotOpened(f"This launch was not begun in this browser, or has been used, or took too long. {AGAIN}")
        launching = began[1]
        app = config.smart_app_of(launching.fhir_server)
        if app is None or "code" not in request.args:
            raise NotOpened(f"The EHR did not let the checklist be opened. {AGAIN}")
        granted = finish(app, launching.authorization, request.url, app.secret(), Deadline.after(EXCHANGE_SECONDS), config.trusted)
        name = name_of(granted.user, app.fhir_server, granted.token, config, load)
        protocol = granted.app_context if granted.app_context in protocols else next(iter(protocols))
        key, until = Key.new(), time.time() + granted.seconds
        keep(state, key, Visit(protocol, app.fhir_server, granted.patient_id, granted.token, until, granted.user, name), until)
        log.info("checklist_opened", server=quoted_address(app.fhir_server))
        here = f"/app/visits/{key.id}"
        response = _with_cookie(redirect(_own(here), 303), "visit", key, here, granted.seconds)
        response.delete_cookie(f"launch-{id}", path=_own_path("/app/callback"))
        return response

    @pages.get("/visits/<id>")
    def shown(id: str) -> str:
        key, visit = _visit(id)
        number = request.args.get("recorded", "")
        return _page(key, visit, recorded=int(number) if number in map(str, range(1, 100)) else None)

    @pages.post("/visits/<id>")
    def answered(id: str) -> Response | tuple[str, int]:
        key, visit = _visit(id)
        request.max_content_length = LONGEST_FORM
        if request.form.get("form_token") != key.form_token:
            raise NotOpened(f"These answers did not come from this page, and were not recorded. {AGAIN}")
        chart = read_chart(visit, protocols[visit.protocol], config, load, count_searches)
        read = read_form(request.form, chart.facts)
        if read.faults:
            return _page(key, visit, chart, read), 422
        author = {"reference": visit.user, "display": visit.user_name}
        response = questionnaire_response(read.answers, visit.patient_id, author, config.now())
        try:
            record(visit, response, config, load)
        except Unwell as why:
            log.warning("answers_perhaps_recorded", why=str(why))
            return _page(key, visit, chart, read, response, f"The EHR did not confirm it ({why}): the answers may or may not have been recorded."), 502
        except NoAnswer as why:
            log.warning("answers_not_recorded", why=str(why))
            return _page(key, visit, chart, read, response, f"The EHR did not record the answers: {why}."), 502
        log.info("answers_recorded", answers=len(read.answers))
        return redirect(f"{_own(f'/app/visits/{id}')}?recorded={len(read.answers)}", 303)

    @pages.get("/")
    @pages.get("/<path:rest>")
    def elsewhere(rest: str = "") -> Response:
        raise NotOpened(f"There is no page at this address. {AGAIN}", 404)

    def _own(path: str) -> str:
        """An address of ours as a browser reaches it: in production as configured, since a Host header can say anything."""
        return (config.public_url or request.host_url).rstrip("/") + path

    def _own_path(path: str) -> str:
        return urlsplit(_own(path)).path

    def _with_cookie(response: Redirect, name: str, key: Key, path: str, seconds: int) -> Redirect:
        framed = any(app.embedded_by for app in config.smart_apps)
        secure = _own("").startswith("https:")
        response.set_cookie(name, key.text, max_age=seconds, path=_own_path(path), httponly=True, secure=secure,
                            samesite="None" if framed and secure else "Lax", partitioned=framed and secure)  # fmt: skip
        return response

    def _visit(id: str) -> tuple[Key, Visit]:
        kept = found(state, id, request.cookies.get("visit", ""), Visit)
        if kept is None or kept[1].protocol not in protocols or config.smart_app_of(kept[1].fhir_server) is None:
            raise NotOpened(f"This checklist has ended, or was opened in another browser. {AGAIN}")
        return kept

    @pages.errorhandler(NotOpened)
    def not_opened(error: NotOpened) -> tuple[str, int]:
        return _cannot(str(error), error.status)

    @pages.errorhandler(NoAnswer)
    def no_answer(error: NoAnswer) -> tuple[str, int]:
        log.warning("launch_failed", why=str(error))
        return _cannot(f"The EHR did not let the checklist be opened: {error}. {AGAIN}", 502)

    @pages.errorhandler(SecretMissing)
    def no_secret(error: SecretMissing) -> tuple[str, int]:
        log.error("launch_failed", why=str(error))
        return _cannot("This checklist is not set up completely. Ask whoever looks after relapse-cds to read its log.", 500)

    @pages.errorhandler(StateError)
    def no_database(error: StateError) -> tuple[str, int]:
        log.error("database", why=str(error))
        return _cannot("The checklist cannot use its own database at the moment. Try again shortly.", 503)

    @pages.after_request
    def guarded(response: Response) -> Response:
        by = sorted({page for app in config.smart_apps for page in app.embedded_by})
        response.headers["Content-Security-Policy"] = POLICY % (" ".join(by) or "'none'")
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    return pages
