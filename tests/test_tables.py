"""The reader of Markdown tables and the grammar of their cells: a home-made runner needs tests of its own."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cells import chart, diagnoses, entries, relapse_date, results, review
from tables import Row, read_tables

PAGE = """# Title

Prose with a | bar.

| age | told  | why |
|-----|:-----:|-----|
| 1   | <2 %  |     |
| 2   | a \\| b | x |

| alone |
|-------|
"""


def test_tables_are_read_with_their_lines():
    first, second = read_tables(PAGE)
    assert first == [Row(7, {"age": "1", "told": "<2 %", "why": ""}), Row(8, {"age": "2", "told": "a | b", "why": "x"})]
    assert second == []


def test_a_table_at_the_end_of_the_file_counts():
    assert [len(table) for table in read_tables("| a |\n|---|\n| 1 |")] == [1]


@pytest.mark.parametrize("broken", ["| a | a |\n|--|--|", "| a | b |\n|--|--|\n| 1 |", "| a |\n|--|\n| 1 | 2 |", "| a |\n|--|\n| 1"])
def test_a_crooked_table_is_refused(broken):
    with pytest.raises(ValueError):
        list(read_tables(broken))


def test_entries_of_a_cell():
    assert list(entries("0.6 mg/dL")) == [(None, "0.6 mg/dL", [])]
    assert list(entries("2025-08-28: 0.6 mg/dL; 2025-08-30T10:00:00+09:00: 0.9 (no unit, preliminary)")) == [
        ("2025-08-28", "0.6 mg/dL", []),
        ("2025-08-30T10:00:00+09:00", "0.9", ["no unit", "preliminary"]),
    ]
    assert list(entries("")) == []


def value_of(cell, test="creatinine"):
    (read,) = results(test)(cell, "2025-09-01")
    return {key: read[key] for key in read if key.startswith("value")}


def test_results_keep_every_digit_and_the_unit_as_written():
    assert value_of("0.60 mg/dL") == {"valueQuantity": {"value": Decimal("0.60"), "unit": "mg/dL", "system": "http://unitsofmeasure.org", "code": "mg/dL"}}
    assert str(value_of("0.60 mg/dL")["valueQuantity"]["value"]) == "0.60"
    assert value_of("<0.2 mg/dL")["valueQuantity"]["comparator"] == "<"
    assert value_of("0.9 (no unit)") == {"valueQuantity": {"value": Decimal("0.9")}}
    assert value_of('"normal function"', "ejection fraction") == {"valueString": "normal function"}
    assert value_of("45-50 %", "ejection fraction")["valueRange"]["high"]["value"] == 50
    assert value_of("detected", "BCR::ABL1")["valueCodeableConcept"]["coding"][0]["code"] == "260373001"
    assert value_of("no value") == {}


def test_a_molar_result_has_a_molar_code_and_a_day():
    (read,) = results("creatinine")("2025-08-30: 53 umol/L", "2025-09-01")
    assert read["code"]["coding"][0]["code"] == "14682-9" and read["effectiveDateTime"] == "2025-08-30"
    (read,) = results("creatinine")("53 mg/dL (no date)", "2025-09-01")
    assert read["code"]["coding"][0]["code"] == "2160-0" and "effectiveDateTime" not in read


def test_diagnoses():
    first, relapse = diagnoses("B-ALL 2019-02-01 (remission); Burkitt leukaemia 2025-08 (relapse, provisional, marrow)", "2025-09-01")
    assert first["onsetDateTime"] == "2019-02-01" and "verificationStatus" not in first
    assert relapse["clinicalStatus"]["coding"][0]["code"] == "relapse" and relapse["bodySite"]
    assert relapse["verificationStatus"]["coding"][0]["code"] == "provisional" and relapse["onsetDateTime"] == "2025-08"
    (undated,) = diagnoses("CNS leukaemia", "2025-09-01")
    assert "onsetDateTime" not in undated


def test_relapse_date_is_short_for_a_relapse_after_an_earlier_diagnosis():
    first, relapse = relapse_date("2025-08", "2025-09-01")
    assert (first["onsetDateTime"], relapse["onsetDateTime"]) == ("2025-06-17", "2025-08")


def test_chart_review():
    (read,) = review("relapse-ordinal first; on-treatment-at-relapse true; eoi-ngs-mrd <0.01 %; eoi-date 2025-10", "2025-09-01")
    assert [i["answer"][0] for i in read["item"]] == [
        {"valueCoding": {"code": "first"}},
        {"valueBoolean": True},
        {"valueQuantity": {"value": Decimal("0.01"), "comparator": "<", "unit": "%", "system": "http://unitsofmeasure.org", "code": "%"}},
        {"valueDate": "2025-10"},
    ]


def test_an_empty_cell_records_nothing():
    assert [r["resourceType"] for r in chart({"creatinine": "", "leukaemia diagnosis": ""}, "2025-09-01")] == ["Patient"]


@pytest.mark.parametrize("cell", ["0.9 (no unlt)", "lots", "0.9 mg/dL (no unit)", "soon: 1 mg/dL"])
def test_a_word_that_is_no_grammar_is_refused(cell):
    with pytest.raises((ValueError, AssertionError)):
        results("creatinine")(cell, "2025-09-01")
    with pytest.raises((ValueError, KeyError)):
        diagnoses("B-ALL (relapsd)", "2025-09-01")
