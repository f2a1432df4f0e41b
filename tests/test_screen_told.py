"""What a screening tells of its source: each broken line with its place, whenever it was found; people of one id; what was not read."""

from __future__ import annotations

import gzip
import json
import re

import pytest

from command_line import cannot, run
from hook_calls import TODAY
from hooks.screen import tasks
from screened import assessments, child_lines, screened, summary_of

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


def insert(file, *lines, at=3):
    """Before the line of this number, from 1."""
    before = file.read_bytes().split(b"\n")
    file.write_bytes(b"\n".join([*before[: at - 1], *lines, *before[at - 1 :]]))


def stops(*arguments):
    raise KeyboardInterrupt


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
CONTRADICTIONS = {
    "birth date": {"birthDate": "2009-02-03", "identifier": [{"system": "urn:south", "value": "4"}]},
    "birth year": {"birthDate": "2009", "identifier": []},
    "sex": {"gender": "female", "identifier": []},
    "identifier": {"identifier": [{"system": "urn:north", "value": "78"}]},
    "neither is newer": {"birthDate": "2009-02-03"},
    "newer, and nothing says that it is the same": {"birthDate": "2009-02-03", "identifier": [], "meta": {"lastUpdated": "2025-02-02T00:00:00Z"}},
}
THE_SAME = {
    "the same": {},
    "less exact": {"birthDate": "2014"},
    "another hospital's number": {"identifier": [{"system": "urn:south", "value": "4"}]},
    "one number in common": {"identifier": [{"system": "urn:north", "value": "5"}, {"system": "urn:north", "value": "77"}]},
    "a correction": {"birthDate": "2014-06-02", "gender": "female", "meta": {"lastUpdated": "2025-02-02T00:00:00Z"}},
    "junk": {"birthDate": 5, "gender": [], "identifier": {"system": "urn:north", "value": "5"}, "meta": []},
}


def two_bundles(folder, change):
    """The chart of one child in two files, the second with another Patient."""
    folder.mkdir()
    chart = [json.loads(line) for kind, line in child_lines() if kind != "Patient" and f'"Patient/{CHILD}"' in line]
    for name, patient, records in (("north", BORN, chart[::2]), ("south", {**BORN, **change}, chart[1::2])):
        bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": r} for r in (patient, *records)]}
        (folder / f"{name}.json").write_text(json.dumps(bundle), encoding="utf-8")
    return folder


@pytest.mark.parametrize("how", CONTRADICTIONS)
def test_two_bundles_with_different_people_of_one_id_are_never_mixed(tmp_path, how):
    result = screened(two_bundles(tmp_path / "in", CONTRADICTIONS[how]), tmp_path / "out")
    found = assessments(tmp_path / "out")[CHILD]
    assert found["overall"] == "insufficient_data" and {c["truth"] for c in found["criteria"]} == {"unknown"} and found["blocking"] == []
    assert all(told["words"] == "the source holds different people under this id" for told in found["not_looked_up"])
    assert "what the source holds under this id belongs to different people; it was not used" in [issue["words"] for issue in found["issues"]]
    assert "1 id is not one person's, so nobody of this id was judged: north.json and south.json." in " ".join(result.stderr.split())
    assert summary_of(tmp_path / "out")["mixed"] == {f"Patient/{CHILD}": [{"file": "north.json", "line": 1}, {"file": "south.json", "line": 1}]}


@pytest.mark.parametrize("how", THE_SAME)
def test_two_bundles_of_one_child_are_its_chart(tmp_path, how):
    folder = two_bundles(tmp_path / "in", THE_SAME[how])
    result = screened(folder, tmp_path / "out")
    found = assessments(tmp_path / "out")[CHILD]
    assert not found["not_looked_up"] and not [issue for issue in found["issues"] if "different people" in issue["words"]]
    assert summary_of(tmp_path / "out")["mixed"] == {} and "not one person's" not in result.stderr
    (folder / "south.json").rename(folder / "again.json")  # in whatever order
    screened(folder, tmp_path / "again")
    assert assessments(tmp_path / "again")[CHILD] == found


