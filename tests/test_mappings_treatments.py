"""What a child received: transplant, blinatumomab, the first induction; and a clinician's "never" beside the record.

A row of a table adds resources and names truth and reason: see `judged.py`.
"""

from __future__ import annotations

import pytest

from charts import SNOMED, answers, condition, dose, medication, resource, taken, transplant
from fhir_mappings import Outcome
from judged import (
    AFTER,
    BEFORE,
    COMPLETE,
    CONFLICT,
    ENROLLED,
    MET,
    MISSING,
    NEVER,
    NOT_LOOKED_UP,
    NOT_MET,
    answer,
    basis,
    judged,
    review,
    table,
)

# --- INC-04: transplant -------------------------------------------------------------------------------------------


@table(
    ("-", lambda: [], MISSING),
    *((f"allogeneic {status}", lambda status=status: [transplant("allogeneic", BEFORE, status)], expected) for status, expected in (
        ("completed", NOT_MET), ("in-progress", MISSING), ("on-hold", MISSING), ("stopped", MISSING), ("unknown", MISSING),
        ("preparation", MISSING), ("not-done", MISSING), ("entered-in-error", MISSING))),
    ("allogeneic, no date", lambda: [transplant("allogeneic", None)], NOT_MET),
    ("donor not stated", lambda: [transplant("donor not stated", BEFORE)], MISSING),
    ("autologous", lambda: [transplant("autologous", BEFORE)], MISSING),  # says nothing of another one elsewhere
    ("autologous and allogeneic", lambda: [transplant("autologous", BEFORE), transplant("allogeneic", BEFORE)], NOT_MET),
    ("GVHD without a transplant", lambda: [condition("graft_versus_host", "active", BEFORE)], CONFLICT),
    ("GVHD after an allogeneic transplant", lambda: [condition("graft_versus_host", "active", BEFORE), transplant("allogeneic", BEFORE)], NOT_MET),
    ("answer no", lambda: [review(prior_allogeneic_transplant="no")], MET),
    ("answer yes", lambda: [review(prior_allogeneic_transplant="yes")], NOT_MET),
    ("answer no, allogeneic", lambda: [review(prior_allogeneic_transplant="no"), transplant("allogeneic", BEFORE)], CONFLICT),
    ("answer yes, allogeneic", lambda: [review(prior_allogeneic_transplant="yes"), transplant("allogeneic", BEFORE)], NOT_MET),
    ("answer no, donor not stated", lambda: [review(prior_allogeneic_transplant="no"), transplant("donor not stated", BEFORE)], MET),
    ("answer no, GVHD", lambda: [review(prior_allogeneic_transplant="no"), condition("graft_versus_host", "active", BEFORE)], CONFLICT),
    ("history not complete", lambda: [review(treatment_history_complete=False)], MISSING),
)  # fmt: skip
def test_allogeneic_transplant(told, expected):
    assert answer("INC-04", *told()) == expected


@table(
    ("-", lambda: [], MET),
    *((f"allogeneic {status}", lambda status=status: [transplant("allogeneic", BEFORE, status)], expected) for status, expected in (
        ("completed", NOT_MET), ("in-progress", MISSING), ("stopped", MISSING), ("unknown", MISSING), ("preparation", MET), ("not-done", MET),
        ("entered-in-error", MET))),
    ("donor not stated", lambda: [transplant("donor not stated", BEFORE)], MISSING),
    ("autologous", lambda: [transplant("autologous", BEFORE)], MET),
    ("GVHD", lambda: [condition("graft_versus_host", "active", BEFORE)], CONFLICT),
    ("GVHD refuted", lambda: [condition("graft_versus_host", "active", BEFORE, verified="refuted")], MET),
    ("GVHD entered in error", lambda: [condition("graft_versus_host", "active", BEFORE, verified="entered-in-error")], MET),
)  # fmt: skip
def test_allogeneic_transplant_in_a_complete_history(told, expected):
    assert answer("INC-04", *told(), **COMPLETE) == expected


