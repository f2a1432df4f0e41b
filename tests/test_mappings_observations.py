"""Observations to readings: which results count, what a value leaves open, and why a result cannot be used.

Each case is one Observation as a system might send it. `read` gives its one reading: the value, or the reason.
"""

from __future__ import annotations

from decimal import Decimal

import pytest

from charts import LOINC, NCIT, OWN, SNOMED, TESTS, concept, facts, observation, patient, quantity
from cds.day import on

SERIES = {"creatinine": "creatinine", "direct bilirubin": "bilirubin_direct", "total bilirubin": "bilirubin_total", "conjugated bilirubin": "bilirubin_conjugated",
          "ejection fraction": "ejection_fraction", "shortening fraction": "shortening_fraction", "marrow blasts": "marrow_blasts", "BCR::ABL1": "bcr_abl1",
          "marrow category": "marrow_blasts", "ngs MRD": "mrd", "flow MRD": "mrd", "ngs MRD, blood": "mrd"}  # fmt: skip


def readings(test, *resources):
    return getattr(facts(*resources), SERIES[test]).readings


def read(test, told=None, **more):
    """`met`-like plain text of the one reading: its value, or the reason why there is none."""
    found = readings(test, observation(test, told, more.pop("day", "2025-08-28"), **more))
    assert len(found) == 1
    (reading,) = found
    if reading.problem:
        return reading.problem.reason.value
    return str(reading.value) if hasattr(reading.value, "unit") else "/".join(sorted(reading.value.options))


@pytest.mark.parametrize("status, expected", [("final", "0.5 mg/dL"), ("amended", "0.5 mg/dL"), ("corrected", "0.5 mg/dL"), ("preliminary", "pending"),
                                              ("registered", "pending"), ("unknown", "pending"), ("banana", "pending"), ("FINAL", "pending")])  # fmt: skip
def test_status_by_allow_list(status, expected):
    assert read("creatinine", "0.5 mg/dL", status=status) == expected


@pytest.mark.parametrize("status", ["entered-in-error", "cancelled"])
def test_what_was_taken_back_does_not_exist(status):
    told = facts(observation("creatinine", "0.5 mg/dL", "2025-08-28", status=status))
    assert told.creatinine.readings == () and told.issues == ()


@pytest.mark.parametrize("told, expected", [("<0.2 mg/dL", "< 0.2 mg/dL"), ("<=0.2 mg/dL", "≤ 0.2 mg/dL"), (">2.5 mg/dL", "> 2.5 mg/dL"), (">=2.5 mg/dL", "≥ 2.5 mg/dL")])
def test_comparators_are_every_amount_they_leave_open(told, expected):
    assert read("direct bilirubin", told) == expected


@pytest.mark.parametrize("comparator", ["~", "ad", "less than", "=", "<<"])
def test_a_comparator_fhir_does_not_have_is_no_value(comparator):
    assert read("creatinine", None, valueQuantity={**quantity("0.5 mg/dL"), "comparator": comparator}) == "unit"


@pytest.mark.parametrize(
    "told, expected",
    [("53.04 umol/L", Decimal("0.6")), ("53.04 µmol/L", Decimal("0.6")), ("53.04 μmol/L", Decimal("0.6")), ("0.05304 mmol/L", Decimal("0.6")), ("6 mg/L", Decimal("0.6")),
     ("0.6 mg/dL", Decimal("0.6")), ("0.6 mg/dl", Decimal("0.6"))],
)  # fmt: skip
def test_creatinine_converts_exactly(told, expected):
    (reading,) = readings("creatinine", observation("creatinine", told, "2025-08-28", code=concept(TESTS["creatinine"])))
    assert reading.value.low == reading.value.high == expected


