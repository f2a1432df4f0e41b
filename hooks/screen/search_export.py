"""A cohort from a FHIR server that has no export: whoever has a leukaemia diagnosis is looked for, then each child is asked for.

A child whose searches fail is a Record whose searches failed: it is judged unknown, and the others go on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice

import structlog

from fhir_mappings import Answer, Outcome, Record, codelists
from fhir_mappings.record import FRUITLESS
from fhir_mappings.diagnoses import LEUKAEMIA, is_leukaemia
from fhir_mappings.sources import SEARCHES
from fhir_mappings.subject import subject_of
from hooks.backend_services import TokenSource
from hooks.deadline import Deadline
from hooks.fhir_load import FhirLoad, Share
from hooks.fhir_server import FhirServer
from hooks.gather import fetch
from hooks.problem import Problem
from hooks.screen.progress import Progress, Told

log = structlog.get_logger()
REQUESTS_AT_ONCE = 8  # of all children together: the EHR is in use by others
SEARCH_SECONDS = 1_800.0  # for the diagnoses of a whole hospital
MOST_PAGES = 2_000
REMEDY = "list the patients in a file, one id a line"
FAULT = Answer(Outcome.FAILED, why="the child's record could not be fetched")


class SearchError(Exception):
    """Why no cohort could be found, and the remedy, in one plain sentence."""


class NotSearchable(SearchError):
    """The server does not search diagnoses by code for all its patients, as Epic and Oracle do not."""


def children_by_search(base_url: str, access: str | TokenSource | None, *, told: Told, seconds_per_child: float = 60, at_once: int = 3,
                       search_seconds: float = SEARCH_SECONDS, ca_bundle: str | None = None) -> Iterator[Record]:
    """Every child with a diagnosis of the leukaemia family, one Record after the other. Raises SearchError."""
    ids = patients_with_leukaemia(base_url, access, told=told, search_seconds=search_seconds, ca_bundle=ca_bundle)
    yield from patients_listed(base_url, access, ids, told=told, seconds_per_child=seconds_per_child, at_once=at_once, ca_bundle=ca_bundle)


def patients_with_leukaemia(base_url: str, access: str | TokenSource | None, *, told: Told, search_seconds: float = SEARCH_SECONDS,
                            ca_bundle: str | None = None) -> tuple[str, ...]:
    """Their ids. A code is searched for without its system, which sites spell in many ways; what else it finds is left out here."""
    systems = sorted({system for system, _ in codelists.in_use().lookup})
    codes = sorted({code for system in systems for code in codelists.codes_of(*LEUKAEMIA, system=system)})
    deadline = Deadline.after(search_seconds)
    with FhirServer(base_url, access, deadline=deadline, max_pages=MOST_PAGES, ca_bundle=ca_bundle) as server:
        answer = server.search("Condition", (("code", ",".join(codes)),))
    refused = answer.why.startswith("the FHIR server answered 4") or answer.why == "the FHIR server does not accept this search"
    if answer.outcome is Outcome.FAILED and refused:
        raise NotSearchable(f"this FHIR server does not search the diagnoses of all patients by code ({answer.why}); {REMEDY}")
    if answer.outcome in FRUITLESS:
        raise SearchError(f"the search for leukaemia diagnoses failed: {answer.why}")
    if not answer.complete:
        told(f"the search for leukaemia diagnoses is not complete ({answer.why}): there may be more children; to be sure, {REMEDY}")
    subjects = [subject_of(condition) for condition in answer.resources if is_leukaemia(condition)]
    ids = tuple(sorted({subject.removeprefix("Patient/") for subject in subjects if subject and subject.startswith("Patient/")}))
    if nameless := sum(not subject or not subject.startswith("Patient/") for subject in subjects):
        told(f"{nameless} leukaemia diagnoses name no patient by reference and are left out")
    told(f"{len(ids)} patients with a leukaemia diagnosis" if ids else f"no patient with a leukaemia diagnosis was found; if that cannot be, {REMEDY}")
    return ids


def patients_listed(base_url: str, access: str | TokenSource | None, ids: Iterable[str], *, told: Told, seconds_per_child: float = 60,
                    at_once: int = 3, ca_bundle: str | None = None) -> Iterator[Record]:
    """These children in this order, each once, a few fetched at a time."""
    wanted = list(dict.fromkeys(ids))
    # One share for all: it bounds the requests, and no failure of some children keeps the next from being tried.
    with FhirLoad(REQUESTS_AT_ONCE).call(base_url) as share:
        pool = ThreadPoolExecutor(at_once, thread_name_prefix="child")

        def begun(patient_id: str) -> Future[Record]:
            return pool.submit(_child, base_url, access, patient_id, seconds_per_child, share, ca_bundle)

        try:
            waiting = iter(wanted)
            running = deque(begun(patient_id) for patient_id in islice(waiting, at_once))
            for number in range(1, len(wanted) + 1):
                record = running.popleft().result()
                running.extend(begun(patient_id) for patient_id in islice(waiting, 1))
                told(Progress("children", number, len(wanted)))
                yield record
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _child(base_url: str, access: str | TokenSource | None, patient_id: str, seconds: float, share: Share, ca_bundle: str | None) -> Record:
    heard: dict[str, Answer] = {}

    def hear(answers: Mapping[str, Answer]) -> None:
        heard.update(answers)

    deadline = Deadline.after(seconds)
    try:
        with FhirServer(base_url, access, deadline=deadline, ca_bundle=ca_bundle, share=share) as server:
            return fetch(server, patient_id, {}, deadline, everything=True, heard=hear)
    except Problem:  # neither child nor problem list, so nothing else was asked; what was heard says why
        why = next((answer.why for answer in heard.values() if answer.why), FAULT.why)
        rest = Answer(Outcome.FAILED, why=f"not asked for, because of the child's own data or problem list: {why}")
    except Exception as error:  # one child must not take the others with it
        log.error("child_not_fetched", kind=type(error).__name__)
        rest = FAULT
    return Record(patient_id, {search.name: rest for search in SEARCHES} | heard)
