"""What a child takes part in: the consent to this trial, and other trials beside it.

A row of a table adds resources and names truth and reason: see `judged.py`.
"""

from __future__ import annotations

import pytest

from charts import consent, study, taking_part
from fhir_mappings import Outcome
from judged import (
    CONFLICT,
    ENROLLED,
    JUDGEMENT,
    MET,
    MISSING,
    NOT_LOOKED_UP,
    NOT_MET,
    answer,
    basis,
    flags,
    judged,
    review,
    table,
    words,
)

# --- INC-12: consent ----------------------------------------------------------------------------------------------

OTHER_POLICY = [{"uri": "https://clinicaltrials.gov/study/NCT00000000"}]


@table(
    ("-", lambda: [], JUDGEMENT),
    ("active", lambda: [consent("active", "2025-08-30")], JUDGEMENT),
    ("draft", lambda: [consent("draft", "2025-08-30")], JUDGEMENT),
    ("inactive", lambda: [consent("inactive", "2025-08-30")], JUDGEMENT),
    ("rejected", lambda: [consent("rejected", "2025-08-30")], NOT_MET),
    ("rejected, no date", lambda: [consent("rejected", None)], NOT_MET),
    ("entered in error", lambda: [consent("entered-in-error", "2025-08-30")], JUDGEMENT),
    ("rejected, of another trial", lambda: [consent("rejected", "2025-08-30", policy=OTHER_POLICY)], JUDGEMENT),
    ("rejected, named by identifier", lambda: [consent("rejected", "2025-08-30", policy=OTHER_POLICY, identifier=[{"value": "NCT05827549-consent"}])], NOT_MET),
    ("rejected, named by its source", lambda: [consent("rejected", "2025-08-30", policy=OTHER_POLICY, sourceReference={"display": "NCT05827549 consent form"})], NOT_MET),
    ("rejected, named by its data", lambda: [consent("rejected", "2025-08-30", policy=OTHER_POLICY, provision={
        "data": [{"meaning": "related", "reference": {"reference": "ResearchStudy/1", "display": "NCT05827549"}}]})], NOT_MET),
    ("answer yes", lambda: [review(consent_and_assent_signed="yes")], MET),
    ("answer no", lambda: [review(consent_and_assent_signed="no")], JUDGEMENT),
    ("answer refused", lambda: [review(consent_and_assent_signed="refused")], NOT_MET),
    ("answer yes, document", lambda: [review(consent_and_assent_signed="yes"), consent("active", "2025-08-30")], MET),
    ("answer no, rejected", lambda: [review(consent_and_assent_signed="no"), consent("rejected", "2025-08-30")], NOT_MET),
    ("answer refused, rejected", lambda: [review(consent_and_assent_signed="refused"), consent("rejected", "2025-08-30")], NOT_MET),
    ("answer yes, rejected", lambda: [review(consent_and_assent_signed="yes"), consent("rejected", "2025-08-30")], CONFLICT),
)  # fmt: skip
def test_consent(told, expected):
    assert answer("INC-12", *told()) == expected


def test_a_consent_on_file_is_shown_and_never_counted():
    evidence = next(c for c in judged(consent("active", "2025-08-30"))["criteria"] if c["id"] == "INC-12")["evidence"]
    assert [(e["date"], "verify completeness, assent and date" in e["words"]) for e in evidence] == [("2025-08-30", True)]


def test_a_refusal_blocks_for_good():
    found = judged(consent("rejected", "2025-08-30"))
    assert (found["blocking"], found["modifiable"], found["risk"]["status"]) == (["INC-12"], False, "suppressed")


# --- EXC-10: other trials, and this one ---------------------------------------------------------------------------

ANOTHER = {"display": "Another study (NCT00000000)"}
TREATMENT, ASKED, FOLLOW_UP, NOTHING = (MET, False), (MISSING, False), (NOT_MET, True), (NOT_MET, False)
STATUSES = {
    "on-study-intervention": TREATMENT,
    "on-study": ASKED, "pending-on-study": ASKED, "screening": ASKED,
    "on-study-observation": FOLLOW_UP, "follow-up": FOLLOW_UP, "off-study": FOLLOW_UP,
    "withdrawn": NOTHING, "candidate": NOTHING, "potential-candidate": NOTHING, "eligible": NOTHING, "ineligible": NOTHING, "not-registered": NOTHING,
}  # fmt: skip


