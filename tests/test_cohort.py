"""The invented cohort of `benchmarks/`: its truth is the judgement's, it covers everything, and its files hold exactly it."""

from __future__ import annotations

import csv
import gzip
import json
import sys
from collections import Counter
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from fhir.resources.R4B import get_fhir_model_class

import bystanders as simulated
from cds import assess
from cds.trials.nct05827549 import PROTOCOL
from fhir_mappings import read_patient
from fhir_mappings.diagnoses import is_leukaemia
from hooks.bundle import record_from_bundle
from hooks.fhir_json import parse

HERE = Path(__file__).parent
sys.path.append(str(HERE.parent / "benchmarks"))

from cohort import TRUTH, Cohort, Truth, bystander, child, main  # noqa: E402
from invented.plan import TROUBLES  # noqa: E402
from invented.truth import GROUPS, RiskFacts  # noqa: E402

AS_OF = date(2025, 9, 1)
SEED = 1
MANY = 400
FIRST = 2 * len(TROUBLES)  # after these, each trouble has had its turn
ORDINARY = 300
REASONS = {"missing", "stale", "pending", "conflict", "imprecise", "unit", "wrong_instrument", "out_of_table", "source_ambiguous", "judgement", "not_looked_up"}


@cache
def told(index: int, seed: int = SEED, as_of: date = AS_OF, observations: int = 12) -> tuple[list[dict[str, Any]], Truth]:
    return child(seed, index, as_of, observations)


def judge(resources: list[dict[str, Any]], as_of: date = AS_OF, policies: Any = None) -> dict[str, Any]:
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": r} for r in resources]}
    sent = parse("application/json", json.dumps(bundle).encode())  # as it arrives: every digit as it was written
    return assess(PROTOCOL, read_patient(record_from_bundle(sent), as_of), policies).as_json("test")


def differences(resources: list[dict[str, Any]], truth: Truth, as_of: date, policies: Any = None) -> dict[str, Any]:
    """What the judgement says otherwise, beside the truth."""
    found, expected = judge(resources, as_of, policies), truth.as_json()
    criteria = {c["id"]: {"truth": c["truth"], "reason": c["reason"]} for c in found["criteria"]}
    seen = {name: found[name] for name in ("overall", "modifiable", "blocking")}
    seen |= {"risk": {name: found["risk"][name] for name in ("status", "group", "possible")}}
    seen |= {c: criteria.get(c) for c in expected["criteria"]}
    wanted = {name: expected[name] for name in ("overall", "modifiable", "blocking", "risk")} | expected["criteria"]
    return {name: (wanted[name], seen[name]) for name in wanted if wanted[name] != seen[name]}


@pytest.mark.parametrize(("seed", "as_of", "first", "last"), [
    (SEED, AS_OF, 0, MANY), (2, date(2024, 2, 29), 0, 40), (3, date(2026, 3, 31), 40, 80), (4, date(2025, 1, 1), 80, 120),
])  # fmt: skip
def test_the_judgement_is_the_truth_of_the_story(seed, as_of, first, last):
    wrong = {}
    for index in range(first, last):
        resources, truth = told(index, seed, as_of)
        if differ := differences(resources, truth, as_of):
            wrong[f"child({seed}, {index}, {as_of})", truth.story] = differ
    assert not wrong


@pytest.mark.parametrize("wrong", [{"eoi_days": (1, 5)}, {"hiv_days": 179}, {"age_upper": "lt22"}, {"hcg_days": 2}, {"mrd_methods": ("ngs", "flow")},
                                   {"creatinine_days": 200}, {"relapse_sample_days_before": 3000}], ids=str)  # fmt: skip
def test_a_wrong_setting_is_noticed(wrong):
    policies = replace(PROTOCOL.policies, **wrong)
    assert any(differences(*told(index), AS_OF, policies) for index in range(MANY))


