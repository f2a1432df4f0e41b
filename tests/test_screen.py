"""Screening a cohort: each line is what `assess` says of that child, however the files are shuffled, split, packed or broken."""

from __future__ import annotations

import csv
import gzip
import json
import os
import signal
import subprocess
import sys
import time

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cds_hooks_schema import check_assessment
from command_line import cannot, run
from hook_calls import TODAY
from hooks.command_line import CannotDo
from hooks.config import Config
from hooks.demo.children import CHILDREN
from hooks.screen.run import Asked
from hooks.screen.run import run as run_screening
from hooks.screen.watching import watched
from screened import assessments, child_lines, screened, written

IN_SCOPE = {child.id for child in CHILDREN if child.id != "asthma"}


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    return written(tmp_path_factory.mktemp("cohort"), child_lines())


@pytest.fixture(scope="module")
def plain(cohort, tmp_path_factory):
    out = tmp_path_factory.mktemp("plain")
    screened(cohort, out)
    return assessments(out)



def as_bundle(child):
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": r} for r in child.build(TODAY)]}


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


# --- Bundles --------------------------------------------------------------------------------------------------------


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


# --- broken and odd lines -------------------------------------------------------------------------------------------


def add(folder, name, *lines):
    with open(folder / name, "ab") as file:
        for line in lines:
            file.write(line if isinstance(line, bytes) else line.encode())


@pytest.fixture
def copied(tmp_path):
    return written(tmp_path / "in", child_lines())


def summary_of(out):
    return json.loads((out / "summary.json").read_text(encoding="utf-8"))


def test_a_broken_line_is_counted_and_located_and_costs_nobody_else_anything(copied, plain, tmp_path):
    before = (copied / "Observation.000.ndjson").read_bytes().count(b"\n")
    add(copied, "Observation.000.ndjson", "this is no JSON\n", '{"resourceType": "Observation", "code": \n', "\n", "   \n")
    result = screened(copied, tmp_path / "out")
    assert assessments(tmp_path / "out") == plain
    summary = summary_of(tmp_path / "out")
    assert summary["broken"] == 2
    assert [(b["file"], b["line"]) for b in summary["broken_lines"]] == [("Observation.000.ndjson", before + 1), ("Observation.000.ndjson", before + 2)]
    assert "Observation.000.ndjson, line" in result.stderr and "2" in result.stderr


def test_a_broken_line_about_a_child_leaves_that_child_in_question(copied, plain, tmp_path):
    add(copied, "Procedure.000.ndjson", '{"resourceType": "Procedure", "subject": {"reference": "Patient/screening-complete"}, "code": {"cod\n')
    screened(copied, tmp_path / "out")
    found = assessments(tmp_path / "out")
    assert found["screening-complete"]["not_looked_up"] == [{"search": "procedures and treatment periods", "words": "in part: 1 line of the source could not be read"}]
    assert {k: v for k, v in found.items() if k != "screening-complete"} == {k: v for k, v in plain.items() if k != "screening-complete"}


def test_a_broken_leukaemia_line_brings_its_child_into_scope_as_a_question(copied, tmp_path):
    add(copied, "Condition.000.ndjson", '{"resourceType": "Condition", "subject": {"reference": "Patient/lost"}, "code": {"coding": [{"code": "91857003", "sys\n')
    screened(copied, tmp_path / "out")
    found = assessments(tmp_path / "out")["lost"]
    assert found["overall"] == "insufficient_data" and found["not_looked_up"]


def test_a_child_whose_lines_cannot_be_found_again_is_a_question(copied, tmp_path):
    """An id that is none is looked for in vain."""
    hidden = {"resourceType": "Condition", "id": "h", "subject": {"reference": "Patient/hid den"}, "clinicalStatus": {"coding": [{"code": "relapse"}]},
              "code": {"coding": [{"system": "http://snomed.info/sct", "code": "91857003"}]}}  # fmt: skip
    add(copied, "Condition.000.ndjson", json.dumps(hidden) + "\n")
    screened(copied, tmp_path / "out")
    assert assessments(tmp_path / "out")["hid den"]["overall"] == "insufficient_data"


