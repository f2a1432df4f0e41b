"""From the bytes of an answer to JSON, or to plain words about why they are none.

Epic answers XML when not asked for JSON, IIS an HTML page for an unknown type, an open sandbox text: each must be
recognised before parsing, and none may crash us.
"""

from __future__ import annotations

from typing import Any

from hooks import exact_json

JSON_TYPES = frozenset({"application/fhir+json", "application/json", "application/json+fhir"})  # the last is Oracle's


class NotFhirJson(ValueError):
    """The text says what came instead, and quotes nothing of it: it may hold patient data."""


def parse(content_type: str, content: bytes) -> Any:
    """The parsed body; fractions are Decimal, digits as printed.

    >>> parse("application/fhir+json; charset=utf-8", b'{"value": 0.60}')
    {'value': Decimal('0.60')}
    """
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type not in JSON_TYPES:
        raise NotFhirJson(_instead_of_json(media_type))
    try:
        return exact_json.loads(content)
    except exact_json.FAULTS:
        raise NotFhirJson("answered with broken JSON") from None  # the cause quotes the text, so it stays behind


def _instead_of_json(media_type: str) -> str:
    if media_type in ("text/html", "application/xhtml+xml"):
        return "answered with a web page instead of FHIR"
    if media_type.endswith(("/xml", "+xml", "/xml+fhir")):
        return "answered with XML instead of JSON"
    return "answered with something that is not FHIR JSON"

