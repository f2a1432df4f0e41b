"""The EHR's half of the conversation: fill the prefetch templates, fire a hook, take what comes back."""

from __future__ import annotations

import json
import re
import time
import uuid
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import parse_qsl

import requests

from hooks.demo.chart_review import REVIEWER
from hooks.demo.fhir_search import Holdings, Refused, Resource, outcome
from hooks.demo.markdown import to_html

SERVICE = "nct05827549-%s"
MOMENTS: dict[str, tuple[str, Resource | None]] = {  # what the clinician does: the hook, and the order being signed
    "open": ("patient-view", None),
    "blinatumomab": ("order-sign", {
        "resourceType": "MedicationRequest", "id": "draft", "status": "draft", "intent": "order",
        "medicationCodeableConcept": {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "1597258"}], "text": "blinatumomab"},
    }),
    "transplant": ("order-sign", {
        "resourceType": "ServiceRequest", "id": "draft", "status": "draft", "intent": "order",
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "58390007"}], "text": "allogeneic marrow transplant"},
    }),
    "vincristine": ("order-sign", {
        "resourceType": "MedicationRequest", "id": "draft", "status": "draft", "intent": "order",
        "medicationCodeableConcept": {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "11202"}], "text": "vincristine"},
    }),
}  # fmt: skip
PATIENCE_S = 30
TOKEN = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")


@dataclass(frozen=True)
class Conversation:
    """One hook call as it went over the wire. Status 0: nobody answered. `trouble` says in words what went wrong."""

    url: str
    request: dict[str, Any]
    status: int
    response: Any
    milliseconds: int
    details: list[str]  # the `detail` of each card as HTML
    trouble: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def fire(moment: str, patient_id: str, mode: str, held: Holdings, host: str, fhir: str) -> Conversation:
    """`prefetch`: everything travels with the call, and no server is named. `fetch`: only the server is named."""
    hook, order = MOMENTS[moment]
    url = f"{host}/cds-services/{SERVICE % hook}"
    context: dict[str, Any] = {"userId": f"Practitioner/{REVIEWER['id']}", "patientId": patient_id}
    if order:
        draft = {**order, "subject": {"reference": f"Patient/{patient_id}"}}
        context["draftOrders"] = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": draft}]}
    body: dict[str, Any] = {"hook": hook, "hookInstance": str(uuid.uuid4()), "context": context}
    began = time.perf_counter()
    with requests.Session() as session:
        session.trust_env = False  # the service is on this very machine; a proxy has no business in between
        try:
            if mode == "prefetch":
                discovery = session.get(f"{host}/cds-services", timeout=PATIENCE_S)
                discovery.raise_for_status()
                body["prefetch"] = prefetched(discovery.json(), context, held, fhir, hook)
            else:
                body["fhirServer"] = fhir
            began = time.perf_counter()
            reply = session.post(url, json=body, timeout=PATIENCE_S)
            took = round((time.perf_counter() - began) * 1000)
        except (requests.RequestException, LookupError, TypeError, ValueError) as error:
            took = round((time.perf_counter() - began) * 1000)
            return Conversation(url, body, 0, None, took, [], f"the service could not be asked: {error}")
    try:
        answer = reply.json()
    except ValueError:
        answer = reply.text
    if reply.status_code != 200:
        return Conversation(url, body, reply.status_code, answer, took, [], trouble(answer))
    if not isinstance(answer, dict) or not isinstance(answer.get("cards"), list):
        return Conversation(url, body, 200, answer, took, [], "the answer is not a CDS Hooks response")
    return Conversation(url, body, 200, answer, took, [to_html(card.get("detail", "")) for card in answer["cards"]])


def prefetched(discovery: Any, context: dict[str, Any], held: Holdings, fhir: str, hook: str = "patient-view") -> dict[str, Any]:
    """The service's own templates, resolved. One with a token we cannot fill is left out, as the standard says."""
    service = next(s for s in discovery["services"] if s["id"] == SERVICE % hook)
    known = {f"context.{name}": value for name, value in context.items() if isinstance(value, str)}
    results = {}
    for key, template in service.get("prefetch", {}).items():
        if all(token in known for token in TOKEN.findall(template)):
            results[key] = looked_up(TOKEN.sub(lambda m: known[m[1]], template), held, fhir)
    return results


def looked_up(query: str, held: Holdings, fhir: str) -> Resource:
    """A FHIR read or search without HTTP; a refusal travels as the OperationOutcome it would have been."""
    path, _, parameters = query.partition("?")
    kind, _, id = path.partition("/")
    try:
        if id:
            return held.read(kind, id, fhir)
        return held.search(kind, parse_qsl(parameters, keep_blank_values=True), fhir)
    except Refused as error:
        return outcome(error.code, error.words)


def trouble(answer: Any) -> str:
    """What an OperationOutcome, or whatever came instead of one, says."""
    issues = answer.get("issue", []) if isinstance(answer, dict) else []
    words = [i.get("details", {}).get("text") or i.get("diagnostics") or i.get("code", "") for i in issues]
    return "; ".join(filter(None, words)) or (answer if isinstance(answer, str) else json.dumps(answer))[:400]
