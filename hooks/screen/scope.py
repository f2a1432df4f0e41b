"""Who is in scope: every patient with a Condition that states leukaemia of the family, or hints at it.

A block without the word "Condition" is passed over; of a Condition only the codes are looked at; only a line with a code
that could matter is parsed, and then `is_leukaemia` decides, as it does at the bedside.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from stringzilla import find

from fhir_mappings import codelists
from fhir_mappings.code_systems import is_category, undotted
from fhir_mappings.diagnoses import LEUKAEMIA, is_leukaemia
from fhir_mappings.subject import subject_of
from hooks.screen.lines import Block, line_at
from hooks.screen.parsing import parsed

CONDITION = b'"Condition"'
CODE = re.compile(rb'"code"\s*:\s*"((?:[^"\\]++|\\.)++)"')
MENTIONED = re.compile(rb"Patient\\?/([A-Za-z0-9\-.]{1,64})")


def leukaemia_code() -> Callable[[bytes], bool]:
    """Could a code, whatever its system, be one that shows leukaemia? Never no where `is_leukaemia` says yes."""
    stated = [(system, code) for (system, code), said in codelists.in_use().lookup.items() if any(s.concept in LEUKAEMIA for s in said)]
    codes = {code for _, code in stated} | {plain for system, code in stated for plain in undotted(system, {code})}
    exact = frozenset(code.encode() for code in codes)
    blocks = frozenset(code[:3].encode() for code in codes if is_category(code))
    return lambda code: code in exact or code[:3] in blocks


@dataclass
class Scope:
    """The patients found, and the Condition lines that show leukaemia of a patient nobody can tell."""

    patients: set[str] = field(default_factory=set)
    nameless: int = 0

    def look(self, block: Block, could_be: Callable[[bytes], bool]) -> Iterator[tuple[int, str]]:
        """Take note of a block; give the lines that matter and cannot be read, as position and why."""
        data = block.data
        if find(data, CONDITION) < 0 or not any(could_be(_plain(code)) for code in set(CODE.findall(data))):
            return
        looked_at = -1
        for found in CODE.finditer(data):
            code = found[1]
            if found.start() < looked_at or not could_be(_plain(code)):
                continue
            start, looked_at = line_at(data, found.start())
            line = data[start:looked_at]
            if CONDITION not in line:
                continue
            resource, wrong = parsed(line)
            if not wrong and resource["resourceType"] == "Bundle":
                wrong = "is a Bundle; a line is one resource"
            if wrong:
                yield start, wrong
                self.patients |= {named.decode() for named in MENTIONED.findall(line)}  # it may be theirs: then it stays a question
            elif resource.get("resourceType") == "Condition" and is_leukaemia(resource):
                subject = str(subject_of(resource)).encode("utf-8", "replace").decode()  # half a surrogate pair is nobody's id
                if subject.startswith("Patient/"):
                    self.patients.add(subject.removeprefix("Patient/"))
                else:
                    self.nameless += 1


def _plain(code: bytes) -> bytes:
    """A code with letters that are written as escapes, as the codelists have it."""
    if b"\\" not in code:
        return code
    try:
        return str(json.loads(b'"' + code + b'"')).encode("utf-8", "replace")
    except ValueError:
        return code
