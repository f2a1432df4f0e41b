"""What a child ever received, was found to have, or takes part in: events, and what silence about them means.

Silence differs by kind: "never received" is proved by nobody's silence, unless the record is known to be complete;
a lifelong condition that is on no problem list is taken as absent, said so, and asked to be confirmed (protocol-reading 0.3).
"""

from __future__ import annotations

from dataclasses import replace

from cds.day import Day, partial
from cds.facts import Event, Listed
from cds.finding import Basis, Evidence, Finding, Gap, Why, met, not_met, unknown
from cds.series import Series
from cds.truth import MET, NOT_MET
from cds.values import Choice


def before_the_freeze(events: Listed[Event], until: Day) -> list[Event]:
    """The events that may lie on or before the day eligibility is frozen; the study's own treatment comes after it."""
    return [e for e in events.items if e.sure is not NOT_MET and (e.when is None or not e.when.surely_after(until))]


def ever_received(fact: str, events: Listed[Event], received: str, until: Day, answer: Choice | None, complete: bool) -> Finding:
    """Was it ever received? `received` is the kind that counts; every other kind in `events` is a doubt.

    Met: received. Not met: a clinician says never, or nothing is on record and the record is known to be complete.
    """
    possible = before_the_freeze(events, until)
    sure = [e for e in possible if e.kind == received and e.sure is MET and (e.when is None or e.when.surely_by(until))]
    doubts = [e for e in possible if e not in sure]
    told = answer.is_("yes") if answer is not None else None
    denied = sure or [e for e in doubts if e.kind in CONTRADICT_NEVER or e.kind == received]
    if told is not None and told.truth is NOT_MET and denied:
        seen = tuple(e.source for e in denied) + told.evidence
        return unknown(Gap(fact, Why.CONFLICT, f"{fact}: " + ", but ".join(map(str, seen)), seen))
    if sure:
        return met(*(e.source for e in sure))
    if told is not None:
        return _beside(told, doubts)  # where the record is silent or doubtful, the clinician's word settles it
    if doubts:
        return unknown(*(_doubt(fact, e) for e in doubts))
    if events.gap:
        return unknown(events.gap)
    if complete:
        return not_met(Evidence(f"no {fact} in a treatment history said to be complete", basis=Basis.ASSUMED_ABSENT))
    return unknown(Gap(fact, Why.MISSING, f"no {fact} on record; the record is not known to be complete: please confirm none"))


def _beside(told: Finding, doubts: list[Event]) -> Finding:
    """The clinician's "no", with what on record made it necessary: whoever reads it must be able to doubt it."""
    if told.truth is not NOT_MET or not doubts:
        return told
    seen = tuple(e.source for e in doubts)
    return not_met(*told.evidence, *seen, note=f"{told.words}, on record: {', '.join(dict.fromkeys(map(str, seen)))}")


def _doubt(fact: str, event: Event) -> Gap:
    reason, words = DOUBTS.get(event.kind, (Why.MISSING, "not certain"))
    return Gap(fact, reason, f"{event.source}: {words}", (event.source,))


CONTRADICT_NEVER = frozenset({"graft_versus_host", "relapse_after_transplant"})
DOUBTS = {
    "ordered": (Why.CONFLICT, "ordered, but no dose on record"),
    "donor_not_stated": (Why.MISSING, "the donor is not stated"),
    "relapse_after_transplant": (Why.MISSING, "a transplant before it; the donor is not stated"),
    "graft_versus_host": (Why.CONFLICT, "graft-versus-host disease, but no transplant on record"),
}


def ever_found(series: Series, option: str) -> Finding:
    """Was it ever found? Found once is found for good; a result that cannot be read may be the one."""
    found = [r for r in series.readings if r.problem is None and r.value.is_(option).truth is MET]
    if found:
        return met(*(r.source for r in found))
    unread = tuple(r.problem for r in series.readings if r.problem and r.problem.reason is not Why.MISSING)
    if unread:
        return unknown(*unread)  # any of them may be the one that is positive
    answers = tuple(r.source for r in series.readings if r.problem is None)  # a failed test gives none
    if series.gap:
        return unknown(series.gap)
    return not_met(*answers) if answers else unknown(*series.latest(Day()).gaps)


def on_record(fact: str, events: Listed[Event], *kinds: str) -> Finding:
    """Is one of these kinds on record? A searched record without it says no, for a person to confirm."""
    found = [e for e in events.items if e.kind in kinds and e.sure is not NOT_MET]
    sure = [e.source for e in found if e.sure is MET]
    if sure:
        return met(*sure)
    if found:
        return unknown(*(Gap(fact, Why.MISSING, f"{e.source}: not confirmed", (e.source,)) for e in found))
    if events.gap:
        return unknown(events.gap)
    return not_met(Evidence(f"no {fact} found – please confirm", basis=Basis.ASSUMED_ABSENT))


def attested(item: str, question: str, answer: Choice | None, since: Day, shown: tuple[Evidence, ...] = ()) -> Finding:
    """A judgement of the investigator: what a named clinician answered since the relapse, else unknown for a person."""
    ask = Gap(item, Why.JUDGEMENT, question, shown)
    if answer is None:
        return unknown(ask)
    given = answer.evidence[0].date
    if given is None or not since.surely_before(partial(given)):
        expired = f"{question} (answered {given or 'on an unknown date'}, not after this relapse)"
        return unknown(replace(ask, words=expired, seen=ask.seen + answer.evidence))
    return answer.is_("yes") if answer.options <= {"yes", "no"} else unknown(ask)
