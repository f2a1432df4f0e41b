"""What a screening tells of its source: each broken line with its place, whenever it was found; and people of one id."""

from __future__ import annotations

import gzip
import json

import pytest

from command_line import cannot, run
from hook_calls import TODAY
from hooks.screen import tasks
from screened import assessments, child_lines, screened, written

CHILD = "screening-complete"
ABOUT = f'"subject": {{"reference": "Patient/{CHILD}"}}'
LOOKS_SOUND = {  # begins and ends as an object does
    "NaN": f'{{"resourceType": "Procedure", {ABOUT}, "x": NaN}}'.encode(),
    "a member twice": f'{{"resourceType": "Procedure", "resourceType": "Procedure", {ABOUT}}}'.encode(),
    "a comma too few": f'{{"resourceType": "Procedure" {ABOUT}}}'.encode(),
    "no text": f'{{"resourceType": "Procedure", {ABOUT}, "x": "'.encode() + b'\xff"}',
    "no resource": f'{{"resourceType": ["Procedure"], {ABOUT}}}'.encode(),
    "a Bundle": f'{{"resourceType": "Bundle", "entry": [{{"resource": {{"resourceType": "Procedure", {ABOUT}}}}}]}}'.encode(),
}
BROKEN = LOOKS_SOUND["a comma too few"]


@pytest.fixture
def copied(tmp_path):
    return written(tmp_path / "in", child_lines())


def insert(file, *lines, at=3):
    """Before the line of this number, from 1."""
    before = file.read_bytes().split(b"\n")
    file.write_bytes(b"\n".join([*before[: at - 1], *lines, *before[at - 1 :]]))


def stops(*arguments):
    raise KeyboardInterrupt


def summary_of(out):
    return json.loads((out / "summary.json").read_text(encoding="utf-8"))


def places(out):
    return [(told["file"], told["line"]) for told in summary_of(out)["broken_lines"]]


# --- lines that are found to be broken when their child is judged ---------------------------------------------------------


@pytest.mark.parametrize("how", LOOKS_SOUND)
def test_a_line_that_looks_sound_and_is_broken_is_counted_and_located(copied, tmp_path, how):
    insert(copied / "Procedure.000.ndjson", LOOKS_SOUND[how])
    result = screened(copied, tmp_path / "out")
    summary = summary_of(tmp_path / "out")
    assert (summary["broken"], summary["lines_broken"], places(tmp_path / "out")) == (1, 1, [("Procedure.000.ndjson", 3)])
    assert "Procedure.000.ndjson, line 3: is " in result.stderr
    assert assessments(tmp_path / "out")[CHILD]["not_looked_up"]


@pytest.mark.parametrize("processes", ["1", "2"])
@pytest.mark.parametrize("packed", [False, True])
def test_wherever_the_same_line_stands_each_is_told(copied, tmp_path, monkeypatch, packed, processes):
    import hooks.screen.lines

    monkeypatch.setattr(hooks.screen.lines, "PIECE", 2_000)  # a file in many pieces
    monkeypatch.setattr(hooks.screen.lines, "BLOCK", 500)
    for name, lines in (("Observation", (2, 3, 90, 91)), ("Procedure", (1,)), ("Patient", (5,))):
        for at in lines:
            insert(copied / f"{name}.000.ndjson", BROKEN, at=at)
    if packed:
        (copied / "Observation.000.ndjson.gz").write_bytes(gzip.compress((copied / "Observation.000.ndjson").read_bytes()))
        (copied / "Observation.000.ndjson").unlink()
    (copied / "last.ndjson").write_bytes(BROKEN)  # without a line break
    screened(copied, tmp_path / "out", "--processes", processes)
    observations = "Observation.000.ndjson.gz" if packed else "Observation.000.ndjson"
    assert places(tmp_path / "out") == [*((observations, at) for at in (2, 3, 90, 91)), ("Patient.000.ndjson", 5), ("Procedure.000.ndjson", 1),
                                        ("last.ndjson", 1)]  # fmt: skip


def test_nothing_is_counted_twice(copied, tmp_path):
    """What the first pass tells of is found broken again when its child is judged; and a line may name two children."""
    insert(copied / "Condition.000.ndjson",
           f'{{"resourceType": "Condition" {ABOUT}, "code": {{"coding": [{{"code": "91857003"}}]}}}}'.encode(),
           BROKEN[:-1] + b', "focus": {"reference": "Patient/t-cell"}}',
           f'{{"resourceType": "Condition", {ABOUT}, "code": {{"cod'.encode(),
           b'{"resourceType": "Encounter"}{"subject": "Patient/t-cell"}', at=2)  # fmt: skip
    screened(copied, tmp_path / "out")
    assert summary_of(tmp_path / "out")["broken"] == 4
    assert places(tmp_path / "out") == [("Condition.000.ndjson", at) for at in (2, 3, 4, 5)]
    assert all(assessments(tmp_path / "out")[child]["not_looked_up"] for child in (CHILD, "t-cell"))


