"""The invented children of the demonstration, one per story, built anew for any day.

Nobody here exists. Each chart is complete but for the one thing its story is about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

from hooks.demo import stories as before_reinduction
from hooks.demo import stories_after_reinduction as after_reinduction
from hooks.demo.fhir_builders import HOME, Resource, moved


@dataclass(frozen=True)
class Child:
    id: str
    story: str  # the heading the child stands under
    one_line: str
    overall: str  # what the service should conclude, in the words of the assessment JSON
    possible: tuple[str, ...]  # the risk groups it should leave open
    build: Callable[[date], list[Resource]]
    silence: str = ""  # why no card is pushed, for the children who should get none


AFTER = "After reinduction"
SCREENING = "At screening"
UNCERTAIN = "Something is missing"
BLOCKED = "Something blocks"
ELSEWHERE = "Not about this trial"

PENDING = "eligible_pending_clinician_review"
ALL_GROUPS = ("SR", "HR", "VHR")

CHILDREN = (
    Child("standard-risk", AFTER, "Late relapse, marrow in remission, NGS-MRD 0.004 %",
          PENDING, ("SR",), after_reinduction.standard_risk),
    Child("high-risk", AFTER, "Relapse on treatment, NGS-MRD 0.02 %",
          PENDING, ("HR",), after_reinduction.high_risk),
    Child("very-high-risk", AFTER, "8 % blasts at the end of induction",
          PENDING, ("VHR",), after_reinduction.very_high_risk),
    Child("mrd-censored", AFTER, "NGS-MRD reported only as '<0.1 %'",
          PENDING, ("SR", "HR"), after_reinduction.mrd_below_a_coarse_limit),
    Child("month-only", AFTER, "Birth and end of treatment known to the month",
          PENDING, ("SR", "HR"), after_reinduction.dates_to_the_month),
    Child("screening-complete", SCREENING, "Complete work-up, reinduction not begun",
          PENDING, ALL_GROUPS, before_reinduction.screening_complete),
    Child("t-cell", SCREENING, "T-ALL, early relapse of marrow and testis",
          PENDING, ("HR",), before_reinduction.t_cell),
    Child("creatinine-umol", SCREENING, "Creatinine reported in µmol/L",
          PENDING, ALL_GROUPS, before_reinduction.creatinine_in_umol),
    Child("discordant-heart", SCREENING, "SF 26 % but EF 55 %; only total bilirubin",
          PENDING, ALL_GROUPS, before_reinduction.discordant_heart),
    Child("missing-echo", UNCERTAIN, "No echocardiogram yet",
          "insufficient_data", ALL_GROUPS, before_reinduction.missing_echo),
    Child("stale-creatinine", UNCERTAIN, "Last creatinine 43 days ago",
          "insufficient_data", ALL_GROUPS, before_reinduction.stale_creatinine),
    Child("two-lineages", UNCERTAIN, "B-ALL at diagnosis, T-ALL at relapse",
          "insufficient_data", ALL_GROUPS, before_reinduction.two_lineages),
    Child("high-creatinine", BLOCKED, "Creatinine 1.3 mg/dL at 12 years: may pass later",
          "not_eligible", (), before_reinduction.high_creatinine),
    Child("ph-positive", BLOCKED, "Philadelphia chromosome positive",
          "not_eligible", (), before_reinduction.philadelphia_positive),
    Child("first-remission", ELSEWHERE, "ALL in first remission, on maintenance",
          "not_applicable", (), before_reinduction.first_remission,
          "the leukaemia has not relapsed, so the trial does not concern this child"),
    Child("asthma", ELSEWHERE, "Asthma; never had leukaemia",
          "not_applicable", (), before_reinduction.asthma,
          "there is no leukaemia in this chart"),
)  # fmt: skip


def everyone(today: date) -> Iterator[Resource]:
    """All resources of all children; what children share comes once."""
    seen: set[tuple[str, str]] = set()
    for child in CHILDREN:
        for resource in child.build(today):
            name = (resource["resourceType"], resource["id"])
            if name not in seen:
                seen.add(name)
                yield resource


def bundle(child: Child, today: date) -> Resource:
    """One child's chart as a collection, the shape `relapse-cds assess --bundle` reads."""
    entries = [{"fullUrl": f"{HOME}/{r['resourceType']}/{r['id']}", "resource": r} for r in child.build(today)]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def transaction(today: date) -> Resource:
    """Everyone, for loading into another FHIR server; that server is home then, so no address names this one."""
    entries = []
    for resource in everyone(today):
        address = f"{resource['resourceType']}/{resource['id']}"
        request = {"method": "PUT", "url": address}
        entries.append({"fullUrl": f"{HOME}/{address}", "resource": moved(resource, ""), "request": request})
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}
