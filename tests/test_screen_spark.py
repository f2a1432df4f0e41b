"""The same cohort screened on Spark and on this machine: the same assessments byte for byte, and the same figures.

One Spark session for all of them, with two workers. Without pyspark or Java they skip, and say so.
"""

from __future__ import annotations

import gzip
import json
import shutil
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from command_line import cannot, run
from hook_calls import TODAY
from hooks.screen import spark_session as sessions
from hooks.screen.worklist import COLUMNS
from screened import assessments, child_lines, screened, written

OURS = {"assessments.ndjson", "worklist.csv", "worklist.parquet", "report.html", "summary.json"}


@pytest.fixture(scope="module")
def spark():
    pytest.importorskip("pyspark", reason="No Spark to test on: pip install 'pyspark>=4,<5'")
    if not sessions._java():
        pytest.skip("No Java, so no Spark to test on: install Java 17 or later")
    with sessions.spark_session("local[2]") as started:
        started.conf.set("spark.sql.shuffle.partitions", "2")
        yield started


@pytest.fixture
def split_small(spark):
    """Even a small file is read in parts, by different workers."""
    started = {name: spark.conf.get(name) for name in ("spark.sql.files.maxPartitionBytes", "spark.sql.files.openCostInBytes")}
    for name in started:
        spark.conf.set(name, "40000")
    yield
    for name, value in started.items():
        spark.conf.set(name, value)


def both(source: Path, place: Path, *options) -> dict:
    """Screen on both engines, and give the summary once it is seen to be the same."""
    told = []
    for engine in ("local", "spark"):
        screened(source, place / engine, "--engine", engine, *options)
        told.append(json.loads((place / engine / "summary.json").read_text(encoding="utf-8")))
    for name in ("assessments.ndjson", "worklist.csv"):
        assert (place / "local" / name).read_bytes() == (place / "spark" / name).read_bytes()
    local, on_spark = ({name: value for name, value in one.items() if name not in ("started", "seconds")} for one in told)
    assert local == on_spark
    return local


def add(file: Path, *lines: bytes) -> None:
    with open(file, "ab") as more:
        more.writelines(lines)


@pytest.mark.parametrize(("seed", "files", "packed", "mixed", "twice"), [(None, 1, 0, False, False), (7, 4, 0.5, True, True)])
def test_the_same_however_the_files_are_arranged(spark, tmp_path, seed, files, packed, mixed, twice):
    lines = child_lines()
    source = written(tmp_path / "an [export] of {2025}, 100 %", lines + (lines[::3] if twice else []), seed, files, packed, mixed)
    (source / "more").mkdir()
    name = sorted(path.name for path in source.iterdir() if path.is_file())[0]
    (source / name).rename(source / "more" / name)
    assert both(source, tmp_path)["children"] == 15


def test_broken_and_odd_lines_in_files_read_in_parts(spark, split_small, tmp_path):
    source = written(tmp_path / "in", child_lines())
    add(source / "Observation.000.ndjson", b"this is no JSON\n", b"\n", b"  \r\n", b'{"resourceType": "Observation", "code": \n', b'{"a": "\xff\xfe\x00"}\n')
    add(source / "Procedure.000.ndjson", b'{"resourceType": "Procedure", "subject": {"reference": "Patient/screening-complete"}, "code": {"cod\n')
    add(source / "Condition.000.ndjson", b'{"resourceType": "Condition", "subject": {"reference": "Patient/lost"}, "code": {"coding": [{"code": "91857003", "sys\n')
    add(source / "Condition.000.ndjson", b'{"resourceType": "Condition", "code": {"coding": [{"system": "http://snomed.info/sct",\r"code": "91857003"}]}}')
    conditions = (source / "Condition.000.ndjson").read_bytes()
    (source / "Condition.000.ndjson").write_bytes(conditions.replace(b"\n", b"\r\n").replace(b', "subject"', b',\r"subject"'))
    (source / "Patient.000.ndjson").write_bytes(b"\xef\xbb\xbf" + (source / "Patient.000.ndjson").read_bytes())
    (source / "empty.ndjson").write_bytes(b"")
    told = both(source, tmp_path)
    assert (told["broken"], told["nameless"], told["children"]) == (4, 1, 16)
    lines = (source / "Observation.000.ndjson").read_bytes().split(b"\n")
    at = {b["file"]: b["line"] for b in told["broken_lines"]}
    assert b"Observation" in lines[at["Observation.000.ndjson"] - 1]
    assert len(assessments(tmp_path / "spark")["screening-complete"]["not_looked_up"]) == 1


