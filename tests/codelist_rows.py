"""Every row of every codelist, and what a CodeableConcept of some codes looks like."""

import csv
from importlib.resources import files

from fhir_mappings import code_systems

FOLDER = files("fhir_mappings") / "codes"
ROWS = [
    (path.name.removesuffix(".csv"), row)
    for path in FOLDER.iterdir() if path.name.endswith(".csv")
    for row in csv.DictReader(path.read_text(encoding="utf-8").splitlines())
]
SYSTEMS = {name: value for name, value in vars(code_systems).items() if name.isupper() and isinstance(value, str)}


def concept(*codings):
    return {"coding": [{"system": system, "code": code} for system, code in codings]}
