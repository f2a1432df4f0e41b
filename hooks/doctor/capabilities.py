"""What a server says of itself in its CapabilityStatement. It is a promise, so it is told beside what the searches did."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from fhir_mappings.members import each, text
from fhir_mappings.sources import Search
from hooks.doctor.discretion import Discretion
from hooks.doctor.listening import Heard


@dataclass(frozen=True)
class Capabilities:
    readable: bool
    why: str = ""  # why it could not be read
    software: str = ""
    fhir_version: str = ""
    types: dict[str, frozenset[str]] = field(default_factory=dict)  # each with its search parameters
    created: frozenset[str] = frozenset()  # the types of which it says that it takes new ones

    def declares(self, search: Search) -> dict[str, Any]:
        """The type, and each parameter of our question; None where there is no statement to go by."""
        asked = [name for name, _ in search.params("")] if search.resource_type != "Patient" else []
        if not self.readable:
            return {"type": None, "parameters": dict.fromkeys(asked)}
        parameters = self.types.get(search.resource_type)
        return {"type": parameters is not None, "parameters": {name: name in (parameters or ()) for name in asked}}


def read_capabilities(heard: Heard, discretion: Discretion) -> Capabilities:
    body = heard.body
    if not isinstance(body, dict) or body.get("resourceType") != "CapabilityStatement":
        return Capabilities(False, heard.why or ("answered with something else" if heard.status == 200 else f"the FHIR server answered {heard.status}"))
    software = body.get("software") if isinstance(body.get("software"), dict) else {}
    named = " ".join(filter(None, (text(software.get("name")), text(software.get("version")))))
    types: dict[str, frozenset[str]] = {}
    created: set[str] = set()
    for rest in each(body.get("rest")):
        for resource in each(rest.get("resource")):
            if kind := text(resource.get("type")):
                types[kind] = frozenset(name for p in each(resource.get("searchParam")) if (name := text(p.get("name"))))
                created |= {kind for interaction in each(resource.get("interaction")) if interaction.get("code") == "create"}
    return Capabilities(True, "", discretion.words(named, 80), discretion.words(text(body.get("fhirVersion")) or "", 20), types, frozenset(created))
