"""The routes of the checklist: an EHR's launch, the way back from its authorization server, and one page for each visit.

Every visit has an address and a cookie of its own, so that two charts open side by side cannot be mistaken for each other. No
page has a script, and none can be put into a frame but by an EHR that the settings name.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from functools import lru_cache
from secrets import token_urlsafe

import structlog
from flask import Blueprint, Response, g, make_response, redirect, render_template, request
from werkzeug.exceptions import LengthRequired
from werkzeug.wrappers import Response as Redirect

from cds.protocol import Protocol
from fhir_mappings.questionnaire_response import questionnaire_response
from hooks.checklist import refusals
from hooks.checklist.chart import Chart, name_of, read_chart, record
from hooks.checklist.form import TOKEN, Answers, in_words, read_form
from hooks.checklist.launch import Authorization, Launching, NotOpened
from hooks.checklist.places import Places
from hooks.checklist.registration import SmartApp
from hooks.checklist.site import Site
from hooks.checklist.view import Notice, Outcome, view
from hooks.checklist.visits import Key, Visit, found, keep
from hooks.config import Config
from hooks.deadline import Deadline
from hooks.fhir_load import FhirLoad
from hooks.logs import quoted_address
from hooks.metrics import CHECKLISTS, count_searches
from hooks.no_answer import NoAnswer, Unwell
from hooks.state import State
from hooks.version import SOFTWARE_VERSION

log = structlog.get_logger()
CALLBACK = "/app/callback"
NOT_HERE = "This checklist has ended, or was opened in another browser."
LAUNCH_SECONDS = 600  # for signing in at the EHR, if it asks
EXCHANGE_SECONDS = 15.0
LONGEST_FORM = 64 * 1024
LONGEST_VISIT = 3600  # seconds, however long the token lasts: a browser may be left open


def checklist_pages(config: Config, state: State, load: FhirLoad, trials: Iterable[Protocol]) -> Blueprint:
    protocols = {trial.id: trial for trial in trials}
    site, place = Site(config), Places().place
    pages = Blueprint("checklist", __name__, url_prefix="/app", template_folder="../templates")
    refusals.tell_refusals(pages)
    pages.after_request(site.guard)

    @pages.get("/launch")
    def launch() -> Redirect:
        issuer, opened = request.args.get("iss", ""), request.args.get("launch", "")
        if not issuer or not opened:
            raise NotOpened("This address is for an EHR to open, with a launch of its own.", status=400)
        app = config.smart_app_of(issuer)
        if app is None:
            log.warning("launch_from_elsewhere", server=quoted_address(issuer))
            raise NotOpened("This checklist is not registered at the EHR that opened it.",
                            "Ask whoever looks after relapse-cds to name the FHIR server of that EHR in its settings, under smart_apps.")  # fmt: skip
        begun = Launching(issuer, token_urlsafe(64))
        with place():
            address = authorization(app, site.address(CALLBACK)).begin(begun, opened, Deadline.after(EXCHANGE_SECONDS))
        return site.with_cookie(redirect(address, 302), f"launch-{begun.state}", begun.cookie, CALLBACK, LAUNCH_SECONDS)

    @pages.get("/callback")
    def callback() -> Redirect:
        told = request.args.get("state", "")
        begun = Launching.read(request.cookies.get(f"launch-{told}", ""), told)
        app = config.smart_app_of(begun.issuer) if begun else None
        if begun is None or app is None:
            raise NotOpened("This launch was not begun in this browser, or has been used, or took too long.")
        if "code" not in request.args:
            raise NotOpened("The EHR did not let the checklist be opened.")
        with place():
            granted = authorization(app, site.address(CALLBACK)).finish(begun, request.url, Deadline.after(EXCHANGE_SECONDS))
            name = name_of(granted.user, app.fhir_server, granted.token, config, load)
        protocol = granted.app_context if granted.app_context in protocols else next(iter(protocols))
        key, until = Key.new(), time.time() + min(granted.seconds, LONGEST_VISIT)
        keep(state, key, Visit(protocol, app.fhir_server, granted.patient_id, granted.token, until, granted.user, name))
        state.forget_now_and_then(config.now(), config.keep_days)
        log.info("checklist_opened", server=quoted_address(app.fhir_server))
        CHECKLISTS.labels("opened").inc()
        page = f"/app/visits/{key.id}"
        response = site.with_cookie(redirect(site.address(page), 303), "visit", key.text, page)
        return site.without_cookie(response, f"launch-{told}", CALLBACK)

    @pages.get("/visits/<id>")
    def shown(id: str) -> str:
        key, visit = visit_of(id)
        recorded = request.args.get("recorded")
        try:
            chart = read(visit)
        except NotOpened as error:
            if recorded is None:
                raise
            raise NotOpened(f"The EHR has taken your answers. {error.why}", error.what_next, error.status) from None
        return page(key, visit, chart, notice=None if recorded is None else _recorded(recorded, chart))

    @pages.post("/visits/<id>")
    def answered(id: str) -> Redirect | tuple[str, int]:
        _refuse_foreign_form(id)
        g.typed = in_words(request.form)
        key, visit = visit_of(id)
        chart = read(visit)
        form = read_form(request.form, chart.facts)
        if form.faults:
            return page(key, visit, chart, form), 422
        author = {"reference": visit.user, "display": visit.user_name}
        response = questionnaire_response(form.answers, visit.patient_id, author, config.now())
        outcome: Outcome = "recorded"
        try:
            with place():
                recorded = record(visit, response, config, load)
        except Unwell as why:
            outcome, words = "perhaps recorded", f"The EHR did not confirm the answers: {why}."
        except NoAnswer as why:
            outcome, words = "not recorded", f"The EHR did not take the answers: {why}."
        log.info("answers", outcome=outcome, answers=len(form.answers))
        CHECKLISTS.labels(outcome).inc()
        if outcome == "recorded":
            return redirect(f"{site.address(f'/app/visits/{id}')}?recorded={recorded}", 303)
        return page(key, visit, chart, form, Notice(outcome, words, response)), 502

    @pages.post("/visits/<id>/close")
    def closed(id: str) -> Redirect:
        _refuse_foreign_form(id)
        state.end_visit(id)
        told = refusals.page("The checklist is closed", "Close this window too: until then its Back button may show the child again.")
        return site.without_cookie(make_response(told), "visit", f"/app/visits/{id}")

    @pages.get("/")
    @pages.get("/<path:rest>")
    def elsewhere(rest: str = "") -> Response:
        raise NotOpened("There is no page at this address.", status=404)

    @lru_cache(maxsize=64)
    def authorization(app: SmartApp, redirect_uri: str) -> Authorization:
        return Authorization(app, redirect_uri, config.trusted)

    def visit_of(id: str) -> tuple[Key, Visit]:
        kept = found(state, id, request.cookies.get("visit", ""))
        if kept is None or kept[1].protocol not in protocols or config.smart_app_of(kept[1].fhir_server) is None:
            raise NotOpened(NOT_HERE)
        return kept

    def read(visit: Visit) -> Chart:
        with place():
            return read_chart(visit, protocols[visit.protocol], config, load, count_searches)


    def page(key: Key, visit: Visit, chart: Chart, form: Answers | None = None, notice: Notice | None = None) -> str:
        return render_template("checklist/page.html", **view(
            chart.assessment, chart.patient, chart.facts, protocols[visit.protocol], action=site.address(f"/app/visits/{key.id}"),
            form_token=key.form_token, software_version=SOFTWARE_VERSION, contact=config.contact, author=visit.user_name or visit.user,
            typed=form.typed if form else None, faults=form.faults if form else None, notice=notice,
        ))  # fmt: skip

    return pages


def _refuse_foreign_form(id: str) -> None:
    """Another page cannot send this form: it cannot read ours. To be seen without the database, which may be down."""
    key = Key(request.cookies.get("visit", ""))
    if request.content_length is None:  # werkzeug would drop what is beyond the limit, without a word
        raise LengthRequired
    request.max_content_length = LONGEST_FORM
    if key.id != id:
        raise NotOpened(NOT_HERE)
    if request.form.get(TOKEN) != key.form_token:
        raise NotOpened("This form did not come from this page, and nothing was done.")


def _recorded(id: str, chart: Chart) -> Notice:
    if id in chart.reviews:
        return Notice("recorded", "The EHR has recorded these answers, and the chart was read again.", chart.reviews[id])
    return Notice("recorded", "The EHR has taken your answers, but does not show them yet, so they may not count below. Look again in a moment.", {})
