"""One line to one resource, exactly as a whole file would be read: fractions as printed, nothing that is not JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hooks.exact_json import FAULTS, loads


def parsed(line: bytes) -> tuple[Mapping[str, Any], str]:
    """The resource, or what is wrong with the line in words that quote nothing of it."""
    try:
        resource = loads(line)
    except FAULTS:
        return {}, "is not JSON"
    if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
        return {}, "is not a resource"
    if resource["resourceType"] == "Bundle":
        return {}, "is a Bundle; a line is one resource"
    return resource, ""