@pytest.mark.parametrize(
    "value",
    [{"value": Decimal("0.5")}, {"value": Decimal("0.5"), "unit": ""}, {"value": Decimal("0.5"), "unit": "mg/mL"}, {"value": Decimal("0.5"), "unit": "MG"},
     {"value": Decimal("0.5"), "unit": "mg/dL", "code": "g/dL", "system": "http://unitsofmeasure.org"}, {"value": Decimal("0.5"), "unit": "1"},
     {"value": Decimal("0.5"), "unit": "mg/dL/1.73 m2"}, {"value": Decimal("-0.5"), "unit": "mg/dL"}, {"value": Decimal("500"), "unit": "mg/dL"}],
)  # fmt: skip
def test_a_unit_is_never_guessed(value):
    assert read("creatinine", None, valueQuantity=value) == "unit"


def test_the_ucum_code_wins_over_the_words():
    told = {"value": Decimal(53), "unit": "micromoles per litre", "system": "http://unitsofmeasure.org", "code": "umol/L"}
    assert read("creatinine", None, valueQuantity=told).startswith("0.599")


@pytest.mark.parametrize("code, unit", [("2160-0", "umol/L"), ("14682-9", "mg/dL")])
def test_where_code_and_unit_disagree_the_unit_decides_and_an_issue_says_so(code, unit):
    told = facts(observation("creatinine", f"{53 if unit == 'umol/L' else '0.6'} {unit}", "2025-08-28", code=concept((LOINC, code))))
    (reading,) = told.creatinine.readings
    assert reading.problem is None and Decimal("0.59") < reading.value.low <= Decimal("0.6")
    assert "disagree" in told.issues[0].words and told.issues[0].reference == reading.source.reference
    agreed = facts(observation("creatinine", f"{53 if unit == 'mg/dL' else '0.6'} {'umol/L' if unit == 'mg/dL' else 'mg/dL'}", "2025-08-28", code=concept((LOINC, code))))
    assert agreed.issues == ()


@pytest.mark.parametrize(
    "value, expected",
    [({}, "missing"), ({"dataAbsentReason": concept((OWN, "failed"))}, "missing"), ({"dataAbsentReason": {"text": "not done"}}, "missing"),
     ({"valueString": "0.5 mg/dL"}, "0.5 mg/dL"), ({"valueString": "45-50 mg/dL"}, "unit"), ({"valueString": "normal"}, None), ({"valueString": "see report"}, None),
     ({"valueRange": {"low": quantity("0.4 mg/dL"), "high": quantity("0.6 mg/dL")}}, "0.4 to 0.6 mg/dL"), ({"valueRange": {"high": quantity("0.6 mg/dL")}}, "≤ 0.6 mg/dL"),
     ({"valueRange": {"low": quantity("0.6 mg/dL")}}, "≥ 0.6 mg/dL"), ({"valueRange": {"low": quantity("0.6 mg/dL"), "high": quantity("0.4 mg/dL")}}, "unit"),
     ({"valueRange": {"low": quantity("0.4"), "high": quantity("0.6 mg/dL")}}, "unit"), ({"valueInteger": 1}, "unit"), ({"valueBoolean": True}, "unit"),
     ({"valueCodeableConcept": {"text": "normal"}}, None)],
)  # fmt: skip
def test_every_kind_of_value(value, expected):
    told = read("creatinine", None, **value)
    assert told == expected if expected else told in ("unit", "missing")


def test_a_panel_carries_its_values_in_components():
    panel = observation("creatinine", None, "2025-08-28", code={"text": "renal panel"}, component=[
        {"code": concept(TESTS["creatinine"]), "valueQuantity": quantity("0.5 mg/dL")},
        {"code": concept(TESTS["total bilirubin"]), "valueQuantity": quantity("1.2 mg/dL")},
    ])  # fmt: skip
    told = facts(panel)
    assert [str(r.value) for r in told.creatinine.readings] == ["0.5 mg/dL"] and [str(r.value) for r in told.bilirubin_total.readings] == ["1.2 mg/dL"]


