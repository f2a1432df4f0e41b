"""One child's record from a FHIR Bundle of any type: the chart as exported, without a conversation around it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fhir_mappings import Answer, Outcome, Record
from fhir_mappings.sources import SEARCHES
from fhir_mappings.subject import is_about, names, subject_of
from hooks.paging import CutShort, next_target


class BundleError(ValueError):
    """Why no child can be judged from this Bundle, in one sentence."""


def record_from_bundle(bundle: Any) -> Record:
    """Raise BundleError unless the Bundle is about exactly one child.

    The Bundle counts as everything there is: what is not in it was looked for and not found. It says itself when that is
    not so (a next page, an OperationOutcome); then absence proves nothing.
    """
    if not isinstance(bundle, dict) or bundle.get("resourceType") != "Bundle":
        raise BundleError("this is not a FHIR Bundle (its resourceType is not Bundle)")
    entries = bundle.get("entry", [])
    if not isinstance(entries, list):
        raise BundleError("the Bundle's entry is not a list")
    sound = [e for e in entries if _holds_a_resource(e)]
    resources = [e["resource"] for e in sound]
    patients = {r["id"]: r for r in resources if r.get("resourceType") == "Patient" and isinstance(r.get("id"), str)}
    if not patients:
        raise BundleError("the Bundle holds no Patient with an id, so there is no child to judge")
    if len(patients) > 1:
        raise BundleError(f"the Bundle holds {len(patients)} Patients; give one child at a time")
    (patient_id,) = patients
    full_urls = frozenset(str(e["fullUrl"]) for e in sound if e["resource"] is patients[patient_id] and e.get("fullUrl"))
    known = names(patient_id, full_urls)
    if any(str(subject_of(r)).startswith("Patient/") and not is_about(r, known) for r in resources):
        raise BundleError("the Bundle holds data of another patient; give one child at a time")
    rejected = tuple(f"entry {i + 1} of the Bundle holds no resource" for i, e in enumerate(entries) if not _holds_a_resource(e))
    answers = {s.name: _answer({s.resource_type, s.refers_to, s.made_of}, resources, bundle) for s in SEARCHES}
    answers["patient"] = Answer(Outcome.ANSWERED, (patients[patient_id],), rejected=rejected)
    return Record(patient_id, answers, full_urls)


def _holds_a_resource(entry: Any) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("resource"), dict)


def _answer(wanted: set[str], resources: list[Mapping[str, Any]], bundle: Mapping[str, Any]) -> Answer:
    found = tuple(r for r in resources if r.get("resourceType") in wanted)
    try:
        cut = "the Bundle is only the first page" if next_target(bundle) is not None else ""
    except CutShort as why:
        cut = str(why)
    if cut:
        return Answer(Outcome.PARTIAL, found, cut, cut_short=True)
    if any(r.get("resourceType") == "OperationOutcome" for r in resources):
        return Answer(Outcome.PARTIAL, found, "the Bundle carries a message of the server that made it")
    return Answer(Outcome.ANSWERED, found)
