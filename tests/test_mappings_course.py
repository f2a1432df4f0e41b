"""How the course of the leukaemia is read where no code tells it: diagnosis date, relapse date, ordinal, site (interfaces 7).

One rule after the other, each with the chart next to it where it just does not apply.
"""

from __future__ import annotations

import pytest

from cds import course
from cds.finding import Why
from charts import OWN, Outcome, answers, concept, condition, dose, facts, first_line_treatment, medication, patient, taken, taking_part
from relapsed import FIRST, IN_REMISSION, RELAPSE, case, marrow


def relapse_date(*chart):
    return str(case(*chart).relapse_date)


def ordinal(*chart, as_of="2025-09-01"):
    return "/".join(sorted(case(*chart, as_of=as_of).relapse.options))


# --- diagnosis date ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "chart, expected",
    [([FIRST], "2019-02-01"), ([condition("b_all", "active", "2019-03-01"), FIRST], "2019-02-01"), ([FIRST, RELAPSE], "2019-02-01"),
     ([condition("b_all", recordedDate="2019-02-03")], "2019-02-03"), ([condition("b_all", recordedDate="2018-01-01"), FIRST], "2019-02-01"),
     ([condition("b_all", "active", "2018-01-01", verified="refuted"), FIRST], "2019-02-01"), ([condition("aml", "active", "2018-01-01"), FIRST], "2019-02-01"),
     ([answers({"initial-diagnosis-date": "2019-02"})], "2019-02"), ([], "None")],
)  # fmt: skip
def test_the_diagnosis_date_is_the_earliest_onset_else_recording(chart, expected):
    assert str(course.diagnosis_date(facts(patient(), *chart))) == expected


# --- relapse date ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "earlier",
    [[FIRST], [condition("b_all", "remission", "2021-01-01")], [dose("mercaptopurine", "2020-01-15")], [marrow("1 %", "2019-03-05")],
     [first_line_treatment("2019-02-01", "2021-06-30")], [answers({"initial-diagnosis-date": "2019-02-01"})], [condition("b_all", recordedDate="2019-02-03")],
     [first_line_treatment("2019-02-01", "2025-08-06")], [first_line_treatment("2019-02-01", None, "in-progress")], [first_line_treatment("2019-02-01", None)],
     [taken("mercaptopurine", "2019-06-01", "2021-05-01")], [taken("mercaptopurine", "2019-06-01", None, "active")], [taken("vincristine", None, "2021-05-01", "stopped")],
     [medication("MedicationStatement", "mercaptopurine", "completed", "2020-01-15")]],
)  # fmt: skip
def test_an_onset_counts_once_something_earlier_shows_that_it_is_not_the_first_diagnosis(earlier):
    assert relapse_date(RELAPSE, *earlier) == "2025-08-25"


@pytest.mark.parametrize(
    "beside",
    [[], [condition("b_all", "active", "2025-08-25")], [condition("b_all", "active", "2025-08-20")], [dose("vincristine", "2025-08-20")], [marrow("62 %", "2025-08-20")],
     [first_line_treatment("2025-08-20", None, "in-progress")], *([first_line_treatment("2019-02-01", "2025-08-06", status)] for status in ("preparation", "not-done", "entered-in-error", "unknown")),
     [taken("mercaptopurine", "2025-08-20", None, "active")], [taken("mercaptopurine", "2025", None, "active")], [taken("mercaptopurine", None, None)], [taken("blinatumomab", "2019-06-01", None)],
     *([taken("mercaptopurine", "2019-06-01", "2021-05-01", status)] for status in ("not-taken", "intended", "entered-in-error", "unknown")),
     [medication("MedicationRequest", "mercaptopurine", "completed", "2020-01-15")],
     [condition("b_all", recordedDate="2025-08-25")], [condition("b_all", "remission")], [condition("b_all", "active", "2019-02-01", verified="refuted")], [condition("aml", "active", "2019-02-01")]],
)  # fmt: skip
def test_an_onset_that_may_be_the_first_diagnosis_is_not_the_relapse_date(beside):
    assert relapse_date(RELAPSE, *beside) == "unknown date"


def test_a_rejected_statement_shows_no_earlier_treatment():
    assert relapse_date(RELAPSE, {**taken("mercaptopurine", "2019-06-01", "2021-05-01"), "note": "this is no list"}) == "unknown date"


def test_the_earliest_of_the_records_of_one_relapse():
    assert relapse_date(FIRST, RELAPSE, condition("b_all", "recurrence", "2025-08-20")) == "2025-08-20"


