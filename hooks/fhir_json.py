"""From the bytes of an answer to JSON, or to plain words about why they are none.

Epic answers XML when not asked for JSON, IIS an HTML page for an unknown type, an open sandbox text: each must be
recognised before parsing, and none may crash us.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, NoReturn

JSON_TYPES = frozenset({"application/fhir+json", "application/json", "application/json+fhir"})  # the last is Oracle's


class NotFhirJson(ValueError):
    """The text says what came instead, and quotes nothing of it: it may hold patient data."""


def parse(content_type: str, content: bytes) -> Any:
    """The parsed body. Fractions become Decimal, digits as printed: limits such as 0.6 mg/dL are compared exactly.

    >>> parse("application/fhir+json; charset=utf-8", b'{"value": 0.60}')
    {'value': Decimal('0.60')}
    """
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type not in JSON_TYPES:
        raise NotFhirJson(_instead_of_json(media_type))
    try:
        return json.loads(content, parse_float=Decimal, parse_int=int, parse_constant=_refuse, object_pairs_hook=no_member_twice)
    except (ValueError, ArithmeticError, RecursionError):
        # ValueError: broken JSON, invalid UTF-8, NaN, a doubled member, thousands of digits; ArithmeticError: an
        # exponent beyond Decimal; RecursionError: nesting made to exhaust the parser. The cause quotes the text, so it
        # stays behind.
        raise NotFhirJson("answered with broken JSON") from None


def no_member_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Two members of one name: whichever was meant, it must not be ours to choose."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member occurs twice")
    return members


def _instead_of_json(media_type: str) -> str:
    if media_type in ("text/html", "application/xhtml+xml"):
        return "answered with a web page instead of FHIR"
    if media_type.endswith(("/xml", "+xml", "/xml+fhir")):
        return "answered with XML instead of JSON"
    return "answered with something that is not FHIR JSON"


def _refuse(constant: str) -> NoReturn:
    raise ValueError("NaN and Infinity are not JSON")  # Python would accept them
