"""Which results are the end-of-induction assessment: labelled so, named by a clinician, or in the window of 21 to 56 days.

The risk group of a late B-ALL relapse shows which marrow and which MRD were taken: SR, HR or VHR, or what is pending.
"""

from __future__ import annotations

import pytest

from charts import answers, condition, dose, facts, first_line_treatment, observation, patient
from cds import assess
from cds.trials.nct05827549 import PROTOCOL

START = "2025-09-01"
CHILD = (patient(), condition("b_all", "remission", "2019-02-01"), condition("b_all", "relapse", "2025-08-25"), observation("marrow blasts", "62 %", "2025-08-25"),
         first_line_treatment("2019-02-01", "2021-06-30"), dose("idarubicin", START))  # fmt: skip
CLEAR, FULL = observation("marrow blasts", "2 %", "2025-10-01", eoi=True), observation("marrow blasts", "40 %", "2025-10-01", eoi=True)
LOW, HIGH = observation("ngs MRD", "0.004 %", "2025-10-01", eoi=True), observation("ngs MRD", "0.2 %", "2025-10-01", eoi=True)


def judged(*chart, as_of="2025-12-31"):
    return assess(PROTOCOL, facts(*CHILD, *chart, as_of=as_of))


def groups(*chart, **more):
    return "/".join(judged(*chart, **more).risk.possible)


def flags(*chart):
    return {flag.id for flag in judged(*chart).flags}


def test_the_chart_by_itself():
    assert groups() == "SR/HR/VHR" and groups(CLEAR, LOW) == "SR" and groups(CLEAR, HIGH) == "HR" and groups(FULL, LOW) == "VHR"


@pytest.mark.parametrize("day, counts", [("2025-09-21", False), ("2025-09-22", True), ("2025-10-27", True), ("2025-10-28", False), ("2025-10", False)])
def test_without_a_label_21_to_56_days_after_the_first_dose(day, counts):
    assert groups(CLEAR, observation("ngs MRD", "0.004 %", day)) == ("SR" if counts else "SR/HR")
    assert groups(observation("marrow blasts", "2 %", day), LOW) == ("SR" if counts else "SR/VHR")


def test_a_month_that_is_not_over_ends_on_the_day_asked_about():
    assert groups(CLEAR, observation("ngs MRD", "0.004 %", "2025-10"), as_of="2025-10-27") == "SR"
    assert groups(CLEAR, observation("ngs MRD", "0.004 %", "2025-10"), as_of="2025-10-28") == "SR/HR"


def test_a_label_counts_on_any_day_after_the_first_dose():
    for day in ("2025-09-10", "2025-11-20"):
        assert groups(CLEAR, observation("ngs MRD", "0.004 %", day, eoi=True)) == "SR"


def test_the_end_of_the_frontline_induction_is_another():
    frontline = [observation("ngs MRD", "0.001 %", "2019-03-05", eoi=True), observation("marrow blasts", "1 %", "2019-03-05", eoi=True)]
    assert groups(*frontline) == "SR/HR/VHR" and groups(*frontline, CLEAR, HIGH) == "HR"


def test_a_result_of_the_future_does_not_exist_yet():
    assert groups(CLEAR, LOW, as_of="2025-09-30") == "SR/HR/VHR" and groups(CLEAR, LOW, as_of="2025-10-01") == "SR"


def test_a_later_residual_disease_never_feeds_the_rule():
    """After the first consolidation: outside the window and without the label."""
    assert groups(CLEAR, HIGH, observation("ngs MRD", "0.001 %", "2025-11-20")) == "HR"
    assert groups(CLEAR, observation("ngs MRD", "0.001 %", "2025-11-20")) == "SR/HR"


@pytest.mark.parametrize("test", ["flow MRD", "pcr MRD"])
def test_another_method_is_shown_and_does_not_decide(test):
    chart = (CLEAR, observation(test, "0.001 %", "2025-10-01", eoi=True))
    assert groups(*chart) == "SR/HR" and "mrd_non_ngs_only" in flags(*chart)
    assert groups(*chart, LOW) == "SR" and "mrd_non_ngs_only" not in flags(*chart, LOW)


def test_blood_is_not_marrow():
    assert groups(CLEAR, observation("ngs MRD, blood", "0.001 %", "2025-10-01", eoi=True)) == "SR/HR"


