"""A date and time with an offset, as RFC 3339 writes it, brought to UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

LONGEST = 64
_WRITTEN = re.compile(r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d):(\d\d)(\.\d+)?([Zz]|[+-]\d\d:[0-5]\d)", re.ASCII)


def read_moment(written: Any) -> datetime:
    """A leap second is the second after it; what is below a microsecond is dropped. Raise ValueError, in words, for anything else."""
    parts = _WRITTEN.fullmatch(written) if isinstance(written, str) and len(written) <= LONGEST else None
    if parts is None:
        raise ValueError("required, a date and time with an offset such as 2026-03-01T09:30:00Z (RFC 3339)")
    day, minute, second, fraction, offset = parts.groups()
    leap = second == "60"
    try:
        at = datetime.fromisoformat(f"{day}T{minute}:{'59' if leap else second}{fraction or ''}{offset.upper()}")
        return (at + timedelta(seconds=leap)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("there is no such date and time") from None
