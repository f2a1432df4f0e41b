"""Results that say nothing the trial asks about, most of a chart: seen by their code alone, and left aside.

Left aside is only what the whole reading would leave aside without a word: an Observation of this very child, with standard
codes of which none is in our codelists, and without components. Anything else, and whatever is odd about one, is read.
"""

from __future__ import annotations

from collections.abc import Iterable

from fhir_mappings import codelists
from fhir_mappings.observed import STANDARD
from fhir_mappings.record import Resource


class Silent:
    """The results of one child that were left aside, by their id."""

    def __init__(self, patient_id: str):
        self._subject = f"Patient/{patient_id}"
        self._aside: dict[str, list[Resource]] = {}

    def leaves_aside(self, resource: Resource) -> bool:
        if not self._says_nothing(resource):
            return False
        self._aside.setdefault(resource["id"], []).append(resource)
        return True

    def versions_of(self, results: Iterable[Resource]) -> list[Resource]:
        """Those that are versions of a result that counts: the newest of them may be the silent one."""
        ids = {id for result in results if isinstance(id := result.get("id"), str)}
        return [resource for id in sorted(ids & self._aside.keys()) for resource in self._aside[id]]

    def _says_nothing(self, resource: Resource) -> bool:
        try:
            if resource["resourceType"] != "Observation" or "component" in resource or resource["subject"]["reference"] != self._subject:
                return False
            id, standard, stated = resource["id"], False, codelists.in_use().stated
            for coding in resource["code"]["coding"]:
                system = coding["system"]
                if stated((system, coding["code"])):  # most of a chart by number: one code at a time is known at once
                    return False
                standard = standard or system in STANDARD
        except (KeyError, TypeError, AttributeError):
            return False
        return standard and isinstance(id, str) and id != ""
