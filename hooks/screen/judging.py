"""From the lines about one child to its assessment: the same reading and the same judgement as of a Bundle."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import msgspec

from cds import Protocol, assess
from cds.assessment import Assessment
from fhir_mappings import Answer, Outcome, Record, read_patient
from fhir_mappings.diagnoses import is_leukaemia
from fhir_mappings.identity import are_different
from fhir_mappings.record import NOT_KEPT, Resource
from fhir_mappings.sources import SEARCHES
from fhir_mappings.subject import is_about, names
from hooks.screen.finding import OF_NOBODY, OUTCOME
from hooks.screen.parsing import parsed
from hooks.screen.remarks import Remark
from hooks.screen.silent import Silent

NOT_ONE_PERSON = Answer(Outcome.FAILED, why="the source holds different people under this id")
OF_SEVERAL = replace(NOT_ONE_PERSON, rejected=("what the source holds under this id belongs to different people",))
ANY = ""  # a broken line of which not even the type can be told may be of any
_TYPE = re.compile(rb'"resourceType"\s*:\s*"([A-Za-z]+)"')


def judge(protocol: Protocol, record: Record, as_of: date) -> Assessment:
    return assess(protocol, read_patient(record, as_of))


def record_of(patient_id: str, lines: Iterable[bytes], lacking: str = "", not_kept: Collection[str] = ()) -> tuple[Record, list[Remark]]:
    """What the source holds of this child counts as all there is, but for the kinds of which a line could not be read, and
    where the source itself is `lacking`, for a reason, or does `not_keep` a type. With it, what is to be told of single lines."""
    of_type: dict[str, list[Resource]] = defaultdict(list)
    broken: Counter[str] = Counter()
    remarks: list[Remark] = []
    people: list[tuple[Resource, bytes]] = []
    silent = Silent(patient_id)
    for line in lines:
        resource, wrong = parsed(line)
        if wrong:
            broken.update({kind.decode() for kind in _TYPE.findall(line)} or {ANY})  # whichever of them was meant
            remarks.append(Remark(line, wrong))
        elif resource["resourceType"] == OUTCOME:
            broken[OUTCOME] += 1
        elif not silent.leaves_aside(resource) and _belongs(resource, patient_id):
            of_type[resource["resourceType"]].append(resource)
            people += [(resource, line)] if resource["resourceType"] == "Patient" else []
    if len(people) > 1 and are_different(patient for patient, _ in people):
        remarks += [Remark(line, "is another person's", patient_id) for _, line in people]
        return Record(patient_id, {s.name: OF_SEVERAL if s.resource_type == "Patient" else NOT_ONE_PERSON for s in SEARCHES}), remarks
    of_type["Observation"] += silent.versions_of(of_type["Observation"])
    kinds = {(s.resource_type, s.refers_to) for s in SEARCHES}
    given = {(kind, refers_to): _answer(kind, refers_to, of_type, broken, lacking) for kind, refers_to in kinds}
    answers = {s.name: given[s.resource_type, s.refers_to] for s in SEARCHES}
    answers |= {s.name: NOT_KEPT for s in SEARCHES if s.resource_type in not_kept and not answers[s.name].resources}
    if not any(is_leukaemia(condition) for condition in answers["conditions"].resources):  # or the child would not be in scope
        answers["conditions"] = replace(answers["conditions"], outcome=Outcome.PARTIAL, why="the leukaemia record that was seen could not be read")
    return Record(patient_id, answers), remarks


def site_of(record: Record) -> str:
    """The organisation that looks after the child, as the Patient names it; empty where it names none."""
    patient = next(iter(record.answer("patient").resources), {})
    managing = patient.get("managingOrganization")
    told = (managing.get("display") or managing.get("reference")) if isinstance(managing, dict) else None
    return told.encode("utf-8", "replace").decode() if isinstance(told, str) else ""


def _belongs(resource: Resource, patient_id: str) -> bool:
    """A line may name the child and be about somebody else: a sibling as donor, a mother."""
    if resource["resourceType"] in OF_NOBODY:
        return True
    return bool(is_about(resource, names(patient_id)))


def _answer(kind: str, refers_to: str, of_type: Mapping[str, list[Resource]], broken: Mapping[str, int], lacking: str) -> Answer:
    found = (*of_type.get(kind, ()), *of_type.get(refers_to, ()))
    if lost := sum(count for name, count in broken.items() if name in (kind, refers_to, ANY)):
        return Answer(Outcome.PARTIAL, found, f"{lost} line{'s' if lost > 1 else ''} of the source could not be read", cut_short=True)
    if kind == "Patient" and not found:
        return Answer(Outcome.FAILED, why="the source holds no Patient of this id")
    if lacking or broken.get(OUTCOME):
        return Answer(Outcome.PARTIAL, found, lacking or "the source says that it is incomplete", cut_short=True)
    return Answer(Outcome.ANSWERED, found)


def as_line(assessment: dict[str, Any]) -> bytes:
    """One line of `assessments.ndjson`, without its line break."""
    try:
        return msgspec.json.encode(assessment)
    except UnicodeEncodeError:  # half a surrogate pair from a broken chart becomes a question mark
        return json.dumps(assessment, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
