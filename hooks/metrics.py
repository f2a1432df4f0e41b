"""What is counted and timed, for Prometheus: never about whom. `GET /metrics` sums over all worker processes.

The labels are ours and few: service and client ids from the configuration, codes of our own. Nothing that a caller could
make up becomes a label, so nobody can fill the memory with series.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from cds.assessment import Assessment
from cds.truth import UNKNOWN
from fhir_mappings import Answer
from hooks.server import SHARED_FIGURES

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)

CALLS = Counter("relapse_cds_calls", "Answers given, by HTTP status.", ["service", "client", "status"])
OUTCOMES = Counter("relapse_cds_outcomes", "Children judged, by what was found.", ["service", "client", "overall"])
CARDS = Counter("relapse_cds_cards", "Cards sent.", ["service", "client", "kind"])
UNKNOWNS = Counter("relapse_cds_unknowns", "Criteria that stayed unknown, by criterion and reason.", ["criterion", "reason"])
ISSUES = Counter("relapse_cds_issues", "Data seen and not used.", ["client"])
UNTRUSTED = Counter("relapse_cds_untrusted", "Callers turned away.", ["reason"])
FHIR_SEARCHES = Counter("relapse_cds_fhir_searches", "Searches of FHIR servers, by how they ended.", ["server", "search", "outcome"])
FHIR_RESTING = Gauge("relapse_cds_fhir_server_resting", "1 while a server that does not answer is left alone.", ["server"], multiprocess_mode="livemax")
FEEDBACK = Counter("relapse_cds_feedback", "Feedback received.", ["service", "client", "outcome"])
CHECKLISTS = Counter("relapse_cds_checklists", "Launches of the checklist and answers given on it, by how they ended.", ["outcome"])
STAGE_SECONDS = Histogram("relapse_cds_stage_seconds", "Time of each stage of a call.", ["stage"], buckets=SECONDS)
CALL_SECONDS = Histogram("relapse_cds_call_seconds", "Time of a whole call.", ["service"], buckets=SECONDS)


@contextmanager
def timed(stage: str) -> Iterator[None]:
    began = time.perf_counter()
    try:
        yield
    finally:
        STAGE_SECONDS.labels(stage).observe(time.perf_counter() - began)


def count_assessment(service: str, client: str, assessment: Assessment) -> None:
    OUTCOMES.labels(service, client, assessment.overall).inc()
    if assessment.issues:
        ISSUES.labels(client).inc(len(assessment.issues))
    for judged in assessment.criteria:
        if judged.finding.truth is UNKNOWN and judged.finding.reason:
            UNKNOWNS.labels(judged.criterion.id, judged.finding.reason.value).inc()


def count_searches(server: str, answers: Mapping[str, Answer]) -> None:
    """How the searches of one call ended at its FHIR server."""
    for search, answer in answers.items():
        FHIR_SEARCHES.labels(server, search, answer.outcome.value).inc()


def show_resting(states: Mapping[str, str]) -> None:
    """Told after every call that named a server, so that each worker's own state stays true."""
    for server, being in states.items():
        FHIR_RESTING.labels(server).set(being != "closed")


def exposition() -> tuple[bytes, str]:
    """The text of `/metrics` and its content type."""
    if SHARED_FIGURES not in os.environ:
        return generate_latest(REGISTRY), CONTENT_TYPE_LATEST
    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    return generate_latest(registry), CONTENT_TYPE_LATEST
