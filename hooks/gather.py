"""One child's record for one hook call: what the EHR sent, and from its FHIR server what it did not.

The cheapest look comes first: the child and the problem list. Only if that shows leukaemia is anything else asked for,
everything at the same time and within one deadline. What did not come in time is "not looked up", never "none".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from itertools import islice

import structlog

from fhir_mappings import Answer, Outcome, Record
from fhir_mappings.record import NOT_ASKED
from fhir_mappings.sources import SEARCHES, Search
from fhir_mappings.subject import is_about, names, reference_of, target
from hooks.backend_services import TokenSource, token_source
from hooks.cds_client import CdsClient
from hooks.config import Config
from hooks.deadline import Deadline
from hooks.fhir_address import allowed
from hooks.fhir_at_once import at_once
from hooks.fhir_load import FhirLoad
from hooks.fhir_server import FhirServer
from hooks.first_look import shows_leukaemia
from hooks.logs import quoted_address
from hooks.prefetch import sent
from hooks.request import HookRequest

Heard = Callable[[str, Mapping[str, Answer]], None]
"""Is told, for a server, how each search ended, by name."""

log = structlog.get_logger()
MOST_READS = 40  # references followed in one call
NO_TOKEN = Answer(Outcome.NOT_ASKED, why="not sent by the EHR, and no token to ask the server with")
EXPIRED = Answer(Outcome.NOT_ASKED, why="not sent by the EHR, and its token for the server had expired")
WRONG_PATIENT = Answer(Outcome.FAILED, why="the FHIR server answered with another patient's data")


def unheard(server: str, answers: Mapping[str, Answer]) -> None:
    """Nobody keeps figures."""


def gather(call: HookRequest, client: CdsClient, config: Config, load: FhirLoad | None = None, heard: Heard = unheard) -> Record | None:
    """The record to judge; None when the problem list, seen in full, shows no leukaemia. `load` is shared by all calls; `heard`
    is told how each search ended.

    Raises Problem(412) naming the key when the child or the problem list cannot be had.
    """
    answers = sent(call.prefetch)
    base = allowed(call.fhir_server, client.fhir_servers, loopback_ok=config.dev) if call.fhir_server else None
    if call.fhir_server and base is None:
        log.warning("fhir_server_not_allowed", server=quoted_address(call.fhir_server))  # an attack, or a site that forgot to list it
    token = access(call.token, base, config) if base else None
    why_not = _why_not(call, base, token, config)
    if base is None or why_not:
        answers = {search.name: why_not or NOT_ASKED for search in SEARCHES} | answers
        return Record(call.patient_id, answers) if shows_leukaemia(answers, call.prefetch) else None
    deadline = Deadline.after(min(config.fetch_seconds, call.token_seconds or config.fetch_seconds))
    with (load or FhirLoad()).call(base) as share, FhirServer(base, token, deadline=deadline, ca_bundle=config.trusted, share=share) as server:
        record = fetch(server, call.patient_id, answers, deadline, heard=partial(heard, base))
    return record if shows_leukaemia(record.answers) else None


def _why_not(call: HookRequest, base: str | None, token: str | TokenSource | None, config: Config) -> Answer | None:
    """What becomes of everything that was not sent, if nothing is to be fetched; None if it is."""
    if base is None:
        return NOT_ASKED
    if call.token_seconds is not None and call.token_seconds <= 0:
        return EXPIRED
    if token is None and not config.dev:  # a server that shows a chart to whoever asks is not one to get patients from
        return NO_TOKEN
    return None


def access(token: str | None, base: str, config: Config) -> str | TokenSource | None:
    """The caller's token, which carries the user's rights. Only without one our own, if we are registered there: then we
    read with the rights of a system, and what is hidden from this user is not hidden from us."""
    backend = config.backend_of(base)
    return token or (token_source(backend, config.trusted) if backend else None)


def fetch(server: FhirServer, patient_id: str, answers: dict[str, Answer], deadline: Deadline, everything: bool = False,
          heard: Callable[[Mapping[str, Answer]], None] = lambda answers: None) -> Record:
    """Complete the answers from a server; the rest only if the first look shows leukaemia, or if everything is wanted."""
    sent = frozenset(answers)
    fetched = _ask(server, patient_id, _unanswered(answers, required=True), deadline)
    heard(fetched)
    answers = _completed(answers, fetched)
    if not shows_leukaemia(answers, sent) and not everything:
        return Record(patient_id, answers)
    fetched = _ask(server, patient_id, _unanswered(answers, required=False), deadline)
    heard(fetched)
    answers = _completed(answers, fetched)
    return Record(patient_id, answers | followed(server, answers, deadline))


def _completed(answers: dict[str, Answer], fetched: dict[str, Answer]) -> dict[str, Answer]:
    """What was fetched replaces what was sent in part, unless fetching failed: what came may still be used."""
    better = {name: answer for name, answer in fetched.items() if name not in answers or answer.outcome is not Outcome.FAILED}
    return answers | better


def _unanswered(answers: dict[str, Answer], required: bool) -> list[Search]:
    """What was not sent, and what was sent in part; a search that failed at the EHR is not repeated."""
    return [s for s in SEARCHES if s.required is required
            and (s.name not in answers or answers[s.name].outcome is Outcome.PARTIAL)]


def _ask(server: FhirServer, patient_id: str, searches: Iterable[Search], deadline: Deadline) -> dict[str, Answer]:
    return at_once({s.name: partial(ask_one, server, patient_id, s) for s in searches}, deadline)


def followed(server: FhirServer, answers: Mapping[str, Answer], deadline: Deadline) -> dict[str, Answer]:
    """The answers with what they name only by reference: a study, a drug. A few reads, all at the same time."""
    named = {s.name: _unresolved(answers[s.name], s) for s in SEARCHES if s.refers_to and s.name in answers}
    reads = {reference: partial(server.read, *reference.split("/")) for references in named.values() for reference in references}
    read = at_once(dict(islice(sorted(reads.items()), MOST_READS)), deadline)
    found = {name: tuple(r for ref in sorted(references) if ref in read for r in read[ref].resources) for name, references in named.items()}
    return {name: replace(answers[name], resources=answers[name].resources + more) for name, more in found.items() if more}


def _unresolved(answer: Answer, search: Search) -> set[str]:
    here = {reference_of(resource) for resource in answer.resources}
    named = (target(resource, search.refers_by) for resource in answer.resources)
    return {t for t in named if t and t.startswith(f"{search.refers_to}/") and t.count("/") == 1} - here


def ask_one(server: FhirServer, patient_id: str, search: Search) -> Answer:
    if search.resource_type == "Patient":
        return _of_this_child(server.read("Patient", patient_id), patient_id, search)
    answer = server.search(search.resource_type, search.params(patient_id), search.fallbacks(patient_id))
    answer = _of_this_child(answer, patient_id, search)
    if answer is WRONG_PATIENT and search.subject:  # some servers know the child only by this parameter
        named = ((search.subject, f"Patient/{patient_id}"),)
        answer = _of_this_child(server.search(search.resource_type, named), patient_id, search)
    return answer


def _of_this_child(answer: Answer, patient_id: str, search: Search) -> Answer:
    """A server that ignores a parameter answers with everybody: then the search has failed, whatever else it holds."""
    patient = names(patient_id)
    whose = [is_about(resource, patient) for resource in answer.resources]
    if False in whose or (search.resource_type == "Patient" and None in whose):  # a Patient has to say who it is
        log.error("wrong_patient_from_fhir_server", search=search.name)
        return WRONG_PATIENT
    return answer
