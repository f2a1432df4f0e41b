"""One server examined: its CapabilityStatement, then exactly the searches of a hook call, for one patient.

As in a call, the child and the problem list come first and everything else after them at the same time; unlike in a
call nothing ends it early. Observations are also asked for by category, because a search by code never shows the
codes that a hospital has of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from fhir_mappings import Answer, Outcome, Record
from fhir_mappings.sources import SEARCHES, Search
from fhir_mappings.subject import is_about, names
from hooks.deadline import Deadline
from hooks.doctor.anybody import somebody
from hooks.doctor.capabilities import Capabilities, read_capabilities
from hooks.doctor.discretion import Discretion
from hooks.doctor.listening import Heard, ListeningServer
from hooks.doctor.search_report import NOT_ALLOWED, SearchReport, reported
from hooks.fhir_at_once import BROKEN, MOST_AT_ONCE
from hooks.gather import ask_one, followed  # the very questions of a hook call; copies of them would drift
from hooks.no_answer import NoAnswer
from hooks.oauth import SIGN_IN, endpoints

NOBODY = "relapse-cds-doctor"
PAGES_OF_A_LOOK = 5
NOT_SECURE = "no secure connection to the FHIR server"
NO_CONNECTION = ("the connection to the FHIR server failed", NOT_SECURE)
OWN_CA = ". Where the hospital has a CA of its own, name its certificates as ca_bundle in the file given with --config"
Told = Callable[[str], None]


class Unreachable(Exception):
    """Why there is nothing to diagnose, in one sentence."""


@dataclass(frozen=True)
class Examination:
    base: str
    capabilities: Capabilities
    patient: str  # given | found | none
    record: Record
    searches: tuple[SearchReport, ...]
    by_category: tuple[tuple[str, Answer], ...]
    first_look_seconds: float
    everything_seconds: float
    references: tuple[Heard, ...]
    sign_in: str  # why the checklist cannot be opened from there; empty where it can

    @property
    def answers(self) -> dict[str, Answer]:
        """How each search ended; that nobody has this id is no fault of the server."""
        found = {s.search.name: s.answer for s in self.searches}
        if self.patient == "none" and found["patient"].why == "not found":
            found["patient"] = Answer(Outcome.ANSWERED)
        return found


def examine(base: str, token: str | None, patient_id: str | None, wait: float, discretion: Discretion, told: Told,
            ca_bundle: str | None = None) -> Examination:
    connect = partial(ListeningServer, base, token, ca_bundle=ca_bundle)
    told("the CapabilityStatement")
    with connect(Deadline.after(wait)) as server:
        metadata = server.metadata()
    if metadata.why in NO_CONNECTION:
        raise Unreachable(f"{base}: {metadata.why}{OWN_CA if metadata.why == NOT_SECURE else ''}")
    given = patient_id
    if patient_id is None:
        told("a patient to ask about")
        patient_id = somebody(partial(connect, max_pages=1), wait)
    patient = "given" if given else "found" if patient_id else "none"
    patient_id = patient_id or NOBODY
    if patient != "none":
        discretion.learn({"identifier": [{"value": patient_id}]})
    required = [s for s in SEARCHES if s.required]
    others = [s for s in SEARCHES if not s.required]
    first, first_seconds = _at_once([partial(_ask, connect, patient_id, s, wait, told) for s in required])
    if not metadata.is_fhir:  # before everything else is waited for
        _reached(base, metadata, _all(first))
    rest, seconds = _at_once([partial(_ask, connect, patient_id, s, wait, told) for s in others])
    _reached(base, metadata, _all((*first, *rest)))
    for look in first:
        for resource in look.answer.resources:
            if resource.get("resourceType") == "Patient":
                discretion.learn(resource)
    answers = {s.search.name: s.answer for s in (*first, *rest)}
    told("what is named only by reference")
    began = time.monotonic()
    with connect(deadline := Deadline.after(wait)) as server:
        answers |= followed(server, answers, deadline)
        references = tuple(server.heard)
    seconds += time.monotonic() - began
    looks, _ = _at_once([partial(_by_category, connect, patient_id, c, wait, told) for c in _categories((*first, *rest))])
    told("where clinicians sign in")
    sign_in = _sign_in(base, wait, ca_bundle)
    return Examination(base, read_capabilities(metadata, discretion), patient, Record(patient_id, answers), (*first, *rest), tuple(looks),
                       first_seconds, first_seconds + seconds, references, sign_in)  # fmt: skip


def _at_once(questions: Sequence[Callable]) -> tuple[list, float]:
    """As many at the same time as in a call, and how long they took together."""
    began = time.monotonic()
    with ThreadPoolExecutor(MOST_AT_ONCE) as pool:
        found = [asked.result() for asked in [pool.submit(question) for question in questions]]
    return found, time.monotonic() - began


def _all(reports: Sequence[SearchReport]) -> list[Heard]:
    return [heard for report in reports for asked in report.asked for heard in asked.heard]


def _ask(connect: Callable[..., ListeningServer], patient_id: str, search: Search, wait: float, told: Told) -> SearchReport:
    began = time.monotonic()
    with connect(Deadline.after(wait)) as server:
        try:
            answer = ask_one(server, patient_id, search)
        except Exception:  # as in a call: one search must not take the others with it
            answer = BROKEN
        report = reported(search, patient_id, answer, server.heard, time.monotonic() - began)
    told(search.words)
    return report


def _categories(reports: Sequence[SearchReport]) -> list[str]:
    """Of the Observations that were not already asked for so."""
    wanted = {r.search.categories for r in reports if r.search.categories and r.status != "not_allowed"}
    asked = {r.search.categories for r in reports if any(a.by == "category" for a in r.asked)}
    return [",".join(categories) for categories in sorted(wanted - asked)]


def _by_category(connect: Callable[..., ListeningServer], patient_id: str, category: str, wait: float, told: Told) -> tuple[str, Answer]:
    with connect(Deadline.after(wait), max_pages=PAGES_OF_A_LOOK) as server:
        answer = server.search("Observation", (("patient", patient_id), ("category", category)))
    told(f"Observations of the category {category}")
    own = tuple(r for r in answer.resources if is_about(r, names(patient_id)))
    return category, Answer(answer.outcome, own, answer.why)


def _sign_in(base: str, wait: float, ca_bundle: str | None) -> str:
    try:
        endpoints(SIGN_IN, base, Deadline.after(wait), ca_bundle)
    except NoAnswer as why:
        return str(why)
    return ""


def _reached(base: str, metadata: Heard, heard: Sequence[Heard]) -> None:
    """A server that has said nothing of use has not been diagnosed."""
    if heard and all(h.why == NOT_ALLOWED[0] for h in heard):
        raise Unreachable(f"{base}: every search was answered with 401 (not authorised); put a valid access token into FHIR_TOKEN")
    if not metadata.is_fhir and not any(h.is_fhir for h in heard):
        why = metadata.why or next((h.why for h in heard if h.why), f"the server answered {metadata.status}")
        raise Unreachable(f"{base}: nothing it answers is FHIR ({why}); is this the base URL of a FHIR R4 server?")
