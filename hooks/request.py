"""A hook call, parsed and refused politely: what is missing or mistyped is named, unknown members are ignored."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog

from fhir_mappings.draft_orders import drafts_of
from fhir_mappings.record import Resource
from fhir_mappings.subject import reference_of
from hooks import exact_json
from hooks.other_patients import nobody_else_in, refuse_other_patients
from hooks.problem import Problem

FHIR_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_USER = re.compile(r"(Practitioner|PractitionerRole|Patient|RelatedPerson)/[\w\-.]{1,64}", re.ASCII)

log = structlog.get_logger()
MOST_ENTRIES = 50_000  # in all Bundles of a call: beyond any chart, and far from keeping a worker busy for seconds
ORDER_HOOKS = ("order-select", "order-sign")


@dataclass(frozen=True, slots=True)
class HookRequest:
    """The parts of a CDS Hooks 2.0 request that we use. The token never appears in its repr."""

    hook: str
    hook_instance: str
    patient_id: str
    user_id: str
    prefetch: Mapping[str, Any]
    fhir_server: str | None
    token: str | None = field(repr=False)
    token_seconds: int | None = None  # for which the token is still good; None without a token
    drafts: tuple[Resource, ...] = ()  # of an order hook: the orders that it asks about


def parse(body: bytes, hook: str) -> HookRequest:
    """Raise Problem(400) naming the field for anything the specification does not allow, and for another patient's data."""
    call = read_json(body)
    if not isinstance(call, dict):
        raise Problem(400, "the request body must be a JSON object")
    if _text(call, "hook") != hook:
        raise Problem(400, f"hook: this service answers the hook {hook}")
    context = _object(call, "context")
    patient_id = _text(context, "patientId", "context.")
    if not FHIR_ID.fullmatch(patient_id):
        raise Problem(400, "context.patientId: must be a bare FHIR id")
    user_id = _text(context, "userId", "context.")
    if not _USER.fullmatch(user_id):
        raise Problem(400, "context.userId: must be of the form Practitioner/123, PractitionerRole/123, Patient/123 or RelatedPerson/123")
    prefetch = call.get("prefetch")
    if not isinstance(prefetch, dict | None):
        raise Problem(400, "prefetch: must be an object")
    _refuse_floods([*(prefetch or {}).values(), context.get("draftOrders")])
    if hook == "encounter-start":
        _text(context, "encounterId", "context.")
    drafts = _drafts(context, hook) if hook in ORDER_HOOKS else ()
    if not nobody_else_in(body, prefetch or {}, patient_id):
        refuse_other_patients(prefetch, patient_id, "prefetch")
        refuse_other_patients(list(drafts), patient_id, "context.draftOrders")
    return HookRequest(hook, _uuid(_text(call, "hookInstance")), patient_id, user_id, prefetch or {}, *_access(call, patient_id), drafts)


def _refuse_floods(values: Iterable[Any]) -> None:
    """By counting alone, before anything looks into an entry."""
    lists = (value.get("entry") for value in values if isinstance(value, dict))
    if sum(len(entries) for entries in lists if isinstance(entries, list)) > MOST_ENTRIES:
        raise Problem(413, f"the Bundles of this request hold more than {MOST_ENTRIES:,} entries together, which is more than we read")


def _drafts(context: Mapping[str, Any], hook: str) -> tuple[Resource, ...]:
    """All draft orders; of `order-select` those selected, and what they may be made of."""
    bundle = _object(context, "draftOrders", "context.")
    entries = bundle.get("entry", [])
    if bundle.get("resourceType") != "Bundle" or not isinstance(entries, list):
        raise Problem(400, "context.draftOrders: must be a Bundle")
    drafts = drafts_of(bundle)
    if hook == "order-sign":
        return drafts
    selections = context.get("selections")
    if not isinstance(selections, list) or not all(isinstance(selection, str) for selection in selections):
        raise Problem(400, "context.selections: required, a list of references such as MedicationRequest/123")
    here = {reference_of(draft) for draft in drafts}
    lost = [selection for selection in selections if selection not in here]
    if lost and len(lost) == len(selections):  # no card would mean that nothing is wrong with what was selected
        raise Problem(400, "context.selections: none of them is a draft of context.draftOrders; each must be its type and id, such as MedicationRequest/123")
    if lost:
        log.warning("selections_not_found", not_found=len(lost), selections=len(selections))
    return tuple(d for d in drafts if reference_of(d) in selections or d.get("resourceType") in ("Medication", "Substance"))


def _access(call: Mapping[str, Any], patient_id: str) -> tuple[str | None, str | None, int | None]:
    """Where we may fetch, with which token, and for how many seconds that is good."""
    server = call.get("fhirServer")
    if not isinstance(server, str | None):
        raise Problem(400, "fhirServer: must be a URL")
    authorization = call.get("fhirAuthorization")
    if authorization is None:
        return server, None, None
    if not isinstance(authorization, dict):
        raise Problem(400, "fhirAuthorization: must be an object")
    if server is None:
        raise Problem(400, "fhirServer: required when fhirAuthorization is sent")
    token = _text(authorization, "access_token", "fhirAuthorization.")
    if authorization.get("token_type") != "Bearer":
        raise Problem(400, "fhirAuthorization.token_type: must be Bearer")
    seconds = authorization.get("expires_in")
    if not isinstance(seconds, int) or isinstance(seconds, bool):
        raise Problem(400, "fhirAuthorization.expires_in: required, a whole number of seconds")
    for name in ("scope", "subject"):  # Epic's scopes are names of its own; only a server knows what they allow
        _text(authorization, name, "fhirAuthorization.")
    if authorization.get("patient") not in (None, patient_id):
        raise Problem(400, "fhirAuthorization.patient: is another patient than context.patientId")
    return server, token, seconds


def read_json(body: bytes) -> Any:
    """Numbers with a fraction become Decimal, as printed. Raise Problem(400) for what is not JSON, NaN and doubled members included."""
    try:
        return exact_json.loads(body)
    except exact_json.FAULTS:
        raise Problem(400, "the request body is not valid JSON") from None


def _text(holder: Mapping[str, Any], key: str, where: str = "") -> str:
    value = holder.get(key)
    if not isinstance(value, str) or not value:
        raise Problem(400, f"{where}{key}: required, a string")
    return value


def _object(holder: Mapping[str, Any], key: str, where: str = "") -> Mapping[str, Any]:
    value = holder.get(key)
    if not isinstance(value, dict):
        raise Problem(400, f"{where}{key}: required, an object")
    return value


def _uuid(text: str) -> str:
    if not _UUID.fullmatch(text):
        raise Problem(400, "hookInstance: must be a UUID")
    return text
