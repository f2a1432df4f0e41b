"""How chart facts without a code are read: diagnosis date, relapse date, ordinal, site, treatment dates (interfaces 7).

One rule after the other, each with the chart next to it where it just does not apply.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from charts import Outcome, answers, condition, dose, facts, first_line_treatment, observation, patient, record, taking_part
from cds import assess, course, treatment
from cds.case import Case
from cds.finding import Why
from cds.trials.nct05827549 import PROTOCOL
from cds.truth import MET, UNKNOWN
from fhir_mappings import Record, read_patient

FIRST = condition("b_all", "active", "2019-02-01")
IN_REMISSION = condition("b_all", "remission", "2019-02-01")
RELAPSE = condition("b_all", "relapse", "2025-08-25")


def case(*chart, as_of="2025-09-01", **outcomes):
    return Case(facts(patient(), *chart, as_of=as_of, **outcomes))


def relapse_date(*chart):
    return str(case(*chart).relapse_date)


def ordinal(*chart, as_of="2025-09-01"):
    return "/".join(sorted(case(*chart, as_of=as_of).relapse.options))


def marrow(blasts, day, **more):
    return observation("marrow blasts", blasts, day, **more)


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
     [first_line_treatment("2019-02-01", "2021-06-30")], [answers({"initial-diagnosis-date": "2019-02-01"})], [condition("b_all", recordedDate="2019-02-03")]],
)  # fmt: skip
def test_an_onset_counts_once_something_earlier_shows_that_it_is_not_the_first_diagnosis(earlier):
    assert relapse_date(RELAPSE, *earlier) == "2025-08-25"


@pytest.mark.parametrize(
    "beside",
    [[], [condition("b_all", "active", "2025-08-25")], [condition("b_all", "active", "2025-08-20")], [dose("vincristine", "2025-08-20")], [marrow("62 %", "2025-08-20")],
     [condition("b_all", recordedDate="2025-08-25")], [condition("b_all", "remission")], [condition("b_all", "active", "2019-02-01", verified="refuted")], [condition("aml", "active", "2019-02-01")]],
)  # fmt: skip
def test_an_onset_that_may_be_the_first_diagnosis_is_not_the_relapse_date(beside):
    assert relapse_date(RELAPSE, *beside) == "unknown date"


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


# --- ordinal -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "chart, expected",
    [([FIRST, RELAPSE], "first"), ([IN_REMISSION, RELAPSE], "first"), ([RELAPSE], "first/second_or_later"), ([FIRST, condition("b_all", "relapse")], "first/second_or_later"),
     ([FIRST, condition("b_all", "relapse", "2025-06-26"), RELAPSE], "first"), ([FIRST, condition("b_all", "relapse", "2025-06-25"), RELAPSE], "second_or_later"),
     ([FIRST, condition("b_all", "relapse", "2025"), RELAPSE], "first"), ([FIRST, marrow("62 %", "2025-06-26"), RELAPSE], "first"),
     ([FIRST, condition("b_all", "relapse", "2025-06-20"), marrow("62 %", "2025-08-20")], "first/second_or_later"),
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


# --- treatment dates ---------------------------------------------------------------------------------------------


def late(*chart):
    told = case(FIRST, RELAPSE, *chart)
    return treatment.late_relapse(told.facts, told.relapse_date).truth.value


@pytest.mark.parametrize(
    "chart, expected",
    [([first_line_treatment("2019-02-01", "2024-08-25")], "met"), ([first_line_treatment("2019-02-01", "2024-08-26")], "not_met"),
     ([first_line_treatment(None, "2024-08")], "unknown"), ([first_line_treatment("2019-02-01", None)], "unknown"),
     ([first_line_treatment("2019-02-01", "2021-06-30", status="in-progress")], "unknown"), ([first_line_treatment("2019-02-01", "2021-06-30", status="entered-in-error")], "unknown"),
     ([answers({"off-treatment-date": "2024-08-25"})], "met"), ([answers({"on-treatment-at-relapse": True})], "not_met"), ([answers({"on-treatment-at-relapse": False})], "unknown"),
     ([], "unknown")],
)  # fmt: skip
def test_late_is_a_year_after_off_treatment(chart, expected):
    assert late(*chart) == expected


@pytest.mark.parametrize("day, expected", [("2024-08-26", "not_met"), ("2025-07-01", "not_met"), ("2024-08-25", "unknown"), ("2021-06-30", "unknown")])
def test_a_last_dose_can_prove_not_late_and_never_late(day, expected):
    assert late(dose("mercaptopurine", "2019-05-01"), dose("mercaptopurine", day)) == expected


@pytest.mark.parametrize("status, expected", [("completed", "not_met"), ("in-progress", "not_met"), ("stopped", "not_met"), ("not-done", "unknown"), ("entered-in-error", "unknown"), ("on-hold", "unknown")])
def test_only_a_dose_that_was_given_counts(status, expected):
    assert late(dose("mercaptopurine", "2025-07-01", status)) == expected


def test_off_treatment_in_two_places():
    assert late(first_line_treatment(None, "2021-06-30"), answers({"off-treatment-date": "2021-06-30"})) == "met"
    assert late(first_line_treatment(None, "2021-06-30"), answers({"off-treatment-date": "2025-05-01"})) == "unknown"
    assert late(first_line_treatment(None, "2021-06-30"), answers({"on-treatment-at-relapse": True})) == "unknown"
    assert late(first_line_treatment(None, "2021-06-30"), dose("mercaptopurine", "2025-05-01")) == "unknown"


@pytest.mark.parametrize(
    "chart, expected",
    [([dose("idarubicin", "2025-08-27"), dose("vincristine", "2025-08-28")], "2025-08-27"), ([dose("vincristine", "2025-08-28")], "2025-08-28"), ([dose("vincristine", "2025-08-25")], "2025-08-25"),
     ([dose("vincristine", "2025-08-24")], "None"), ([dose("mercaptopurine", "2025-08-28")], "None"), ([dose("idarubicin", "2025-08-28", "not-done")], "None"),
     ([answers({"reinduction-start-date": "2025-08-30"}), dose("idarubicin", "2025-08-30")], "2025-08-30"), ([answers({"reinduction-start-date": "2025-08-30"})], "2025-08-30")],
)  # fmt: skip
def test_reinduction_starts_with_the_first_idarubicin_or_vincristine_after_the_relapse(chart, expected):
    assert str(case(FIRST, RELAPSE, *chart).reinduction_start) == expected


STUDY = {"resourceType": "ResearchStudy", "id": "s1", "status": "active", "identifier": [{"value": "NCT05827549"}]}
OTHER_STUDY = {**STUDY, "identifier": [{"value": "NCT00000000"}]}


@pytest.mark.parametrize(
    "chart, expected",
    [([taking_part({"display": "ReCALL, NCT05827549"}, "2025-08-28")], "2025-08-28"), ([taking_part({"identifier": {"value": "NCT05827549"}}, "2025-08-28")], "2025-08-28"),
     ([taking_part({"reference": "ResearchStudy/s1"}, "2025-08-28"), STUDY], "2025-08-28"), ([taking_part({"reference": "ResearchStudy/s1"}, "2025-08-28"), OTHER_STUDY], "2025-09-01"),
     ([taking_part({"display": "another study"}, "2025-08-28")], "2025-09-01"),
     *[([taking_part({"display": "NCT05827549"}, "2025-08-28", status)], "2025-08-28") for status in ("on-study", "on-study-intervention", "on-study-observation", "follow-up", "off-study")],
     *[([taking_part({"display": "NCT05827549"}, "2025-08-28", status)], "2025-09-01") for status in ("candidate", "eligible", "withdrawn", "screening", "pending-on-study", "ineligible")],
     ([answers({"enrolment-date": "2025-08-28"})], "2025-08-28"), ([taking_part({"display": "NCT05827549"}, "2025-12-01")], "2025-09-01")],
)  # fmt: skip
def test_eligibility_is_frozen_at_enrolment_in_this_trial(chart, expected):
    assert assess(PROTOCOL, facts(patient(), FIRST, RELAPSE, *chart)).evaluated_as_of == expected


def test_a_study_that_names_the_trial_in_its_contained_resource():
    subject = taking_part({"reference": "#s1"}, "2025-08-28")
    subject["contained"] = [STUDY]
    assert assess(PROTOCOL, facts(patient(), FIRST, RELAPSE, subject)).evaluated_as_of == "2025-08-28"


def test_a_failed_search_leaves_the_ordinal_unknown():
    assert "second_or_later" in case(FIRST, RELAPSE, conditions=Outcome.PARTIAL).relapse.options


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
    "named by a clinician, years before": answers({"relapse-date": "2023-06-25"}),
    "a marrow full of blasts, years before": marrow("60 %", "2023-06-01"),
}


@pytest.mark.parametrize("sign", ANOTHER.values(), ids=ANOTHER)
def test_a_sign_of_another_relapse_leaves_open_which_this_is(sign):
    assert ordinal(FIRST, RELAPSE) == "first"
    assert ordinal(FIRST, RELAPSE, sign) == "first/second_or_later"
    assert ordinal(FIRST, RELAPSE, sign, answers({"relapse-ordinal": "first"}, "2025-08-30")) == "first"


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


# --- lists that were cut short, or never came ------------------------------------------------------------------------

STARTED, ENDED = dose("vincristine", "2025-08-28"), first_line_treatment("2019-02-01", "2021-06-30")


def judged(*chart, **answered):
    """With these searches answered in part: there are more pages."""
    whole = record(patient(), FIRST, RELAPSE, marrow("62 %", "2025-08-25"), *chart)
    partly = {name: replace(whole.answer(name), outcome=outcome, why="there are more pages", cut_short=outcome is Outcome.PARTIAL) for name, outcome in answered.items()}
    return assess(PROTOCOL, read_patient(Record(whole.patient_id, {**whole.answers, **partly}), date(2025, 9, 1)))


def truth(assessment, criterion):
    return next(j.finding for j in assessment.criteria if j.criterion.id == criterion)


@pytest.mark.parametrize("search, outcome", [(search, outcome) for search in ("administrations", "studies") for outcome in (Outcome.PARTIAL, Outcome.FAILED, Outcome.NOT_ASKED)
                                             if (search, outcome) != ("studies", Outcome.NOT_ASKED)])  # fmt: skip
def test_a_start_that_was_not_seen_may_have_frozen_the_question(search, outcome):
    fresh = observation("creatinine", "0.5 mg/dL", "2025-08-28")
    assert truth(judged(fresh), "INC-06").truth is MET
    assert truth(judged(fresh, **{search: outcome}), "INC-06").reason is Why.NOT_LOOKED_UP


def test_studies_that_no_ehr_was_asked_for_hold_nothing_up():
    """Few EHRs have them, and treatment follows an enrolment within days."""
    assert truth(judged(observation("creatinine", "0.5 mg/dL", "2025-08-28"), studies=Outcome.NOT_ASKED), "INC-06").truth is MET


def test_a_start_that_was_seen_may_have_been_earlier():
    fresh = observation("creatinine", "0.5 mg/dL", "2025-08-27")
    assert truth(judged(fresh, STARTED), "INC-06").truth is MET
    assert truth(judged(fresh, STARTED, administrations=Outcome.PARTIAL), "INC-06").truth is UNKNOWN
    assert truth(judged(fresh, STARTED, answers({"reinduction-start-date": "2025-08-28"}), administrations=Outcome.PARTIAL), "INC-06").truth is MET


def test_what_is_there_is_not_called_missing_because_a_date_is_in_doubt():
    found = truth(judged(administrations=Outcome.FAILED), "INC-03")
    assert found.reason is Why.NOT_LOOKED_UP and "62 %" in found.words


def test_a_treatment_end_that_was_not_seen_may_be_later():
    late = judged(ENDED).risk.possible
    assert "SR" in late and "SR" not in judged(first_line_treatment("2019-02-01", "2025-06-30")).risk.possible
    known = [observation("ngs MRD", "0.001 %", "2025-08-31", eoi=True), observation("marrow blasts", "1 %", "2025-08-31", eoi=True), dose("vincristine", "2025-08-26")]
    assert judged(ENDED, *known).risk.possible == ("SR",) and judged(ENDED, *known, procedures=Outcome.PARTIAL).risk.possible == ("SR", "HR")


def test_answers_are_not_used_while_newer_ones_may_be_missing():
    told = answers({"prior-blinatumomab": "no"})
    assert truth(judged(told), "INC-05").truth is MET
    partly = judged(told, answers=Outcome.PARTIAL)
    assert truth(partly, "INC-05").truth is UNKNOWN and any("newer answers may be missing" in issue.words for issue in partly.issues)
