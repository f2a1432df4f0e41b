"""What an app may be allowed here: to know who is signed in, to read, and to write answers to a questionnaire."""

from __future__ import annotations

import re

SUPPORTED = (
    "openid", "fhirUser", "launch", "launch/patient", "patient/*.rs", "patient/*.read", "user/*.rs", "user/*.read",
    "patient/QuestionnaireResponse.c", "patient/QuestionnaireResponse.crs", "patient/QuestionnaireResponse.write",
)  # fmt: skip
_READS = re.compile(r"(patient|user)/(\*|[A-Z][A-Za-z]+)\.(r|s|rs|read)")
_WRITES = re.compile(r"(patient|user)/QuestionnaireResponse\.(cr?s?|write)")
_WHO_AND_WHERE = frozenset({"openid", "fhirUser", "launch", "launch/patient"})


def granted(asked: str) -> tuple[str, ...]:
    """Those of the scopes asked for that there are; the answer to the app names them, as the standard has it."""
    return tuple(s for s in dict.fromkeys(asked.split()) if s in _WHO_AND_WHERE or _READS.fullmatch(s) or _WRITES.fullmatch(s))


def may_write_answers(scopes: tuple[str, ...]) -> bool:
    return any(map(_WRITES.fullmatch, scopes))