@pytest.mark.parametrize("told, status", [(None, "registered"), ("0.001 %", "preliminary"), ("failed", "final"), ("not trackable", "final"), ("0.001", "final"), ("0.001 %", "cancelled")])
def test_residual_disease_without_an_answer_is_unknown(told, status):
    assert groups(CLEAR, observation("ngs MRD", told, "2025-10-01", status=status, eoi=True)) == "SR/HR"


def test_no_clone_to_follow_is_flagged():
    chart = (CLEAR, observation("ngs MRD", "not trackable", "2025-10-01", eoi=True))
    assert "mrd_not_trackable" in flags(*chart) and "mrd_not_trackable" not in flags(CLEAR, LOW)


@pytest.mark.parametrize(
    "told, lod, expected, flagged",
    [("not detected", "0.01 %", "SR", False), ("not detected", "0.0001 %", "SR", False), ("not detected", "0.011 %", "SR/HR", True), ("not detected", None, "SR/HR", False),
     ("<0.01 %", None, "SR", False), ("<0.1 %", None, "SR/HR", False), ("0.0100 %", None, "HR", False), ("0.00999 %", None, "SR", False)],
)  # fmt: skip
def test_below_0_01_percent_must_be_shown(told, lod, expected, flagged):
    chart = (CLEAR, observation("ngs MRD", told, "2025-10-01", eoi=True, lod=lod))
    assert groups(*chart) == expected
    if lod:
        assert ("mrd_insufficient_sensitivity" in flags(*chart)) is flagged


@pytest.mark.parametrize(
    "told, lod, expected",
    [("<0.01 %", "0.1 %", "SR/HR"), ("<0.01 %", "0.011 %", "SR/HR"), ("<0.01 %", "0.01 %", "SR"), ("<0.01 %", "0.0001 %", "SR"), ("<=0.005 %", "0.1 %", "SR/HR"),
     ("0.004 %", "0.1 %", "SR/HR"), ("0.004 %", "0.005 %", "SR"), ("0.2 %", "0.5 %", "HR"), ("0.2 %", "0.1 %", "HR"), (">0.2 %", "0.5 %", "HR"), ("<100 {cells}/10*6", "0.1 %", "SR/HR")],
)  # fmt: skip
def test_no_result_is_finer_than_its_sample(told, lod, expected):
    """What lies below the limit of detection is below that limit, and nothing less, whatever number is printed."""
    assert groups(CLEAR, observation("ngs MRD", told, "2025-10-01", eoi=True, lod=lod)) == expected
    assert groups(answers({"eoi-marrow-category": "M1", "eoi-ngs-mrd": told, "eoi-ngs-mrd-lod": lod})) == expected


def test_and_says_so():
    (gap,) = judged(CLEAR, observation("ngs MRD", "<0.01 %", "2025-10-01", eoi=True, lod="0.1 %")).risk.gaps
    assert gap.words == "NGS-MRD (marrow) < 0.01 % on 2025-10-01: below the sample's limit of detection of 0.1 %"
    (gap,) = judged(CLEAR, answers({"eoi-ngs-mrd": "0.004 %", "eoi-ngs-mrd-lod": "0.1 %"})).risk.gaps
    assert "0.004 %" in gap.words and gap.words.endswith("below the sample's limit of detection of 0.1 %")


@pytest.mark.parametrize("text", ["negative", "not detected", "Not detected", "undetected", "no residual disease", "trace", "0.004 %"])
def test_residual_disease_in_words_is_for_a_person(text):
    """Three written fractions are read and no other text, however fine the sample (terminology 3.1); coded, it is an answer."""
    written = observation("ngs MRD", None, "2025-10-01", eoi=True, lod="0.0001 %", valueString=text)
    told = judged(CLEAR, written).risk
    assert told.possible == ("SR", "HR") and any("a text is for a person" in gap.words for gap in told.gaps)
    assert groups(CLEAR, written, answers({"eoi-ngs-mrd": "0.001 %"})) == "SR/HR"  # the record is not silent
    assert groups(CLEAR, observation("ngs MRD", None, "2025-10-01", status="preliminary", eoi=True, valueString=text)) == "SR/HR"