@pytest.mark.parametrize("answered, expected", [("2025-08-01", "2025-08-25"), ("2025-06-26", "2025-08-25"), ("2025-10-24", "2025-08-25"), ("2025", "2025-08-25")])
def test_up_to_60_days_apart_record_and_chart_review_agree(answered, expected):
    told = case(FIRST, RELAPSE, answers({"relapse-date": answered}), as_of="2025-12-01")
    assert str(told.relapse_date) == expected and not told.relapse_date.gaps


@pytest.mark.parametrize("answered", ["2025-06-25", "2025-10-25", "2024"])
def test_more_than_60_days_apart_they_contradict_each_other(answered):
    told = case(FIRST, RELAPSE, answers({"relapse-date": answered}), as_of="2025-12-01").relapse_date
    assert not told.exact and {gap.reason.value for gap in told.gaps} == {"conflict"}


def test_the_chart_review_stands_where_the_onset_is_not_usable():
    assert relapse_date(RELAPSE, answers({"relapse-date": "2025-08-20"})) == "2025-08-20"
    assert relapse_date(FIRST, answers({"relapse-date": "2025-08"})) == "2025-08"


@pytest.mark.parametrize("day, expected", [("2019-04-02", "unknown date"), ("2019-04-03", "2019-04-03")])
def test_the_first_marrow_counts_more_than_60_days_after_the_diagnosis(day, expected):
    undated = condition("b_all", "relapse")
    told = case(FIRST, undated, marrow("90 %", "2019-02-01"), marrow("5 %", day))
    assert str(told.relapse_date) == expected
    if expected != "unknown date":
        assert {e.basis.value for e in told.relapse_date.evidence} == {"derived"}


def test_the_first_marrow_of_at_least_5_percent():
    undated = condition("b_all", "relapse")
    assert relapse_date(FIRST, undated, marrow("4.9 %", "2025-08-01"), marrow("40 %", "2025-08-25"), marrow("62 %", "2025-08-28")) == "2025-08-25"
    assert relapse_date(FIRST, undated, marrow("62", "2025-08-25")) == "unknown date"


def test_a_recording_date_alone_is_an_upper_bound():
    told = case(FIRST, condition("b_all", "relapse", recordedDate="2025-08-27")).relapse_date
    assert not told.exact and told.last.isoformat() == "2025-08-27" and told.gaps


def test_the_recording_of_a_first_diagnosis_does_not_bound_its_relapse():
    """Recorded in 2019 with its onset, set to "relapse" in 2025: the day of recording is that of the diagnosis."""
    told = condition("b_all", "relapse", "2019-02-01", recordedDate="2019-02-01")
    assert relapse_date(told) == "unknown date"
    assert relapse_date(told, marrow("62 %", "2025-08-25")) == "2025-08-25"


def test_a_suspected_relapse_is_dated_by_its_marrow():
    told = case(IN_REMISSION, marrow("12 %", "2025-08-25"))
    assert str(told.relapse_date) == "2025-08-25" and told.relapse.options == {"suspected"}


@pytest.mark.parametrize("day, expected", [("2025-09-01", "suspected"), ("2025-09-02", "none"), ("2025-10-04", "none"), ("2025-09", "suspected"), ("2025-10", "none")])
def test_a_marrow_of_a_day_to_come_shows_no_relapse(day, expected):
    """Asked on 1 September: for a day of the past, the record may well go on."""
    told = case(IN_REMISSION, marrow("30 %", day))
    assert "/".join(told.relapse.options) == expected and told.relapse_date.known == (expected == "suspected")
    documented = case(FIRST, condition("b_all", "relapse"), marrow("30 %", day))
    assert documented.relapse_date.known == (expected == "suspected")


@pytest.mark.parametrize("later", [marrow("30 %", "2025-10-30"), marrow("62 %", "2025-10-30", eoi=True), marrow("62 %", "2025-10-30", status="preliminary")])
def test_a_marrow_of_a_day_to_come_raises_no_question(later):
    assert ordinal(IN_REMISSION, later) == "none" and ordinal(FIRST, RELAPSE, later) == "first"


