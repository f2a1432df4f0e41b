"""From an assessment to the answer of a hook call: one card, or none for a child the trial is not about."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any
from uuid import uuid4

from cds.assessment import Assessment
from hooks.cds_client import CdsClient
from hooks.config import Config
from hooks.markdown import summary
from hooks.words import detail, summary_words

SOFTWARE_VERSION = version("relapse-cds")
ASSESSMENT_EXTENSION = "org.relapse-cds.assessment"
WARNINGS = frozenset({"eoi_marrow_mrd_conflict"})  # everything else informs; nothing is ever critical


def cards(assessment: Assessment, client: CdsClient, config: Config) -> list[dict[str, Any]]:
    if assessment.overall == "not_applicable":
        return []
    if assessment.overall == "not_eligible" and not config.card_when_not_eligible:
        return []
    return [card(assessment, client)]


def card(assessment: Assessment, client: CdsClient) -> dict[str, Any]:
    trial = assessment.protocol
    flags = {flag.id for flag in assessment.flags}
    written = {
        "uuid": str(uuid4()),
        "summary": summary(f"{trial}: {summary_words(assessment)}"),
        "detail": detail(assessment, SOFTWARE_VERSION),
        "indicator": "warning" if flags & WARNINGS else "info",
        "source": {
            "label": f"relapse-cds, decision support for trial {trial}",
            "topic": {"system": "https://clinicaltrials.gov", "code": trial, "display": f"Trial {trial}"},
        },
        "links": [{"label": f"Registry record of {trial}", "url": f"https://clinicaltrials.gov/study/{trial}", "type": "absolute"}],
    }
    if client.assessment_extension:
        written["extension"] = {ASSESSMENT_EXTENSION: assessment.as_json(SOFTWARE_VERSION)}
    return written