def test_a_file_that_ends_before_its_time(copied, tmp_path):
    lines = "".join(json.dumps({"resourceType": "Encounter", "id": f"e{n}", "text": os.urandom(200).hex()}) + "\n" for n in range(2_000))
    packed = gzip.compress(lines.encode())
    (copied / "Encounter.001.ndjson.gz").write_bytes(packed[: len(packed) // 2])
    screened(copied, tmp_path / "out")
    summary = summary_of(tmp_path / "out")
    assert summary["broken"] >= 1 and summary["broken_lines"][-1]["file"] == "Encounter.001.ndjson.gz"


def test_max_errors_gives_up_and_leaves_earlier_results(copied, tmp_path):
    screened(copied, tmp_path / "out")
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    add(copied, "Observation.000.ndjson", "broken\n")
    line = cannot(run("screen", copied, "--out", tmp_path / "out", "--max-errors", "0", "--quiet"))
    assert "Observation.000.ndjson" in line
    assert {p.name: p.read_bytes() for p in (tmp_path / "out").iterdir() if p.is_file()} == before


def test_a_line_that_only_names_the_child_is_not_the_childs(copied, plain, tmp_path):
    donor = {"resourceType": "Observation", "id": "x", "status": "final", "subject": {"reference": "Patient/other"}, "focus": [{"reference": "Patient/screening-complete"}],
             "code": {"coding": [{"system": "http://loinc.org", "code": "2160-0"}]}, "effectiveDateTime": "2025-08-31",
             "valueQuantity": {"value": 9, "unit": "mg/dL", "system": "http://unitsofmeasure.org", "code": "mg/dL"}}  # fmt: skip
    add(copied, "Observation.000.ndjson", json.dumps(donor) + "\n")
    screened(copied, tmp_path / "out")
    assert assessments(tmp_path / "out") == plain


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


def test_a_child_without_a_patient_line_is_in_question(tmp_path):
    lines = [(kind, line) for kind, line in child_lines() if not (kind == "Patient" and '"screening-complete"' in line)]
    screened(written(tmp_path / "in", lines), tmp_path / "out")
    assert assessments(tmp_path / "out")["screening-complete"]["overall"] == "insufficient_data"


# --- results --------------------------------------------------------------------------------------------------------


def test_the_work_list_as_csv_and_parquet(cohort, tmp_path):
    screened(cohort, tmp_path)
    with open(tmp_path / "worklist.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    table = pq.read_table(tmp_path / "worklist.parquet").to_pylist()
    assert [row["patient"] for row in rows] == [row["patient"] for row in table] and len(rows) == len(IN_SCOPE)
    of = {row["patient"]: row for row in rows}
    assert of["Patient/ph-positive"]["blocking"] == "EXC-02" and of["Patient/stale-creatinine"]["reasons"] == "stale"
    assert {path.name for path in tmp_path.iterdir()} == {"assessments.ndjson", "worklist.csv", "worklist.parquet", "report.html", "summary.json"}


def test_what_changed_since_last_time(copied, tmp_path):
    screened(copied, tmp_path / "first")
    lines = (copied / "Observation.000.ndjson").read_text().splitlines()
    old = [line for line in lines if "stale-creatinine" in line and '"2160-0"' in line]
    newer = json.loads(old[-1]) | {"id": "new", "effectiveDateTime": "2025-08-31", "issued": "2025-08-31T10:00:00Z"}
    add(copied, "Observation.000.ndjson", json.dumps(newer) + "\n")
    for path in copied.glob("*.ndjson"):
        kept = [line for line in path.read_text().splitlines() if "t-cell" not in line]
        path.write_text("\n".join(kept) + "\n")
    screened(copied, tmp_path / "second", "--previous", tmp_path / "first")
    changes = {c["patient"]: c for c in json.loads((tmp_path / "second" / "changes.json").read_text())}
    assert changes["Patient/stale-creatinine"]["kind"] == "newly_fitting"
    (fact,) = changes["Patient/stale-creatinine"]["facts"]
    assert fact["criterion"] == "INC-06" and "stale" in fact["before"] and "2025-08-31" in fact["now"]
    report = (tmp_path / "second" / "report.html").read_text(encoding="utf-8")
    assert "<small>2 children changed</small>" in report and 'id="since"' not in (tmp_path / "first" / "report.html").read_text(encoding="utf-8")
    assert changes["Patient/t-cell"]["now"] == "not_in_scope" and set(changes) == {"Patient/stale-creatinine", "Patient/t-cell"}


def test_previous_must_be_a_screening(cohort, tmp_path):
    assert "assessments.ndjson" in cannot(run("screen", cohort, "--out", tmp_path, "--previous", tmp_path / "nowhere"))


@pytest.mark.parametrize(("source", "why"), [
    ("nowhere", "is neither a folder nor a FHIR base URL"), ("a-file.ndjson", "is neither a folder nor a FHIR base URL"),
    ("empty", "holds no NDJSON files (.ndjson, .ndjson.gz) and no Bundles (.json)"), ("packed", "holds no NDJSON files (.ndjson, .ndjson.gz) and no Bundles"),
    ("only-results", "holds no NDJSON files"), ("http://", "must be a FHIR base URL"),
])  # fmt: skip
def test_a_source_that_is_none_is_refused_before_anything_is_made(tmp_path, source, why):
    for folder in ("empty", "packed", "only-results/out"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "packed" / "export.zip").write_bytes(b"x")
    (tmp_path / "a-file.ndjson").write_text("{}\n")
    (tmp_path / "only-results" / "out" / "assessments.ndjson").write_text("{}\n")
    before = sorted(tmp_path.rglob("*"))
    out = tmp_path / "only-results" / "out" if source == "only-results" else tmp_path / "results" / "today"
    line = cannot(run("screen", source if "://" in source else tmp_path / source, "--out", out))
    assert source in line and why in line
    assert sorted(tmp_path.rglob("*")) == before


def test_quiet_is_quiet(cohort, tmp_path):
    result = screened(cohort, tmp_path, "--quiet")
    assert (result.stdout, result.stderr) == ("", "")


# --- interrupted ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("moment", [0.6, 1.2, 1.8, 2.4])
def test_killed_and_started_again(cohort, plain, tmp_path, moment):
    """Whenever it is killed, nothing is half-written, and the same command finishes."""
    command = [sys.executable, "-m", "hooks", "screen", str(cohort), "--out", str(tmp_path / "out"), "--as-of", TODAY.isoformat(), "--processes", "2", "--quiet"]
    process = subprocess.Popen(command, start_new_session=True)
    time.sleep(moment)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if (tmp_path / "out" / "assessments.ndjson").exists():
        assert assessments(tmp_path / "out") == plain
    screened(cohort, tmp_path / "out")
    assert assessments(tmp_path / "out") == plain
    assert not (tmp_path / "out" / ".screen").exists()


def test_what_is_finished_is_not_done_again(cohort, tmp_path, monkeypatch):
    import hooks.screen.tasks as tasks

    real, calls = tasks.judge_bucket, []

    def stops(*arguments):
        calls.append(arguments[4])
        if len(calls) == 4:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(tasks, "judge_bucket", stops)
    run("screen", cohort, "--out", tmp_path, "--as-of", TODAY.isoformat(), "--processes", "1")
    done = set(calls[:3])
    calls.clear()
    monkeypatch.setattr(tasks, "judge_bucket", lambda *arguments: calls.append(arguments[4]) or real(*arguments))
    screened(cohort, tmp_path)
    assert calls and not done & set(calls)


GOES_ON = {"local": "it goes on where it stopped", "spark": "it begins anew"}  # Spark keeps nothing between two sessions


@pytest.mark.parametrize("engine", GOES_ON)
def test_what_starting_again_does_is_told_as_it_is(copied, tmp_path, monkeypatch, engine):
    def stopped(asked, *more):
        raise KeyboardInterrupt

    monkeypatch.setattr("hooks.screen.run.run", stopped)
    monkeypatch.setattr("hooks.screen.spark_run.run_on_spark", stopped)
    line = cannot(run("screen", copied, "--out", tmp_path / "out", "--engine", engine, "--quiet"))
    assert line.endswith(f"interrupted; start the same command again, and {GOES_ON[engine]}")


@pytest.mark.parametrize("engine", GOES_ON)
def test_what_starting_again_does_is_told_as_it_is_when_the_disk_is_full(copied, tmp_path, monkeypatch, engine):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("hooks.screen.run._judged", full)
    asked = Asked(str(copied), tmp_path / "out", None, TODAY, Config(), 1, spark=object() if engine == "spark" else None)
    with pytest.raises(CannotDo, match=f"no space left on device. When that is mended, start the same command again: {GOES_ON[engine]}$"), watched(quiet=True) as watcher:
        run_screening(asked, watcher)


def test_other_files_are_another_screening(copied, tmp_path, plain):
    import hooks.screen.cohort as cohort_module

    screened(copied, tmp_path / "out")
    add(copied, "Patient.000.ndjson", json.dumps({"resourceType": "Patient", "id": "new", "birthDate": "2015-01-01"}) + "\n")
    add(copied, "Condition.000.ndjson", json.dumps({"resourceType": "Condition", "id": "c", "subject": {"reference": "Patient/new"},
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "91857003"}]}}) + "\n")  # fmt: skip
    assert cohort_module.WORK == ".screen"
    screened(copied, tmp_path / "out")
    assert set(assessments(tmp_path / "out")) == IN_SCOPE | {"new"}


