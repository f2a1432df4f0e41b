"""Screening a cohort: each line is what `assess` says of that child, however the files are shuffled, split, packed or written."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cds_hooks_schema import check_assessment
from command_line import run
from hook_calls import TODAY
from hooks.demo.children import CHILDREN
from screened import ALL_IN_MORPHOLOGY, IN_SCOPE, add, as_bundle, assessments, child_lines, screened, summary_of, written


def test_every_child_with_leukaemia_is_in_scope_and_nobody_else(plain):
    assert set(plain) == IN_SCOPE
    for assessment in plain.values():
        check_assessment(assessment)


@pytest.mark.parametrize("child", [c for c in CHILDREN if c.id in IN_SCOPE], ids=lambda c: c.id)
def test_each_line_is_what_assess_says(child, plain, tmp_path):
    file = tmp_path / "chart.json"
    file.write_text(json.dumps(as_bundle(child)), encoding="utf-8")
    result = run("assess", "--bundle", file, "--as-of", TODAY.isoformat(), "--format", "json")
    assert json.loads(result.stdout) == plain[child.id]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10_000), files=st.integers(1, 5), packed=st.sampled_from([0, 0.5, 1]), mixed=st.booleans(), twice=st.booleans())
def test_the_arrangement_of_the_files_makes_no_difference(plain, tmp_path, seed, files, packed, mixed, twice):
    place = tmp_path / f"{seed}-{files}-{packed}-{mixed}-{twice}"
    lines = child_lines()
    screened(written(place / "in", lines + (lines[::3] if twice else []), seed, files, packed, mixed), place / "out")
    assert assessments(place / "out") == plain


def test_several_processes_give_the_same(cohort, plain, tmp_path, monkeypatch):
    import hooks.screen.lines

    monkeypatch.setattr(hooks.screen.lines, "PIECE", 1_000)  # every file in many pieces
    screened(cohort, tmp_path, "--processes", "2")
    assert assessments(tmp_path) == plain


@pytest.mark.parametrize("size", [1, 50, 1_000, 10_000])
def test_the_size_of_pieces_and_blocks_makes_no_difference(cohort, plain, tmp_path, monkeypatch, size):
    import hooks.screen.lines

    monkeypatch.setattr(hooks.screen.lines, "PIECE", max(size, 200))
    monkeypatch.setattr(hooks.screen.lines, "BLOCK", size)
    screened(cohort, tmp_path)
    assert assessments(tmp_path) == plain


# --- how a line is written -------------------------------------------------------------------------------------------


def test_absolute_and_versioned_references(tmp_path, plain):
    lines = [(kind, line.replace('"Patient/', '"https://ehr.example/fhir/Patient/')) for kind, line in child_lines()]
    screened(written(tmp_path / "in", lines), tmp_path / "out")
    assert assessments(tmp_path / "out") == plain


def test_slashes_written_with_a_backslash(tmp_path, plain):
    """As some writers of JSON do."""
    screened(written(tmp_path / "in", [(kind, line.replace("/", r"\/")) for kind, line in child_lines()]), tmp_path / "out")
    assert assessments(tmp_path / "out") == plain


def test_line_ends_and_the_mark_some_programs_put_first(copied, plain, tmp_path):
    for file in copied.iterdir():
        file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n").replace(b', "', b',\r"'))
    screened(copied, tmp_path / "out")
    assert assessments(tmp_path / "out") == plain and summary_of(tmp_path / "out")["broken"] == 0


ESCAPED = {
    "slashes": lambda text: text.replace("/", "\\/"),
    "every letter of a code": lambda text: text.replace('"9811/3"', '"' + "".join(f"\\u{ord(c):04x}" for c in "9811/3") + '"'),
    "a member's name": lambda text: text.replace('"code"', '"c\\u006fde"'),
    "the type": lambda text: text.replace('"Condition"', '"\\u0043ondition"'),
    "the reference": lambda text: text.replace("Patient/", "Patient\\u002f"),
}


@pytest.mark.parametrize("how", ESCAPED)
def test_however_a_line_is_escaped_its_child_is_found(copied, plain, tmp_path, how):
    line = ESCAPED[how](json.dumps(ALL_IN_MORPHOLOGY))
    assert json.loads(line) == ALL_IN_MORPHOLOGY
    add(copied, "Condition.000.ndjson", line + "\n", ESCAPED[how](json.dumps({"resourceType": "Patient", "id": "written", "birthDate": "2015-01-01"})) + "\n")
    screened(copied, tmp_path / "out")
    assert set(assessments(tmp_path / "out")) == IN_SCOPE | {"written"}


@pytest.mark.parametrize("how", ["slashes", "the reference"])
def test_escaped_evidence_counts(tmp_path, plain, how):
    lines = [(kind, ESCAPED[how](line)) for kind, line in child_lines()]
    screened(written(tmp_path / "in", lines), tmp_path / "out")
    assert assessments(tmp_path / "out") == plain


# --- whose it is -----------------------------------------------------------------------------------------------------


def test_a_line_that_only_names_the_child_is_not_the_childs(copied, plain, tmp_path):
    donor = {"resourceType": "Observation", "id": "x", "status": "final", "subject": {"reference": "Patient/other"}, "focus": [{"reference": "Patient/screening-complete"}],
             "code": {"coding": [{"system": "http://loinc.org", "code": "2160-0"}]}, "effectiveDateTime": "2025-08-31",
             "valueQuantity": {"value": 9, "unit": "mg/dL", "system": "http://unitsofmeasure.org", "code": "mg/dL"}}  # fmt: skip
    add(copied, "Observation.000.ndjson", json.dumps(donor) + "\n")
    screened(copied, tmp_path / "out")
    assert assessments(tmp_path / "out") == plain


def test_a_drug_named_only_by_reference_is_followed(copied, tmp_path):
    dose = {"resourceType": "MedicationAdministration", "id": "blina", "status": "completed", "subject": {"reference": "Patient/screening-complete"},
            "medicationReference": {"reference": "Medication/m77"}, "effectiveDateTime": "2024-01-01"}  # fmt: skip
    drug = {"resourceType": "Medication", "id": "m77", "code": {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "1597258"}]}}
    add(copied, "MedicationAdministration.000.ndjson", json.dumps(dose) + "\n")
    add(copied, "Medication.000.ndjson", json.dumps({**drug, "id": "m78"}) + "\n", json.dumps(drug) + "\n")
    screened(copied, tmp_path / "out")
    found = assessments(tmp_path / "out")["screening-complete"]
    assert "blinatumomab" in json.dumps(found["criteria"][4])
    assert found["criteria"][4]["truth"] != "met"


# --- Bundles ---------------------------------------------------------------------------------------------------------


def test_a_folder_of_bundles(plain, tmp_path):
    folder = tmp_path / "bundles"
    folder.mkdir()
    for child in CHILDREN:
        (folder / f"{child.id}.json").write_text(json.dumps(as_bundle(child)), encoding="utf-8")
    (folder / "notes.json").write_text("{}", encoding="utf-8")
    screened(folder, tmp_path / "out")
    assert assessments(tmp_path / "out") == plain
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert (summary["broken"], summary["broken_lines"][0]["file"]) == (1, "notes.json")


def test_a_bundle_whose_resources_call_each_other_by_full_url(plain, tmp_path):
    child = next(c for c in CHILDREN if c.id == "screening-complete")
    text = json.dumps(as_bundle(child)).replace(f'"Patient/{child.id}"', '"urn:uuid:11111111-1111-4111-8111-111111111111"')
    told = json.loads(text)
    told["entry"][0]["fullUrl"] = "urn:uuid:11111111-1111-4111-8111-111111111111"
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.json").write_text(json.dumps(told), encoding="utf-8")
    screened(tmp_path / "in", tmp_path / "out")
    assert assessments(tmp_path / "out")[child.id] == plain[child.id]


@pytest.mark.parametrize("change", [
    lambda b: b.update(link=[{"relation": "next", "url": "https://ehr.example/next"}]),
    lambda b: b["entry"].append({"resource": {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}}),
    lambda b: b["entry"].append({"resource": "gone"}),
])  # fmt: skip
def test_a_bundle_that_says_it_is_incomplete_proves_no_absence(plain, tmp_path, change):
    child = next(c for c in CHILDREN if c.id == "screening-complete")
    told = as_bundle(child)
    change(told)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.json").write_text(json.dumps(told), encoding="utf-8")
    screened(tmp_path / "in", tmp_path / "out")
    found = assessments(tmp_path / "out")[child.id]
    assert found["not_looked_up"] and found["overall"] == "insufficient_data"
