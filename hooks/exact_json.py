"""JSON text to values, digits as printed: `0.60` stays `Decimal("0.60")`, since limits such as 0.6 mg/dL are compared exactly.

`msgspec` reads nearly everything, four times as fast as the standard library. What it refuses is given to the standard
library, which has the last word: so half a surrogate pair or a byte order mark in a chart still does not hide the chart.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, NoReturn

import msgspec

_DECODER, _ENCODER = msgspec.json.Decoder(float_hook=Decimal), msgspec.json.Encoder()
_ESCAPED_COLON = b"\\u003"  # and its neighbours
FAULTS = (ValueError, ArithmeticError, RecursionError)
"""What reading raises: broken JSON, invalid UTF-8, NaN, a doubled member, thousands of digits; an exponent beyond Decimal;
nesting made to exhaust the parser. The text of the error may quote the content."""


def loads(text: bytes) -> Any:
    """Raise one of FAULTS for what is not JSON, a member that occurs twice in its object included.

    A doubled member is lost in reading, and with it a colon: printed again, the values then hold fewer of them.

    >>> loads(b'{"value": 0.60}')
    {'value': Decimal('0.60')}
    """
    try:
        value = _DECODER.decode(text)
        if not (b"\\" in text and _ESCAPED_COLON in text) and _ENCODER.encode(value).count(b":") == text.count(b":"):
            return value
    except FAULTS:
        pass
    return json.loads(text, parse_float=Decimal, parse_constant=_refuse, object_pairs_hook=_no_duplicates)


def _refuse(constant: str) -> NoReturn:
    raise ValueError("NaN and Infinity are not JSON")  # Python would accept them


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Two members of one name: whichever was meant, it must not be ours to choose."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member occurs twice")
    return members