@pytest.mark.parametrize("criterion", ["INC-04", "INC-05"])
def test_nothing_in_a_complete_history_is_assumed_absent(criterion):
    assert basis(criterion, **COMPLETE) == "assumed_absent"


@pytest.mark.parametrize(("search", "criterion"), [("procedures", "INC-04"), ("conditions", None), ("administrations", "INC-05"),
                                                   ("statements", "INC-05"), ("orders", "INC-05")])  # fmt: skip
@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.PARTIAL, Outcome.NOT_ASKED])
def test_a_search_without_its_whole_answer_proves_no_never(search, criterion, outcome):
    if criterion:
        assert answer(criterion, **COMPLETE, **{search: outcome}) == NOT_LOOKED_UP


def test_the_transplant_of_the_study_itself_does_not_fail_it():
    told = transplant("allogeneic", "2025-10-08"), condition("graft_versus_host", "active", "2025-10-09")
    assert answer("INC-04", *told, **COMPLETE, **ENROLLED) == MET
    assert answer("INC-04", *told, prior_allo_sct="no", **ENROLLED) == MET


# --- INC-05: blinatumomab -----------------------------------------------------------------------------------------

ADMINISTRATION, STATEMENT, REQUEST = "MedicationAdministration", "MedicationStatement", "MedicationRequest"
WEIGHTS = [  # (resource, status, answer without and with a complete history)
    *((ADMINISTRATION, status, NOT_MET, NOT_MET) for status in ("completed", "in-progress", "stopped", "on-hold")),
    (ADMINISTRATION, "not-done", MISSING, MET),
    (ADMINISTRATION, "entered-in-error", MISSING, MET),
    *((STATEMENT, status, NOT_MET, NOT_MET) for status in ("completed", "active", "stopped", "on-hold")),
    (STATEMENT, "intended", CONFLICT, CONFLICT),
    (STATEMENT, "not-taken", MISSING, MET),
    (STATEMENT, "entered-in-error", MISSING, MET),
    *((REQUEST, status, CONFLICT, CONFLICT) for status in ("active", "completed", "on-hold", "stopped")),
    *((REQUEST, status, MISSING, MET) for status in ("draft", "cancelled", "entered-in-error")),
]


@pytest.mark.parametrize(("kind", "status", "open_history", "complete"), WEIGHTS, ids=[f"{k} {s}" for k, s, *_ in WEIGHTS])
def test_blinatumomab_by_the_weight_of_its_record(kind, status, open_history, complete):
    assert answer("INC-05", medication(kind, "blinatumomab", status, BEFORE)) == open_history
    assert answer("INC-05", medication(kind, "blinatumomab", status, BEFORE), **COMPLETE) == complete


@table(
    ("another drug", lambda: [medication(ADMINISTRATION, "idarubicin", "completed", BEFORE)], MET),
    ("CAR-T is not named", lambda: [medication(ADMINISTRATION, "tisagenlecleucel", "completed", BEFORE)], MET),
    ("an order not to give it", lambda: [medication(REQUEST, "blinatumomab", "active", BEFORE, doNotPerform=True)], MET),
    ("order and dose", lambda: [medication(REQUEST, "blinatumomab", "completed", BEFORE), medication(ADMINISTRATION, "blinatumomab", "completed", BEFORE)], NOT_MET),
    ("a dose without a date, which FHIR asks for", lambda: [medication(ADMINISTRATION, "blinatumomab", "completed", None)], MISSING),
    ("an infusion over weeks", lambda: [medication(ADMINISTRATION, "blinatumomab", "completed", None, effectivePeriod={"start": BEFORE, "end": "2020-06-01"})], NOT_MET),
    ("an infusion that goes on", lambda: [medication(ADMINISTRATION, "blinatumomab", "in-progress", None, effectivePeriod={"start": "2025-08-28"})], NOT_MET),
    ("an infusion past today", lambda: [medication(ADMINISTRATION, "blinatumomab", "in-progress", None, effectivePeriod={"start": "2025-08-28", "end": "2025-09-24"})], NOT_MET),
    ("answer yes", lambda: [review(prior_blinatumomab="yes")], NOT_MET),
    ("answer no, dose", lambda: [review(prior_blinatumomab="no"), medication(ADMINISTRATION, "blinatumomab", "completed", BEFORE)], CONFLICT),
    ("answer no, only an order", lambda: [review(prior_blinatumomab="no"), medication(REQUEST, "blinatumomab", "completed", BEFORE)], MET),
)  # fmt: skip
def test_blinatumomab_in_a_complete_history(told, expected):
    assert answer("INC-05", *told(), **COMPLETE) == expected