def test_a_plain_file_cut_short(spark, split_small, tmp_path):
    source = written(tmp_path / "in", child_lines())
    (source / "Procedure.000.ndjson").write_bytes((source / "Procedure.000.ndjson").read_bytes()[:-90])
    told = both(source, tmp_path)
    assert told["cut_off"] == 1 and all(a["not_looked_up"] for a in assessments(tmp_path / "spark").values())


def test_lines_found_to_be_broken_when_their_child_is_judged(spark, split_small, tmp_path):
    """Also the same line twice, one that two children share, and a drug that others name."""
    source = written(tmp_path / "in", child_lines(), seed=5, mixed=True)
    lines = (source / "export.000.ndjson").read_bytes().splitlines(keepends=True)
    broken = b'{"resourceType": "Procedure", "subject": {"reference": "Patient/screening-complete"}, "x": NaN}\n'
    shared = b'{"resourceType": "Procedure", "subject": {"reference": "Patient/t-cell"}, "x": "Patient/screening-complete" "Patient/x"}\n'
    dose = b'{"resourceType": "MedicationAdministration", "subject": {"reference": "Patient/t-cell"}, "medicationReference": {"reference": "Medication/m7"}}\n'
    for at, line in ((500, broken), (400, broken), (300, shared), (200, b"seen at once\n"), (100, dose), (50, b'{"resourceType": "Medication", "id": "m7", "x": NaN}\n')):
        lines.insert(at, line)
    (source / "export.000.ndjson").write_bytes(b"".join(lines))
    add(source / "more.ndjson.gz", gzip.compress(broken + lines[0] + broken))
    told = both(source, tmp_path)
    assert told["broken"] == 7
    assert [(b["file"][:4], b["line"]) for b in told["broken_lines"]] == [*(("expo", at) for at in (51, 203, 304, 405, 506)), ("more", 1), ("more", 3)]
    assert "7 lines are broken; the first is export.000.ndjson, line 51" in refused(source, tmp_path / "out", "--max-errors", "6")
    assert not spark.sparkContext._jsc.getPersistentRDDs()


def test_sites_of_the_children(spark, tmp_path):
    """Half a surrogate pair in a name, too."""
    north, broken = {"reference": "Organization/1", "display": "North clinic"}, {"display": "South \ud800"}
    lines = [(kind, json.dumps(json.loads(line) | {"managingOrganization": north if n % 2 else broken})) if kind == "Patient" and n % 3 else (kind, line)
             for n, (kind, line) in enumerate(child_lines())]
    told = both(written(tmp_path / "in", lines), tmp_path)
    assert set(told["sites"].values()) == {"North clinic", "South ?"} and len(told["sites"]) < told["children"]
    assert all("North clinic" in (tmp_path / engine / "report.html").read_text(encoding="utf-8") for engine in ("local", "spark"))


def test_a_drug_named_only_by_reference_and_a_child_without_any_line(spark, tmp_path):
    source = written(tmp_path / "in", child_lines(), seed=3, files=2)
    dose = {"resourceType": "MedicationAdministration", "id": "blina", "status": "completed", "subject": {"reference": "Patient/screening-complete"},
            "medicationReference": {"reference": "Medication/m77"}, "effectiveDateTime": "2024-01-01"}  # fmt: skip
    drug = {"resourceType": "Medication", "id": "m77", "code": {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "1597258"}]}}
    unfound = json.dumps({"resourceType": "Condition", "id": "c", "subject": {"reference": "Patient/slash"},
                          "code": {"coding": [{"system": "http://snomed.info/sct", "code": "91857003"}]}}).replace("/slash", r"\u002fslash")  # fmt: skip
    (source / "more.jsonl").write_text("\n".join([json.dumps(dose), json.dumps(drug), unfound]), encoding="utf-8")
    both(source, tmp_path)
    found = assessments(tmp_path / "spark")
    assert "blinatumomab" in json.dumps(found["screening-complete"]["criteria"][4])
    assert found["slash"]["not_looked_up"], "nothing was found about a child that is in scope"


