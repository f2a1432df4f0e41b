"""Hook calls as an EHR makes them, for the tests of the conversation: the chart, the prefetch, the call, a FHIR server.

`client(...)` is the service; `tell(client, body)` calls it and checks what every answer owes the caller, whatever its
status. `Chart` holds one child's resources and fills the service's own prefetch templates. `playing(chart)` is the
EHR's FHIR server, played by `responses`: it counts what it is asked and can be made to fail, one search at a time.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import responses
from fhir.resources.R4B.operationoutcome import OperationOutcome
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from cds_hooks_schema import ASSESSMENT, check_request, check_response
from fhir_mappings.sources import SEARCHES
from hooks import create_app
from hooks.cds_client import CdsClient
from hooks.config import Config
from hooks.demo.children import CHILDREN
from hooks.demo.ehr import prefetched
from hooks.demo.fhir_search import Holdings, Refused
from signed_calls import EC_JWK, ISSUER, PUBLIC_URL, RSA_JWK, SignedClient

Resource = dict[str, Any]
Reply = tuple[int, dict[str, str], str] | Exception

TODAY = date(2025, 9, 1)
EHR = "https://ehr.example/fhir"
SERVICE = "/cds-services/nct05827549-patient-view"
HOOK_INSTANCE = "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"
TOKEN = {"access_token": "token-of-the-ehr", "token_type": "Bearer", "expires_in": 300, "scope": "patient/*.rs", "subject": "relapse-cds"}
RELAPSED = tuple(child.id for child in CHILDREN if child.overall != "not_applicable")
FAVOURABLE = {"inclusion": "met", "exclusion": "not_met"}


class ToldTheDay(Config):
    """Settings whose clock stands still."""

    def today(self) -> date:
        return TODAY


@cache
def client(**settings: Any) -> FlaskClient:
    """The service as the tests mostly want it: one EHR may call, which signs; its FHIR server is on the list, there is time
    enough, and the assessment is on the card. Settings of that EHR and of the service may be given together."""
    caller = {"name": "ehr", "issuer": ISSUER, "keys": (EC_JWK, RSA_JWK), "fhir_servers": (EHR,), "assessment_extension": True}
    caller |= {name: settings.pop(name) for name in list(settings) if name in CdsClient.model_fields}
    told = {"clients": (CdsClient(**caller),), "public_url": PUBLIC_URL, "database": "sqlite://", "fetch_seconds": 20, **settings}
    service = create_app(ToldTheDay(**told))
    service.test_client_class = SignedClient
    return service.test_client()


@dataclass
class Chart:
    """One child of the demonstration, to be changed by the test: `resources[0]` is the Patient."""

    id: str
    resources: list[Resource] = field(default_factory=list)

    def __post_init__(self) -> None:
        child = next(child for child in CHILDREN if child.id == self.id)
        self.resources = self.resources or deepcopy(child.build(TODAY))

    def of_type(self, kind: str) -> list[Resource]:
        return [resource for resource in self.resources if resource["resourceType"] == kind]

    def prefetch(self) -> dict[str, Any]:
        """The service's own templates, filled; references come relative and absolute, as servers mix them."""
        discovery = client().get("/cds-services").json
        context = {"userId": "Practitioner/1", "patientId": self.id}
        sent = deepcopy(prefetched(discovery, context, Holdings(self.resources), EHR))
        check_request(self.call(sent))
        return sent

    def call(self, prefetch: dict[str, Any] | None = None, **members: Any) -> dict[str, Any]:
        """A hook call about this child; a member given as None is left out."""
        context = {"userId": "Practitioner/1", "patientId": self.id}
        told = {"hook": "patient-view", "hookInstance": HOOK_INSTANCE, "context": context, "prefetch": prefetch, **members}
        return {name: value for name, value in told.items() if value is not None}


def tell(service: FlaskClient, body: Any, path: str = SERVICE, by_the_book: bool = True) -> TestResponse:
    """The answer to a call, which keeps the rules for all answers. A call that is answered is one by the book, too, unless
    the test says that it is not; what is under the prefetch keys is `Chart.prefetch`'s to answer for, and theirs who break it."""
    answer = service.post(path, json=body)
    owed_to_every_caller(answer)
    if answer.status_code == 200 and by_the_book:
        check_request({**body, "prefetch": {}})
    return answer


