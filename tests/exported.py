"""One export from the small server of `exporting_fhir.py`: what it holds, what was told, and what came of it."""

from __future__ import annotations

from exporting_fhir import ndjson
from hooks.screen.bulk_export import export_to

SECRET = "token-that-nobody-else-may-see"
PATIENTS = ndjson(*({"resourceType": "Patient", "id": f"p{n}", "text": "a" * 500} for n in range(400)))
CONDITIONS = ndjson({"resourceType": "Condition", "id": "c1"}, {"resourceType": "Condition", "id": "c2"})
FILES = {"Patient.ndjson": PATIENTS, "Condition.ndjson": CONDITIONS}
WHOLE = {"Patient.1.ndjson": PATIENTS, "Condition.1.ndjson": CONDITIONS}
STATE = "export.json"


class Run:
    """One export, what was told, and how long was waited."""

    def __init__(self, server, folder, access=SECRET, **settings):
        self.told, self.slept = [], []
        settings = {"types": ("Patient", "Condition"), "sleep": self.slept.append, **settings}
        self.exported = export_to(folder, server if isinstance(server, str) else server.url, access, told=self.told.append, **settings)

    @property
    def words(self):
        return [told for told in self.told if isinstance(told, str)]


def contents(folder):
    return {file.name: file.read_bytes() for file in folder.glob("*.ndjson")}


def outcome(code):
    return {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": code}]}


def going_on(**headers):
    return lambda talk: talk.start(202, **headers)
