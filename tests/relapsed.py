"""A leukaemia of 2019 and its relapse of 2025 as records, and the case that a chart of them makes."""

from __future__ import annotations

from cds.case import Case
from charts import condition, facts, observation, patient

FIRST = condition("b_all", "active", "2019-02-01")
IN_REMISSION = condition("b_all", "remission", "2019-02-01")
RELAPSE = condition("b_all", "relapse", "2025-08-25")


def case(*chart, as_of="2025-09-01", **outcomes):
    return Case(facts(patient(), *chart, as_of=as_of, **outcomes))


def marrow(blasts, day, **more):
    return observation("marrow blasts", blasts, day, **more)
