"""A small cohort for the tests of `screen`: the demonstration's children as Bulk Data lines, and what a screening makes of them.

What many of them begin with are the fixtures `cohort`, `copied` and `plain` of `conftest.py`.
"""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path
from typing import Any

from click.testing import Result

from command_line import run
from hook_calls import TODAY
from hooks.demo.children import CHILDREN, Child

Resource = dict[str, Any]

IN_SCOPE = {child.id for child in CHILDREN if child.id != "asthma"}
ALL_IN_MORPHOLOGY = {"resourceType": "Condition", "id": "m", "subject": {"reference": "Patient/written"},
                     "code": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/icd-o-3", "code": "9811/3"}]}}  # fmt: skip


def child_lines() -> list[tuple[str, str]]:
    """`(type, line)` of every resource of every child of the demonstration."""
    return [(r["resourceType"], json.dumps(r)) for child in CHILDREN for r in child.build(TODAY)]


def written(folder: Path, lines: list[tuple[str, str]], seed: int | None = None, files: int = 1, packed: float = 0.0, mixed: bool = False) -> Path:
    """The lines as files by type; shuffled, split over several files, compressed and mixed as asked."""
    folder.mkdir(parents=True, exist_ok=True)
    chance = random.Random(seed)
    lines = chance.sample(lines, len(lines)) if seed is not None else lines
    sorted_in: dict[str, list[str]] = {}
    for kind, line in lines:
        name = f"{'export' if mixed else kind}.{chance.randrange(files):03d}"
        sorted_in.setdefault(name, []).append(line)
    for name, content in sorted_in.items():
        data = ("\n".join(content) + "\n").encode()
        if chance.random() < packed:
            (folder / f"{name}.ndjson.gz").write_bytes(gzip.compress(data))
        else:
            (folder / f"{name}.ndjson").write_bytes(data)
    return folder


def screened(source: Path | str, out: Path, *options: str) -> Result:
    result = run("screen", source, "--out", out, "--as-of", TODAY.isoformat(), "--processes", "1", *options)
    assert result.exit_code == 0, result.stderr
    return result


def assessments(out: Path) -> dict[str, dict[str, Any]]:
    lines = [json.loads(line) for line in (out / "assessments.ndjson").read_text(encoding="utf-8").splitlines()]
    found = {a["patient"].removeprefix("Patient/"): a for a in lines}
    assert len(found) == len(lines), "one line for each child"
    return found


def summary_of(out: Path) -> dict[str, Any]:
    return json.loads((out / "summary.json").read_text(encoding="utf-8"))


def add(folder: Path, name: str, *lines: str | bytes) -> None:
    """Lines at the end of a file, just as they are."""
    with open(folder / name, "ab") as file:
        for line in lines:
            file.write(line if isinstance(line, bytes) else line.encode())


def as_bundle(child: Child) -> Resource:
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": r} for r in child.build(TODAY)]}