@pytest.mark.parametrize(
    "code, method, expected",
    [((LOINC, "18043-0"), None, "62 %"), ((LOINC, "8806-2"), None, "62 %"), ((LOINC, "8811-2"), None, "wrong_instrument"), ((LOINC, "8812-0"), None, "wrong_instrument"),
     ((LOINC, "10230-1"), None, "missing"), ((LOINC, "10230-1"), {"text": "Echocardiography"}, "62 %"), ((LOINC, "10230-1"), {"text": "MUGA"}, "wrong_instrument"),
     ((LOINC, "10230-1"), {"text": "Not by echocardiography"}, "missing")],
)  # fmt: skip
def test_an_ejection_fraction_says_how_the_heart_was_seen(code, method, expected):
    assert read("ejection fraction", "62 %", code=concept(code), **({"method": method} if method else {})) == expected


@pytest.mark.parametrize(
    "code", [(LOINC, "59132-1"), (LOINC, "44988-4"), ("http://snomed.info/sct", "18051-3"), ("urn:local", "18051-3"), (LOINC, "18051-4")]
)
def test_a_code_that_is_not_surely_a_shortening_fraction_decides_nothing(code):
    found = readings("shortening fraction", observation("shortening fraction", "34 %", "2025-08-28", code=concept(code)))
    assert all(reading.problem for reading in found)


@pytest.mark.parametrize("trap", ["9318-7", "2164-2", "50384-7", "62238-1", "77147-7"])
def test_urine_clearance_and_filtration_rate_are_no_serum_creatinine(trap):
    assert readings("creatinine", observation("creatinine", "0.5 mg/dL", "2025-08-28", code=concept((LOINC, trap)))) == ()


def test_a_result_coded_as_serum_and_as_urine_contradicts_itself():
    assert read("creatinine", "0.5 mg/dL", code=concept((LOINC, "2160-0"), (LOINC, "9318-7"))) in ("conflict", "unit")


@pytest.mark.parametrize("code, name", [("35203-9", "creatinine"), ("11041-1", "creatinine"), ("35191-6", "direct bilirubin")])
def test_a_code_that_only_hints_is_seen_and_never_used(code, name):
    resource = observation(name, "0.5 mg/dL", "2025-08-28", code=concept((LOINC, code)))
    (reading,) = readings(name, resource)
    assert reading.problem and facts(resource).issues


@pytest.mark.parametrize("trap", ["26446-5", "709-6", "30376-8"])
def test_blasts_in_blood_say_nothing_of_the_marrow(trap):
    assert readings("marrow blasts", observation("marrow blasts", "62 %", "2025-08-28", code=concept((LOINC, trap)))) == ()


def test_any_coding_of_a_result_counts():
    local = {"coding": [{"system": "urn:hospital", "code": "KREA"}, {"system": LOINC, "code": "2160-0"}, {"code": "2160-0"}]}
    assert read("creatinine", "0.5 mg/dL", code=local) == "0.5 mg/dL"
    assert readings("creatinine", observation("creatinine", "0.5 mg/dL", "2025-08-28", code={"coding": [{"code": "2160-0"}]})) == ()
    assert readings("creatinine", observation("creatinine", "0.5 mg/dL", "2025-08-28", code={"text": "creatinine"})) == ()


@pytest.mark.parametrize(
    "told, expected",
    [("0.0001 1", "0.01 %"), ("1 10*-4", "0.01 %"), ("10 10*-5", "0.01 %"), ("100 10*-6", "0.01 %"), ("100 [ppm]", "0.01 %"), ("100 /10*6", "0.01 %"), ("100 {cells}/10*6", "0.01 %"),
     ("99 {cells}/10*6", "0.0099 %"), ("0.01 %", "0.01 %"), ("<0.01 %", "< 0.01 %"), ("0.005", "unit"), ("100 cells", "unit"), ("101 %", "unit")],
)  # fmt: skip
def test_residual_disease_in_every_unit_of_the_interface(told, expected):
    assert read("ngs MRD", told) == expected


