"""What cannot be read is counted, located and told, and leaves in question whomever it may be about, and nobody else."""

from __future__ import annotations

import gzip
import json
import os

from command_line import cannot, run
from hooks.demo.children import CHILDREN
from screened import ALL_IN_MORPHOLOGY, add, as_bundle, assessments, child_lines, screened, summary_of, written

# --- lines -----------------------------------------------------------------------------------------------------------


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


def test_a_child_without_a_patient_line_is_in_question(tmp_path):
    lines = [(kind, line) for kind, line in child_lines() if not (kind == "Patient" and '"screening-complete"' in line)]
    screened(written(tmp_path / "in", lines), tmp_path / "out")
    assert assessments(tmp_path / "out")["screening-complete"]["overall"] == "insufficient_data"


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


def test_half_a_surrogate_pair_ends_nothing(copied, tmp_path):
    add(copied, "Condition.000.ndjson", json.dumps({**ALL_IN_MORPHOLOGY, "subject": {"reference": "Patient/\ud800"}}) + "\n",
        json.dumps({**ALL_IN_MORPHOLOGY, "id": "n"}) + "\n")  # fmt: skip
    add(copied, "Patient.000.ndjson", json.dumps({"resourceType": "Patient", "id": "written", "managingOrganization": {"display": "\ud800"}}) + "\n")
    screened(copied, tmp_path / "out")
    assert "written" in assessments(tmp_path / "out")


def test_max_errors_gives_up_and_leaves_earlier_results(copied, tmp_path):
    screened(copied, tmp_path / "out")
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    add(copied, "Observation.000.ndjson", "broken\n")
    line = cannot(run("screen", copied, "--out", tmp_path / "out", "--max-errors", "0", "--quiet"))
    assert "Observation.000.ndjson" in line
    assert {p.name: p.read_bytes() for p in (tmp_path / "out").iterdir() if p.is_file()} == before


# --- files that end before their time --------------------------------------------------------------------------------


def test_a_file_that_ends_before_its_time(copied, tmp_path):
    lines = "".join(json.dumps({"resourceType": "Encounter", "id": f"e{n}", "text": os.urandom(200).hex()}) + "\n" for n in range(2_000))
    packed = gzip.compress(lines.encode())
    (copied / "Encounter.001.ndjson.gz").write_bytes(packed[: len(packed) // 2])
    screened(copied, tmp_path / "out")
    summary = summary_of(tmp_path / "out")
    assert summary["broken"] >= 1 and summary["broken_lines"][-1]["file"] == "Encounter.001.ndjson.gz"


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
