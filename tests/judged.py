"""The child of vignette V01 without what it received, has, or takes part in: resources are added, and a criterion answers.

`answer("INC-04", transplant("allogeneic", BEFORE))` is truth and reason; keywords change facts of the vignette, or fail a
search. A `table` of such answers begins with that child as it is: `-` is no resource at all, what silence means.
"""

from __future__ import annotations

import pytest

import vignettes
from cds import assess
from cds.trials.nct05827549 import PROTOCOL
from charts import answers, facts
from fhir_mappings import Outcome

VIGNETTES = {v.id: v for v in vignettes.read_vignettes()}
UNTOLD = {
    "prior_allo_sct": "none_recorded", "prior_blinatumomab": "none_recorded", "treatment_history_complete": False, "hiv": None,
    "allergies": {"information": "no_information", "substances": []},
}  # fmt: skip
GIRL = {"sex": "female", "birth_date": "2010-03-15"}  # 15 years old
ENROLLED = {key: VIGNETTES["V02"].facts[key] for key in ("evaluation_date", "enrolment_date", "reinduction_start_date", "eoi")}
BEFORE = "2020-05-04"  # during the frontline treatment
AFTER = "2025-09-20"  # after enrolment on 2025-09-02
COMPLETE = {"treatment_history_complete": True}
NEVER = answers({"prior-allogeneic-transplant": "no", "prior-blinatumomab": "no"})

MET, NOT_MET = ("met", None), ("not_met", None)
MISSING, CONFLICT, STALE, PENDING, JUDGEMENT, AMBIGUOUS, NOT_LOOKED_UP, UNIT = (
    ("unknown", why) for why in ("missing", "conflict", "stale", "pending", "judgement", "source_ambiguous", "not_looked_up", "unit")
)


def judged(*more, **changes):
    """V01 without the facts in question, and with these resources; keywords change facts of the vignette, or fail a search."""
    outcomes = {name: changes.pop(name) for name in list(changes) if isinstance(changes[name], Outcome)}
    told = VIGNETTES["V01"].facts | UNTOLD | changes
    found = facts(*vignettes.as_record(told), *more, as_of=told["evaluation_date"], **outcomes)
    return assess(PROTOCOL, found).as_json("test")


def answer(criterion, *more, **changes):
    found = next(c for c in judged(*more, **changes)["criteria"] if c["id"] == criterion)
    return found["truth"], found["reason"]


def words(criterion, *more, **changes):
    return next(c for c in judged(*more, **changes)["criteria"] if c["id"] == criterion)["words"]


def basis(criterion, *more, **changes):
    return next(c for c in judged(*more, **changes)["criteria"] if c["id"] == criterion)["basis"]


def flags(*more, **changes):
    return {flag["id"] for flag in judged(*more, **changes)["flags"]}


def table(*rows):
    """(name, resources, answer): resources are made anew for each test, since each has an id of its own."""
    return pytest.mark.parametrize(("told", "expected"), [row[1:] for row in rows], ids=[row[0] for row in rows])


def review(**told):
    return answers({link_id.replace("_", "-"): answer for link_id, answer in told.items()})