# --- ordinal -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "chart, expected",
    [([FIRST, RELAPSE], "first"), ([IN_REMISSION, RELAPSE], "first"), ([RELAPSE], "first/second_or_later"), ([FIRST, condition("b_all", "relapse")], "first/second_or_later"),
     ([FIRST, condition("b_all", "relapse", "2025-06-26"), RELAPSE], "first"), ([FIRST, condition("b_all", "relapse", "2025-06-25"), RELAPSE], "second_or_later"),
     ([FIRST, condition("b_all", "relapse", "2025"), RELAPSE], "first"), ([FIRST, marrow("62 %", "2025-06-26"), RELAPSE], "first"),
     ([FIRST, condition("b_all", "relapse", "2025-06-20"), marrow("62 %", "2025-08-20")], "first/second_or_later"),
     ([condition("b_all", "relapse", "2022-06-01"), RELAPSE], "first"), ([condition("b_all", "relapse", "2022-06-01"), RELAPSE, taken("mercaptopurine", "2019-06-01", "2021-05-01")], "second_or_later"),
     ([condition("b_all", "relapse", "2022-06-01"), RELAPSE, first_line_treatment("2019-06-01", "2022-05-20")], "second_or_later"),
     ([FIRST], "none"), ([IN_REMISSION], "none"), ([], "none"), ([IN_REMISSION, marrow("4 %", "2025-08-25")], "none"), ([IN_REMISSION, marrow("5 %", "2025-08-25")], "suspected"),
     ([FIRST, condition("b_all", "relapse", "2025-08-25", verified="provisional")], "suspected"), ([FIRST, condition("b_all", "relapse", "2025-08-25", verified="refuted")], "none"),
     ([FIRST, condition("b_all", "relapse", "2025-08-25", verified="entered-in-error")], "none")],
)  # fmt: skip
def test_which_relapse(chart, expected):
    assert ordinal(*chart) == expected


@pytest.mark.parametrize(
    "told, expected",
    [("first", "first"), ("second-or-later", "second_or_later"), ("refractory", "first/refractory"), ("suspected", "first/suspected")],
)
def test_which_relapse_by_the_chart_review_beside_a_single_record(told, expected):
    """One record cannot show that there was no other relapse, but it does show that this one is documented."""
    assert ordinal(FIRST, RELAPSE, answers({"relapse-ordinal": told})) == expected


def test_a_first_relapse_that_follows_from_the_record_says_so():
    told = case(FIRST, RELAPSE).relapse
    assert {e.basis.value for e in told.evidence} == {"derived"}


def test_a_relapse_after_the_freeze_is_another_story():
    enrolled = taking_part({"display": "NCT05827549"}, "2025-09-01")
    later = condition("b_all", "relapse", "2026-06-01")
    assert ordinal(FIRST, RELAPSE, enrolled, later, as_of="2026-07-01") == "first"


def test_a_failed_search_leaves_the_ordinal_unknown():
    assert "second_or_later" in case(FIRST, RELAPSE, conditions=Outcome.PARTIAL).relapse.options


# --- relapse site ------------------------------------------------------------------------------------------------


def sites(*chart):
    return "/".join(sorted(case(FIRST, *chart).relapse_sites.options))


@pytest.mark.parametrize(
    "chart, expected",
    [([RELAPSE], "combined/extramedullary_only/isolated_marrow"), ([condition("b_all", "relapse", "2025-08-25", sites=["marrow"])], "combined/isolated_marrow"),
     ([condition("b_all", "relapse", "2025-08-25", sites=["marrow", "testis"])], "combined"), ([condition("b_all", "relapse", "2025-08-25", sites=["testis"])], "combined/extramedullary_only"),
     ([condition("b_all", "relapse", "2025-08-25", sites=["marrow"]), condition("cns_leukaemia", "active", "2025-08-25")], "combined"),
     ([condition("b_all", "relapse", "2025-08-25", sites=["marrow"]), condition("cns_leukaemia", "active", "2019-02-01")], "combined/isolated_marrow"),
     ([RELAPSE, answers({"relapse-site": "extramedullary-only"})], "extramedullary_only"), ([RELAPSE, answers({"relapse-site": "combined"})], "combined")],
)  # fmt: skip
def test_relapse_site(chart, expected):
    assert sites(*chart) == expected


def test_extramedullary_sites_of_the_chart_review():
    told = case(FIRST, RELAPSE, answers({"extramedullary-site": ["cns", "testis", "banana"]}))
    assert told.extramedullary_sites.options == {"cns", "testis"}


# --- what is not certain, and what is still to come -----------------------------------------------------------------


@pytest.mark.parametrize("verified", ["provisional", "unconfirmed", "differential"])
def test_an_unconfirmed_relapse_does_not_move_the_day_a_clinician_names(verified):
    doubtful = condition("b_all", "relapse", "2025-08-30", verified=verified)
    assert relapse_date(FIRST, doubtful) == "2025-08-30"
    assert relapse_date(FIRST, doubtful, answers({"relapse-date": "2025-08-25"})) == "2025-08-25"


