"""The about page of each trial, `/about/<trial>` and `/about/<trial>.json`: what a card's source links to.

No script, nothing inline, nothing from elsewhere; printed, it is the whole disclosure.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from flask import Blueprint, Response, abort, jsonify, render_template

from cds import Protocol
from hooks.about import about_data
from hooks.about_attributes import day_words
from hooks.page_headers import guarded
from hooks.protocol_text import SHORT
from hooks.version import SOFTWARE_VERSION
from hooks.words import STATUS

POLICY = "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def about_pages(contact: str | None, protocols: Iterable[Protocol]) -> Blueprint:
    pages = Blueprint("about", __name__, template_folder="templates", static_folder="static", static_url_path="/about/static")
    by_id = {protocol.id.lower(): protocol for protocol in protocols}

    @cache  # asked for, not made at the start: by then the site's own codes are in use
    def data_of(id: str) -> dict[str, Any]:
        return about_data(by_id[id], SOFTWARE_VERSION, contact)

    @pages.get("/about/<id>")
    def page(id: str) -> str:
        if id not in by_id:
            abort(404)
        data = data_of(id)
        return render_template("about.html", id=id, data=data, statuses=list(STATUS.values()), systems=SHORT, **_by_name(data))

    @pages.get("/about/<id>.json")
    def as_json(id: str) -> Response:
        if id not in by_id:
            abort(404)
        return jsonify(data_of(id))

    pages.add_app_template_filter(day_words, "day")
    pages.add_app_template_filter(spoken, "spoken")

    @pages.after_request
    def guard(response: Response) -> Response:
        return guarded(response, POLICY)

    return pages


def spoken(name: str) -> str:
    """A name of the code as words: wrong_instrument, same-four-drug-induction."""
    return name.replace("_", " ").replace("-", " ")


def _by_name(data: dict[str, Any]) -> dict[str, Any]:
    """What the templates look up."""
    return {
        "facts": {fact["fact"]: fact for fact in data["facts"]},
        "settings": {setting["name"]: setting for setting in data["settings"]},
        "searches": {search["name"]: search for search in data["searches"]},
        "questions": {question["linkId"]: question for question in data["chart_review"]},
        "criteria": {criterion["id"]: criterion for criterion in data["criteria"]},
        "kinds": {kind: [c for c in data["criteria"] if c["kind"] == kind] for kind in ("inclusion", "exclusion")},
    }
