"""The work list: one row for each child in scope, as CSV for a spreadsheet and as Parquet for a data platform."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from hooks.screen.spool import whole

GROUP = 10_000  # rows written at a time
COLUMNS = (
    "patient", "overall", "modifiable", "blocking", "unknown", "reasons", "for_judgement", "next_steps", "risk_status", "risk_group",
    "risk_possible", "risk_needed", "flags", "issues", "not_looked_up", "as_of", "evaluated_as_of", "software_version",
)  # fmt: skip
COUNTS = {"issues": pa.int32(), "not_looked_up": pa.int32()}
SCHEMA = pa.schema([(name, pa.bool_() if name == "modifiable" else COUNTS.get(name, pa.string())) for name in COLUMNS])
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would run what begins so


def row(a: Mapping[str, Any]) -> dict[str, Any]:
    """One assessment as a row. Lists are separated by "; "; every text in them is ours, none is the chart's."""
    unknown = [c for c in a["criteria"] if c["truth"] == "unknown"]
    open_facts = [c for c in unknown if c["reason"] != "judgement"]
    return {
        "patient": a["patient"],
        "overall": a["overall"],
        "modifiable": a["modifiable"],
        "blocking": "; ".join(a["blocking"]),
        "unknown": "; ".join(c["id"] for c in open_facts),
        "reasons": "; ".join(dict.fromkeys(c["reason"] for c in open_facts)),
        "for_judgement": "; ".join(c["id"] for c in unknown if c["reason"] == "judgement"),
        "next_steps": "; ".join(step["words"] for step in a["next_steps"]),
        "risk_status": a["risk"]["status"],
        "risk_group": a["risk"]["group"] or "",
        "risk_possible": "; ".join(a["risk"]["possible"]),
        "risk_needed": "; ".join(a["risk"]["needed"]),
        "flags": "; ".join(flag["id"] for flag in a["flags"]),
        "issues": len(a["issues"]),
        "not_looked_up": len(a["not_looked_up"]),
        "as_of": a["as_of"],
        "evaluated_as_of": a["evaluated_as_of"],
        "software_version": a["software_version"],
    }


def write_worklist(assessments: Iterable[Mapping[str, Any]], csv_path: Path, parquet_path: Path) -> int:
    """Both files in one go, each all or nothing. Gives the number of rows."""
    written = 0
    with whole(csv_path) as plain, whole(parquet_path) as columns, open(plain, "w", encoding="utf-8", newline="") as file:
        sheet = csv.DictWriter(file, COLUMNS)
        sheet.writeheader()
        with pq.ParquetWriter(columns, SCHEMA, compression="zstd") as table:
            for rows in _groups(map(row, assessments)):
                sheet.writerows({name: _harmless(value) for name, value in r.items()} for r in rows)
                table.write_table(pa.Table.from_pylist(rows, schema=SCHEMA))
                written += len(rows)
    return written


def _groups(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    while group := list(islice(rows, GROUP)):
        yield group


def _harmless(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