def test_missing_data_is_told_by_site(tmp_path):
    """The organisation that the Patient names; here every other child's."""
    lines = []
    for n, (kind, line) in enumerate(child_lines()):
        patient = json.loads(line)
        if kind == "Patient" and n % 2:
            patient["managingOrganization"] = {"reference": "Organization/1", "display": "North clinic"}
        lines.append((kind, json.dumps(patient)))
    screened(written(tmp_path / "in", lines), tmp_path / "out")
    summary = summary_of(tmp_path / "out")
    assert set(summary["sites"].values()) == {"North clinic"} and 0 < len(summary["sites"]) < len(IN_SCOPE)
    assert "North clinic" in (tmp_path / "out" / "report.html").read_text()
    assert summary["patients_seen"] == len(CHILDREN)


# --- what a writer of JSON may do -----------------------------------------------------------------------------------

ALL_IN_MORPHOLOGY = {"resourceType": "Condition", "id": "m", "subject": {"reference": "Patient/written"},
                     "code": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/icd-o-3", "code": "9811/3"}]}}  # fmt: skip
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


def test_a_file_cut_short_leaves_every_child_in_question(tmp_path):
    """What stood in the rest of it may be about any of them."""
    folder = written(tmp_path / "in", child_lines(), packed=1)
    file = folder / "Procedure.000.ndjson.gz"
    file.write_bytes(file.read_bytes()[:-20])
    screened(folder, tmp_path / "out")
    found = assessments(tmp_path / "out")
    assert all(a["not_looked_up"] for a in found.values()) and "eligible_pending_clinician_review" not in {a["overall"] for a in found.values()}


def test_a_plain_file_cut_short_leaves_every_child_in_question(tmp_path, monkeypatch):
    """The line that is cut off is about one child; those that came after it, about anybody."""
    import hooks.screen.lines

    monkeypatch.setattr(hooks.screen.lines, "PIECE", 2_000)  # a file in many pieces
    folder = written(tmp_path / "in", child_lines())
    file = folder / "Procedure.000.ndjson"
    *whole, last = file.read_text(encoding="utf-8").splitlines()
    file.write_bytes("\n".join([*whole, last[:100]]).encode())
    result = screened(folder, tmp_path / "out")
    found = assessments(tmp_path / "out")
    assert all(a["not_looked_up"] for a in found.values()) and "eligible_pending_clinician_review" not in {a["overall"] for a in found.values()}
    assert "1 file ends before its time, so nothing counts as absent" in " ".join(result.stderr.split())
    summary = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    assert (summary["cut_off"], summary["broken"]) == (1, 1)
    assert summary["broken_lines"] == [{"file": file.name, "line": len(whole) + 1, "why": "is cut off, and the file with it"}]


def test_a_line_cut_short_before_a_line_break_is_its_childs_alone(tmp_path):
    folder = written(tmp_path / "in", child_lines())
    file = folder / "Procedure.000.ndjson"
    first, *rest = file.read_text(encoding="utf-8").splitlines()
    file.write_text("\n".join([first[:-1], *rest, "(5 rows)"]), encoding="utf-8")
    screened(folder, tmp_path / "out")
    summary = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    assert (summary["cut_off"], summary["broken"]) == (0, 2)


def test_results_are_not_written_among_the_source(copied):
    before = {path.name for path in copied.iterdir()}
    assert "is both SOURCE and --out; give the results a folder of their own" in cannot(run("screen", copied, "--out", copied / ".." / copied.name))
    assert {path.name for path in copied.iterdir()} == before


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied", "out/.screen"), OSError(28, "No space left on device")])
def test_results_that_cannot_be_written(copied, tmp_path, monkeypatch, error):
    def refusing(*arguments):
        raise error

    monkeypatch.setattr("hooks.screen.cohort.work_folder", refusing)
    line = cannot(run("screen", copied, "--out", tmp_path / "out", "--processes", "1", "--quiet"))
    where, why = error.filename or tmp_path / "out", error.strerror.lower()
    assert line.endswith(f"{where}: {why}. When that is mended, start the same command again: it goes on where it stopped")


def test_a_process_that_is_ended_from_outside(copied, tmp_path, monkeypatch):
    from hooks.screen.workers import ProcessEnded

    def ended(*arguments):
        raise ProcessEnded

    monkeypatch.setattr("hooks.screen.cohort._judge", ended)
    assert "try fewer --processes" in cannot(run("screen", copied, "--out", tmp_path / "out", "--processes", "1", "--quiet"))


def test_a_day_to_come_and_where_the_results_are(copied, tmp_path):
    result = run("screen", copied, "--out", tmp_path / "out", "--as-of", "2999-01-01", "--processes", "1")
    told = " ".join(result.stderr.split())
    assert "2999-01-01 is still to come" in told and "begin with report.html." in told
    assert "still to come" not in screened(copied, tmp_path / "out").stderr
    assert screened(copied, tmp_path / "out", "--quiet").stderr == ""


def test_two_files_joined_without_a_line_break(copied, plain, tmp_path):
    add(copied, "Encounter.000.ndjson", json.dumps({"resourceType": "Encounter", "id": "e"}), json.dumps(
        {"resourceType": "Condition", "id": "down", "subject": {"reference": "Patient/screening-complete"},
         "code": {"coding": [{"system": "http://snomed.info/sct", "code": "41040004"}]}}) + "\n")  # fmt: skip
    screened(copied, tmp_path / "out")
    assert summary_of(tmp_path / "out")["broken"] == 1
    assert assessments(tmp_path / "out")["screening-complete"]["overall"] == "insufficient_data"


def test_lines_that_are_bundles_are_told(copied, tmp_path):
    add(copied, "Condition.000.ndjson", json.dumps(as_bundle(CHILDREN[0])) + "\n")
    screened(copied, tmp_path / "out")
    assert "Bundle" in summary_of(tmp_path / "out")["broken_lines"][0]["why"]


def test_results_inside_the_source_are_not_read_again(copied, plain, tmp_path):
    for _ in range(2):
        screened(copied, copied / "results")
    assert assessments(copied / "results") == plain and summary_of(copied / "results")["files"] == len(list(copied.glob("*.ndjson")))


def test_changes_of_an_earlier_run_do_not_stay(cohort, tmp_path):
    screened(cohort, tmp_path / "first")
    screened(cohort, tmp_path / "out", "--previous", tmp_path / "first")
    assert (tmp_path / "out" / "changes.json").exists()
    screened(cohort, tmp_path / "out")
    assert not (tmp_path / "out" / "changes.json").exists()


@pytest.mark.parametrize("note", ["", "{", "null"])
def test_a_damaged_note_of_an_earlier_run_is_no_obstacle(cohort, plain, tmp_path, note):
    (tmp_path / ".screen").mkdir()
    (tmp_path / ".screen" / "plan.json").write_text(note)
    screened(cohort, tmp_path)
    assert assessments(tmp_path) == plain


def test_half_a_surrogate_pair_ends_nothing(copied, tmp_path):
    add(copied, "Condition.000.ndjson", json.dumps({**ALL_IN_MORPHOLOGY, "subject": {"reference": "Patient/\ud800"}}) + "\n",
        json.dumps({**ALL_IN_MORPHOLOGY, "id": "n"}) + "\n")  # fmt: skip
    add(copied, "Patient.000.ndjson", json.dumps({"resourceType": "Patient", "id": "written", "managingOrganization": {"display": "\ud800"}}) + "\n")
    screened(copied, tmp_path / "out")
    assert "written" in assessments(tmp_path / "out")
