"""A folder of Bundles as NDJSON: one line for each resource, with the Bundle's own addresses resolved.

Inside a Bundle resources may call each other by `fullUrl`, often `urn:uuid:…`. Outside it these mean nothing, so they become
`Type/id`, as a server would make them. Then a Bundle is screened like any export.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from hooks.fhir_json import NotFhirJson, parse
from hooks.screen.spool import whole

_ENCODER = msgspec.json.Encoder(decimal_format="number")  # digit by digit as they were read
_ID = re.compile(rb'(?:Patient\\?/|"id"\s*:\s*"|urn:uuid:)([A-Za-z0-9\-.]{1,64})')


@dataclass
class Unpacked:
    """What a folder of Bundles held; a file that is none is told by name and reason."""

    broken: list[dict[str, Any]] = field(default_factory=list)
    lacking: str = ""  # why a child's records are known to be missing, and it cannot be told whose
    files: list[str] = field(default_factory=list)  # those that became lines, and the number of lines before each
    before: list[int] = field(default_factory=list)
    lines: int = 0

    def place_of(self, line: int) -> dict[str, Any]:
        """The Bundle that became this line, from 1."""
        return {"file": self.files[bisect_left(self.before, line) - 1], "line": 1}


def unpack(source: Path, bundles: Iterable[Path], target: Path) -> Unpacked:
    """Write every resource of these Bundles below `source` into one NDJSON file."""
    told = Unpacked()
    with whole(target) as unfinished, open(unfinished, "wb") as file:
        for path in bundles:
            name, content = path.relative_to(source).as_posix(), b""
            try:
                content = path.read_bytes()
                lines = list(_lines(parse("application/json", content)))
            except (OSError, NotFhirJson, ValueError, RecursionError) as error:
                why = str(error) if isinstance(error, ValueError) and not isinstance(error, NotFhirJson) else "cannot be read"
                told.broken.append({"file": name, "line": 1, "why": why})
                told.lacking = told.lacking or ("a file of the source could not be read" if isinstance(error, OSError) else "")
                lines = [_incomplete({id.decode() for id in _ID.findall(content)})]  # whoever it was about
            told.files.append(name)
            told.before.append(told.lines)
            told.lines += len(lines)
            file.writelines(line + b"\n" for line in lines)
    return told


def _lines(bundle: Any) -> Iterator[bytes]:
    if not isinstance(bundle, dict) or bundle.get("resourceType") != "Bundle" or not isinstance(bundle.get("entry", []), list):
        raise ValueError("is not a FHIR Bundle")
    entries = [e for e in bundle.get("entry", []) if isinstance(e, dict) and isinstance(e.get("resource"), dict)]
    addresses = {e["fullUrl"]: reference for e in entries if isinstance(e.get("fullUrl"), str) and (reference := _reference(e))}
    patients = set[str]()
    for entry in entries:
        resource = _resolved(entry["resource"], addresses)
        if (reference := addresses.get(entry.get("fullUrl"))) and "id" not in resource:
            resource = {**resource, "id": reference.partition("/")[2]}
        if resource.get("resourceType") == "Patient":
            patients.add(str(resource.get("id")))
        yield _printed(resource)
    if len(entries) < len(bundle.get("entry", [])) or _is_partial(bundle, entries):
        yield _incomplete(patients)


def _incomplete(patients: set[str]) -> bytes:
    """What is there may not be all there is, for whomever of these it is about: absence proves nothing."""
    issue = {"severity": "warning", "code": "incomplete", "expression": [f"Patient/{id}" for id in sorted(patients)]}
    return _printed({"resourceType": "OperationOutcome", "issue": [issue]})


def _reference(entry: Mapping[str, Any]) -> str | None:
    """What others outside the Bundle would call a resource; one without an id goes by the last part of its address."""
    kind, id = entry["resource"].get("resourceType"), entry["resource"].get("id")
    if not isinstance(kind, str):
        return None
    return f"{kind}/{id if isinstance(id, str) else entry['fullUrl'].replace(':', '/').rpartition('/')[2]}"


def _resolved(value: Any, addresses: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: addresses.get(inner, inner) if name == "reference" and isinstance(inner, str) else _resolved(inner, addresses)
                for name, inner in value.items()}  # fmt: skip
    return [_resolved(inner, addresses) for inner in value] if isinstance(value, list) else value


def _is_partial(bundle: Mapping[str, Any], entries: list[Mapping[str, Any]]) -> bool:
    links = bundle.get("link")
    more = any(isinstance(link, dict) and link.get("relation") == "next" for link in (links if isinstance(links, list) else ()))
    return more or any(e["resource"].get("resourceType") == "OperationOutcome" for e in entries)


def _printed(resource: Any) -> bytes:
    try:
        return _ENCODER.encode(resource)
    except UnicodeEncodeError:
        return _ENCODER.encode(_whole_text(resource))


def _whole_text(value: Any) -> Any:
    """Half a surrogate pair, which no file can hold, becomes a question mark."""
    if isinstance(value, dict):
        return {_whole_text(name): _whole_text(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return list(map(_whole_text, value))
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
