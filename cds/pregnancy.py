"""Pregnant, not pregnant, or not known: from tests, recorded pregnancies, sterilisation and a clinician's history."""

from __future__ import annotations

from cds.day import Day
from cds.facts import Event, PatientFacts
from cds.finding import Finding, Gap, Why, met, not_met, unknown
from cds.history import before_the_freeze
from cds.truth import MET, UNKNOWN


PREGNANCY_DAYS = 300  # a recorded pregnancy, or a positive test, older than this is over


def pregnant(facts: PatientFacts, until: Day) -> Finding:
    """Met on a recorded pregnancy, or on a newest test that is positive; else nothing is said."""
    since = until.plus_days(-PREGNANCY_DAYS)
    recorded = [e.source for e in before_the_freeze(facts.pregnancy, until)
                if e.sure is MET and not (e.when and e.when.surely_before(since))]  # fmt: skip
    newest = facts.hcg.latest(until).readings
    recorded += [r.source for r in newest if r.value.is_("positive").truth is MET and not r.when.surely_before(since)]
    return met(*recorded) if recorded else not_met()


def not_pregnant(facts: PatientFacts, until: Day, days: int) -> Finding:
    """Met on any one piece of evidence: a clinician's, a sterilisation, a negative test not older than `days`.

    None of them settles a pregnancy that is on record and cannot be read; a possible one they do."""
    since = until.plus_days(-PREGNANCY_DAYS)
    possible = [e for e in before_the_freeze(facts.pregnancy, until) if e.sure is UNKNOWN and not (e.when and e.when.surely_before(since))]
    unreadable = [e for e in possible if e.kind == "pregnancy"]
    if unreadable:  # on record, and read it would stand before all that follows
        return unknown(*map(_open, unreadable))
    answer = facts.chart_review.answers.get("non-pregnancy-evidence")
    sterilised = [e.source for e in before_the_freeze(facts.sterilised, until) if e.sure is MET]
    if answer is not None or sterilised:
        return met(*sterilised, *(answer.evidence if answer else ()))
    tested = facts.hcg.current(until, days)
    if tested.readings and tested.is_("negative").truth is MET:
        return tested.is_("negative")
    if possible:  # suspected: a test, or a clinician, would have settled it
        return unknown(*map(_open, possible))
    needed = Gap("pregnancy test", Why.MISSING, "pregnancy test needed")
    return unknown(*(tested.gaps if tested.gaps and not tested.lacks(Why.MISSING) else (needed,)))


def _open(event: Event) -> Gap:
    return Gap("pregnancy test", Why.PENDING, f"{event.source}: not settled", (event.source,))