def test_a_broken_drug_that_others_name(copied, tmp_path):
    dose = {"resourceType": "MedicationAdministration", "id": "d", "status": "completed", "subject": {"reference": f"Patient/{CHILD}"},
            "medicationReference": {"reference": "Medication/m77"}, "effectiveDateTime": "2024-01-01"}  # fmt: skip
    insert(copied / "MedicationAdministration.000.ndjson", json.dumps(dose).encode())
    (copied / "Medication.000.ndjson").write_bytes(b'{"resourceType": "Medication", "id": "m1"}\n{"resourceType": "Medication", "id": "m77", "code": NaN}\n')
    screened(copied, tmp_path / "out")
    assert places(tmp_path / "out") == [("Medication.000.ndjson", 2)]


def test_more_than_are_named_are_counted(copied, tmp_path, monkeypatch):
    import hooks.screen.found

    monkeypatch.setattr(tasks, "MOST_BROKEN", 3)
    monkeypatch.setattr(hooks.screen.found, "MOST_BROKEN", 3)
    insert(copied / "Observation.000.ndjson", *[b"broken"] * 5, *[BROKEN] * 5, at=2)
    screened(copied, tmp_path / "out")
    assert (summary_of(tmp_path / "out")["broken"], len(places(tmp_path / "out"))) == (10, 3)


@pytest.mark.parametrize("most", ["0", "1"])
def test_they_count_as_errors(copied, tmp_path, most):
    screened(copied, tmp_path / "out")
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    insert(copied / "Procedure.000.ndjson", BROKEN, BROKEN)
    for _ in range(2):  # the second time goes on where the first stopped
        line = cannot(run("screen", copied, "--out", tmp_path / "out", "--as-of", TODAY.isoformat(), "--processes", "1", "--max-errors", most, "--quiet"))
        assert f"2 lines are broken; the first is Procedure.000.ndjson, line 3: is not JSON. More than --max-errors {most}" in line
    assert {p.name: p.read_bytes() for p in (tmp_path / "out").iterdir() if p.is_file()} == before
    screened(copied, tmp_path / "out", "--max-errors", "2")


def test_a_run_that_goes_on_tells_what_was_found_before_it_stopped(copied, tmp_path, monkeypatch):
    insert(copied / "Procedure.000.ndjson", BROKEN)
    insert(copied / "Observation.000.ndjson", BROKEN.replace(CHILD.encode(), b"t-cell"))

    with monkeypatch.context() as stopped:
        stopped.setattr(tasks, "locate", stops)
        run("screen", copied, "--out", tmp_path / "out", "--as-of", TODAY.isoformat(), "--processes", "1")
    assert not (tmp_path / "out" / "summary.json").exists()
    with monkeypatch.context() as stopped:
        stopped.setattr(tasks, "judge_bucket", stops)  # all of them were judged
        screened(copied, tmp_path / "out")
    assert places(tmp_path / "out") == [("Observation.000.ndjson", 3), ("Procedure.000.ndjson", 3)]


def test_what_another_version_kept_is_no_obstacle(copied, tmp_path, monkeypatch):
    insert(copied / "Procedure.000.ndjson", BROKEN)
    with monkeypatch.context() as stopped:
        stopped.setattr(tasks, "locate", stops)
        run("screen", copied, "--out", tmp_path / "out", "--as-of", TODAY.isoformat(), "--processes", "1")
    kept = tmp_path / "out" / ".screen"
    for name, member in (("plan.json", "layout"), ("scope.json", "lines")):
        told = json.loads((kept / name).read_text())
        del told[member]
        (kept / name).write_text(json.dumps(told))
    screened(copied, tmp_path / "out")
    assert places(tmp_path / "out") == [("Procedure.000.ndjson", 3)]


def test_no_line_is_looked_for_when_none_is_broken(copied, tmp_path, monkeypatch):
    monkeypatch.setattr(tasks, "locate", lambda *arguments: pytest.fail("looked for"))
    insert(copied / "Procedure.000.ndjson", b"broken", f'{{"resourceType": "Procedure", {ABOUT}, "code": {{"cod'.encode())
    screened(copied, tmp_path / "out")
    assert summary_of(tmp_path / "out")["broken"] == 2


# --- ids that are not one person's ----------------------------------------------------------------------------------------

BORN = {"resourceType": "Patient", "id": CHILD, "gender": "male", "birthDate": "2014-06-01", "identifier": [{"system": "urn:north", "value": "77"}],
        "meta": {"lastUpdated": "2025-01-01T00:00:00Z"}}  # fmt: skip


def test_the_exports_of_two_hospitals_in_one_folder(copied, tmp_path):
    """As NDJSON; other children of either are judged as ever."""
    (copied / "south").mkdir()
    (copied / "south" / "Patient.ndjson").write_text(json.dumps({**BORN, "birthDate": "2001-01-01"}) + "\n", encoding="utf-8")
    screened(copied, tmp_path / "out")
    found, judged = assessments(tmp_path / "out"), summary_of(tmp_path / "out")["overall"]
    assert found[CHILD]["not_looked_up"] and found["t-cell"]["not_looked_up"] == [] and judged["not_eligible"]
    assert {place["file"] for place in summary_of(tmp_path / "out")["mixed"][f"Patient/{CHILD}"]} == {"Patient.000.ndjson", "south/Patient.ndjson"}
