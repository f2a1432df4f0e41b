"""Days of treatment, and the day that freezes the question: off treatment, reinduction, enrolment (interfaces 7).

Where a list was cut short, or never came, the day that counts may be another one.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from cds import assess
from cds.finding import Why
from cds.off_treatment import late_relapse
from cds.trials.nct05827549 import PROTOCOL
from cds.truth import MET, UNKNOWN
from charts import Outcome, answers, condition, dose, facts, first_line_treatment, medication, observation, patient, record, taken, taking_part
from fhir_mappings import Record, read_patient
from relapsed import FIRST, RELAPSE, case, marrow

# --- treatment dates ---------------------------------------------------------------------------------------------


def late(*chart):
    told = case(FIRST, RELAPSE, *chart)
    return late_relapse(told.facts, told.relapse_date).truth.value


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


@pytest.mark.parametrize("day, expected", [("2021-06-30", "met"), ("2025-08-10", "unknown"), ("2025-08-11", "unknown"), ("2025-08-20", "unknown"), ("2025-08-24", "unknown"),
                                           ("2025-08-25", "met"), ("2025-08-28", "met"), ("2025-08", "unknown"), ("2025-09", "met")])  # fmt: skip
@pytest.mark.parametrize("off", [first_line_treatment(None, "2021-06-30"), answers({"off-treatment-date": "2021-06-30"})], ids=["recorded", "answered"])
def test_a_dose_between_the_end_of_treatment_and_the_relapse_leaves_no_proof_of_late(off, day, expected):
    """However near the relapse: what was given before it was not given for it."""
    assert late(off, dose("vincristine", day)) == expected


def test_a_dose_that_may_lie_before_the_relapse_leaves_no_proof_of_late():
    told = case(FIRST, condition("b_all", "relapse", "2025-08"), first_line_treatment(None, "2021-06-30"), dose("vincristine", "2025-08-24"))
    found = late_relapse(told.facts, told.relapse_date)
    assert found.reason is Why.IMPRECISE and "before the relapse on 2025-08, or for it?" in found.words


@pytest.mark.parametrize("chart, expected", [
    ([taken("mercaptopurine", "2020-05-21", "2021-06-30")], "met"), ([taken("mercaptopurine", "2020-05-21", "2024-08-25")], "met"),  # a year before the relapse: late by either
    ([taken("mercaptopurine", "2020-05-21", "2024-08-26")], "unknown"), ([taken("mercaptopurine", "2020-05-21", "2025-08-10")], "unknown"), ([taken("mercaptopurine", "2020-05-21", "2026-01-01")], "unknown"),
    ([taken("mercaptopurine", "2020-05-21", None, "active")], "unknown"), ([taken("mercaptopurine", "2020-05-21", None)], "unknown"), ([taken("mercaptopurine", None, None)], "unknown"),
    ([taken("mercaptopurine", "2020-05-21", "2025-08-10", "unknown")], "unknown"), ([taken("mercaptopurine", "2020-05-21", "2025")], "unknown"),
    ([medication("MedicationStatement", "mercaptopurine", "active", "2020-05-21")], "unknown"), ([medication("MedicationStatement", "mercaptopurine", "completed", "2021-05-21")], "met"),
    *(([taken("mercaptopurine", "2020-05-21", "2025-08-10", status)], "met") for status in ("not-taken", "entered-in-error", "intended")),
    ([taken("vincristine", "2025-08-25", None, "active")], "met"), ([taken("etoposide", "2020-05-21", None, "active")], "met"),  # for the relapse; not of the frontline
    ([taken("mercaptopurine", "2020-05-21", "2021-06-30"), taken("vincristine", "2020-05-21", "2025-08-10")], "unknown"),
])  # fmt: skip
def test_a_drug_still_taken_in_the_year_before_the_relapse_leaves_no_proof_of_late(chart, expected):
    assert late(first_line_treatment("2019-02-01", "2021-06-30"), *chart) == expected
    assert late(answers({"off-treatment-date": "2021-06-30"}), *chart) == expected


def test_a_medication_history_alone_proves_neither_late_nor_not_late():
    assert late(taken("mercaptopurine", "2020-05-21", "2021-06-30")) == late(taken("mercaptopurine", "2020-05-21", "2025-08-10")) == "unknown"
    assert late(first_line_treatment("2019-02-01", "2025-03-01"), taken("mercaptopurine", "2020-05-21", "2025-08-10")) == "not_met"


@pytest.mark.parametrize("relapsed, given, begun, expected", [
    ("2025-08", "2025-08-24", "2025-08-24", "met"), ("2025-08", "2025-08-24", "2025-08-25", "unknown"),  # given for the relapse; given before
    ("2025-08-25", "2025-08-24", "2025-08-24", "unknown"),  # no reinduction begins before the relapse: one of the dates is wrong
])  # fmt: skip
def test_a_clinician_tells_that_a_dose_was_given_for_the_relapse(relapsed, given, begun, expected):
    told = case(FIRST, condition("b_all", "relapse", relapsed), first_line_treatment(None, "2021-06-30"), dose("vincristine", given), answers({"reinduction-start-date": begun}))
    assert late_relapse(told.facts, told.relapse_date).truth.value == expected


@pytest.mark.parametrize(
    "chart, expected",
    [([dose("idarubicin", "2025-08-27"), dose("vincristine", "2025-08-28")], "2025-08-27"), ([dose("vincristine", "2025-08-28")], "2025-08-28"), ([dose("vincristine", "2025-08-25")], "2025-08-25"),
     ([dose("vincristine", "2025-08-24")], "None"), ([dose("mercaptopurine", "2025-08-28")], "None"), ([dose("idarubicin", "2025-08-28", "not-done")], "None"),
     ([answers({"reinduction-start-date": "2025-08-30"}), dose("idarubicin", "2025-08-30")], "2025-08-30"), ([answers({"reinduction-start-date": "2025-08-30"})], "2025-08-30")],
)  # fmt: skip
def test_reinduction_starts_with_the_first_idarubicin_or_vincristine_after_the_relapse(chart, expected):
    assert str(case(FIRST, RELAPSE, *chart).reinduction_start) == expected


@pytest.mark.parametrize(
    "relapsed, given, expected",
    [("2025-08-25", ["2025-08"], "2025-08-25 or later"), ("2025-08-25", ["2025"], "2025-08-25 or later"), ("2025-08-25", ["2025-08", "2025-08-28"], "2025-08-25 to 2025-08-28"),
     ("2025-08-25", ["2025-07"], "None"), ("2025-08-25", ["2025-09"], "2025-09-01"), ("2025-08", ["2025-08-24"], "2025-08-24 or later"),
     ("2025-08", ["2025-08-24", "2025-08-31"], "2025-08-24 to 2025-08-31"), ("2025-08", ["2025-07-31"], "None"), ("2025-08", ["2025-08-31"], "2025-08-31")],
)  # fmt: skip
def test_a_dose_that_may_lie_before_the_relapse_may_be_the_first_of_the_reinduction(relapsed, given, expected):
    told = case(FIRST, condition("b_all", "relapse", relapsed), *(dose("vincristine", day) for day in given))
    assert str(told.reinduction_start) == expected
    assert (expected in ("None", "2025-09-01", "2025-08-31")) == (not (told.reinduction_start and told.reinduction_start.gaps))


@pytest.mark.parametrize("answered", ["2025-08-20", "2025-08-27", "2025-09-01"])
def test_a_clinician_tells_which_dose_was_the_first_of_the_reinduction(answered):
    assert str(case(FIRST, RELAPSE, dose("vincristine", "2025-08"), answers({"reinduction-start-date": answered})).reinduction_start) == answered


@pytest.mark.parametrize("given", [["vincristine"], ["mercaptopurine", "vincristine"]])
def test_without_a_relapse_date_any_dose_may_be_of_the_reinduction(given):
    undated = condition("b_all", "relapse")
    told = assess(PROTOCOL, facts(patient(), FIRST, undated, *(dose(drug, "2025-08-28") for drug in given), observation("creatinine", "0.5 mg/dL", "2025-08-30")))
    assert truth(told, "INC-06").truth is UNKNOWN and "no relapse date" in truth(told, "INC-06").words
    enrolled = assess(PROTOCOL, facts(patient(), FIRST, undated, *(dose(drug, "2025-08-28") for drug in given), answers({"enrolment-date": "2025-08-28"}), observation("creatinine", "0.5 mg/dL", "2025-08-28")))
    assert truth(enrolled, "INC-06").truth is UNKNOWN  # nor may an enrolment of that time be one into the treatment of this relapse


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
