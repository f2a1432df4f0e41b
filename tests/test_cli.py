"""The command line: what each command prints, where, and with which exit status.

0: done, whatever the verdict. 1: could not do it, one plain sentence on standard error. 2: wrong usage. Never a
traceback. What runs until it is told to stop is started for real in `test_cli_servers`; the settings of `serve` are in `test_cli_settings`.
"""

from __future__ import annotations

import json
from copy import deepcopy

import pytest

from cds_hooks_schema import check_assessment, check_response
from command_line import cannot, run
from hook_calls import TODAY, Chart, assessment, client, playing, tell
from hooks.demo.children import CHILDREN, bundle

AS_OF = ("--as-of", str(TODAY))
every_child = pytest.mark.parametrize("child", CHILDREN, ids=lambda child: child.id)
BY_ID = {child.id: child for child in CHILDREN}


@pytest.fixture
def file_of(tmp_path):
    def write(content):
        file = tmp_path / "chart.json"
        file.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        return file

    return write


def chart_of(child_id):
    return deepcopy(bundle(BY_ID[child_id], TODAY))  # its codes are shared by all charts


@every_child
def test_a_bundle_is_judged_as_its_child_is_in_the_conversation(child, file_of):
    result = run("assess", "--bundle", file_of(bundle(child, TODAY)), *AS_OF, "--format", "json")
    assert (result.exit_code, result.stderr) == (0, "")
    found = json.loads(result.stdout)
    check_assessment(found)
    assert found["overall"] == child.overall or found["overall"] == "insufficient_data"
    chart = Chart(child.id)
    answer = tell(client(), chart.call(chart.prefetch()))
    if answer.json["cards"]:
        assert found == assessment(answer)


@every_child
def test_cards_are_those_of_the_conversation(child, file_of):
    result = run("assess", "--bundle", file_of(bundle(child, TODAY)), *AS_OF, "--format", "cards")
    told = json.loads(result.stdout)
    check_response(told)
    assert (result.exit_code, len(told["cards"])) == (0, 0 if child.overall == "not_applicable" else 1)


@every_child
def test_text_says_every_criterion_with_its_own_sentence(child, file_of):
    result = run("assess", "--bundle", file_of(bundle(child, TODAY)), *AS_OF)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "NCT05827549" in result.stdout and child.id in result.stdout and "2025-09-01" in result.stdout
    for n in range(1, 14) if child.overall != "not_applicable" else ():
        assert f"EXC-{n:02d}" in result.stdout and (n == 13 or f"INC-{n:02d}" in result.stdout)


def test_standard_input_is_a_file_too(file_of):
    whole = json.dumps(chart_of("t-cell"))
    piped = run("assess", "--bundle", "-", *AS_OF, "--format", "json", stdin=whole)
    assert piped.exit_code == 0 and piped.stdout == run("assess", "--bundle", file_of(whole.encode()), *AS_OF, "--format", "json").stdout


def test_the_day_of_the_judgement_can_be_chosen(file_of):
    """On its own day the creatinine of the chart is current; two months later it is stale."""
    file = file_of(chart_of("screening-complete"))
    found = {day: json.loads(run("assess", "--bundle", file, "--as-of", day, "--format", "json").stdout) for day in ("2025-09-01", "2025-11-01")}
    assert [found[day]["as_of"] for day in found] == list(found)
    reasons = [next(c["reason"] for c in each["criteria"] if c["id"] == "INC-06") for each in found.values()]
    assert reasons == [None, "stale"]


def test_text_on_the_terminal_is_only_text(file_of):
    """No colour codes or control characters of the chart's own making, and no markup of the terminal library."""
    chart = chart_of("standard-risk")
    for entry in chart["entry"]:
        if entry["resource"]["resourceType"] == "QuestionnaireResponse":
            entry["resource"]["author"] = {"display": "Dr. \x1b[31mRed [bold]bold[/bold] \u202e\x07[link=https://a.example]y[/link] [/red]"}
    result = run("assess", "--bundle", file_of(chart), *AS_OF)
    assert result.exit_code == 0 and not set(result.stdout) & {"\x1b", "\x07", "\u202e"}
    assert "[bold]" in result.stdout, "shown as it was written"


@pytest.mark.parametrize("form", ["text", "json", "cards"])
@pytest.mark.parametrize("text", ["lone \ud83d surrogate", "nul \x00", "急性リンパ性白血病 백혈병 é", "[/bold] [x"])
def test_any_text_can_be_printed(file_of, form, text):
    chart = chart_of("two-lineages")
    for entry in chart["entry"]:
        if entry["resource"]["resourceType"] == "QuestionnaireResponse":
            entry["resource"]["author"] = {"display": text}
        if "valueQuantity" in entry["resource"]:
            entry["resource"]["valueQuantity"]["code"] = text
    assert run("assess", "--bundle", file_of(chart), *AS_OF, "--format", form).exit_code == 0