@pytest.mark.parametrize("text, expected", [("<10^-4", "< 0.0100 %"), ("2x10^-5", "0.002 %"), ("1.2E-4", "0.0120 %"), ("10-4", None), ("0.005 %", "unit"), ("<0.005 %", "unit"), ("10 ppm", "unit"), ("negative", "unit"), ("not detected", "unit"), ("Undetected", "unit"), ("low positive", "unit")])
def test_residual_disease_written_out(text, expected):
    told = read("ngs MRD", None, valueString=text, lod="0.0001 %")
    if expected and "%" in expected:
        assert Decimal(told.split()[-2]) == Decimal(expected.split()[-2]) and told.startswith("<") == expected.startswith("<")
    elif expected:
        assert told == expected


@pytest.mark.parametrize("told", ["not detected", "negative", "0 %", "0 {cells}/10*6"])
@pytest.mark.parametrize("lod, expected", [("0.0001 %", "< 0.0001 %"), ("1 {cells}/10*6", "< 0.0001 %"), ("0.1 %", "< 0.1 %"), (None, "≤ 100 %")])
def test_not_detected_means_below_what_the_sample_could_show(told, lod, expected):
    (reading,) = readings("ngs MRD", observation("ngs MRD", told, "2025-10-02", lod=lod))
    assert str(reading.value) == expected and "not_detected" in reading.labels


@pytest.mark.parametrize("told", ["not trackable", "failed", "inadequate", "detected"])
def test_a_result_without_a_number_is_no_residual_disease(told):
    assert read("ngs MRD", told) in ("missing", "unit")


def test_method_and_sample_are_kept_apart():
    told = facts(*(observation(name, "0.004 %", "2025-10-02", eoi=True) for name in ("ngs MRD", "flow MRD", "pcr MRD", "ngs MRD, blood", "flow MRD, blood")))
    assert [r.labels - {"eoi"} for r in told.mrd.readings] != [] and {tuple(sorted(r.labels)) for r in told.mrd.readings} == {
        ("eoi", "marrow", "ngs"), ("eoi", "flow", "marrow"), ("eoi", "marrow", "pcr"), ("blood", "eoi", "ngs"), ("blood", "eoi", "flow")}  # fmt: skip


@pytest.mark.parametrize("told, expected", [("M1", "< 5 %"), ("M2", "5 to 25 %"), ("M3", "25 to 100 %")])
def test_marrow_categories(told, expected):
    assert read("marrow category", told) == expected
    assert read("marrow category", None, valueString=f" {told.lower()} ") == expected
    assert read("marrow category", told, status="preliminary") == "pending"
    assert read("marrow category", None, valueString="M2b") in ("unit", "missing")


@pytest.mark.parametrize(
    "text, expected",
    [("M1", "< 5 %"), (" m2 ", "5 to 25 %"), ("M3", "25 to 100 %"), ("no blasts", "< 5 %"), ("No  blasts", "< 5 %"), ("M1 marrow", "unit"), ("M1/M2", "unit"),
     ("no blasts seen by flow", "missing"), ("few blasts", "missing"), ("no", "missing"), ("remission", "missing")],
)  # fmt: skip
@pytest.mark.parametrize("test", ["marrow blasts", "marrow category"])
def test_a_marrow_in_the_words_that_the_documents_name(test, text, expected):
    assert read(test, None, valueString=text) == expected
    assert read(test, None, valueString=text, status="preliminary") == "pending"
    assert read(test, None, valueString=text, bodySite=BLOOD) == "conflict"


def test_a_category_by_flow_cytometry_is_none():
    assert read("marrow blasts", None, valueString="M1", method={"text": "Flow cytometry"}) == "wrong_instrument"


@pytest.mark.parametrize(
    "told, expected",
    [("positive", "positive"), ("detected", "positive"), ("negative", "negative"), ("not detected", "negative"), ("failed", "missing"), ("0.02 %", "unit"), (None, "missing")],
)  # fmt: skip
def test_positive_or_negative_from_coded_answers(told, expected):
    assert read("BCR::ABL1", told) == expected


