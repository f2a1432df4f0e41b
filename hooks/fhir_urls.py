"""The address of a search; several where the list of codes is too long for one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from urllib.parse import urlencode

Params = Sequence[tuple[str, str]]

MAX_URL = 1_800  # gateways begin to refuse at about 2,000 characters


def urls(endpoint: str, params: Params) -> Iterator[str]:
    """One URL, or as many as it takes to keep each short: the longest list of alternatives is halved, and again."""
    url = f"{endpoint}?{urlencode(params, safe=',:/')}"
    lists = [_alternatives(name, value) for name, value in params]
    longest = max(lists, key=len, default=[])
    if len(url) <= MAX_URL or len(longest) < 2:
        yield url
        return
    place, middle = lists.index(longest), len(longest) // 2
    for half in (longest[:middle], longest[middle:]):
        yield from urls(endpoint, [*params[:place], (params[place][0], ",".join(half)), *params[place + 1:]])


def _alternatives(name: str, value: str) -> list[str]:
    """The values of which any one may match. `_sort` and its like have lists too, but of another kind."""
    return [value] if name.startswith("_") else re.split(r"(?<!\\),", value)  # "\," is a comma within a value
