"""What screening does not look at, or looks at with one search for many lines: each shortcut beside the long way."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from codecs import BOM_UTF8

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stringzilla import count, find

import hooks.screen.tasks as tasks
from hooks.screen.finding import QUOTED, TYPES, broken_lines, kinds_in
from hooks.screen.lines import Block, plainly
from hooks.screen.parsing import parsed
from hooks.screen.scope import Codes
from hooks.screen.spool import Spool, bucket_of, read_bucket
from screened import assessments, child_lines, screened, written

PARTS = (b"{", b"}", b"\n", b'"', b"\\", b"/", b"}{", b"}\n{", b"\\/", b"\\u00", b"Patient/", b"\x00", b"\xff", b"a" * 63, b"b" * 64, *QUOTED)


CONTAINED = '"contained": [{"resourceType": "Medication"}]'


def joined(*parts: bytes) -> st.SearchStrategy[bytes]:
    return st.lists(st.sampled_from(parts), max_size=30).map(b"".join)


def block_of(data: bytes) -> Block:
    return Block(data, 0, len(data))


# --- one search for many lines --------------------------------------------------------------------------------------


@given(data=joined(*PARTS), word=st.sampled_from(PARTS))
def test_the_fast_search_finds_what_pythons_finds(data, word):
    assert find(data, word) == data.find(word)
    assert count(data, word) == data.count(word)


LINE = st.sampled_from([b"{}", b'{"a":{}}', b"{", b"}", b"{}{}", b'{"b":"}{"}', b"x", b"", b" ", b"{}\r", b" {}", BOM_UTF8 + b"{}"]) | st.just(b"{}")


@given(lines=st.lists(LINE, min_size=1, max_size=5), end=st.sampled_from([b"", b"\n"]))
def test_a_block_is_cleared_when_every_line_would_be(lines, end):
    def is_broken(line: bytes) -> bool:
        line = line.removeprefix(BOM_UTF8).strip()
        return bool(line) and (line[:1] != b"{" or line[-1:] != b"}" or b"}{" in line and bool(parsed(line)[1]))

    data = b"\n".join(lines) + end
    starts = [sum(len(line) + 1 for line in lines[:number]) for number in range(len(lines))]
    assert list(broken_lines(block_of(data), block_of(data).lines())) == [start for start, line in zip(starts, lines) if is_broken(line)]


@given(data=joined(b"a", b"{}\n", b"\n", b"{"))
def test_lines_are_counted_with_or_without_a_last_line_break(data):
    assert block_of(data).lines() == len((data.removesuffix(b"\n")).split(b"\n"))


@given(codes=st.lists(st.lists(st.sampled_from(["9811/3", "C83", "C84.1", "-]^", "б", "a", '"', "\\", "\n"]), max_size=3).map("".join), max_size=4),
       how=st.sampled_from([{"ensure_ascii": False}, {}, {"separators": (",", ":")}, {"indent": "\t"}]))  # fmt: skip
def test_every_code_is_read_however_it_is_written(codes, how):
    wanted = Codes({"9811/3".encode(), "б".encode(), "-]^".encode(), '"a'.encode()}, {b"C83"})
    written = json.dumps([{"code": code} for code in codes], **how).encode()
    found = [code for code in wanted.written.findall(written) if code in wanted]
    assert [json.loads(b'"' + code + b'"') for code in found] == [code for code in codes if code in ("9811/3", "б", "-]^", '"a') or code[:3] == "C83"]


@given(types=st.lists(st.sampled_from(["Patient", "Condition", "Encounter", "Nonsense"]), max_size=4), spaces=st.lists(st.sampled_from(["", " "]), min_size=4),
       inside=st.booleans())  # fmt: skip
def test_the_types_of_a_block_are_told_whether_one_or_several(types, spaces, inside):
    lines = [f'{{"resourceType"{space}:{space}"{kind}"{f", {CONTAINED}" if inside else ""}}}' for kind, space in zip(types, spaces)]
    assert kinds_in(block_of("\n".join(lines).encode())) == {*types, *(["Medication"] if inside and types else [])} & set(TYPES)


@given(data=joined(*PARTS, b"\\u0043", b"\\u002f", b"\\u0022", b"\\\\", b"\\n"))
def test_nothing_stays_escaped_that_is_searched_for(data):
    assert not re.search(rb"(?<!\\)(?:\\\\)*\\(?:/|u00(?!22|5[cC]|7[fF])[2-7][0-9a-fA-F])", plainly(data))


# --- what is not looked at again ------------------------------------------------------------------------------------

VISIT = json.dumps({"resourceType": "Encounter", "id": "e", "status": "finished", "subject": {"reference": "Patient/screening-complete"}})
DOWN = {"resourceType": "Condition", "id": "down", "subject": {"reference": "Patient/screening-complete"},
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "41040004"}]}}  # fmt: skip
DOSE = {"resourceType": "MedicationAdministration", "id": "blina", "status": "completed", "subject": {"reference": "Patient/screening-complete"},
        "medicationReference": {"reference": "Medication/m77"}, "effectiveDateTime": "2024-01-01"}  # fmt: skip
DRUG = {"resourceType": "Medication", "id": "m77", "code": {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "1597258"}]}}
AS_WRITTEN = {
    "plain": lambda line: line,
    "escaped type": lambda line: line.replace('"Condition"', '"\\u0043ondition"').replace('"Medication"', '"\\u004dedication"'),
    "escaped name of the type": lambda line: line.replace('"resourceType"', '"resource\\u0054ype"'),
    "spaces": lambda line: line.replace('"resourceType": ', '"resourceType" \t : '),
}


@pytest.fixture
def searched(monkeypatch):
    """The names of the files in which each pass looked."""
    seen: dict[str, list[str]] = {"collect": [], "collect_named": []}
    for name in seen:
        def recorded(piece, *arguments, real=getattr(tasks, name), names=seen[name]):
            names.append(piece.path.name)
            return real(piece, *arguments)

        monkeypatch.setattr(tasks, name, recorded)
    return seen


def with_visits(folder, last="", number=50):
    """The children's files, and one of visits that ends otherwise."""
    written(folder, child_lines())
    (folder / "Encounter.001.ndjson").write_text(f"{VISIT}\n" * number + (f"{last}\n" if last else ""), encoding="utf-8")
    return folder