# --- what cannot be done -----------------------------------------------------------------------------------------------


def two_patients():
    chart = chart_of("asthma")
    chart["entry"].append({"resource": {"resourceType": "Patient", "id": "sibling"}})
    return chart


def anothers_data():
    chart = chart_of("asthma")
    chart["entry"].append({"resource": {"resourceType": "Observation", "id": "o", "subject": {"reference": "Patient/sibling"}}})
    return chart


@pytest.mark.parametrize(("content", "says"), [
    (b"", "JSON"), (b"{", "JSON"), (b"\xff\xfe\x00", "JSON"), (b'{"resourceType": "Bundle", "x": NaN}', "JSON"), (b"[" * 100_000, "JSON"),
    (b'{"resourceType": "Bundle", "type": "collection", "type": "collection", "entry": []}', "JSON"),
    ([], "not a FHIR Bundle"), (None, "not a FHIR Bundle"), ({"resourceType": "Patient", "id": "p"}, "not a FHIR Bundle"),
    ({"resourceType": "Bundle"}, "no Patient"), ({"resourceType": "Bundle", "entry": {}}, "entry"),
    ({"resourceType": "Bundle", "entry": [None, 5, {"resource": {"resourceType": "Patient"}}]}, "no Patient"),
    (two_patients(), "2 Patients"), (anothers_data(), "another patient"),
], ids=["empty", "broken", "binary", "NaN", "deep", "a member twice", "a list", "null", "a Patient", "no entry", "entry an object", "no id", "two", "another's"])  # fmt: skip
def test_a_file_that_cannot_be_judged_is_told_in_one_sentence(file_of, content, says):
    file = file_of(content)
    assert says in cannot(run("assess", "--bundle", file))
    assert says in cannot(run("assess", "--bundle", "-", stdin=file.read_bytes()))


def test_a_file_that_is_not_there_is_named(tmp_path):
    assert "no-such-file.json" in cannot(run("assess", "--bundle", tmp_path / "no-such-file.json"))
    assert str(tmp_path) in cannot(run("assess", "--bundle", tmp_path)), "a folder is no file"


@pytest.mark.parametrize("address", ["ehr", "ftp://ehr.example/fhir", "https://", "https://ehr.example/fhir?x=1", "https://user@ehr.example/fhir", "file:///etc/passwd"])
def test_a_bad_address_is_named(address):
    assert "https://ehr.example/fhir" in cannot(run("assess", "1", "--fhir-base", address))


@pytest.mark.parametrize("status", [401, 403, 404, 500])
def test_a_server_that_refuses_is_told_in_one_sentence(status):
    with playing(Chart("asthma"), patient=lambda: (status, {}, ""), conditions=lambda: (status, {}, "")):
        assert "patient" in cannot(run("assess", "asthma", "--fhir-base", "https://ehr.example/fhir"))


def test_the_token_comes_from_the_environment_and_is_not_told(monkeypatch):
    monkeypatch.setenv("FHIR_TOKEN", "secret-of-the-shell")
    with playing(Chart("asthma")) as ehr:
        result = run("assess", "asthma", "--fhir-base", "https://ehr.example/fhir", *AS_OF)
    assert {request.headers["Authorization"] for request in ehr.requests} == {"Bearer secret-of-the-shell"}
    assert "secret-of-the-shell" not in result.output
    monkeypatch.setenv("FHIR_TOKEN", "secret\nof-the-shell")
    with playing(Chart("asthma")) as ehr:
        assert "of-the-shell" not in cannot(run("assess", "asthma", "--fhir-base", "https://ehr.example/fhir"))
    assert ehr.requests == []


@pytest.mark.parametrize("arguments", [
    ["assess"], ["assess", "1"], ["assess", "--fhir-base", "https://ehr.example/fhir"], ["assess", "1", "--bundle", "x"],
    ["assess", "1", "--bundle", "x", "--fhir-base", "https://ehr.example/fhir"], ["assess", "--bundle", "x", "--as-of", "1.9.2025"],
    ["assess", "--bundle", "x", "--format", "xml"], ["assess", "--unheard-of"], ["unheard-of"], ["serve", "--port", "0x1F"],
    ["serve", "--port", "70000"], ["serve", "--workers", "0"], ["demo", "--port", "-1"],
])  # fmt: skip
def test_wrong_usage_is_2_and_says_how(arguments):
    result = run(*arguments)
    assert result.exit_code == 2 and "Usage:" in result.stderr and "Error:" in result.stderr and result.stdout == ""


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["--version"], ["assess", "--help"], ["serve", "-h"], ["demo", "-h"]])
def test_help_and_version_are_done(arguments):
    assert run(*arguments).exit_code == 0
