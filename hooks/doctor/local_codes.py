"""A hospital's own codes in one chart, as rows for the file that maps them: system, code, concept, note.

Only what is coded in no system of ours: beside a LOINC number a local code changes nothing. The concept is left empty,
because only somebody of that laboratory can say what its code means.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from fhir_mappings import codelists
from fhir_mappings.code_systems import canonical, is_ours
from fhir_mappings.members import all_words, codings, each
from fhir_mappings.observed import WOULD_MATTER
from fhir_mappings.record import Answer, Resource
from fhir_mappings.sources import SEARCHES
from fhir_mappings.subject import reference_of
from hooks.doctor.discretion import Discretion

MOST = 40
PUBLISHED = ("http://terminology.hl7.org/", "http://hl7.org/", "http://www.ama-assn.org/", "http://fdasis.nlm.nih.gov", "http://www.nlm.nih.gov/",
             "urn:oid:2.16.840.1.113883.")  # fmt: skip
"""Systems of the whole world, which are no hospital's own; LOINC and its like we know one by one."""
_CODED = ("code", "medicationCodeableConcept")


def local_codes(answers: Iterable[Answer], discretion: Discretion) -> list[dict[str, Any]]:
    """What sounds like a fact of ours first, then the most frequent."""
    notes: dict[tuple[str, str, str], Counter[str]] = {}
    held = {reference_of(r): r for answer in answers for r in answer.resources}
    for resource in held.values():
        for *coded, note in set(_local(resource)):
            notes.setdefault(tuple(coded), Counter())[note] += 1  # type: ignore[arg-type]
    rows = [{"system": discretion.words(system), "code": discretion.words(code), "concept": "", "note": discretion.of_chart(_told(found), 80),
             "count": found.total(), "type": kind, "would_matter": any(map(WOULD_MATTER.search, found))}
            for (kind, system, code), found in notes.items()]  # fmt: skip
    return sorted(rows, key=lambda row: (not row["would_matter"], -row["count"], row["system"], row["code"]))[:MOST]


def _told(notes: Counter[str]) -> str:
    more = len(notes) - 1
    return notes.most_common(1)[0][0] + (f" (and {more} other name{'s' if more > 1 else ''})" if more else "")


def _local(resource: Resource) -> Iterator[tuple[str, str, str, str]]:
    kind = str(resource.get("resourceType"))
    if kind not in {s.resource_type for s in SEARCHES} | {"Medication"}:
        return
    for element in (resource, *each(resource.get("component"))):
        for concept in map(element.get, _CODED):
            told = codings(concept)
            if codelists.statements(concept) or any(is_ours(canonical(str(c.get("system")))) for c in told):
                continue
            for coding in told:
                system, code = coding.get("system"), coding.get("code")
                if isinstance(system, str) and isinstance(code, str) and system and code and not system.startswith(PUBLISHED):
                    note = coding.get("display") or next(iter(all_words(concept)), "")
                    yield kind, system, code, note if isinstance(note, str) else ""


def as_csv(rows: Iterable[dict[str, Any]]) -> str:
    """A cell that a spreadsheet would take for a formula is disarmed: these texts are the server's."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("system", "code", "concept", "note"))
    writer.writerows([_cell(row[column]) for column in ("system", "code", "concept", "note")] for row in rows)
    return out.getvalue()


def _cell(text: str) -> str:
    return f" {text}" if text.startswith(("=", "+", "-", "@")) else text