@pytest.mark.parametrize("drug", [{"medicationCodeableConcept": {"text": "Blinatumomab (Blincyto) 9 mcg/day"}},
                                  {"medicationReference": {"reference": "Medication/elsewhere"}}], ids=["by text", "by a reference that leads nowhere"])  # fmt: skip
def test_a_dose_that_may_be_blinatumomab_is_not_a_dose_of_nothing(drug):
    told = medication(ADMINISTRATION, "blinatumomab", "completed", BEFORE, **({"medicationCodeableConcept": None} | drug))
    assert answer("INC-05", told, **COMPLETE)[0] != "met"


@pytest.mark.parametrize("kind", [ADMINISTRATION, STATEMENT])
def test_whether_it_was_given_is_not_known(kind):
    assert answer("INC-05", medication(kind, "blinatumomab", "unknown", BEFORE), **COMPLETE)[0] == "unknown"


@pytest.mark.parametrize("kind", [ADMINISTRATION, STATEMENT, REQUEST])
@pytest.mark.parametrize("history", [COMPLETE, {"prior_blinatumomab": "no"}], ids=["complete", "answered no"])
def test_blinatumomab_of_the_study_never_fails_it(kind, history):
    status = "active" if kind == REQUEST else "completed"
    told = medication(kind, "blinatumomab", status, AFTER)
    assert answer("INC-05", told, **history, **ENROLLED) == MET
    assert judged(told, **history, **ENROLLED, hiv={"result": "negative", "date": "2025-08-28"})["blocking"] == []
    assert answer("INC-05", medication(kind, "blinatumomab", status, "2025-09-01"), **COMPLETE, **ENROLLED) == (CONFLICT if kind == REQUEST else NOT_MET)


def test_frozen_at_the_reinduction_too():
    """No enrolment on record: the first dose of reinduction freezes the question."""
    told = dose("idarubicin", "2025-09-03"), medication(ADMINISTRATION, "blinatumomab", "completed", AFTER)
    assert answer("INC-05", *told, **COMPLETE, evaluation_date="2025-10-10") == MET
    assert answer("INC-05", *told[1:], **COMPLETE, evaluation_date="2025-10-10") == NOT_MET


# --- a clinician's "never", beside what the record says -----------------------------------------------------------


def of_nobody(told, reference=None):
    told = {key: value for key, value in told.items() if key != "subject"}
    return told if reference is None else {**told, "subject": {"reference": reference}}


@pytest.mark.parametrize("criterion, told, shown", [
    ("INC-05", lambda: medication("MedicationRequest", "blinatumomab", "active", "2022-01-01"), "blinatumomab ordered"),
    ("INC-04", lambda: transplant("donor not stated", "2022-01-01"), "on record"),
])  # fmt: skip
def test_a_clinician_settles_a_doubt_and_the_doubt_is_shown(criterion, told, shown):
    found = next(c for c in judged(told(), NEVER)["criteria"] if c["id"] == criterion)
    assert (found["truth"], found["basis"]) == ("met", "attested") and "(chart review" in found["words"]
    assert {e["reference"].split("/")[0] for e in found["evidence"]} > {"QuestionnaireResponse"}
    assert shown in found["words"] and ", on record: " in found["words"] and "2022-01-01" in found["words"]