def test_a_relapse_that_is_still_to_come_has_no_day():
    told = case(FIRST, condition("b_all", "relapse", "2026-09-01"))
    assert not told.relapse_date.known and told.relapse_date.gaps[0].reason is Why.CONFLICT
    assert ordinal(FIRST, condition("b_all", "relapse", "2026-09-01")) == "first/second_or_later"


ANOTHER = {
    "recorded years before": condition("b_all", "relapse", recordedDate="2023-06-01"),
    "without any day": condition("b_all", "relapse"),
    "at an age": condition("b_all", "relapse", onsetAge={"value": 8, "unit": "a", "system": "http://unitsofmeasure.org", "code": "a"}),
    "a marrow full of blasts, years before": marrow("60 %", "2023-06-01"),
}


@pytest.mark.parametrize("sign", ANOTHER.values(), ids=ANOTHER)
def test_a_sign_of_another_relapse_leaves_open_which_this_is(sign):
    assert ordinal(FIRST, RELAPSE) == "first"
    assert ordinal(FIRST, RELAPSE, sign) == "first/second_or_later"
    assert ordinal(FIRST, RELAPSE, sign, answers({"relapse-ordinal": "first"}, "2025-08-30")) == "first"


TWO = {
    "each with its day": [condition("b_all", "relapse", "2023-06-25")],
    "the earlier one coded as the first": [condition("b_all", "relapse", "2023-06-25", category=[concept((OWN, "relapse-ordinal-first"))])],
    "the earlier one named by a clinician": [answers({"relapse-date": "2023-06-25"})],
}


@pytest.mark.parametrize("other", TWO.values(), ids=TWO)
def test_two_relapses_with_a_day_are_not_made_one_by_an_answer(other):
    """A clinician may have answered "first" of the earlier one: it settles a doubt, not a contradiction."""
    assert "second_or_later" in ordinal(FIRST, RELAPSE, *other)
    told = case(FIRST, RELAPSE, *other, answers({"relapse-ordinal": "first"}, "2025-08-30")).relapse
    assert told.options == {"first", "second_or_later"} and Why.CONFLICT in {gap.reason for gap in told.gaps}
    assert ordinal(FIRST, RELAPSE, *other, answers({"relapse-ordinal": "second-or-later"}, "2025-08-30")) == "second_or_later"


SAME = {
    "recorded the week after": condition("b_all", "relapse", recordedDate="2025-09-01"),
    "recorded at diagnosis, and set to relapse since": condition("b_all", "relapse", recordedDate="2019-02-03"),
    "named by a clinician, the week after": answers({"relapse-date": "2025-08-30"}),
    "a marrow at diagnosis": marrow("90 %", "2019-02-02"),
}


@pytest.mark.parametrize("no_sign", SAME.values(), ids=SAME)
def test_what_may_be_the_same_relapse_or_the_diagnosis_is_no_sign(no_sign):
    assert ordinal(FIRST, RELAPSE, no_sign) == "first"


def test_a_refractory_disease_on_record_is_not_answered_away():
    refractory = {**condition("b_all", "active", "2023-06-01"), "code": {"coding": [{"system": "http://snomed.info/sct", "code": "12311000132101"}]}}
    assert "refractory" in ordinal(FIRST, refractory, answers({"relapse-ordinal": "first"}))
    assert "refractory" in ordinal(FIRST, RELAPSE, refractory, answers({"relapse-ordinal": "first"}))


def test_a_marrow_of_which_only_its_report_is_dated_may_be_of_a_relapse():
    reported = {issued: marrow("62 %", None, issued=f"{issued}T09:00:00Z") for issued in ("2019-02-05", "2025-08-30")}
    assert ordinal(IN_REMISSION, reported["2019-02-05"]) == "none"
    assert ordinal(IN_REMISSION, reported["2025-08-30"]) == "none/suspected"


def test_an_end_of_induction_years_after_the_diagnosis_may_be_that_of_a_relapse():
    assert ordinal(IN_REMISSION, marrow("62 %", "2019-03-05", eoi=True)) == "none"
    assert ordinal(IN_REMISSION, marrow("62 %", "2025-08-30", eoi=True)) == "none/suspected"
    assert ordinal(IN_REMISSION, marrow("2 %", "2025-08-30", eoi=True)) == "none"