def test_a_file_of_a_type_that_nobody_reads_is_looked_at_once(tmp_path, plain, searched):
    screened(with_visits(tmp_path / "in"), tmp_path / "out")
    assert assessments(tmp_path / "out") == plain
    assert "Encounter.001.ndjson" not in searched["collect"] and "Condition.000.ndjson" in searched["collect"]


@pytest.mark.parametrize("how", AS_WRITTEN)
def test_another_type_far_behind_in_such_a_file_is_found(tmp_path, plain, monkeypatch, how):
    monkeypatch.setattr(tasks, "BEGINNING", 1_000)
    monkeypatch.setattr("hooks.screen.lines.BLOCK", 2_000)
    screened(with_visits(tmp_path / "in", AS_WRITTEN[how](json.dumps(DOWN)), number=500), tmp_path / "out")
    changed = {child for child, assessment in assessments(tmp_path / "out").items() if assessment != plain[child]}
    assert changed == {"screening-complete"}


def test_a_broken_line_in_such_a_file_is_still_its_childs(tmp_path, plain):
    """Its type can just be told; what it would have said cannot."""
    screened(with_visits(tmp_path / "in", json.dumps(DOWN)[:-30]), tmp_path / "out")
    found = assessments(tmp_path / "out")
    assert {gap["search"] for gap in found["screening-complete"]["not_looked_up"]} == {"problem list and diagnoses"}
    assert found.keys() == plain.keys()


@pytest.mark.parametrize("how", AS_WRITTEN)
def test_drugs_are_looked_for_only_where_some_are(tmp_path, searched, monkeypatch, how):
    monkeypatch.setattr("hooks.screen.lines.BLOCK", 100)
    folder = with_visits(tmp_path / "in", f"{AS_WRITTEN[how](json.dumps(DRUG))}\n{VISIT}")
    with open(folder / "MedicationAdministration.000.ndjson", "a", encoding="utf-8") as file:
        file.write(json.dumps(DOSE) + "\n")
    screened(folder, tmp_path / "out")
    assert "blinatumomab" in json.dumps(assessments(tmp_path / "out")["screening-complete"]["criteria"][4])
    assert "Encounter.001.ndjson" in searched["collect_named"]
    assert not {"Condition.000.ndjson", "Observation.000.ndjson"} & set(searched["collect_named"])


def test_what_is_passed_over_is_remembered_after_an_interruption(tmp_path, plain, searched, monkeypatch):
    folder, stopping = with_visits(tmp_path / "in"), tasks.collect

    def stops(piece, *arguments):
        if len(searched["collect"]) == 2:
            raise KeyboardInterrupt
        return stopping(piece, *arguments)

    monkeypatch.setattr(tasks, "collect", stops)
    with pytest.raises(AssertionError, match="interrupted"):
        screened(folder, tmp_path / "out")
    first = set(searched["collect"])
    searched["collect"].clear()
    monkeypatch.setattr(tasks, "collect", stopping)
    monkeypatch.setattr(tasks, "look", lambda piece: pytest.fail("the first pass was finished"))
    screened(folder, tmp_path / "out")
    assert assessments(tmp_path / "out") == plain
    assert len(first) == 2 and not first & set(searched["collect"]) and "Encounter.001.ndjson" not in searched["collect"]


def test_a_spool_that_is_finished_later_is_read_with_the_others(tmp_path):
    """Where the lines are is looked up once, and again when there are more."""
    ours = "child"
    for number in (1, 0):
        spool = Spool(tmp_path, f"{number:06d}")
        spool.add(ours, b"line of %d" % number)
        spool.add("another", b"not ours")
        assert b"line of %d" % number not in read_bucket(tmp_path, bucket_of(ours)).get(ours, [])
        spool.done({})
        assert b"line of %d" % number in read_bucket(tmp_path, bucket_of(ours))[ours]
    assert read_bucket(tmp_path, bucket_of(ours)) == {ours: [b"line of 0", b"line of 1"]}


# --- what is not loaded ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["hooks.cli", "hooks.screen.run", "hooks.screen.tasks"])
def test_screening_files_loads_nothing_of_the_service(part):
    """The command, and each of its processes, starts in half the time without."""
    script = f"import sys, {part}; print(*{{'flask', 'sqlalchemy', 'requests', 'structlog', 'jwt', 'cryptography'}} & set(sys.modules))"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not told.stdout.split()