def test_everything_occurs_early():
    truths = [told(index)[1] for index in range(FIRST)]
    assert {t.overall for t in truths} == {"not_applicable", "not_eligible", "insufficient_data", "eligible_pending_clinician_review"}
    assert {t.modifiable for t in truths if t.overall == "not_eligible"} == {True, False}
    assert {reason for t in truths for _, reason in t.criteria.values()} == REASONS | {None}
    assert {t.risk for t in truths} == {"assigned", "provisional", "suppressed"}
    assert {t.group for t in truths} == {"SR", "HR", "VHR", None}
    assert {group for t in truths for group in t.possible} == set(GROUPS)
    assert len({t.possible for t in truths if t.risk == "provisional"}) >= 6
    answers = {(criterion, truth) for t in truths for criterion, (truth, _) in t.criteria.items()}
    assert answers == {(c.id, truth) for c in PROTOCOL.criteria for truth in ("met", "not_met", "unknown")}


def test_each_trouble_is_told_and_most_criteria_are_certain():
    truths = [told(index)[1] for index in range(FIRST)]
    assert {f"{aspect}: {trouble}" for aspect, trouble in TROUBLES} <= {words for t in truths for words in t.story}
    certain = [len(t.criteria) for t in truths if t.overall != "not_applicable"]
    assert sum(size == 25 for size in certain) > 0.8 * len(certain)


def test_the_sums_behind_the_truth_are_those_of_the_risk_table():
    """324 rows, written by others: the same groups for the same inputs."""
    known = {"lt_0.01pct": (True,), "ge_0.01pct": (False,), "M1": (False,), "M2_or_M3": (True,), "late": (True,), "not_late": (False,),
             "isolated_marrow": (True,), "combined": (True,), "extramedullary_only": (False,)}  # fmt: skip
    with (HERE / "cases" / "nct05827549" / "risk-table.csv").open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table))
    assert len(rows) == 324
    for row in rows:
        marrow, late, low, m2 = (known.get(row[name], (True, False)) for name in ("relapse_site", "timing", "eoi_ngs_mrd", "eoi_marrow"))
        lineage = row["lineage"] if row["lineage"] in ("B", "T") else "BT"
        expected = set(filter(None, row["possible"].split("|")))
        assert set(RiskFacts(lineage, marrow, late, low, m2).possible) == expected, row


def test_a_child_is_the_same_whenever_it_is_told():
    assert child(SEED, 17, AS_OF) == child(SEED, 17, AS_OF)
    assert bystander(SEED, 17, AS_OF) == bystander(SEED, 17, AS_OF)
    assert child(SEED, 17, AS_OF)[0] != child(2, 17, AS_OF)[0] and bystander(SEED, 17, AS_OF) != bystander(2, 17, AS_OF)


def test_unrelated_results_change_nothing():
    for index in range(0, FIRST, 9):
        alone, truth = told(index, observations=0)
        among_many, same = told(index, observations=100)
        assert len(among_many) == len(alone) + 100 and truth == same
        assert judge(alone) == judge(among_many), f"child({SEED}, {index}, {AS_OF}): {truth.story}"


def test_every_resource_is_valid_fhir():
    resources = [r for index in range(FIRST) for r in told(index)[0]]
    resources += [r for index in range(0, ORDINARY, 6) for r in bystander(SEED, index, AS_OF)]
    for resource in resources:
        get_fhir_model_class(resource["resourceType"]).model_validate(resource)
    assert Counter(r["resourceType"] for r in resources).keys() >= {"Medication", "ResearchStudy", "Consent", "MedicationStatement", "MedicationRequest"}


def test_no_two_resources_share_an_id():
    names = Counter((r["resourceType"], r["id"]) for index in range(FIRST) for r in told(index)[0])
    names += Counter((r["resourceType"], r["id"]) for index in range(ORDINARY) for r in bystander(SEED, index, AS_OF))
    names += Counter((r["resourceType"], r["id"]) for index in range(5) for r in child(2, index, AS_OF)[0])
    assert names.most_common(1)[0][1] == 1


