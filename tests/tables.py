"""Reads the tables of a Markdown file: one dict per row, by column name, with the line it stands on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_CELL_BORDER = re.compile(r"(?<!\\)\|")
_RULE = re.compile(r"\|(\s*:?-+:?\s*\|)+\s*$")


@dataclass(frozen=True)
class Row:
    line: int
    cells: dict[str, str]


def read_tables(markdown: str) -> Iterator[list[Row]]:
    """Every table: a header line, a rule line, and the rows below it until the next line that is none."""
    table: list[Row] = []
    columns: list[str] | None = None
    for number, line in enumerate([*markdown.splitlines(), ""], start=1):
        if not line.startswith("|"):
            if columns is not None:
                yield table
            table, columns = [], None
        elif columns is None:
            columns = _cells(line)
            if len(set(columns)) < len(columns):
                raise ValueError(f"line {number}: two columns have the same name")
        elif not (_RULE.match(line) and not table):
            if len(cells := _cells(line)) != len(columns):
                raise ValueError(f"line {number}: {len(cells)} cells under {len(columns)} columns")
            table.append(Row(number, dict(zip(columns, cells))))


def _cells(line: str) -> list[str]:
    """`| a | b |` to its trimmed cells; `\\|` is a bar inside a cell."""
    if not line.rstrip().endswith("|"):
        raise ValueError(f"a row of a table ends with a bar: {line!r}")
    return [cell.strip().replace("\\|", "|") for cell in _CELL_BORDER.split(line.strip())[1:-1]]
