"""The errors file of an export: how many things the server says went wrong. What they say stays in the file: it may name a child."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from fhir_mappings.members import each


@dataclass(frozen=True)
class Problems:
    errors: int = 0  # something was not exported
    warnings: int = 0

    def __str__(self) -> str:
        return f"{self.errors} errors and {self.warnings} warnings of the FHIR server about its export"


def problems(files: Iterable[Path]) -> Problems:
    """A line that cannot be read counts as an error: whatever it says, it is no good news."""
    severities = [severity for file in files for line in file.read_bytes().splitlines() if line.strip() for severity in _severities(line)]
    calm = [severity for severity in severities if severity in ("information", "success")]
    warnings = severities.count("warning")
    return Problems(len(severities) - len(calm) - warnings, warnings)


def _severities(line: bytes) -> list[object]:
    try:
        outcome = json.loads(line)
    except (ValueError, RecursionError):
        return [None]
    issues = each(outcome.get("issue")) if isinstance(outcome, dict) else []
    return [issue.get("severity") for issue in issues] or [None]
