"""What a screening leaves aside unread would have said nothing: with it and without it, the same assessment."""

from __future__ import annotations

import json
from copy import deepcopy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import damage
from cds.trials import NCT05827549
from charts import condition, observation, patient
from fhir_mappings import Outcome
from hook_calls import TODAY
from hooks.demo.children import CHILDREN
from hooks.exact_json import loads
from hooks.screen import judging
from hooks.screen.judging import as_line, judge, record_of
from hooks.screen.silent import Silent

PULSE = {
    "resourceType": "Observation", "id": "pulse", "status": "final", "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}], "text": "Heart rate"},
    "subject": {"reference": "Patient/1"}, "effectiveDateTime": "2025-08-30", "valueQuantity": {"value": 80, "unit": "/min"},
}  # fmt: skip
READ_IN_FULL = {
    "another child's": {"subject": {"reference": "Patient/2"}},
    "nobody's": {"subject": {}},
    "an address that must be understood first": {"subject": {"reference": "https://ehr.example/Patient/1"}},
    "one of ours": {"code": {"coding": [{"system": "http://loinc.org", "code": "2160-0"}]}},
    "one of ours beside another": {"code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}, {"system": "http://loinc.org", "code": "2160-0"}]}},
    "no standard code": {"code": {"coding": [{"system": "urn:hospital", "code": "CREA"}], "text": "Creatinine"}},
    "no code": {"code": {"text": "Creatinine"}},
    "a code without its system": {"code": {"coding": [{"code": "8867-4"}]}},
    "a panel": {"component": []},
    "no id": {"id": None},
    "an empty id": {"id": ""},
    "an id of another kind": {"id": ["a"]},
    "codes of another kind": {"code": {"coding": "8867-4"}},
    "a system of another kind": {"code": {"coding": [{"system": ["http://loinc.org"], "code": "8867-4"}]}},
    "another type": {"resourceType": "DiagnosticReport"},
}


def left_aside(line: bytes) -> bool:
    return Silent("1").leaves_aside(loads(line))


def line_of(resource, **changes) -> bytes:
    return json.dumps({**resource, **changes}, ensure_ascii=False, default=float).encode("utf-8", "surrogatepass")


def test_a_pulse_is_left_aside():
    assert left_aside(line_of(PULSE)) and left_aside(line_of(PULSE, note=[{"text": "ruhig, 맥박"}]))


@pytest.mark.parametrize("name", READ_IN_FULL)
def test_everything_else_is_read(name):
    assert not left_aside(line_of(PULSE, **READ_IN_FULL[name]))


def test_a_broken_line_is_never_left_aside():
    """It may have been any record."""
    chart = CHARTS["standard-risk"]
    lines = [line_of(r) for r in chart]
    pulse = line_of(PULSE, subject={"reference": "Patient/standard-risk"})
    for broken in (pulse[:-1], pulse.replace(b"80", b"NaN"), pulse.replace(b"Heart", b"\xff"), pulse.replace(b'"code": "8867-4"', b'"code": "2160-0", "code": "8867-4"')):
        assert broken != pulse
        record, _ = record_of("standard-risk", [*lines, broken])
        assert record.answer("laboratory").outcome is Outcome.PARTIAL


def judged(lines: list[bytes], patient_id: str, everything: bool, monkeypatch: pytest.MonkeyPatch) -> bytes:
    with monkeypatch.context() as patch:
        if everything:
            patch.setattr(judging.Silent, "leaves_aside", lambda self, resource: False)
        return as_line(judge(NCT05827549, record_of(patient_id, lines)[0], TODAY).as_json("0"))


def assert_the_same(lines: list[bytes], patient_id: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        assert judged(lines, patient_id, False, patch) == judged(lines, patient_id, True, patch)


@pytest.mark.parametrize("newest", ["pulse", "creatinine", "neither"])
def test_a_newer_version_that_says_nothing_still_replaces_the_older(newest, monkeypatch):
    """A result that was corrected from creatinine to something else is no creatinine any more, and the other way about."""
    stamp = {"pulse": "2025-08-31T10:00:00Z", "creatinine": "2025-08-30T10:00:00Z"}
    if newest == "creatinine":
        stamp = {"pulse": stamp["creatinine"], "creatinine": stamp["pulse"]}
    meta = {kind: {"lastUpdated": when} for kind, when in stamp.items()} if newest != "neither" else {}
    creatinine = {**observation("creatinine", "0.4 mg/dL", "2025-08-30"), "id": "same", "subject": {"reference": "Patient/1"}}
    relapse = {**condition("b_all", "relapse", "2025-08-20"), "subject": {"reference": "Patient/1"}}
    chart = [line_of({**patient(), "id": "1"}), line_of(relapse), line_of(creatinine, meta=meta.get("creatinine", {})), line_of(PULSE, id="same", meta=meta.get("pulse", {}))]
    assert_the_same(chart, "1")
    text = judged(chart, "1", False, monkeypatch).decode()
    assert ("0.4 mg/dL" in text) is (newest != "pulse")


CHARTS = {child.id: child.build(TODAY) for child in CHILDREN}


def ordinary_results(patient_id: str):
    return [{**PULSE, "id": f"pulse-{n}", "subject": {"reference": f"Patient/{patient_id}"}} for n in range(3)]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(CHARTS)), st.data())
def test_with_damage_and_doubled_ids_it_makes_no_difference(identity, data):
    chart = deepcopy(CHARTS[identity]) + ordinary_results(identity)
    observations = [i for i, r in enumerate(chart) if r["resourceType"] == "Observation"]
    for _ in range(data.draw(st.integers(0, 3))):
        at = data.draw(st.sampled_from(observations))
        chart[at] = data.draw(st.sampled_from(list(damage.damaged(chart[at]))))[1] if data.draw(st.booleans()) else {**chart[at], "id": "pulse-1"}
    lines = [line_of(r) for r in data.draw(st.permutations(chart))]
    assert_the_same(lines, identity)
