"""What became of the cards: how many were accepted or overridden, with which reasons, by service and kind."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Subquery, and_, case, func, select

from hooks.state.tables import cards, feedback


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason for setting a card aside; without a code: the clinician chose none."""

    system: str | None
    code: str | None
    display: str | None
    times: int
    commented: int  # how many of these came with words of the clinician's own, which are not kept


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one kind of card. `kind` is None for feedback to cards that the log does not know (any more): `shown` is 0 then."""

    service: str
    kind: str | None
    shown: int
    accepted: int
    overridden: int
    reasons: tuple[Reason, ...]  # most frequent first

    @property
    def unreported(self) -> int:
        """Ignored, or never told us: an EHR does not report a card that nobody touched."""
        return max(0, self.shown - self.accepted - self.overridden)


def count(connection: Connection, since: datetime | None, displays: Mapping[tuple[str, str], str]) -> tuple[Figures, ...]:
    """An overridden card that was accepted later counts as accepted, once: the newest outcome of a card is its outcome."""
    shown = select(cards.c.service, cards.c.kind, func.count()).group_by(cards.c.service, cards.c.kind)
    known: Counter[tuple[str, str | None]] = Counter()
    for service, kind, cards_shown in connection.execute(shown.where(cards.c.at >= since) if since else shown):
        known[service, kind] = cards_shown
    outcomes: Counter[tuple[str, str | None, str]] = Counter()
    reasons: dict[tuple[str, str | None], list[Reason]] = defaultdict(list)
    sent = _displays_sent(connection)
    for service, kind, outcome, system, code, times, commented in connection.execute(_outcomes(since)):
        outcomes[service, kind, outcome] += times
        if outcome == "overridden":
            display = displays.get((system, code)) or sent.get((system, code))
            reasons[service, kind].append(Reason(system, code, display, times, int(commented)))
    groups = sorted({*known, *reasons, *((service, kind) for service, kind, _ in outcomes)}, key=lambda group: (group[0], group[1] is None, group[1]))
    return tuple(
        Figures(*group, known[group], outcomes[*group, "accepted"], outcomes[*group, "overridden"], _most_frequent_first(reasons[group]))
        for group in groups
    )


def _most_frequent_first(reasons: list[Reason]) -> tuple[Reason, ...]:
    return tuple(sorted(reasons, key=lambda reason: (-reason.times, reason.system or "", reason.code or "")))


def _outcomes(since: datetime | None) -> Any:
    newest = _newest()
    # A card belongs to the client it was shown to; what another client says of it is not about this card.
    shown = and_(cards.c.card == newest.c.card, cards.c.client == newest.c.client, cards.c.service == newest.c.service)
    what = (newest.c.service, cards.c.kind, newest.c.outcome, newest.c.reason_system, newest.c.reason_code)
    commented = func.sum(case((newest.c.commented, 1), else_=0))
    query = select(*what, func.count(), commented).select_from(newest.outerjoin(cards, shown)).where(newest.c.place == 1).group_by(*what)
    # By the day the card was shown, like the cards themselves; an unknown one by the day we heard of it.
    return query.where(func.coalesce(cards.c.at, newest.c.received_at) >= since) if since else query


def _newest() -> Subquery:
    f = feedback.c
    order = (f.outcome_timestamp.desc(), f.received_at.desc(), f.outcome)
    place = func.row_number().over(partition_by=(f.client, f.service, f.card), order_by=order).label("place")
    return select(f.client, f.service, f.card, f.outcome, f.reason_system, f.reason_code, f.commented, f.received_at, place).subquery()


def _displays_sent(connection: Connection) -> dict[tuple[str | None, str | None], str]:
    """What any EHR called a reason: the display may be left out, and then another call often had it."""
    f = feedback.c
    known = select(f.reason_system, f.reason_code, func.min(f.reason_display)).where(f.reason_display.is_not(None))
    return {(system, code): display for system, code, display in connection.execute(known.group_by(f.reason_system, f.reason_code))}