def owed_to_every_caller(answer: TestResponse) -> None:
    """200 is cards by the book; anything else an OperationOutcome in plain words; neither is ever stored."""
    assert answer.headers["Cache-Control"] == "no-store"
    if answer.status_code == 200:
        assert answer.mimetype == "application/json"
        check_response(answer.json)
        return
    assert "cards" not in answer.json
    assert answer.mimetype == "application/fhir+json"
    OperationOutcome.model_validate(answer.json)
    (issue,) = answer.json["issue"]
    assert issue["severity"] == "error" and len(issue["diagnostics"]) > 20, "it says what to change"
    assert not re.search(r"Traceback|File \"|Error\b|line \d+", answer.text), answer.text


def refusal(answer: TestResponse) -> str:
    """What a refusal says in words."""
    return answer.json["issue"][0]["diagnostics"]


def assessment(answer: TestResponse) -> dict[str, Any]:
    """The assessment on the one card of an answer."""
    assert answer.status_code == 200, answer.text
    (card,) = answer.json["cards"]
    return card["extension"][ASSESSMENT]


def by_id(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {criterion["id"]: criterion for criterion in found["criteria"]}


def favourable(found: dict[str, Any]) -> set[str]:
    """The criteria that speak for the trial."""
    return {c["id"] for c in found["criteria"] if c["truth"] == FAVOURABLE[c["kind"]]}


def unanswered(found: dict[str, Any]) -> set[str]:
    """The searches that the assessment says were not looked up, by name."""
    name = {search.words: search.name for search in SEARCHES}
    return {name[told["search"]] for told in found["not_looked_up"]}


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """The same cards but for their uuids, which are new every time."""
    return without_uuids(one["cards"]) == without_uuids(other["cards"])


def without_uuids(value: Any) -> Any:
    if isinstance(value, list):
        return [without_uuids(inner) for inner in value]
    return {name: without_uuids(inner) for name, inner in value.items() if name != "uuid"} if isinstance(value, dict) else value


# --- the EHR's FHIR server ------------------------------------------------------------------------------------------


@dataclass
class Ehr:
    """`faults` maps the name of a search to what comes instead of its results; `asked` names the searches in order."""

    held: Holdings
    faults: dict[str, Callable[[], Reply]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    requests: list[Any] = field(default_factory=list)

    def __call__(self, request: Any) -> Any:
        name = search_of(request.url)
        self.asked.append(name)
        self.requests.append(request)
        if fault := self.faults.get(name):
            reply = fault()
            return (0, {}, reply) if isinstance(reply, Exception) else reply
        kind, _, id = urlsplit(request.url).path.removeprefix("/fhir/").partition("/")
        try:
            found = self.held.read(kind, id, EHR) if id else self.held.search(kind, parse_qsl(urlsplit(request.url).query), EHR)
        except Refused as refused:
            return refused.status, {}, json.dumps({"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": refused.code}]})
        return 200, {"Content-Type": "application/fhir+json"}, json.dumps(found)


def search_of(url: str) -> str:
    """Which of our searches a request is; the rest of its URL for anything else."""
    parts = urlsplit(url)
    kind, _, id = parts.path.removeprefix("/fhir/").partition("/")
    asked = set(parse_qsl(parts.query))
    for search in SEARCHES:
        wanted = [set(params[1:]) for params in (search.params(""), *search.fallbacks(""))]
        if search.resource_type == kind and (id if kind == "Patient" else any(w <= asked for w in wanted)):
            return search.name
    return url


@contextmanager
def playing(chart: Chart | list[Resource], **faults: Callable[[], Reply]) -> Iterator[Ehr]:
    """Every address is answered by this EHR, so a request that goes astray is seen in `requests`, not sent."""
    ehr = Ehr(Holdings(chart.resources if isinstance(chart, Chart) else chart), faults)
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.add_callback(responses.GET, re.compile(r"^https?://"), callback=ehr, content_type=None)
        yield ehr
