"""Who is in scope: every patient with a Condition that states leukaemia of the family, or hints at it.

A block without the word "Condition" is passed over; of a Condition only the codes are looked at; only a line with a code
that could matter is parsed, and then `is_leukaemia` decides, as it does at the bedside.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Set
from dataclasses import dataclass, field

from stringzilla import find

from fhir_mappings import codelists
from fhir_mappings.code_systems import is_category, undotted
from fhir_mappings.diagnoses import LEUKAEMIA, is_leukaemia
from fhir_mappings.subject import subject_of
from hooks.screen.lines import Block, line_at
from hooks.screen.parsing import parsed

CONDITION = b'"Condition"'
MENTIONED = re.compile(rb"Patient\\?/([A-Za-z0-9\-.]{1,64})")


class Codes:
    """Could a code, whatever its system, be one that shows leukaemia? Never no where `is_leukaemia` says yes."""

    def __init__(self, exact: Set[bytes], categories: Set[bytes]):
        """Of a category every code, by its three letters."""
        self._exact, self._categories = exact, categories
        first = b"".join(re.escape(letter) for letter in {code[:1] for code in exact | categories} - {b'"', b"\\"})
        self.written = re.compile(rb'"code"\s*+:\s*+"((?:[' + first + rb']|\\.)(?:[^"\\]++|\\.)*+)"')
        """Those that begin as one of them, or with an escape: most codes of a Condition are words, such as `active`."""

    def __contains__(self, code: bytes) -> bool:
        plain = _plain(code)
        return plain in self._exact or plain[:3] in self._categories


def leukaemia_codes() -> Codes:
    stated = [(system, code) for (system, code), said in codelists.in_use().lookup.items() if any(s.concept in LEUKAEMIA for s in said)]
    codes = {code for _, code in stated} | {plain for system, code in stated for plain in undotted(system, {code})}
    return Codes({code.encode() for code in codes}, {code[:3].encode() for code in codes if is_category(code)})


@dataclass
class Scope:
    """The patients found, and the Condition lines that show leukaemia of a patient nobody can tell."""

    patients: set[str] = field(default_factory=set)
    nameless: int = 0

    def look(self, block: Block, codes: Codes) -> Iterator[tuple[int, str]]:
        """Take note of a block; give the lines that matter and cannot be read, as position and why."""
        data = block.data
        if find(data, CONDITION) < 0 or not any(code in codes for code in set(codes.written.findall(data))):
            return
        looked_at = -1
        for found in codes.written.finditer(data):
            if found.start() < looked_at or found[1] not in codes:
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
