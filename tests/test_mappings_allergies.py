"""What a child is allergic to: which records exclude, which ask, and which say nothing of the trial's drugs.

A row of a table adds resources and names truth and reason: see `judged.py`.
"""

from __future__ import annotations

import pytest

from charts import NO_KNOWN_ALLERGY, NO_KNOWN_DRUG_ALLERGY, NO_KNOWN_FOOD_ALLERGY, SNOMED, allergy, concept
from fhir_mappings import Outcome
from judged import AFTER, ENROLLED, JUDGEMENT, MET, MISSING, NOT_LOOKED_UP, NOT_MET, answer, flags, table

PEANUT = (SNOMED, "762952008")


@table(
    ("-", lambda: [], MISSING),
    ("none known", lambda: [allergy(NO_KNOWN_ALLERGY)], NOT_MET),
    ("no known drug allergy", lambda: [allergy(NO_KNOWN_DRUG_ALLERGY)], NOT_MET),
    ("none known, refuted", lambda: [allergy(NO_KNOWN_ALLERGY, verified="refuted")], MISSING),
    ("no known food allergy", lambda: [allergy(NO_KNOWN_FOOD_ALLERGY, written="No known food allergy")], MISSING),
    ("no known food allergy, by code alone", lambda: [allergy(NO_KNOWN_FOOD_ALLERGY)], MISSING),
    ("peanut", lambda: [allergy(PEANUT, written="Peanut")], NOT_MET),
    ("etoposide", lambda: [allergy("etoposide")], MET),
    ("etoposide, type allergy", lambda: [allergy("etoposide", type="allergy")], MET),
    ("etoposide, unconfirmed", lambda: [allergy("etoposide", verified="unconfirmed")], MET),
    ("etoposide, presumed", lambda: [allergy("etoposide", verified="presumed")], MET),
    ("etoposide, no statuses", lambda: [allergy("etoposide", status=None, verified=None)], MET),
    ("etoposide, refuted", lambda: [allergy("etoposide", verified="refuted")], MISSING),
    ("etoposide, entered in error", lambda: [allergy("etoposide", status=None, verified="entered-in-error")], MISSING),
    ("etoposide, refuted, and none known", lambda: [allergy("etoposide", verified="refuted"), allergy(NO_KNOWN_ALLERGY)], NOT_MET),
    ("etoposide, inactive", lambda: [allergy("etoposide", status="inactive")], JUDGEMENT),
    ("etoposide, resolved", lambda: [allergy("etoposide", status="resolved")], JUDGEMENT),
    ("etoposide, intolerance", lambda: [allergy("etoposide", type="intolerance")], JUDGEMENT),
    ("etoposide, by reaction substance", lambda: [allergy(None, written="Drug reaction", reaction=[{
        "substance": concept(("http://www.nlm.nih.gov/research/umls/rxnorm", "4179")), "manifestation": [{"text": "anaphylaxis"}]}])], MET),
    ("intolerance and allergy", lambda: [allergy("etoposide", type="intolerance"), allergy("vincristine")], MET),
    ("vincristine, written only", lambda: [allergy(None, written="Vincristine")], JUDGEMENT),
    ("something written only", lambda: [allergy(None, written="cats")], NOT_MET),
    ("a listed drug beside none known", lambda: [allergy("idarubicin"), allergy(NO_KNOWN_ALLERGY)], MET),
    *((f"related: {name}", lambda name=name: [allergy(None, written=name)], JUDGEMENT) for name in (
        "Daunorubicin", "teniposide", "Cyclophosphamide", "thioguanine", "tioguanine", "Polysorbate 80", "benzyl alcohol")),
    ("daunorubicin, refuted", lambda: [allergy(None, written="daunorubicin", verified="refuted")], MISSING),
    ("asparaginase", lambda: [allergy("asparaginase")], NOT_MET),
    ("asparaginase, written only", lambda: [allergy(None, written="L-asparaginase")], NOT_MET),
    ("no substance at all", lambda: [allergy(None)], MISSING),
    ("a drug, which is not stated", lambda: [allergy((SNOMED, "416098002"))], MISSING),
)  # fmt: skip
def test_hypersensitivity(told, expected):
    assert answer("EXC-13", *told()) == expected


@table(
    ("asparaginase", lambda: [allergy("asparaginase")], True),
    ("pegaspargase, written only", lambda: [allergy(None, written="Pegaspargase")], True),
    ("prednisolone, written only", lambda: [allergy(None, written="prednisolone")], True),
    ("methotrexate, written only", lambda: [allergy(None, written="methotrexate")], True),
    ("asparaginase, refuted", lambda: [allergy("asparaginase", verified="refuted")], False),
    ("asparaginase and etoposide", lambda: [allergy("asparaginase"), allergy("etoposide")], False),
    ("peanut", lambda: [allergy(PEANUT, written="Peanut")], False),
    ("none known", lambda: [allergy(NO_KNOWN_ALLERGY)], False),
)  # fmt: skip
def test_the_flag_of_a_likely_drug(told, expected):
    assert ("allergy_to_unlisted_likely_drug" in flags(*told())) is expected


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.PARTIAL, Outcome.NOT_ASKED])
def test_an_allergy_list_that_did_not_come_whole(outcome):
    assert answer("EXC-13", allergies=outcome) == NOT_LOOKED_UP
    assert answer("EXC-13", allergy("etoposide"), allergies=Outcome.PARTIAL) == MET


def test_an_allergy_that_the_study_brought():
    """Eligibility is frozen at enrolment: anaphylaxis to a study drug later on does not undo it."""
    told = allergy(NO_KNOWN_ALLERGY, recordedDate="2025-08-01"), allergy("etoposide", onsetDateTime=AFTER, recordedDate=AFTER)
    assert answer("EXC-13", *told, **ENROLLED) == NOT_MET
