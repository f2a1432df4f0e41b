"""What `relapse-cds doctor` says of a FHIR server, as its tests read it."""

from __future__ import annotations

import json

from cds.trials import NCT05827549
from command_line import run
from misbehaving_ehr import CHILD, TODAY

ALL = {c.id for c in NCT05827549.criteria}
ONLY_PEOPLE_KNOW = {"INC-04", "INC-05", "INC-10", "INC-11", "INC-12", "EXC-11", "EXC-12"}
NAME, NUMBER, TOKEN = "Zebulon", "MRN-778899", "secret-of-the-test"
LOCAL = "urn:oid:1.2.410.100110.40.1"


def doctor(base, *options, patient=CHILD):
    named = ("--patient", patient) if patient else ()
    return run("doctor", "--fhir-base", base, *named, "--wait", "10", *options)


def diagnosed(base, *options, patient=CHILD):
    result = doctor(base, *options, "--format", "json", patient=patient)
    assert (result.exit_code, result.stderr) == (0, "")
    told = json.loads(result.stdout)
    judged = judged_from(told)
    assert set.union(*judged.values()) == ALL and sum(map(len, judged.values())) == len(ALL) == 25
    assert told["summary"]["criteria"] == {how: len(ids) for how, ids in judged.items()}
    return told


def judged_from(told):
    return {how: {c["id"] for c in told["criteria"] if c["judged_from"] == how} for how in ("server", "questionnaire", "not_at_all")}


def statuses(told):
    return {s["name"]: s["status"] for s in told["searches"]}


def search(told, name):
    return next(s for s in told["searches"] if s["name"] == name)


def advice_on(told, name):
    return " ".join(words for words in told["advice"] if name in words)


def observation(id, coding, **members):
    return {"resourceType": "Observation", "id": id, "status": "final", "subject": {"reference": f"Patient/{CHILD}"}, "code": {"coding": [coding]},
            "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory"}]}],
            "effectiveDateTime": str(TODAY), **members}  # fmt: skip