def test_the_codes_of_the_site_travel_to_the_workers_and_leave_with_the_run(spark, tmp_path):
    from fhir_mappings import codelists

    source = written(tmp_path / "in", [(k, line.replace('"2160-0"', '"CREA"').replace("http://loinc.org", "urn:site")
                                        if '"2160-0"' in line else line) for k, line in child_lines()])  # fmt: skip
    (tmp_path / "codes.csv").write_text("system,code,concept,note\nurn:site,CREA,creatinine_serum_mass,\n", encoding="utf-8")
    (tmp_path / "settings.toml").write_text(f'site_codes = "{tmp_path / "codes.csv"}"\n', encoding="utf-8")
    before = both(source, tmp_path / "without")
    with codelists.using(codelists.CODELISTS):
        assert both(source, tmp_path / "with", "--config", tmp_path / "settings.toml")["overall"] != before["overall"]
    assert both(source, tmp_path / "again")["overall"] == before["overall"]


def test_nobody_in_scope(spark, tmp_path):
    source = written(tmp_path / "in", [(kind, line) for kind, line in child_lines() if "asthma" in line])
    assert both(source, tmp_path)["children"] == 0
    assert pq.read_table(tmp_path / "spark" / "assessments.parquet").num_rows == 0


def test_bundles(spark, tmp_path):
    (tmp_path / "in").mkdir()
    for number, (_, line) in enumerate(child_lines()[:60]):
        entry = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": json.loads(line)}]}
        (tmp_path / "in" / f"{number}.json").write_text(json.dumps(entry), encoding="utf-8")
    assert both(tmp_path / "in", tmp_path)["files"] == 60


def test_people_of_one_id_and_what_is_not_read(spark, split_small, tmp_path):
    source = written(tmp_path / "in", child_lines())
    (source / "south").mkdir()
    other = json.dumps({"resourceType": "Patient", "id": "t-cell", "birthDate": "1999-01-01"}).encode()
    add(source / "south" / "Patient.ndjson", b"\n", other + b"\n")
    add(source / "export.zip", b"x")
    (source / "Observation.000.ndjson.bz2").write_bytes(b"there unpacked as well")
    told = both(source, tmp_path)
    assert [place["file"] for place in told["mixed"]["Patient/t-cell"]] == ["Patient.000.ndjson", "south/Patient.ndjson"]
    assert [stray["name"] for stray in told["not_read"]] == ["Observation.000.ndjson.bz2", "export.zip"]
    screened(f"file://{source}", tmp_path / "address", "--engine", "spark")
    assert assessments(tmp_path / "address") == assessments(tmp_path / "local")
    assert json.loads((tmp_path / "address" / "summary.json").read_text(encoding="utf-8"))["not_read"] == told["not_read"]
    add(source / "Procedure.001.ndjson.xz", b"x")
    assert both(source, tmp_path / "packed")["files_not_read"] == 3
    assert all(a["not_looked_up"] for a in assessments(tmp_path / "packed" / "spark").values())
    assert json.loads((tmp_path / "packed" / "spark" / "summary.json").read_text(encoding="utf-8"))["lacking"] == "a file of the source was not read"
    screened(f"file://{source}", tmp_path / "address", "--engine", "spark")
    assert assessments(tmp_path / "address") == assessments(tmp_path / "packed" / "spark")


def test_a_folder_by_a_link(spark, tmp_path):
    source = written(tmp_path / "in", child_lines())
    (tmp_path / "elsewhere").mkdir()
    (source / "Observation.000.ndjson").rename(tmp_path / "elsewhere" / "Observation.000.ndjson")
    (source / "more").symlink_to(tmp_path / "elsewhere")
    assert both(source, tmp_path)["lines"] == len(child_lines())
    screened(source, source / "results")
    assert "Spark would read results/assessments.ndjson as well" in refused(source, source / "results")
    shutil.rmtree(source / "results")
    (source / "loop").symlink_to(source)
    assert "Spark would read loop/" in refused(source, tmp_path / "out")