@pytest.mark.parametrize("text, expected", [("Positive", "positive"), (" not  detected ", "negative"), ("not positive", "unit"), ("no evidence of BCR::ABL1", "unit"), ("positiv", "unit")])
def test_or_from_these_exact_words(text, expected):
    assert read("BCR::ABL1", None, valueString=text) == expected
    assert read("BCR::ABL1", None, valueCodeableConcept={"text": text}) == expected


def test_coded_both_ways_contradicts_itself():
    both = concept(("http://snomed.info/sct", "10828004"), ("http://snomed.info/sct", "260385009"))
    assert read("BCR::ABL1", None, valueCodeableConcept=both) == "conflict"


@pytest.mark.parametrize(
    "when, first, last",
    [({"effectiveDateTime": "2025-08-28T23:30:00-05:00"}, "2025-08-28", "2025-08-28"), ({"effectiveDateTime": "2025-08"}, "2025-08-01", "2025-08-31"),
     ({"effectiveInstant": "2025-08-28T10:00:00.123Z"}, "2025-08-28", "2025-08-28"), ({"effectivePeriod": {"start": "2025-08-27", "end": "2025-08-28"}}, "2025-08-27", "2025-08-28"),
     ({"effectivePeriod": {"end": "2025-08-28"}}, None, "2025-08-28"), ({"issued": "2025-08-28T10:00:00Z"}, None, "2025-08-28"), ({}, None, None),
     ({"effectiveDateTime": "0001-01-01"}, None, None), ({"effectiveDateTime": "9999-12-31"}, None, None),
     ({"specimen": {"reference": "#s"}, "contained": [{"resourceType": "Specimen", "id": "s", "collection": {"collectedDateTime": "2025-08-20"}}], "issued": "2025-08-28T10:00:00Z"}, "2025-08-20", "2025-08-20")],
)  # fmt: skip
def test_when_the_sample_was_taken(when, first, last):
    (reading,) = readings("creatinine", observation("creatinine", "0.5 mg/dL", None, **when))
    assert (reading.when.first and reading.when.first.isoformat(), reading.when.last and reading.when.last.isoformat()) == (first, last)


def test_an_unusable_result_is_kept_reported_and_shown():
    told = facts(observation("creatinine", "0.9", "2025-08-30"))
    (reading,) = told.creatinine.readings
    assert reading.problem.words == "creatinine 0.9 on 2025-08-30: no unit"
    assert [(issue.reference, "it was not used" in issue.words) for issue in told.issues] == [(reading.source.reference, True)]
    assert told.creatinine.latest(on("2025-09-01")).gaps[0].seen == (reading.source,)


def test_performance_status_is_not_read_as_anything_else():
    assert facts(observation("creatinine", None, "2025-08-28", code=concept((NCIT, "C38144")), valueInteger=80)).issues == ()


# --- codes that are not mapped -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ({"coding": [{"system": "urn:our-lab", "code": "CREA", "display": "Creatinine, plasma"}]}, True),
        ({"text": "MRD by NGS, marrow"}, True),
        ({"coding": [{"system": "urn:our-lab", "code": "HB", "display": "Haemoglobin"}]}, False),  # would not have mattered
        ({"coding": [{"system": LOINC, "code": "2161-8", "display": "Creatinine in urine"}]}, False),  # known, and no serum
    ],
)
def test_a_local_code_that_would_have_mattered_is_told(code, told):
    """Nothing is guessed from its name, and nothing is dropped in silence; a hospital maps it in its own code file."""
    seen = facts(patient(), observation("creatinine", "0.5 mg/dL", "2025-08-28", code=code), observation("creatinine", "0.6 mg/dL", "2025-08-27", code=code))
    assert [issue.words.endswith("carries no code that is mapped here; it was not used") for issue in seen.issues] == [True] * told
    assert seen.creatinine.readings == ()