@pytest.mark.parametrize("told, expected", [("4.9 %", "SR"), ("5.0 %", "VHR"), ("<5 %", "SR"), ("<10 %", "SR/VHR"), ("inadequate", "SR/VHR")])
def test_the_marrow_at_its_limit(told, expected):
    assert groups(observation("marrow blasts", told, "2025-10-01", eoi=True), LOW) == expected


@pytest.mark.parametrize("text, expected", [("M1", "SR"), ("no blasts", "SR"), ("M2", "VHR"), ("M3", "VHR"), ("M1, regenerating", "SR/VHR"), ("in remission", "SR/VHR")])
def test_the_marrow_in_words(text, expected):
    assert groups(observation("marrow blasts", None, "2025-10-01", eoi=True, valueString=text), LOW) == expected


def test_of_repeated_marrows_the_latest_adequate_one():
    again = observation("marrow blasts", "2 %", "2025-10-10", eoi=True)
    assert groups(FULL, again, LOW) == "SR" and groups(CLEAR, observation("marrow blasts", "40 %", "2025-10-10", eoi=True), LOW) == "VHR"
    assert groups(FULL, observation("marrow blasts", "inadequate", "2025-10-10", eoi=True), LOW) == "VHR"


@pytest.mark.parametrize("category, expected", [("M1", "SR"), ("M2", "VHR"), ("M3", "VHR")])
def test_the_chart_review_stands_where_the_record_is_silent(category, expected):
    assert groups(answers({"eoi-marrow-category": category, "eoi-ngs-mrd": "0.004 %"})) == expected


def test_the_chart_review_and_the_record_must_agree():
    assert groups(CLEAR, LOW, answers({"eoi-marrow-category": "M1", "eoi-ngs-mrd": "<0.01 %"})) == "SR"
    assert groups(CLEAR, LOW, answers({"eoi-marrow-category": "M2"})) == "SR/VHR"
    assert groups(CLEAR, LOW, answers({"eoi-ngs-mrd": "0.3 %"})) == "SR/HR"


def test_a_clinician_may_name_the_day():
    chart = [observation("marrow blasts", "2 %", "2025-11-10"), observation("ngs MRD", "0.004 %", "2025-11-10")]
    assert groups(*chart) == "SR/HR/VHR" and groups(*chart, answers({"eoi-date": "2025-11-10"})) == "SR"


NAMED = answers({"eoi-date": "2025-10-01"})


@pytest.mark.parametrize(
    "marrow, mrd, expected",
    [("30 %", None, "SR/VHR"), (None, "0.5 %", "SR/HR"), ("30 %", "0.5 %", "SR/HR/VHR"), ("1 %", "0.003 %", "SR"), ("30", None, "SR/VHR")],
)  # fmt: skip
def test_the_day_a_clinician_names_hides_no_other_result_of_the_window(marrow, mrd, expected):
    """The record's rule and the clinician point at two samples: where they differ, neither is preferred."""
    later = [observation(test, told, "2025-10-09") for test, told in (("marrow blasts", marrow), ("ngs MRD", mrd)) if told]
    assert groups(CLEAR, LOW, *later, NAMED) == expected


def test_nor_does_a_later_result_hide_that_of_the_day_named():
    for again in (observation("marrow blasts", "2 %", "2025-10-09"), observation("marrow blasts", "2 %", "2025-11-20", eoi=True)):
        assert groups(FULL, again, LOW, NAMED) == "SR/VHR"
    assert groups(CLEAR, HIGH, observation("ngs MRD", "0.001 %", "2025-10-09"), NAMED) == "SR/HR"
    assert groups(CLEAR, observation("ngs MRD", "0.001 %", "2025-10-01", status="preliminary"), observation("ngs MRD", "0.001 %", "2025-10-09"), NAMED) == "SR/HR"


@pytest.mark.parametrize("told, status", [("failed", "final"), ("not trackable", "final"), (None, "final"), (None, "registered"), ("0.001", "final")])
def test_a_day_named_makes_up_for_no_later_result_without_an_answer(told, status):
    for label in (True, False):
        later = observation("ngs MRD", told, "2025-10-09", status=status, eoi=label)
        assert groups(CLEAR, LOW, later) == groups(CLEAR, LOW, later, NAMED) == "SR/HR"
        assert groups(CLEAR, LOW, later, answers({"eoi-date": "2025-10-09"})) == "SR/HR"
    outside = observation("ngs MRD", told, "2025-11-10", status=status)
    assert groups(CLEAR, LOW, outside) == "SR" and groups(CLEAR, LOW, outside, answers({"eoi-date": "2025-11-10"})) == "SR/HR"


