"""Pregnant, not pregnant, or not known: from tests, recorded pregnancies, sterilisation and a clinician's history."""

from __future__ import annotations

from cds.day import Day, partial
from cds.facts import Event, PatientFacts
from cds.finding import Evidence, Finding, Gap, Why, met, not_met, unknown
from cds.history import before_the_freeze
from cds.series import Candidates, Reading, Series
from cds.truth import MET, UNKNOWN
from cds.values import one

PREGNANCY_DAYS = 300  # a recorded pregnancy, or a positive test, older than this is over
FOR_GOOD = frozenset({"surgically-sterilised", "menopause-over-1-year"})  # told once; any other answer is true of its day
MAY_BE_POSITIVE = (Why.CONFLICT, Why.UNIT, Why.WRONG_INSTRUMENT, Why.PENDING)  # a test that was made and cannot be read


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

    None of them settles a pregnancy that is on record, or a newest test, that cannot be read; a possible one they do."""
    since = until.plus_days(-PREGNANCY_DAYS)
    possible = [e for e in before_the_freeze(facts.pregnancy, until) if e.sure is UNKNOWN and not (e.when and e.when.surely_before(since))]
    unreadable = [e for e in possible if e.kind == "pregnancy"]
    if unreadable:  # on record, and read it would stand before all that follows
        return unknown(*map(_open, unreadable))
    unread = [gap for gap in _may_still_count(facts.hcg, since).latest(until).gaps if gap.reason in MAY_BE_POSITIVE]
    if unread:
        return unknown(*unread)
    told = clinicians_word(facts, until, days)
    sterilised = [e.source for e in before_the_freeze(facts.sterilised, until) if e.sure is MET]
    if sterilised or not told.gaps:
        return met(*sterilised, *(r.source for r in told.readings if not told.gaps))
    tested = facts.hcg.current(until, days)
    if tested.readings and tested.is_("negative").truth is MET:
        return tested.is_("negative")
    if possible:  # suspected: a test, or a clinician, would have settled it
        return unknown(*map(_open, possible))
    needed = Gap("pregnancy test", Why.MISSING, "pregnancy test needed")
    older = () if told.lacks(Why.MISSING) else told.gaps
    return unknown(*(tested.gaps if tested.gaps and not tested.lacks(Why.MISSING) else () if older else (needed,)), *older)


def clinicians_word(facts: PatientFacts, until: Day, days: int) -> Candidates:
    """What a clinician answered, as evidence of the day on which it was answered; it ages like a test, unless it is for good.

    A review that was filled in after eligibility was frozen speaks of the time before, too: it is that of the whole chart."""
    answer = facts.chart_review.answers.get("non-pregnancy-evidence")
    told = tuple(Reading(one("negative"), _given(e, until), e) for e in (answer.evidence if answer else ()))
    history = Series("pregnancy test", told)
    return history.latest(until) if answer and answer.options <= FOR_GOOD and all(r.when.known for r in told) else history.current(until, days)


def _given(answered: Evidence, until: Day) -> Day:
    day = partial(answered.date) if answered.date else Day()
    return until if day.surely_after(until) else day


def _may_still_count(tests: Series, since: Day) -> Series:
    return tests.having(r for r in tests.readings if not r.when.surely_before(since))


def _open(event: Event) -> Gap:
    return Gap("pregnancy test", Why.PENDING, f"{event.source}: not settled", (event.source,))
