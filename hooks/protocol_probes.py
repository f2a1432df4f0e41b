"""The three invented children on whom rules are run to see what they read: PROBES.

Of the first nothing is known; of the second a little of everything; of the third only a marrow that looks like a
relapse. Between them they lead each rule past every place where it could stop early. A test gives the rules hundreds of
random records and names the one that reads more than it did of these; what made it do so then belongs here.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from cds.day import on
from cds.facts import ChartReview, Diagnosis, Event, Listed, PatientFacts
from cds.finding import Evidence
from cds.series import Reading, Series
from cds.values import amount, one

DAY, SOURCE = on("2025-09-01"), Evidence("on record")
NOBODY = PatientFacts("Patient/nobody", date(2025, 9, 1))


def _result(name: str, value: Any, *labels: str) -> Series:
    return Series(name, (Reading(value, DAY, SOURCE, frozenset(labels)),))


EVERYTHING = PatientFacts(
    "Patient/everything",
    date(2025, 9, 1),
    birth_date=on("2011-01-01"),
    sex=one("female", SOURCE),
    deceased=one("no", SOURCE),
    diagnoses=Listed((
        Diagnosis(SOURCE, frozenset({"b_all"}), onset=on("2019-02-01")),
        Diagnosis(SOURCE, frozenset({"b_all"}), onset=on("2025-08-25"), relapse=True, sites=frozenset({"marrow", "cns"})),
    )),
    first_line_end=Listed((on("2021-06-30"),)),
    marrow_blasts=_result("marrow blasts", amount("3 %")),
    mrd=_result("MRD", amount("0.1 %"), "flow", "marrow", "eoi"),
    creatinine=_result("creatinine", amount("0.5 mg/dL")),
    performance=_result("performance status", amount("80 %"), "lansky"),
    hiv=Series("HIV test"),  # looked for, and none found
    syndromes=Listed((Event("another inherited marrow failure", SOURCE),)),
    hiv_infection=Listed(),
    chart_review=ChartReview({"eoi-ngs-mrd": amount("0.1 %", SOURCE)}),
)  # fmt: skip

SUSPECTED = PatientFacts(
    "Patient/suspected",
    date(2025, 9, 1),
    diagnoses=Listed((Diagnosis(SOURCE, frozenset({"b_all"}), onset=on("2019-02-01")),)),
    marrow_blasts=_result("marrow blasts", amount("62 %")),
)

PROBES = (NOBODY, EVERYTHING, SUSPECTED)