def test_the_exports_of_two_hospitals_in_one_folder(copied, tmp_path):
    """As NDJSON; other children of either are judged as ever."""
    (copied / "south").mkdir()
    (copied / "south" / "Patient.ndjson").write_text(json.dumps({**BORN, "birthDate": "2001-01-01"}) + "\n", encoding="utf-8")
    screened(copied, tmp_path / "out")
    found, judged = assessments(tmp_path / "out"), summary_of(tmp_path / "out")["overall"]
    assert found[CHILD]["not_looked_up"] and found["t-cell"]["not_looked_up"] == [] and judged["not_eligible"]
    assert {place["file"] for place in summary_of(tmp_path / "out")["mixed"][f"Patient/{CHILD}"]} == {"Patient.000.ndjson", "south/Patient.ndjson"}


# --- what is not read -----------------------------------------------------------------------------------------------------


def not_read(out):
    summary = summary_of(out)
    told = {stray["name"]: stray["why"] for stray in summary["not_read"]}
    assert summary["files_not_read"] == len(told)
    return told


def assert_every_child_is_said_to_be_in_question(result, out, why):
    """On the terminal, in the summary, and on the page."""
    said = f"{why[0].upper()}{why[1:]}, so nothing counts as absent for any child: what is lost may be about it."
    page = re.sub("<[^>]+>", "", (out / "report.html").read_text(encoding="utf-8"))
    assert " ".join(result.stderr.split()).count(said) == 1 == page.count(said)
    assert summary_of(out)["lacking"] == why


def test_what_is_not_read_is_told(copied, tmp_path):
    for name in ("export.zip", "old.ndjson.bz2", "wards/Patient.xz", "wards/x.zst", "more.json", "README.txt", ".hidden.zip", ".git/config"):
        (copied / name).parent.mkdir(exist_ok=True)
        (copied / name).write_bytes(b"x")
    result = screened(copied, tmp_path / "out")
    assert not_read(tmp_path / "out") == {
        "export.zip": "unpack it first", "old.ndjson.bz2": "unpack it first", "wards/Patient.xz": "unpack it first", "wards/x.zst": "unpack it first",
        "more.json": "a .json file beside NDJSON files: screen Bundles by themselves", "README.txt": "neither NDJSON nor a Bundle by its name",
    }  # fmt: skip
    assert "6 files were not read: export.zip (unpack it first), old.ndjson.bz2 (unpack it first)," in " ".join(result.stderr.split())
    assert "and 1 more." in " ".join(result.stderr.split())


def test_nothing_is_said_where_everything_is_read(copied, tmp_path):
    result = screened(copied, tmp_path / "out")
    assert not_read(tmp_path / "out") == {} and "not read" not in result.stderr


@pytest.mark.parametrize(("name", "there"), [("Procedure.001.ndjson.bz2", None), ("Procedure.001.JSONL.zst", None), ("x.ndjson.zip", "x.txt")])
def test_a_packed_part_of_the_export_leaves_every_child_in_question(copied, tmp_path, name, there):
    (copied / name).write_bytes(b"x")
    if there:
        (copied / there).write_bytes(b"x")
    result = screened(copied, tmp_path / "out")
    assert all(a["not_looked_up"] for a in assessments(tmp_path / "out").values())
    assert_every_child_is_said_to_be_in_question(result, tmp_path / "out", "a file of the source was not read")


def test_it_is_not_said_that_kinds_were_taken_as_none_recorded(copied, tmp_path):
    (copied / "Consent.000.ndjson").unlink(missing_ok=True)
    assert "Consent: taken as none recorded. Were" in " ".join(screened(copied, tmp_path / "out").stderr.split())
    (copied / "Procedure.001.ndjson.bz2").write_bytes(b"x")
    assert "Consent. Were they exported?" in " ".join(screened(copied, tmp_path / "out").stderr.split())


@pytest.mark.parametrize("name", ["Procedure.000.ndjson.bz2", "Observation.000.ndjson.zst", "export.zip"])
def test_what_is_there_unpacked_as_well_is_not_missed(copied, tmp_path, name):
    screened(copied, tmp_path / "before")
    (copied / name).write_bytes(b"x")
    result = screened(copied, tmp_path / "out")
    assert assessments(tmp_path / "out") == assessments(tmp_path / "before") and not_read(tmp_path / "out")
    assert summary_of(tmp_path / "out")["lacking"] == "" and "counts as absent" not in result.stderr


