"""A folder of Bundles as NDJSON: one line for each resource, with the Bundle's own addresses resolved.

Inside a Bundle resources may call each other by `fullUrl`, often `urn:uuid:…`. Outside it these mean nothing, so they become
`Type/id`, as a server would make them. Then a Bundle is screened like any export.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from hooks.fhir_json import NotFhirJson, parse
from hooks.screen.spool import whole

ENDINGS = (".json",)
_ENCODER = msgspec.json.Encoder(decimal_format="number")  # digit by digit as they were read


@dataclass
class Unpacked:
    """What a folder of Bundles held; a file that is none is told by name and reason."""

    files: int = 0
    broken: list[dict[str, Any]] = field(default_factory=list)


def bundle_files(folder: Path, but: Path) -> list[Path]:
    """The files that may be Bundles, in the order of their names, without hidden ones and those in the folder `but`."""
    found = (path for path in folder.rglob("*") if path.name.lower().endswith(ENDINGS) and path.is_file())
    visible = (path for path in found if not any(part.startswith(".") for part in path.relative_to(folder).parts))
    return sorted(path for path in visible if but.resolve() not in path.resolve().parents)


def unpack(source: Path, but: Path, target: Path) -> Unpacked:
    """Write every resource of every Bundle below `source` into one NDJSON file."""
    told = Unpacked()
    with whole(target) as unfinished, open(unfinished, "wb") as file:
        for path in bundle_files(source, but):
            told.files += 1
            try:
                lines = list(_lines(parse("application/json", path.read_bytes())))
            except (OSError, NotFhirJson, ValueError, RecursionError) as error:
                why = str(error) if isinstance(error, ValueError) else "cannot be read"
                told.broken.append({"file": path.relative_to(source).as_posix(), "line": 1, "why": why})
                continue
            file.writelines(line + b"\n" for line in lines)
    return told


def _lines(bundle: Any) -> Iterator[bytes]:
    if not isinstance(bundle, dict) or bundle.get("resourceType") != "Bundle" or not isinstance(bundle.get("entry", []), list):
        raise ValueError("is not a FHIR Bundle")
    entries = [e for e in bundle.get("entry", []) if isinstance(e, dict) and isinstance(e.get("resource"), dict)]
    addresses = {e["fullUrl"]: reference for e in entries if isinstance(e.get("fullUrl"), str) and (reference := _reference(e))}
    patients = []
    for entry in entries:
        resource = _resolved(entry["resource"], addresses)
        if (reference := addresses.get(entry.get("fullUrl"))) and "id" not in resource:
            resource = {**resource, "id": reference.partition("/")[2]}
        if resource.get("resourceType") == "Patient":
            patients.append(f"Patient/{resource.get('id')}")
        yield _printed(resource)
    if len(entries) < len(bundle.get("entry", [])) or _is_partial(bundle, entries):
        issue = {"severity": "warning", "code": "incomplete", "expression": patients}
        yield _printed({"resourceType": "OperationOutcome", "issue": [issue]})  # whoever is in it: absence proves nothing


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