@pytest.mark.parametrize(("status", "expected"), STATUSES.items())
def test_another_study_by_its_status(status, expected):
    told = taking_part(ANOTHER, "2025-01-15", status)
    assert (answer("EXC-10", told), "other_trial_follow_up_only" in flags(told)) == expected
    resolved = taking_part({"reference": "ResearchStudy/nct00000000"}, "2025-01-15", status), study("NCT00000000", "Another study")
    assert (answer("EXC-10", *resolved), "other_trial_follow_up_only" in flags(*resolved)) == expected


@pytest.mark.parametrize("status", [s for s, e in STATUSES.items() if e in (TREATMENT, ASKED, FOLLOW_UP)])
@pytest.mark.parametrize("how", [{"category": [{"text": "Observational registry"}]},
                                 {"primaryPurposeType": {"coding": [{"code": "observational", "display": "Observational"}]}}], ids=["category", "purpose"])  # fmt: skip
def test_an_observational_study_is_never_treatment(how, status):
    told = taking_part({"reference": "ResearchStudy/nct00000000"}, "2025-01-15", status), study("NCT00000000", "A registry", **how)
    assert answer("EXC-10", *told) == NOT_MET


BY_REFERENCE = {"reference": "ResearchStudy/nct05827549"}
THIS = [
    ("display", {"display": "Relapsed ALL, NCT05827549"}, ()),
    ("identifier of the reference", {"identifier": {"value": "NCT05827549"}}, ()),
    ("identifier of the study", BY_REFERENCE, ({},)),
    ("one identifier of several", BY_REFERENCE, ({"identifier": [{"value": "1-2022-0065"}, {"value": "NCT05827549"}]},)),
    ("absolute reference", {"reference": "https://ehr.example/fhir/ResearchStudy/nct05827549"}, ({},)),
]


@pytest.mark.parametrize("status", list(STATUSES))
@pytest.mark.parametrize(("reference", "studies"), [row[1:] for row in THIS], ids=[row[0] for row in THIS])
def test_this_trial_is_not_another(reference, studies, status):
    told = taking_part(reference, "2025-09-02", status), *(study("NCT05827549", "Relapsed ALL", **more) for more in studies)
    found = judged(*told, evaluation_date="2025-10-10")
    assert [c["truth"] for c in found["criteria"] if c["id"] == "EXC-10"] == ["not_met"]
    assert "other_trial_follow_up_only" not in {flag["id"] for flag in found["flags"]}
    taking = status in ("on-study", "on-study-intervention", "on-study-observation", "follow-up", "off-study")
    assert found["evaluated_as_of"] == ("2025-09-02" if taking else "2025-10-10")


def test_a_study_that_cannot_be_told_apart_is_asked_about():
    """The reference leads nowhere: it may be this trial, whose participation never counts."""
    told = taking_part({"reference": "ResearchStudy/elsewhere"}, "2025-01-15")
    assert answer("EXC-10", told)[0] == "unknown"


@table(
    ("treatment and follow-up", lambda: [taking_part(ANOTHER, "2025-01-15"), taking_part({"display": "A third"}, "2020-01-15", "follow-up")], (MET, False)),
    ("this trial and follow-up", lambda: [taking_part({"display": "NCT05827549"}, "2025-09-01"), taking_part(ANOTHER, "2020-01-15", "follow-up")], (NOT_MET, True)),
    ("unclear and follow-up", lambda: [taking_part(ANOTHER, "2025-01-15", "on-study"), taking_part({"display": "A third"}, "2020-01-15", "follow-up")], (MISSING, False)),
)  # fmt: skip
def test_several_studies(told, expected):
    assert (answer("EXC-10", *told()), "other_trial_follow_up_only" in flags(*told())) == expected


def test_a_study_entered_after_the_freeze():
    """Judged at the freeze: treatment in another trial that began later is another story."""
    assert answer("EXC-10", taking_part(ANOTHER, "2025-10-01"), **ENROLLED) == NOT_MET
    assert answer("EXC-10", taking_part(ANOTHER, "2025-09-01"), **ENROLLED) == MET


def test_a_study_that_is_over_is_no_current_treatment():
    """The status was never brought up to date: the period says that it ended."""
    assert answer("EXC-10", {**taking_part(ANOTHER, None), "period": {"start": "2019-02-01", "end": "2021-06-30"}})[0] != "met"


def test_treatment_in_another_trial_may_end():
    assert judged(taking_part(ANOTHER, "2025-01-15"))["modifiable"] is True
    assert basis("EXC-10") == "assumed_absent" and "please confirm" in words("EXC-10")
    assert answer("EXC-10", studies=Outcome.FAILED) == NOT_LOOKED_UP