# --- results --------------------------------------------------------------------------------------------------------


def test_results_at_an_address(spark, tmp_path):
    source = written(tmp_path / "in", child_lines())
    result = screened(f"file://{source}", f"file://{tmp_path}/there", "--engine", "spark", "--quiet")
    assert result.stderr == ""
    assert {path.name for path in (tmp_path / "there").glob("[!.]*")} == OURS | {"assessments.parquet"}
    found = assessments(tmp_path / "there")
    table = pq.read_table(tmp_path / "there" / "assessments.parquet").to_pylist()
    assert {row["patient"]: json.loads(row["assessment"]) for row in table} == {a["patient"]: a for a in found.values()}


def test_from_a_program(spark, tmp_path):
    from hooks.screen.spark import screen_with_spark

    source = written(tmp_path / "in", child_lines(), packed=1)
    found = screen_with_spark(str(source), str(tmp_path / "out"), "NCT05827549", TODAY, session=spark)
    assert (found.children, found.broken, found.lines) == (15, 0, len(child_lines()))
    table = spark.read.parquet(str(tmp_path / "out" / "assessments.parquet"))
    assert set(table.columns) == {*COLUMNS, "assessment"}
    screened(source, tmp_path / "local")
    assert {row.patient.removeprefix("Patient/"): json.loads(row.assessment) for row in table.collect()} == assessments(tmp_path / "local")
    assert not spark.sparkContext._jsc.getPersistentRDDs(), "nothing is left in the memory of a session that others use"


# --- what it cannot do ----------------------------------------------------------------------------------------------


def refused(source, out, *options):
    return cannot(run("screen", source, "--out", out, "--as-of", TODAY.isoformat(), "--engine", "spark", "--quiet", *options))


def test_a_file_that_ends_before_its_time_ends_the_run(spark, tmp_path):
    source = written(tmp_path / "in", child_lines())
    packed = gzip.compress("".join(f'{{"resourceType": "Encounter", "id": "e{n * 7919 % 100_003}"}}\n' for n in range(20_000)).encode())
    (source / "Encounter 1.ndjson.gz").write_bytes(packed[: len(packed) // 2])
    assert "Encounter 1.ndjson.gz: cannot be read to its end" in refused(source, tmp_path / "out")
    assert not (tmp_path / "out" / "assessments.ndjson").exists()


@pytest.mark.parametrize("name", ["_more.ndjson", "_odd/more.ndjson", "more.NDJSON", "more.ndjson.GZ"])
def test_a_file_that_spark_would_pass_over_is_told(spark, tmp_path, name):
    source = written(tmp_path / "in", child_lines())
    (source / name).parent.mkdir(exist_ok=True)
    shutil.copy(source / "Patient.000.ndjson", source / name)
    assert name in refused(source, tmp_path / "out")


def test_hidden_files_are_left_out_by_both(spark, tmp_path):
    source = written(tmp_path / "in", child_lines())
    (source / ".old").mkdir()
    shutil.copy(source / "Condition.000.ndjson", source / ".old" / "Condition.ndjson")
    both(source, tmp_path)


def test_no_source_and_too_many_errors(spark, tmp_path):
    source = written(tmp_path / "in", child_lines())
    add(source / "Observation.000.ndjson", b"broken\n")
    assert "Observation.000.ndjson" in refused(source, tmp_path / "out", "--max-errors", "0")
    assert "nowhere: Spark cannot list it" in refused(f"file://{tmp_path}/nowhere", tmp_path / "out")
    assert "bucket" in refused(source, "nosuchsystem://bucket/out")


def test_without_pyspark_without_java_and_without_an_engine(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    assert refused(tmp_path, tmp_path / "out").endswith("Spark is not installed: pip install 'pyspark>=4,<5'")
    assert run("screen", tmp_path, "--out", tmp_path / "out", "--master", "local[2]").exit_code == 2


def test_without_java(tmp_path, monkeypatch):
    sql = pytest.importorskip("pyspark.sql", reason="No Spark to test on: pip install 'pyspark>=4,<5'")
    monkeypatch.setattr(sql.SparkSession, "getActiveSession", lambda: None)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert "Spark needs Java" in refused(tmp_path, tmp_path / "out")