@pytest.mark.parametrize(
    ("numerator", "denominator", "percent"),
    [
        ({"value": 99}, {"value": 1_000_000}, Decimal("0.0099")),
        ({"value": 99, "unit": "cells", "code": "{cells}"}, {"value": 1_000_000, "unit": "cells", "code": "{cells}"}, Decimal("0.0099")),
        ({"value": 99, "code": "{cells}"}, {"value": 1, "code": "mL"}, None),  # cells in a volume are no fraction of cells
        ({"value": 99}, {"value": 0}, None),
    ],
)
def test_residual_disease_as_a_ratio_of_cells(numerator, denominator, percent):
    ratio = {"numerator": numerator, "denominator": denominator}
    (reading,) = facts(patient(), observation("ngs MRD", None, "2025-10-02", valueRatio=ratio)).mrd.readings
    assert (reading.value.low if reading.problem is None else None) == percent


BLOOD, CREST = {"coding": [{"system": SNOMED, "code": "87612001"}]}, {"text": "right iliac crest"}
OF_BLOOD = [{"bodySite": BLOOD}, {"bodySite": {"text": "peripheral blood"}}, {"bodySite": {"text": "말초혈액"}}, {"bodySite": {"text": "CSF"}}, {"specimen": {"display": "Blood"}},
            {"specimen": {"reference": "#s"}, "contained": [{"resourceType": "Specimen", "id": "s", "type": {"coding": [{"system": SNOMED, "code": "119297000"}]}}]}]  # fmt: skip
OF_MARROW = [{"bodySite": {"coding": [{"system": SNOMED, "code": "14016003"}]}}, {"bodySite": CREST}, {"bodySite": {"text": "bone marrow blood"}}, {}]


@pytest.mark.parametrize("test, told", [("marrow blasts", "62 %"), ("marrow category", "M3"), ("ngs MRD", "0.005 %")])
def test_a_marrow_that_was_taken_from_blood_is_a_contradiction(test, told):
    assert [read(test, told, **beside) for beside in OF_BLOOD] == ["conflict"] * len(OF_BLOOD)
    assert not {read(test, told, **beside) for beside in OF_MARROW} & {"conflict", "unit", "missing"}
    assert read("ngs MRD, blood", "0.005 %", bodySite=BLOOD) not in ("conflict", "unit")


@pytest.mark.parametrize("test", ["ejection fraction", "shortening fraction"])
def test_an_echocardiogram_by_another_method_is_none(test):
    for method in ("MUGA", "Radionuclide ventriculography", "cardiac MRI", "CT angiography", "gradient echo MR"):
        assert read(test, "62 %", method={"text": method}) == "wrong_instrument", method
    for method in ("Simpson biplane", "M-mode", "Teichholz", "2D echocardiography", "visual estimate"):
        assert read(test, "62 %", method={"text": method}) == "62 %", method


def test_by_another_method_or_in_contradiction():
    """The code of an echocardiogram beside the name of another method may be either: it may be the most recent one."""
    for code, another in (("8812-0", True), ("10230-1", True), ("18043-0", False)):
        (reading,) = readings("ejection fraction", observation("ejection fraction", "62 %", "2025-08-28", code=concept((LOINC, code)), method={"text": "MUGA"}))
        assert reading.problem and ("another_method" in reading.labels) is another, code


def test_a_limit_of_detection_that_is_written_out_is_for_a_person():
    limit = {"code": concept((OWN, "mrd-limit-of-detection"))}
    for value, expected in (({"valueString": "0.0001 %"}, "≤ 100 %"), ({"valueString": "1E-6"}, "< 0.0001 %"), ({"valueQuantity": quantity("0.0001 %")}, "< 0.0001 %")):
        (reading,) = facts(patient(), observation("ngs MRD", "not detected", "2025-10-02", component=[{**limit, **value}])).mrd.readings
        assert str(reading.value) == expected or reading.value.high == Decimal("0.0001") and "%" in expected


def test_two_units_for_one_number_are_named():
    told = {"valueQuantity": {"value": 53, "unit": "mg/dL", "code": "umol/L", "system": "http://unitsofmeasure.org"}}
    (reading,) = readings("creatinine", observation("creatinine", None, "2025-08-28", **told))
    assert reading.problem.reason.value == "unit" and "its code says umol/L, its text mg/dL" in reading.problem.words
