"""What a clinician judges: the five judgements, what is shown for the one on the CNS, and the performance status.

A row of a table adds resources and names truth and reason: see `judged.py`.
"""

from __future__ import annotations

import pytest

import vignettes
from cds import assess
from cds.trials.nct05827549 import PROTOCOL
from charts import TESTS, answers, concept, condition, facts, observation
from judged import (
    CONFLICT,
    JUDGEMENT,
    MET,
    NOT_MET,
    PENDING,
    STALE,
    UNIT,
    UNTOLD,
    VIGNETTES,
    answer,
    basis,
    flags,
    judged,
    review,
    table,
    words,
)

# --- what investigators judge -------------------------------------------------------------------------------------

JUDGED = {
    "INC-10": "life-expectancy-at-least-1-year", "INC-11": "expected-compliance", "INC-12": "consent-and-assent-signed",
    "EXC-11": "unstable-condition", "EXC-12": "relevant-cns-pathology",
}  # fmt: skip
every_judgement = pytest.mark.parametrize(("criterion", "item"), JUDGED.items())


@every_judgement
@pytest.mark.parametrize(("told", "expected"), [("yes", MET), ("no", NOT_MET)])
def test_a_judgement_attested_after_the_relapse(criterion, item, told, expected):
    """The answer is the literal truth of the criterion; for consent, no means not yet."""
    if (criterion, told) == ("INC-12", "no"):
        expected = JUDGEMENT
    assert answer(criterion, answers({item: told}, "2025-08-26")) == expected
    if expected != JUDGEMENT:
        assert basis(criterion, answers({item: told}, "2025-08-26")) == "attested"
        assert "Dr. Invented" in words(criterion, answers({item: told}, "2025-08-26"))


@every_judgement
@pytest.mark.parametrize("authored", ["2025-08-25", "2025-08-25T09:00:00+09:00", "2025-08-24", "2024-01-01", "2025-08", None])
def test_a_judgement_expires_at_the_relapse(criterion, item, authored):
    """Not surely after 2025-08-25: asked again, with the old answer shown."""
    assert answer(criterion, answers({item: "yes"}, authored)) == JUDGEMENT
    assert "answered" in words(criterion, answers({item: "yes"}, authored))


@every_judgement
def test_a_judgement_with_the_time_of_day(criterion, item):
    assert answer(criterion, answers({item: "yes"}, "2025-08-26T08:20:00+09:00")) == MET


@every_judgement
def test_the_newest_judgement_wins(criterion, item):
    told = answers({item: "yes"}, "2025-08-28"), answers({item: "no"}, "2025-08-30")
    for chart in (told, told[::-1]):
        assert answer(criterion, *chart) == (JUDGEMENT if criterion == "INC-12" else NOT_MET)


@every_judgement
def test_a_draft_is_no_answer(criterion, item):
    assert answer(criterion, answers({item: "yes"}, "2025-08-30", status="in-progress")) == JUDGEMENT


@pytest.mark.parametrize("criterion", list(JUDGED))
def test_a_judgement_never_makes_the_data_insufficient(criterion):
    complete = {key: VIGNETTES["V01"].facts[key] for key in UNTOLD}
    assert judged(**complete)["overall"] == "eligible_pending_clinician_review"


# --- EXC-12: what is shown for the judgement ----------------------------------------------------------------------


@table(
    ("-", lambda: [], (JUDGEMENT, False)),
    ("epilepsy", lambda: [condition("epilepsy", "active", "2024-05-01")], (JUDGEMENT, True)),
    ("epilepsy, refuted", lambda: [condition("epilepsy", "active", "2024-05-01", verified="refuted")], (JUDGEMENT, False)),
    ("epilepsy, judged not relevant", lambda: [condition("epilepsy", "active", "2024-05-01"), review(relevant_cns_pathology="no")], (NOT_MET, True)),
    ("CNS leukaemia", lambda: [condition("cns_leukaemia", "active", "2025-08-25")], (JUDGEMENT, False)),
)  # fmt: skip
def test_neurological_findings(told, expected):
    assert (answer("EXC-12", *told()), "cns_finding_for_review" in flags(*told())) == expected


def test_what_was_found_is_named_once():
    found = words("EXC-12", condition("epilepsy", "active", "2024-05-01"), condition("epilepsy", "active", "2024-05-01"))
    assert "please judge" in found and found.count("2024-05-01") == 1
    assert "none found, please confirm" in words("EXC-12")


# --- INC-09: performance status -----------------------------------------------------------------------------------

SIXTEEN = {"birth_date": "2009-09-01"}  # 16 on the day asked about


def scored(scale, score, day="2025-09-01", **more):
    return observation(scale, None, day, **{"valueInteger": score, **more})


@pytest.mark.parametrize(("told", "changes", "expected"), [
    (lambda: [scored("Lansky", 60)], {}, MET),
    (lambda: [scored("Lansky", 50)], {}, NOT_MET),
    (lambda: [scored("Karnofsky", 90)], {}, ("unknown", "wrong_instrument")),
    (lambda: [scored("ECOG", 0)], {}, ("unknown", "wrong_instrument")),
    (lambda: [scored("Lansky", 90)], SIXTEEN, ("unknown", "wrong_instrument")),
    (lambda: [scored("Karnofsky", 60)], SIXTEEN, MET),
    (lambda: [scored("Karnofsky", 50)], SIXTEEN, NOT_MET),
    (lambda: [scored("Lansky", 90, "2025-08-31")], SIXTEEN, MET),  # 15 on the day of the assessment
    (lambda: [scored("Lansky", 3)], {}, UNIT),
    (lambda: [scored("Lansky", 85)], {}, UNIT),
    (lambda: [scored("Lansky", 80), scored("ECOG", 2)], {}, MET),
    (lambda: [scored("Lansky", 80, "2025-08-18")], {}, MET),
    (lambda: [scored("Lansky", 80, "2025-08-17")], {}, STALE),
    (lambda: [scored("Lansky", 80), scored("Lansky", 40)], {}, CONFLICT),
    (lambda: [scored("Lansky", 90, "2025-08-20"), scored("Lansky", 40)], {}, NOT_MET),
    (lambda: [observation("Lansky", "80 %", "2025-09-01")], {}, MET),
    (lambda: [observation("Lansky", "80 {score}", "2025-09-01")], {}, MET),
    (lambda: [observation("Lansky", "80", "2025-09-01")], {}, MET),
    (lambda: [scored("Lansky", 80, status="preliminary")], {}, PENDING),
])  # fmt: skip
def test_performance_status(told, changes, expected):
    chart = [r for r in vignettes.as_record(VIGNETTES["V01"].facts | changes) if r.get("code") != concept(TESTS["Lansky"])]
    found = assess(PROTOCOL, facts(*chart, *told(), as_of="2025-09-01")).as_json("test")
    assert next((c["truth"], c["reason"]) for c in found["criteria"] if c["id"] == "INC-09") == expected
