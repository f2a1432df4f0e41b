"""Results that say nothing the trial asks about, most of a chart: seen by their code alone, so that nobody reads them.

Left aside is only what reading in full would leave aside without a word: an Observation of this very child, with standard
codes of which none is in our codelists, and without components. Anything else, and whatever is odd about a line, is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType, ValidationError
from msgspec.json import Decoder

from fhir_mappings import codelists
from fhir_mappings.code_lookup import Codelists
from fhir_mappings.observed import STANDARD


class _Coding(Struct):
    system: str
    code: str


class _Concept(Struct):
    coding: list[_Coding]


class _Subject(Struct):
    reference: str


class _Result(Struct):
    resourceType: Literal["Observation"]
    id: str
    code: _Concept
    subject: _Subject
    component: UnsetType = UNSET  # a panel is read: its codes are inside


_GLANCE = Decoder(_Result)  # checks the syntax of all of a line, and keeps these members


class Silent:
    """The lines of one child that were left aside, by the resource's id."""

    def __init__(self, patient_id: str):
        self._subject = f"Patient/{patient_id}"
        self._lines: dict[str, list[bytes]] = {}

    def leave_aside(self, lines: Iterable[bytes]) -> Iterator[bytes]:
        """The other lines."""
        asked = codelists.in_use()
        for line in lines:
            if id := self._seen(line, asked):
                self._lines.setdefault(id, []).append(line)
            else:
                yield line

    def again(self, read: Iterable[Mapping[str, Any]]) -> list[bytes]:
        """The lines that are versions of a result that was read: the newest of them may be the silent one."""
        ids = {id for result in read if isinstance(id := result.get("id"), str)}
        return [line for id in sorted(ids & self._lines.keys()) for line in self._lines[id]]

    def _seen(self, line: bytes, asked: Codelists) -> str | None:
        """The id of a result that says nothing; None for any other line."""
        try:
            result = _GLANCE.decode(line)
        except (ValidationError, ValueError, RecursionError):
            return None
        said = tuple(part for coding in result.code.coding for part in (coding.system, coding.code))
        standard = any(coding.system in STANDARD for coding in result.code.coding)
        own = result.subject.reference == self._subject
        return result.id if own and standard and not asked.stated(said) and (line.isascii() or _is_text(line)) else None


def _is_text(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True
