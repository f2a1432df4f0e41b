"""Every way not to get to a checklist, as a page that says why and what to do next. Answers that were sent to it stand on the page,
which says that they were not recorded."""

from __future__ import annotations

import structlog
from flask import Blueprint, g, render_template
from werkzeug.exceptions import HTTPException

from hooks.checklist.launch import AGAIN, NotOpened
from hooks.checklist.registration import SecretMissing
from hooks.metrics import CHECKLISTS
from hooks.no_answer import NoAnswer
from hooks.state import StateError

log = structlog.get_logger()


def page(title: str, sentence: str, what_next: str = AGAIN, typed: str = "") -> str:
    return render_template("checklist/cannot.html", title=title, sentence=sentence, what_next=what_next, typed=typed)


def tell_refusals(pages: Blueprint) -> None:
    def told(status: int, sentence: str, what_next: str) -> tuple[str, int]:
        CHECKLISTS.labels("not opened").inc()
        typed = g.get("typed", "")
        return page("Nothing was recorded" if typed else "The checklist cannot be shown", sentence, what_next, typed), status

    @pages.errorhandler(NotOpened)
    def not_opened(error: NotOpened) -> tuple[str, int]:
        log.warning("checklist_not_opened", why=error.why)
        return told(error.status, error.why, error.what_next)

    @pages.errorhandler(NoAnswer)
    def no_answer(error: NoAnswer) -> tuple[str, int]:
        log.warning("checklist_not_opened", why=str(error))
        return told(502, f"The EHR did not let the checklist be opened: {error}.", AGAIN)

    @pages.errorhandler(SecretMissing)
    def no_secret(error: SecretMissing) -> tuple[str, int]:
        log.error("checklist_not_opened", why=str(error))
        return told(500, "This checklist is not set up completely.", "Ask whoever looks after relapse-cds to read its log.")

    @pages.errorhandler(StateError)
    def no_database(error: StateError) -> tuple[str, int]:
        log.error("database", why=str(error))
        return told(503, "The checklist cannot use its own database at the moment.", f"Wait a moment. {AGAIN}")

    @pages.errorhandler(HTTPException)
    def refused(error: HTTPException) -> tuple[str, int]:
        return told(error.code or 500, f"The request was refused: {error.name.lower()}.", AGAIN)
