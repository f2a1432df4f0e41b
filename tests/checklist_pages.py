"""The checklist's page as a tiny app shows it: the demonstration's children, and whatever a test changes about them."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Flask, Response, render_template

from cds import assess
from cds.facts import PatientFacts
from cds.trials import NCT05827549, TRIALS
from fhir_mappings import Record, read_patient
from hooks.about_pages import about_pages
from hooks.bundle import record_from_bundle
from hooks.checklist.site import POLICY
from hooks.checklist.view import view
from hooks.demo.children import CHILDREN

TODAY = date(2025, 9, 3)
ACTION = "/app/visits/abc/answers"
CONTACT = "Trial office, ext. 4711"
BY_ID = {child.id: child for child in CHILDREN}


def chart_of(child_id: str) -> list[dict[str, Any]]:
    return BY_ID[child_id].build(TODAY)


def record_of(chart: list[dict[str, Any]]) -> Record:
    return record_from_bundle({"resourceType": "Bundle", "type": "collection", "entry": [{"resource": r} for r in chart]})


def facts_of(chart: list[dict[str, Any]]) -> PatientFacts:
    return read_patient(record_of(chart), TODAY)


def context(chart: list[dict[str, Any]], facts: PatientFacts | None = None, **otherwise: Any) -> dict[str, Any]:
    facts = facts or facts_of(chart)
    told: dict[str, Any] = {"action": ACTION, "form_token": "token-1", "software_version": "9.9", "contact": CONTACT, "author": "Dr Ottilie Quillfeather"}
    return view(assess(NCT05827549, facts), chart[0], facts, NCT05827549, **told | otherwise)


def app_showing(page: Any, template: str = "checklist/page.html") -> Flask:
    """An app whose every address shows this context."""
    app = Flask("checklist", static_folder=None)
    app.register_blueprint(about_pages(None, TRIALS))

    @app.route("/app/<path:rest>", methods=["GET", "POST"])
    def show(rest: str) -> Response:
        response = Response(render_template(template, **page))
        response.headers["Content-Security-Policy"] = POLICY
        return response

    return app


def html_of(page: Any, template: str = "checklist/page.html") -> str:
    response = app_showing(page, template).test_client().get("/app/visits/abc/")
    assert response.status_code == 200
    return response.text
