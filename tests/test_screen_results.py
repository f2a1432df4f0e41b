"""The results of a screening beside its lines: work list, changes, summary; and where they may stand."""

from __future__ import annotations

import csv
import json

import pyarrow.parquet as pq
import pytest

from command_line import cannot, run
from hooks.demo.children import CHILDREN
from screened import IN_SCOPE, add, assessments, child_lines, screened, summary_of, written


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


def test_a_day_to_come_and_where_the_results_are(copied, tmp_path):
    result = run("screen", copied, "--out", tmp_path / "out", "--as-of", "2999-01-01", "--processes", "1")
    told = " ".join(result.stderr.split())
    assert "2999-01-01 is still to come" in told and "begin with report.html." in told
    assert "still to come" not in screened(copied, tmp_path / "out").stderr
    assert screened(copied, tmp_path / "out", "--quiet").stderr == ""


def test_results_are_not_written_among_the_source(copied):
    before = {path.name for path in copied.iterdir()}
    assert "is both SOURCE and --out; give the results a folder of their own" in cannot(run("screen", copied, "--out", copied / ".." / copied.name))
    assert {path.name for path in copied.iterdir()} == before


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