def test_of_repeated_marrows_a_clinician_may_name_the_latest():
    again = observation("marrow blasts", "2 %", "2025-10-09")
    assert groups(FULL, again, LOW, answers({"eoi-date": "2025-10-09"})) == "SR"


def test_a_day_named_outside_the_window_adds_to_it_and_replaces_nothing():
    later = (observation("marrow blasts", "2 %", "2025-11-10"), observation("ngs MRD", "0.004 %", "2025-11-10"), answers({"eoi-date": "2025-11-10"}))
    assert groups(observation("marrow blasts", "30 %", "2025-10-09"), *later) == "SR/VHR"
    assert groups(observation("ngs MRD", "0.5 %", "2025-10-09"), *later) == "SR/HR"


def test_what_the_day_named_lacks_the_window_has():
    assert groups(observation("marrow blasts", "30 %", "2025-10-09"), LOW, NAMED) == "VHR"
    assert groups(observation("marrow blasts", "inadequate", "2025-10-01"), observation("marrow blasts", "2 %", "2025-10-09"), LOW, NAMED) == "SR"


def test_no_day_before_the_reinduction_is_the_end_of_it():
    frontline = (observation("marrow blasts", "1 %", "2019-03-05"), observation("ngs MRD", "0.001 %", "2019-03-05"))
    assert groups(*frontline, answers({"eoi-date": "2019-03-05"})) == "SR/HR/VHR"


def test_a_month_named_may_mean_each_of_its_results():
    assert groups(CLEAR, LOW, observation("marrow blasts", "30 %", "2025-10-09"), answers({"eoi-date": "2025-10"})) == "SR/VHR"
    assert groups(CLEAR, LOW, answers({"eoi-date": "2025-10"})) == "SR"


def test_a_group_says_nothing_of_treatment():
    for chart in ((CLEAR, LOW), (FULL, HIGH), (CLEAR,)):
        words = judged(*chart).risk.words.lower()
        assert not any(told in words for told in ("blinatumomab", "transplant", "chemotherapy", "recommended"))


UNLABELLED = {"marrow": observation("marrow blasts", "30 %", "2025-10-09"), "MRD": observation("ngs MRD", "0.5 %", "2025-10-09")}
NO_DAY = {"only reported": {"issued": "2025-10-10T09:00:00Z"}, "the year alone": {"effectiveDateTime": "2025"}, "none at all": {}}


def test_a_later_result_of_the_window_counts_though_an_earlier_one_is_labelled():
    assert groups(CLEAR, LOW, UNLABELLED["marrow"]) == "VHR" and groups(CLEAR, LOW, UNLABELLED["MRD"]) == "HR"


def test_a_label_on_another_method_hides_nothing():
    assert groups(CLEAR, observation("pcr MRD", "0.001 %", "2025-10-01", eoi=True), UNLABELLED["MRD"]) == "HR"


@pytest.mark.parametrize("when", NO_DAY.values(), ids=NO_DAY)
def test_a_labelled_result_without_its_day_may_be_the_latest(when):
    assert groups(CLEAR, LOW, observation("marrow blasts", "30 %", None, eoi=True, **when)) == "SR/VHR"
    assert groups(CLEAR, LOW, observation("ngs MRD", "0.5 %", None, eoi=True, **when)) == "SR/HR"
    assert groups(CLEAR, LOW, observation("marrow blasts", "1 %", None, eoi=True, **when)) == "SR"  # whichever it is


def test_alone_it_decides_nothing():
    told = judged(CLEAR, observation("ngs MRD", "0.001 %", None, eoi=True, issued="2025-10-10T09:00:00Z"))
    assert told.risk.possible == ("SR", "HR") and any("is it of the end of this induction?" in gap.words for gap in told.risk.gaps)


def test_an_answer_does_not_stand_against_an_older_good_result():
    """The newest could not be read, the older one could: the record is not silent."""
    failed = observation("ngs MRD", "failed", "2025-10-05", eoi=True)
    assert groups(CLEAR, failed, answers({"eoi-ngs-mrd": "0.001 %"})) == "SR"
    assert groups(CLEAR, HIGH, failed, answers({"eoi-ngs-mrd": "0.001 %"})) == "SR/HR"
