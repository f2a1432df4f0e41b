"""`cql-execution`, the engine of HL7's Clinical Quality Language for node, judging two of the criteria of the same children."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import orjson

import process_tree
from load import WrongAnswer
from screen_cohorts import AS_OF, Source

HERE = Path(__file__).resolve().parent
PACKAGES = ("cql-execution@3.3.2", "cql-exec-fhir@2.2.0")
LIMIT = 1.0  # mg/dL, for every age: one comparison, as in a textbook
CREATININE = "2160-0"

Answer = tuple[bool | None, frozenset[bool | None]]
"""Old enough; low enough, where two results of the same moment leave open which is the latest: either."""


class NotInstalled(Exception):
    """There is no node here, or npm could not fetch the packages; why."""


@dataclass(frozen=True, slots=True)
class Judged:
    seconds: float
    with_reading: float
    whole_process: float


@dataclass(frozen=True)
class Installed:
    folder: Path
    bundles: Path
    expected: dict[str, Answer]

    def judge(self) -> Judged:
        command = ["node", str(HERE / "cql_two_criteria.js"), str(HERE / "two_criteria.elm.json"), str(self.bundles), f"{AS_OF}", f"{LIMIT}"]
        ended = process_tree.run(command, os.environ, self.folder)
        told = orjson.loads(ended.out)
        wrong = [child for child, (old, low) in self.expected.items()
                 if told["answers"][child][0] is not old or told["answers"][child][1] not in low]  # fmt: skip
        if wrong:
            raise WrongAnswer(f"cql-execution: {len(wrong)} of {len(self.expected)} children are judged otherwise than expected, first {wrong[0]}")
        return Judged(told["judged"], told["judged"] + told["read"], ended.seconds)


def installed(folder: Path, source: Source, children: int) -> Installed:
    """The packages, and the first children of a source as Bundles, one a line."""
    if not (shutil.which("npm") and shutil.which("node")):
        raise NotInstalled("npm and node are not installed")
    folder.mkdir()
    (folder / "package.json").write_text("{}")
    command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", *PACKAGES]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    if done.returncode:
        raise NotInstalled(f"npm could not install {' and '.join(PACKAGES)}")
    bundles, expected = folder / "bundles.ndjson", dict[str, Answer]()
    with bundles.open("wb") as file:
        for resources, _ in source.cohort.children(0, children):
            file.write(orjson.dumps({"resourceType": "Bundle", "type": "collection", "entry": [{"resource": r} for r in resources]}) + b"\n")
            expected[resources[0]["id"]] = (_old_enough(resources[0]), _low_enough(resources))
    return Installed(folder, bundles, expected)


def _old_enough(patient: dict[str, Any]) -> bool | None:
    """At least 1 year: of a birth date without its day every day is tried."""
    written = patient.get("birthDate")
    if not written:
        return None
    first, last = (date.fromisoformat(written + rest[len(written) - 4 :]) for rest in ("-01-01", "-12-28"))
    answers = {(AS_OF.year - 1, AS_OF.month, AS_OF.day) >= (born.year, born.month, born.day) for born in (first, last)}
    return answers.pop() if len(answers) == 1 else None


def _low_enough(resources: list[dict[str, Any]]) -> frozenset[bool | None]:
    """In mg/dL and at most the limit, of the latest."""
    dated = [(datetime.fromisoformat(r["effectiveDateTime"]), r.get("valueQuantity", {})) for r in _creatinine(resources)]
    latest = max((when for when, _ in dated), default=None)
    return frozenset(_passes(quantity) for when, quantity in dated if when == latest) or frozenset({None})


def _passes(quantity: dict[str, Any]) -> bool | None:
    """Three-valued, as the language has it: unknown and false is false."""
    unit, value = quantity.get("code"), quantity.get("value")
    both = {None if unit is None else unit == "mg/dL", None if value is None else float(value) <= LIMIT}
    return False if False in both else None if None in both else True


def _creatinine(resources: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for r in resources:
        if r["resourceType"] == "Observation" and r["status"] in ("final", "amended", "corrected"):
            if any(c.get("code") == CREATININE for c in r.get("code", {}).get("coding", ())):
                yield r
