"""The routes of the checklist: an EHR's launch, the way back from its authorization server, and one page for each visit.

Every visit has an address and a cookie of its own, so that two charts open side by side cannot be mistaken for each other. No
page has a script, and none can be put into a frame but by an EHR that the settings name.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from functools import lru_cache
from secrets import token_urlsafe
from urllib.parse import urlsplit

import structlog
from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as Redirect

from cds.protocol import Protocol
from fhir_mappings.questionnaire_response import questionnaire_response
from hooks.checklist.chart import Chart, name_of, read_chart, record
from hooks.checklist.form import TOKEN, Answers, read_form
from hooks.checklist.launch import AGAIN, Authorization, Launching, NotOpened
from hooks.checklist.registration import SecretMissing, SmartApp
from hooks.checklist.view import POLICY, Notice, view
from hooks.checklist.visits import Key, Visit, found, keep
from hooks.config import Config
from hooks.deadline import Deadline
from hooks.fhir_load import FhirLoad
from hooks.logs import quoted_address
from hooks.metrics import CHECKLISTS, count_searches
from hooks.no_answer import NoAnswer, Unwell
from hooks.state import State, StateError
from hooks.version import SOFTWARE_VERSION

log = structlog.get_logger()
LAUNCH_SECONDS = 600  # for signing in at the EHR, if it asks
EXCHANGE_SECONDS = 15.0
LONGEST_FORM = 64 * 1024
NOBODY = "'none'"


def _recorded(id: str, chart: Chart) -> Notice:
    if id in chart.reviews or not id:
        return Notice(True, "The EHR has recorded your answers, and the chart was read again.", {})
    return Notice(True, "The EHR has recorded your answers, but does not show them yet, so they do not count below. Look again in a moment.", {})


def checklist_pages(config: Config, state: State, load: FhirLoad, trials: Iterable[Protocol]) -> Blueprint:
    protocols = {trial.id: trial for trial in trials}
    pages = Blueprint("checklist", __name__, url_prefix="/app", template_folder="../templates")

    @lru_cache(maxsize=64)
    def authorized_by(app: SmartApp, redirect_uri: str) -> Authorization:
        return Authorization(app, redirect_uri, config.trusted)

    @pages.get("/launch")
    def launch() -> Redirect:
        issuer, opened = request.args.get("iss", ""), request.args.get("launch", "")
        app = config.smart_app_of(issuer)
        if app is None:
            log.warning("launch_refused", server=quoted_address(issuer))
            raise NotOpened("This checklist is not registered at the EHR that opened it.",
                            "Ask whoever looks after relapse-cds to name the FHIR server of that EHR in its settings, under smart_apps.")  # fmt: skip
        if not opened:
            raise NotOpened("This address is for an EHR to open, with a launch of its own.", status=400)
        begun = Launching(issuer, token_urlsafe(64))
        address = authorized_by(app, _own("/app/callback")).begin(begun, opened, Deadline.after(EXCHANGE_SECONDS))
        return _with_cookie(redirect(address, 302), f"launch-{begun.state}", begun.cookie, "/app/callback", LAUNCH_SECONDS)

    @pages.get("/callback")
    def callback() -> Redirect:
        told = request.args.get("state", "")
        begun = Launching.read(request.cookies.get(f"launch-{told}", ""), told)
        app = config.smart_app_of(begun.issuer) if begun else None
        if begun is None or app is None:
            raise NotOpened("This launch was not begun in this browser, or has been used, or took too long.")
        if "code" not in request.args:
            raise NotOpened("The EHR did not let the checklist be opened.")
        granted = authorized_by(app, _own("/app/callback")).finish(begun, request.url, Deadline.after(EXCHANGE_SECONDS))
        name = name_of(granted.user, app.fhir_server, granted.token, config, load)
        protocol = granted.app_context if granted.app_context in protocols else next(iter(protocols))
        key, until = Key.new(), time.time() + granted.seconds
        keep(state, key, Visit(protocol, app.fhir_server, granted.patient_id, granted.token, until, granted.user, name))
        log.info("checklist_opened", server=quoted_address(app.fhir_server))
        CHECKLISTS.labels("opened").inc()
        here = f"/app/visits/{key.id}"
        response = _with_cookie(redirect(_own(here), 303), "visit", key.text, here)
        response.delete_cookie(f"launch-{told}", path=_own_path("/app/callback"))
        return response

    @pages.get("/visits/<id>")
    def shown(id: str) -> str:
        key, visit = _visit(id)
        chart, recorded = _read(visit), request.args.get("recorded")
        return _page(key, visit, chart, notice=None if recorded is None else _recorded(recorded, chart))

    @pages.post("/visits/<id>")
    def answered(id: str) -> Redirect | tuple[str, int]:
        key, visit = _visit(id)
        _sent_by_us(key)
        chart = _read(visit)
        read = read_form(request.form, chart.facts)
        if read.faults:
            return _page(key, visit, chart, read), 422
        author = {"reference": visit.user, "display": visit.user_name}
        response = questionnaire_response(read.answers, visit.patient_id, author, config.now())
        try:
            recorded = record(visit, response, config, load)
        except Unwell as why:
            log.warning("answers_perhaps_recorded", why=str(why))
            CHECKLISTS.labels("perhaps recorded").inc()
            notice = Notice(False, f"The EHR did not confirm the answers ({why}). They may have been recorded or not: look at the chart.", response)
        except NoAnswer as why:
            log.warning("answers_not_recorded", why=str(why))
            CHECKLISTS.labels("not recorded").inc()
            notice = Notice(False, f"The EHR did not record the answers: {why}.", response)
        else:
            log.info("answers_recorded", answers=len(read.answers))
            CHECKLISTS.labels("recorded").inc()
            return redirect(f"{_own(f'/app/visits/{id}')}?recorded={recorded}", 303)
        return _page(key, visit, chart, read, notice), 502

    @pages.post("/visits/<id>/close")
    def closed(id: str) -> str:
        key, visit = _visit(id)
        _sent_by_us(key)
        state.end_visit(id)
        return render_template("checklist/cannot.html", title="The checklist is closed", sentence="Nothing of it is kept here.", what_next=AGAIN)

    @pages.get("/")
    @pages.get("/<path:rest>")
    def elsewhere(rest: str = "") -> Response:
        raise NotOpened("There is no page at this address.", status=404)

    def _own(path: str) -> str:
        """An address of ours as a browser reaches it: in production as configured, since a Host header can say anything."""
        return (config.public_url or request.host_url).rstrip("/") + path

    def _own_path(path: str) -> str:
        return urlsplit(_own(path)).path

    def _with_cookie(response: Redirect, name: str, value: str, path: str, seconds: int | None = None) -> Redirect:
        framed = any(app.embedded_by for app in config.smart_apps)
        secure = _own("").startswith("https:")
        response.set_cookie(name, value, max_age=seconds, path=_own_path(path), httponly=True, secure=secure,
                            samesite="None" if framed and secure else "Lax", partitioned=framed and secure)  # fmt: skip
        return response

    def _visit(id: str) -> tuple[Key, Visit]:
        kept = found(state, id, request.cookies.get("visit", ""))
        if kept is None or kept[1].protocol not in protocols or config.smart_app_of(kept[1].fhir_server) is None:
            raise NotOpened("This checklist has ended, or was opened in another browser.")
        return kept

    def _sent_by_us(key: Key) -> None:
        """Another page cannot send this form: it cannot read ours."""
        request.max_content_length = LONGEST_FORM
        if request.form.get(TOKEN) != key.form_token:
            raise NotOpened("This form did not come from this page, and nothing was done.")

    def _read(visit: Visit) -> Chart:
        return read_chart(visit, protocols[visit.protocol], config, load, count_searches)

    def _page(key: Key, visit: Visit, chart: Chart, read: Answers | None = None, notice: Notice | None = None) -> str:
        return render_template("checklist/page.html", **view(
            chart.assessment, chart.patient, chart.facts, protocols[visit.protocol], action=_own(f"/app/visits/{key.id}"),
            form_token=key.form_token, software_version=SOFTWARE_VERSION, contact=config.contact, author=visit.user_name or visit.user,
            typed=read.typed if read else None, faults=read.faults if read else None, notice=notice,
        ))  # fmt: skip

    def _cannot(why: str, what_next: str, status: int) -> tuple[str, int]:
        return render_template("checklist/cannot.html", title="The checklist cannot be shown", sentence=why, what_next=what_next), status

    @pages.errorhandler(NotOpened)
    def not_opened(error: NotOpened) -> tuple[str, int]:
        log.warning("checklist_not_opened", why=error.why)
        CHECKLISTS.labels("not opened").inc()
        return _cannot(error.why, error.what_next, error.status)

    @pages.errorhandler(NoAnswer)
    def no_answer(error: NoAnswer) -> tuple[str, int]:
        log.warning("checklist_not_opened", why=str(error))
        CHECKLISTS.labels("not opened").inc()
        return _cannot(f"The EHR did not let the checklist be opened: {error}.", AGAIN, 502)

    @pages.errorhandler(SecretMissing)
    def no_secret(error: SecretMissing) -> tuple[str, int]:
        log.error("checklist_not_opened", why=str(error))
        return _cannot("This checklist is not set up completely.", "Ask whoever looks after relapse-cds to read its log.", 500)

    @pages.errorhandler(StateError)
    def no_database(error: StateError) -> tuple[str, int]:
        log.error("database", why=str(error))
        return _cannot("The checklist cannot use its own database at the moment.", f"Wait a moment. {AGAIN}", 503)

    @pages.after_request
    def guarded(response: Response) -> Response:
        by = sorted({page for app in config.smart_apps for page in app.embedded_by})
        response.headers["Content-Security-Policy"] = f"{POLICY}; frame-ancestors {' '.join(by) or NOBODY}"
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    return pages
