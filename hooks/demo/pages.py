"""The chart-review page: choose a child, read the chart, and see what the decision support says beside it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from itertools import groupby

from flask import Blueprint, Response, abort, jsonify, render_template, request

from hooks.demo.address import own_address
from hooks.demo.chart import banner, tables
from hooks.demo.children import CHILDREN, Child
from hooks.demo.ehr import MOMENTS, fire
from hooks.demo.fhir_search import Holdings
from hooks.demo.fhir_words import age_words, day_words, name_of
from hooks.page_headers import guarded

# Nothing inline, nothing from elsewhere: a card can bring neither script nor picture into the chart.
POLICY = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
BY_ID = {child.id: child for child in CHILDREN}


def chart_pages(held: Callable[[], Holdings], today: Callable[[], date], fhir_prefix: str) -> Blueprint:
    pages = Blueprint("chart", __name__, template_folder="templates", static_folder="static",
                      static_url_path="/chart-static")  # fmt: skip

    def listed() -> list[tuple[str, list[dict[str, str]]]]:
        """The children under their headings, with what a reader needs to find one."""
        patients = held().by_id["Patient"]

        def entry(child: Child) -> dict[str, str]:
            patient = patients[child.id]
            return {"id": child.id, "name": name_of(patient), "line": unbroken(child.one_line),
                    "age": age_words(patient["birthDate"], today()).replace("years", "y")}  # fmt: skip

        return [(story, list(map(entry, children))) for story, children in groupby(CHILDREN, key=lambda c: c.story)]

    def page(template: str, **values: object) -> str:
        return render_template(template, stories=listed(), today=day_words(str(today())), **values)

    @pages.get("/")
    def choose() -> str:
        return page("choose.html", open_id="")

    @pages.get("/chart/<id>")
    def chart(id: str) -> str:
        child = BY_ID.get(id) or abort(404)
        now = held()
        return page("chart.html", open_id=id, child=child, patient=banner(now.by_id["Patient"][id], today()),
                    tables=tables(now.charts[id], today()), fhir=own_address() + fhir_prefix)  # fmt: skip

    @pages.get("/chart/<id>/call")
    def call(id: str) -> Response:
        mode, moment = request.args.get("mode", "prefetch"), request.args.get("moment", "open")
        if id not in BY_ID or mode not in ("prefetch", "fetch") or moment not in MOMENTS:
            abort(404)
        host = own_address()
        return jsonify(fire(moment, id, mode, held(), host, host + fhir_prefix).as_json())

    @pages.errorhandler(404)
    def not_here(_: Exception) -> tuple[str, int]:
        return page("not_here.html", open_id=""), 404

    @pages.after_request
    def guard(response: Response) -> Response:
        guarded(response, POLICY)
        if response.mimetype in ("text/html", "application/json"):
            response.headers["Cache-Control"] = "no-store"
        return response

    return pages


def unbroken(words: str) -> str:
    """A number and its per cent sign stay on one line."""
    return words.replace(" %", "\u00a0%")
