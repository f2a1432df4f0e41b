"""What SMART apps wrote into the charts: answers to a questionnaire, kept in memory for as long as the demonstration runs."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from threading import Lock

from fhir_mappings.checked import validated
from hooks import exact_json
from hooks.demo.fhir_search import Refused, Resource
from hooks.demo.lent import Launch, Lent
from hooks.demo.smart_scopes import may_write_answers

LARGEST = 1024 * 1024
DEEPEST = 60  # objects and lists within each other; a questionnaire of groups and answers in answers has about ten


class Written:
    """Apart from the invented charts, which are made anew when the day turns. It only grows."""

    def __init__(self, tokens: Lent) -> None:
        self._tokens = tokens
        self._resources: list[Resource] = []
        self._lock = Lock()

    def so_far(self) -> tuple[Resource, ...]:
        with self._lock:
            return tuple(self._resources)

    def launched(self, authorization: str) -> Launch:
        """Whom a request comes from. Looked at before anything else of it is read."""
        scheme, _, token = authorization.partition(" ")
        launch = self._tokens.look(token.strip()) if scheme.lower() == "bearer" else None
        if launch is None:
            raise Refused(401, "login", "writing needs an access token, which an app gets when it is launched from a chart")
        if not may_write_answers(launch.scopes):
            raise Refused(403, "forbidden", "this app was not granted patient/QuestionnaireResponse.c")
        return launch

    def create(self, body: bytes, launch: Launch, base: str) -> Resource:
        """The resource as it was stored: with an id and a time of ours, whatever it brought along."""
        answers = _answers_in(body)
        subject = answers.get("subject", {}).get("reference", "")
        if subject.removeprefix(f"{base}/") != f"Patient/{launch.patient}":
            raise Refused(403, "forbidden", "the subject must be the child whose chart the app was launched from")
        stored = {
            "resourceType": "QuestionnaireResponse",
            **answers,
            "id": str(uuid.uuid4()),
            "meta": answers.get("meta", {}) | {"lastUpdated": datetime.now(UTC).isoformat(timespec="milliseconds")},
        }
        with self._lock:
            self._resources.append(stored)
        return stored


def _answers_in(body: bytes) -> Resource:
    try:
        # Once more through the writer: what can be read, but not be written again, would spoil every search that finds it.
        resource = json.loads(json.dumps(exact_json.loads(body), default=float, allow_nan=False))
        whole = _whole(resource, DEEPEST)
    except exact_json.FAULTS:
        raise Refused(400, "structure", "the body is not JSON") from None
    if not isinstance(resource, dict) or resource.get("resourceType") != "QuestionnaireResponse":
        raise Refused(400, "invalid", "only a QuestionnaireResponse can be written here")
    if fault := validated(resource) if whole else "nested too deep, or a member is null":
        raise Refused(400, "invalid", fault)
    return resource


def _whole(value: object, levels: int) -> bool:
    """Every member has a value, as FHIR demands and its model does not, and the chart can be walked through."""
    if isinstance(value, dict):
        return levels > 0 and all(part is not None and _whole(part, levels - 1) for part in value.values())
    return not isinstance(value, list) or (levels > 0 and all(_whole(part, levels - 1) for part in value))