def test_a_relapse_in_a_transplanted_marrow_contradicts_never():
    told = resource("Condition", code={"coding": [{"system": SNOMED, "code": "234522008"}]}, onsetDateTime="2025-08-25")
    assert answer("INC-04", told, NEVER) == CONFLICT
    assert answer("INC-04", told) == answer("INC-04", told, COMPLETE) == MISSING


@pytest.mark.parametrize("reference", [None, "urn:uuid:unknown", "Group/1"])
def test_a_treatment_of_nobody_named_contradicts_never(reference):
    """A dose, or a transplant: not used, and not overlooked either. An order, or a donor not stated, a clinician still settles."""
    given, grafted = (of_nobody(told, reference) for told in (medication("MedicationAdministration", "blinatumomab", "completed", "2022-01-01"), transplant("allogeneic", "2022-01-01")))
    assert (answer("INC-05", given, NEVER), answer("INC-04", grafted, NEVER)) == (CONFLICT, CONFLICT)
    assert (answer("INC-05", given), answer("INC-04", grafted, COMPLETE)) == (MISSING, MISSING)
    assert answer("INC-05", of_nobody(medication("MedicationRequest", "blinatumomab", "active", "2022-01-01"), reference), NEVER) == MET
    assert answer("INC-05", of_nobody(given, "Patient/other"), NEVER) == MET


@pytest.mark.parametrize("told", [[], [dose("mercaptopurine", "2021-06-30")], [taken("mercaptopurine", "2019-06-01", None, "active")]], ids=["alone", "dose", "statement"])
def test_treatment_that_ended_before_its_induction_is_a_contradiction_whatever_came_later(told):
    ended = {"frontline_induction_end_date": "2019-11-06", "off_treatment_date": "2019-09-14", "frontline_induction_same_4_drugs": "unknown"}
    assert answer("EXC-04", *told, **ended) == CONFLICT


# --- EXC-04 and EXC-06: relapse within a month of the induction ---------------------------------------------------

SOON = {"initial_diagnosis_date": "2025-06-20", "off_treatment_date": "on_treatment"}
LATER = {"off_treatment_date": None}


@pytest.mark.parametrize(("ended", "same", "changes", "expected"), [
    ("2025-07-25", "yes", SOON, MET),  # exactly one month before the relapse on 2025-08-25
    ("2025-07-24", "yes", SOON, NOT_MET),
    ("2025-07-25", "no", SOON, NOT_MET),
    ("2025-07-25", "unknown", SOON, MISSING),
    ("2025-07-24", "unknown", SOON, NOT_MET),
    (None, "unknown", SOON, MISSING),
    (None, "yes", SOON, MISSING),
    (None, "unknown", LATER, MISSING),
    (None, "unknown", {"off_treatment_date": "2025-07-24"}, NOT_MET),  # induction ended before treatment did
    (None, "unknown", {"off_treatment_date": "2025-07-25"}, MISSING),
    ("2025-07", "yes", SOON, ("unknown", "imprecise")),
    ("2025-06", "yes", SOON, NOT_MET),
])  # fmt: skip
def test_relapse_within_a_month_of_induction(ended, same, changes, expected):
    told = changes | {"frontline_induction_end_date": ended, "frontline_induction_same_4_drugs": same}
    review_only = {"frontline-induction-end-date": ended, "same-four-drug-induction": None if same == "unknown" else same}
    chart = told | {"frontline_induction_end_date": None, "frontline_induction_same_4_drugs": "unknown"}  # without its marrow
    added = {key: value for key, value in review_only.items() if value}
    resources = [answers(added)] if added else []
    assert answer("EXC-04", *resources, **chart) == answer("EXC-06", *resources, **chart) == expected
