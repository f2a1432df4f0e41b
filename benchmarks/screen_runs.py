"""What is measured over the same files: `screen`, `grep` for the codes, and nothing but the parsing of every line."""

from __future__ import annotations

import os
import shutil
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import orjson
from fhir_mappings import codelists
from fhir_mappings.diagnoses import LEUKAEMIA
from invented.truth import NOT_APPLICABLE

import process_tree
from load import WrongAnswer
from screen_cohorts import AS_OF, Source

CHECKOUT = Path(__file__).resolve().parent.parent
START, WRITING = "start", "writing"
STAGES = {START: START, "Looking for leukaemia": "looking", "Collecting their records": "collecting", "Following references": "following",
          "Judging": "judging", WRITING: WRITING}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ran:
    seconds: float
    peak: float = 0.0  # megabytes
    stages: dict[str, float] = field(default_factory=dict)  # seconds of each


def screened(source: Source, processes: int, folder: Path) -> Ran:
    """The whole command, from the start of the process to its results on disk; every child's answer is looked at."""
    out = folder / "screened"
    command = [sys.executable, "-m", "hooks", "screen", str(source.folder), "--out", str(out), "--as-of", f"{AS_OF}", "--processes", f"{processes}"]
    ended = process_tree.run(command, {**os.environ, "PYTHONPATH": str(CHECKOUT)}, folder)
    with (out / "assessments.ndjson").open("rb") as lines:
        told = {a["patient"]: a["overall"] for a in map(orjson.loads, lines)}
    shutil.rmtree(out)
    wrong = [child for child, overall in source.overall.items() if told.pop(child, None) != overall]
    wrong += [child for child, overall in told.items() if overall != NOT_APPLICABLE]
    if wrong:
        raise WrongAnswer(f"{source.name}: {len(wrong)} children are judged otherwise than told, the first of them {wrong[0]}")
    return Ran(ended.seconds, ended.peak, stages_of(ended))


def stages_of(ended: process_tree.Ended) -> dict[str, float]:
    """From what the command says while it works: each stage lasts until the next is announced."""
    began, current, stages = 0.0, START, dict[str, float]()
    for at, words in (*ended.said, (ended.seconds, "")):
        following = next((stage for stage in STAGES if words == f"{stage} …"), None)
        if words == "Judging: 100 %":
            following = WRITING
        if following or at == ended.seconds:
            stages[STAGES[current]] = at - began
            began, current = at, following or current
    return stages


def patterns(folder: Path) -> Path:
    """The codes that show leukaemia, each in its quotation marks, one a line."""
    lookup = codelists.in_use().lookup
    codes = {code for (_, code), said in lookup.items() if any(s.concept in LEUKAEMIA for s in said)}
    file = folder / "codes"
    file.write_text("".join(f'"{code.replace(".", "[.]")}"\n' for code in sorted(codes)))
    return file


def searched(source: Source, codes: Path, folder: Path) -> Ran:
    """`grep -c -E`, on bytes: of the ways to ask it, the fastest here."""
    command = ["grep", "-c", "-E", "-f", str(codes), *map(str, source.files)]
    return Ran(process_tree.run(command, {**os.environ, "LC_ALL": "C"}, folder).seconds)


def parsed(source: Source) -> Ran:
    """`orjson.loads` of every line: what a program that reads all of it would need at least."""
    loads, began = orjson.loads, time.perf_counter()
    for file in source.files:
        with file.open("rb") as lines:
            for line in lines:
                loads(line)
    return Ran(time.perf_counter() - began)