def test_a_bystander_has_nothing_to_do_with_the_trial():
    children = [bystander(SEED, index, AS_OF) for index in range(ORDINARY)]
    assert all(20 <= len(chart) <= 60 for chart in children)
    conditions = [r for chart in children for r in chart if r["resourceType"] == "Condition"]
    assert not any(is_leukaemia(condition) for condition in conditions)
    assert any("myeloid" in c["code"]["text"] for c in conditions), "no look-alike among them"
    assert {judge(chart)["overall"] for chart in children[::10]} == {"not_applicable"}


def test_so_has_a_simulated_one(bystander_files):
    for file in bystander_files[:3]:
        bundle = parse("application/json", json.dumps(simulated.read_bystander(file)).encode())
        assert assess(PROTOCOL, read_patient(record_from_bundle(bundle), AS_OF)).overall == "not_applicable"
        assert not any(is_leukaemia(condition) for condition in simulated.of_type(bundle, "Condition"))


COHORT = Cohort(12, 600, SEED, AS_OF, observations=20, files_per_type=3)
ZIPPED = Cohort(12, 600, SEED, AS_OF, observations=20, files_per_type=3, gzipped=True)


@pytest.fixture(scope="module")
def plain(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("cohort") / "plain"
    COHORT.write(folder)
    return folder


def lines(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Every file but the truth, by name without `.gz`."""
    files = {}
    for file in sorted(folder.iterdir()):
        if file.name != TRUTH:
            content = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
            files[file.name.removesuffix(".gz")] = [json.loads(line) for line in content.splitlines()]
    return files


def test_the_folder_holds_exactly_the_children(plain):
    files = lines(plain)
    assert all(r["resourceType"] == name.split(".")[0] for name, found in files.items() for r in found)
    found = {(r["resourceType"], r["id"]): r for resources in files.values() for r in resources}
    leukaemia = [child(SEED, index, AS_OF, 20) for index in range(12)]
    ordinary = [bystander(SEED, index, AS_OF) for index in range(600)]
    expected = {(r["resourceType"], r["id"]): r for chart in ([c for c, _ in leukaemia] + ordinary) for r in chart}
    assert found == expected and sum(map(len, files.values())) == len(expected)
    truths = {t.pop("patient"): t for line in (plain / TRUTH).read_bytes().splitlines() if (t := json.loads(line))}
    assert len(truths) == 612 and {truths[f"Patient/b{SEED}-{index:07d}"]["overall"] for index in range(600)} == {"not_applicable"}
    assert all(truths[f"Patient/{chart[0]['id']}"] == truth.as_json() for chart, truth in leukaemia)


def test_a_child_is_all_over_the_files(plain):
    files = lines(plain)
    whose = {name: [r["subject"]["reference"] for r in found] for name, found in files.items() if name.startswith("Observation")}
    first = f"Patient/c{SEED}-000000"
    assert len(whose) == 3 and all(first in found for found in whose.values())
    together = sum(a == b for found in whose.values() for a, b in zip(found, found[1:]))
    assert together < 0.1 * sum(map(len, whose.values()))


def test_compressed_or_by_several_processes_it_is_the_same(plain, tmp_path):
    assert ZIPPED.write(tmp_path / "zipped") == sum(map(len, lines(plain).values()))
    assert lines(plain) == lines(tmp_path / "zipped")
    COHORT.write(tmp_path / "by two", processes=2)
    ZIPPED.write(tmp_path / "zipped by five", processes=5)  # more processes than blocks
    content = {file.name: file.read_bytes() for file in plain.iterdir()}
    assert {file.name: file.read_bytes() for file in (tmp_path / "by two").iterdir()} == content
    assert lines(tmp_path / "zipped by five") == lines(plain)


def test_the_command_writes_a_folder_and_never_over_one(tmp_path):
    asked = [str(tmp_path / "out"), "--in-scope", "2", "--bystanders", "3", "--as-of", "2025-09-01", "--gzip"]
    done = CliRunner().invoke(main, asked)
    assert done.exit_code == 0 and "5 children" in done.output, done.output
    assert (tmp_path / "out" / "Patient.0001.ndjson.gz").exists() and (tmp_path / "out" / TRUTH).exists()
    again = CliRunner().invoke(main, asked)
    assert again.exit_code == 1 and "is not empty" in again.output