def test_only_packed_files(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "export.zip").write_bytes(b"x")
    assert "1 file was not read: export.zip (unpack it first)" in cannot(run("screen", tmp_path / "in", "--out", tmp_path / "out"))


def test_folders_by_links_are_read_once_and_loops_are_left(copied, tmp_path):
    screened(copied, tmp_path / "before")
    (copied / "Procedure.000.ndjson").rename(tmp_path / "Procedure.000.ndjson")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "Procedure.000.ndjson").rename(tmp_path / "elsewhere" / "Procedure.000.ndjson")
    for link, to in (("more", tmp_path / "elsewhere"), ("again", tmp_path / "elsewhere"), ("loop", copied), ("out", tmp_path / "out")):
        (copied / link).symlink_to(to)
    (tmp_path / "elsewhere" / "up").symlink_to(copied)
    for _ in range(2):
        screened(copied, tmp_path / "out")
        assert assessments(tmp_path / "out") == assessments(tmp_path / "before")
        assert summary_of(tmp_path / "out")["files"] == summary_of(tmp_path / "before")["files"] and not_read(tmp_path / "out") == {}


def test_a_link_that_leads_nowhere_and_a_folder_that_is_closed(copied, tmp_path, monkeypatch):
    import os

    real = os.scandir
    (copied / "closed").mkdir()
    (copied / "notes").symlink_to(tmp_path / "nothing")
    screened(copied, tmp_path / "out")
    assert not_read(tmp_path / "out") == {"notes": "the link leads nowhere"} and not all(a["not_looked_up"] for a in assessments(tmp_path / "out").values())

    def refusing(path):
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    with monkeypatch.context() as closed:
        closed.setattr("hooks.screen.folder.os.scandir", refusing)
        result = screened(copied, tmp_path / "out")
    assert_every_child_is_said_to_be_in_question(result, tmp_path / "out", "a file of the source was not read")
    assert not_read(tmp_path / "out")["closed/"] == "the folder cannot be opened"
    assert all(a["not_looked_up"] for a in assessments(tmp_path / "out").values())
    (copied / "Procedure.001.ndjson").symlink_to(tmp_path / "nothing")
    screened(copied, tmp_path / "out")
    assert all(a["not_looked_up"] for a in assessments(tmp_path / "out").values())


# --- Bundles that cannot be read ------------------------------------------------------------------------------------------


def test_a_broken_bundle_leaves_its_child_in_question(tmp_path):
    folder = two_bundles(tmp_path / "in", {})
    (folder / "south.json").write_bytes((folder / "south.json").read_bytes()[:-3])
    screened(folder, tmp_path / "out")
    found = assessments(tmp_path / "out")[CHILD]
    assert found["not_looked_up"] and found["overall"] == "insufficient_data"
    assert places(tmp_path / "out") == [("south.json", 1)]
    assert "1 line is broken; the first is south.json" in cannot(run("screen", folder, "--out", tmp_path / "no", "--max-errors", "0", "--quiet"))


def test_a_bundle_that_cannot_be_opened_leaves_everybody_in_question(tmp_path, monkeypatch):
    from pathlib import Path

    folder, real = two_bundles(tmp_path / "in", {}), Path.read_bytes
    (folder / "east.json").write_text("{}", encoding="utf-8")

    def refusing(path):
        if path.name == "east.json":
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(Path, "read_bytes", refusing)
    result = screened(folder, tmp_path / "out")
    assert assessments(tmp_path / "out")[CHILD]["not_looked_up"] and places(tmp_path / "out") == [("east.json", 1)]
    assert_every_child_is_said_to_be_in_question(result, tmp_path / "out", "a file of the source could not be read")


def test_a_broken_resource_of_a_bundle_is_told_with_its_file(tmp_path):
    folder = two_bundles(tmp_path / "in", {})
    told = json.loads((folder / "south.json").read_text(encoding="utf-8"))
    told["entry"].append({"resource": {"resourceType": ["Procedure"], "kind": "Procedure", "subject": {"reference": f"Patient/{CHILD}"}}})
    (folder / "south.json").write_text(json.dumps(told), encoding="utf-8")
    screened(folder, tmp_path / "out")
    assert places(tmp_path / "out") == [("south.json", 1)] and assessments(tmp_path / "out")[CHILD]["not_looked_up"]
