"""From an assessment to the answer of a hook call: one card, or none for a child the trial is not about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from uuid import uuid4

from cds.assessment import Assessment, Judged, NextStep
from fhir_mappings.requestable import service_request
from hooks.card_detail import detail, order_detail
from hooks.cds_client import CdsClient, OverrideReason
from hooks.config import Config
from hooks.markdown import summary
from hooks.version import SOFTWARE_VERSION
from hooks.words import order_summary, request_words, summary_line

ASSESSMENT_EXTENSION = "org.relapse-cds.assessment"
CONTENT_TYPE_EXTENSION = "com.epic.cdshooks.card.detail.content-type"
WARNINGS = frozenset({"eoi_marrow_mrd_conflict"})  # everything else informs; nothing is ever critical
REASONS = "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes"
OVERRIDE_REASONS = (  # the specification's own list, as far as it fits; a site may set others
    OverrideReason(code="patient-ineligible", system=REASONS, display="The trial does not fit this patient"),
    OverrideReason(code="action-completed", system=REASONS, display="Already done: screened or on study"),
    OverrideReason(code="patient-refuses", system=REASONS, display="Patient or family refuses"),
    OverrideReason(code="need-more-info", system=REASONS, display="More information is needed"),
    OverrideReason(code="inappropriate-recipient", system=REASONS, display="I am not the one to decide this"),
    OverrideReason(code="wrong-time-workflow", system=REASONS, display="Wrong time"),
)
SETTLED_BY_A_TEST = frozenset({"missing", "stale"})  # a result that is pending, or disputed, is not helped by another order


def cards(assessment: Assessment, client: CdsClient, config: Config, fhir_server: str | None = None) -> list[dict[str, Any]]:
    """`fhir_server` is the one that the call named, where it named one."""
    if assessment.overall == "not_applicable":
        return []
    if assessment.overall == "not_eligible" and not config.card_when_not_eligible:
        return []
    return [card(assessment, client, config, fhir_server)]


def card(assessment: Assessment, client: CdsClient, config: Config, fhir_server: str | None) -> dict[str, Any]:
    flags = {flag.id for flag in assessment.flags}
    written = _card(
        assessment, client, config, fhir_server,
        summary=summary_line(assessment),
        detail=detail(assessment, SOFTWARE_VERSION, config.contact),
        indicator="warning" if flags & WARNINGS else "info",
    )  # fmt: skip
    suggestions = list(_suggestions(assessment)) if client.suggestions else []
    if suggestions:
        written |= {"suggestions": suggestions, "selectionBehavior": "any"}
    return written


def order_card(assessment: Assessment, breaks: Iterable[Judged], client: CdsClient, config: Config, fhir_server: str | None) -> dict[str, Any]:
    """One warning for all criteria that the drafts would break."""
    breaks = tuple(breaks)
    return _card(
        assessment, client, config, fhir_server,
        summary=summary(f"{assessment.protocol}: {order_summary(breaks)}"),
        detail=order_detail(assessment, breaks, SOFTWARE_VERSION, config.contact),
        indicator="warning",
    )  # fmt: skip


def _card(assessment: Assessment, client: CdsClient, config: Config, fhir_server: str | None, **written: Any) -> dict[str, Any]:
    """What every card of ours has: who says it, where to read more, why it may be set aside."""
    trial = assessment.protocol
    source = {
        "label": f"relapse-cds, decision support for trial {trial}",
        "topic": {"system": "https://clinicaltrials.gov", "code": trial, "display": f"Trial {trial}"},
    }
    links = [{"label": f"Registry record of {trial}", "url": f"https://clinicaltrials.gov/study/{trial}", "type": "absolute"}]
    if config.public_url:
        if config.opens_checklist(client, fhir_server):
            launch = f"{config.public_url.rstrip('/')}/app/launch"
            links.insert(0, {"label": "Open the checklist: every criterion, and your answers", "url": launch, "type": "smart", "appContext": trial})
        about = f"{config.public_url.rstrip('/')}/about/{trial.lower()}"
        source["url"] = about
        links.append({"label": "What this decision support does, and its limits", "url": about, "type": "absolute"})
    extension: dict[str, Any] = {}
    if client.assessment_extension:
        extension[ASSESSMENT_EXTENSION] = assessment.as_json(SOFTWARE_VERSION)
    if client.detail_content_type:
        extension[CONTENT_TYPE_EXTENSION] = client.detail_content_type
    reasons = [reason.model_dump() for reason in client.override_reasons or OVERRIDE_REASONS]
    card = {"uuid": str(uuid4()), **written, "source": source, "overrideReasons": reasons, "links": links}
    return card | ({"extension": extension} if extension else {})


def _suggestions(assessment: Assessment) -> Iterator[dict[str, Any]]:
    """A draft request for each test that would settle a criterion by itself; the clinician decides, and signs."""
    if assessment.overall == "not_eligible" and not assessment.modifiable:
        return
    for step in assessment.next_steps:
        draft = service_request(step.fact, assessment.patient) if _needs_a_test(assessment, step) else None
        if draft:
            action = {"type": "create", "description": request_words(step), "resource": draft}
            yield {"label": request_words(step), "uuid": str(uuid4()), "isRecommended": False, "actions": [action]}


def _needs_a_test(assessment: Assessment, step: NextStep) -> bool:
    """Would a new result settle it: is it missing or too old, or does an old result block what may have changed?"""
    of_step = [j for j in assessment.criteria if j.criterion.id in step.criteria]
    return any((j.finding.reason and j.finding.reason.value in SETTLED_BY_A_TEST) or j.blocks for j in of_step)
