"""What a server's CapabilityStatement says of exports: whether it has one, and which kinds of records it keeps at all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fhir_mappings.members import each, text
from hooks.fhir_json import NotFhirJson, parse
from hooks.fhir_session import body_of
from hooks.no_answer import NoAnswer
from hooks.screen.export_wire import ExportWire

MAX_BYTES = 16 * 1024 * 1024
_OPERATIONS = ("export", "patient-export", "group-export")


@dataclass(frozen=True)
class Capability:
    exports: bool | None = None  # None: it does not say
    types: frozenset[str] = frozenset()  # none: it does not say


def capability(wire: ExportWire) -> Capability:
    """A server that cannot be read says nothing; that is no error, for the statement is a promise only."""
    try:
        with wire.asked("GET", f"{wire.base_url}/metadata", {"Accept": "application/fhir+json"}, wire.short()) as response:
            if response.status_code != 200:
                return Capability()
            told = parse(response.headers.get("Content-Type", ""), body_of(response, MAX_BYTES, wire.short()))
    except (NoAnswer, NotFhirJson):
        return Capability()
    if not isinstance(told, dict) or told.get("resourceType") != "CapabilityStatement":
        return Capability()
    types = frozenset(kind for rest in each(told.get("rest")) for resource in each(rest.get("resource")) if (kind := text(resource.get("type"))))
    return Capability(any(_is_export(operation) for operation in _operations(told)) or _instantiates(told), types)


def _operations(told: dict[str, Any]) -> Iterator[Any]:
    for rest in each(told.get("rest")):
        yield from each(rest.get("operation"))
        for resource in each(rest.get("resource")):
            yield from each(resource.get("operation"))


def _is_export(operation: Any) -> bool:
    name, definition = text(operation.get("name")) or "", text(operation.get("definition")) or ""
    return name.removeprefix("$") in _OPERATIONS or definition.partition("|")[0].rpartition("/")[2] in _OPERATIONS


def _instantiates(told: dict[str, Any]) -> bool:
    named = told.get("instantiates")
    return any("uv/bulkdata/" in url for url in (named if isinstance(named, list) else ()) if isinstance(url, str))
