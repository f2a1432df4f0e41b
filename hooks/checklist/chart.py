"""The child's chart as the checklist reads it from the EHR, with the rights of the clinician who opened it, and the judgement."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from cds import assess
from cds.assessment import Assessment
from cds.facts import PatientFacts
from cds.protocol import Protocol
from fhir_mappings import read_patient
from fhir_mappings.chart_review import is_chart_review
from fhir_mappings.person import names
from hooks.checklist.launch import AGAIN, NotOpened
from hooks.checklist.visits import Visit
from hooks.config import Config
from hooks.deadline import Deadline
from hooks.fhir_load import FhirLoad
from hooks.fhir_server import FhirServer
from hooks.first_look import NotToBeHad
from hooks.gather import Heard, fetch, unheard
from hooks.markdown import visible

SECONDS = 20.0  # to read a chart: somebody waits for the whole of it, and no other page waits for them
LONGEST_NAME = 80
A_MOMENT = 3.0  # for a name


@dataclass(frozen=True, slots=True)
class Chart:
    patient: Mapping[str, Any]
    facts: PatientFacts
    assessment: Assessment
    reviews: Mapping[str, Mapping[str, Any]]  # the QuestionnaireResponses that were read, by id


def name_of(user: str, fhir_server: str, token: str, config: Config, load: FhirLoad) -> str:
    """Of the clinician, for the answers; empty where the EHR does not tell it in a moment."""
    if user.count("/") != 1:  # in a directory elsewhere, which the token is not for
        return ""
    with _server(fhir_server, token, Deadline.after(A_MOMENT), config, load) as server:
        told = [found for found in server.read(*user.split("/")).resources if found.get("id") == user.partition("/")[2]]
    return next((name for each in told for words in names(each) if (name := visible(words, LONGEST_NAME))), "")


def record(visit: Visit, response: Mapping[str, Any], config: Config, load: FhirLoad) -> str:
    """Have the EHR keep the answers, and their id there. Raises NoAnswer; Unwell where it may have kept them all the same."""
    with _server(visit.fhir_server, visit.token, Deadline.after(SECONDS), config, load) as server:
        return server.create(response)


def read_chart(visit: Visit, protocol: Protocol, config: Config, load: FhirLoad, heard: Heard = unheard) -> Chart:
    """Raises NotOpened when the EHR does not give what every answer needs."""
    deadline = Deadline.after(SECONDS)
    with _server(visit.fhir_server, visit.token, deadline, config, load) as server:
        try:
            told = fetch(server, visit.patient_id, {}, deadline, everything=True, heard=partial(heard, visit.fhir_server))
        except NotToBeHad as error:
            raise NotOpened(f"The chart cannot be judged: {error.why}.",
                            f"{AGAIN} If that does not help, ask whoever looks after the EHR.", 502) from None  # fmt: skip
    facts = read_patient(told, config.today())
    reviews = {str(response.get("id")): response for response in told.answers["answers"].resources if is_chart_review(response)}
    return Chart(told.answers["patient"].resources[0], facts, assess(protocol, facts), reviews)


@contextmanager
def _server(base: str, token: str, deadline: Deadline, config: Config, load: FhirLoad) -> Iterator[FhirServer]:
    with load.call(base) as share, FhirServer(base, token, deadline=deadline, ca_bundle=config.trusted, share=share) as server:
        yield server
