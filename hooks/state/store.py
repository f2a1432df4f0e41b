"""What is stored and what is forgotten, one statement each; every fault of the database is a StateError."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import Connection, Table, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from hooks.feedback import Feedback
from hooks.state import figures
from hooks.state.database import Database
from hooks.state.faults import StateError
from hooks.state.figures import Figures
from hooks.state.tables import cards, feedback, replays, visits

log = structlog.get_logger()
# INSERT of what is not there yet: the key decides, so it holds across threads, processes and hosts.
_ABSENT = {
    name: {table.name: insert(table).on_conflict_do_nothing().execution_options(preserve_rowcount=True) for table in (replays, cards, feedback, visits)}
    for name, insert in (("postgresql", postgresql.insert), ("sqlite", sqlite.insert))
}


@dataclass(frozen=True, slots=True)
class CardLogged:
    """One card that was shown, without the child: enough to say which program and which rules wrote it."""

    card: str  # its uuid
    at: datetime  # with a time zone
    client: str
    service: str
    protocol: str
    text_version: str
    software_version: str
    inputs_hash: str
    overall: str
    milliseconds: int
    kind: str  # "assessment", "order"


class State:
    """The database of the service. Nothing is opened before it is needed."""

    def __init__(self, url: str):
        """Raise StateError for an address that is neither SQLite's nor PostgreSQL's."""
        self._database = Database(url)
        self._last_forgotten: dict[int, datetime] = {}  # by process

    @property
    def file(self) -> Path | None:
        """The SQLite file, if it is one."""
        return self._database.file

    @property
    def in_memory(self) -> bool:
        """Known to one process only, and gone with it."""
        return self._database.in_memory

    def first_use(self, issuer: str, jti: str, until: float) -> bool:
        """Whether this token is seen for the first time, anywhere; from now on, until `until`, it is not."""
        mark = sha256(jti.encode("utf-8", "surrogatepass")).hexdigest()
        return self._add(replays, [{"issuer": issuer, "jti": mark, "until": until}]) == 1

    def keep_card(self, card: CardLogged) -> None:
        self._add(cards, [asdict(card)])

    def keep_feedback(self, client: str, service: str, entries: Sequence[Feedback]) -> int:
        """How many of them were new. The same outcome of the same card at the same time is kept once."""
        known = {"client": client, "service": service, "received_at": datetime.now(UTC)}
        return self._add(feedback, [known | asdict(entry) for entry in entries])

    def keep_visit(self, id: str, sealed: str, until: float) -> None:
        self._add(visits, [{"id": id, "sealed": sealed, "until": until}])

    def visit(self, id: str, now: float) -> str | None:
        """What was sealed under this id, unless its time is over."""
        kept = select(visits.c.sealed).where(visits.c.id == id, visits.c.until > now)
        return self._database.run(lambda connection: connection.execute(kept).scalar_one_or_none())

    def end_visit(self, id: str) -> bool:
        """Whether it was still there: of two that end it only one is told so."""
        ended = delete(visits).where(visits.c.id == id).execution_options(preserve_rowcount=True)
        return self._database.run(lambda connection: connection.execute(ended).rowcount == 1)

    def _add(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> int:
        """How many were not there yet."""
        if not rows:
            return 0

        def added(connection: Connection) -> int:
            insert = _ABSENT[connection.dialect.name][table.name]
            # Several are one statement as well, all or none; but a single row's SQL is compiled once and for all.
            done = connection.execute(insert, rows[0]) if len(rows) == 1 else connection.execute(insert.values(rows))
            return int(done.rowcount)

        return self._database.run(added)

    def forget(self, now: datetime, keep_days: int) -> None:
        """Tokens and visits that have expired by themselves, and cards and feedback older than `keep_days`."""
        oldest = now - timedelta(days=keep_days)

        def forgotten(connection: Connection) -> None:
            connection.execute(delete(replays).where(replays.c.until < now.timestamp()))
            connection.execute(delete(visits).where(visits.c.until < now.timestamp()))
            connection.execute(delete(cards).where(cards.c.at < oldest))
            connection.execute(delete(feedback).where(feedback.c.received_at < oldest))

        self._database.run(forgotten)

    def forget_now_and_then(self, now: datetime, keep_days: int, every: float = 3600) -> bool:
        """`forget`, but at most once in `every` seconds in each process, and never to the harm of the call that it is part of."""
        last = self._last_forgotten.get(os.getpid())
        if last and abs((now - last).total_seconds()) < every:  # abs: a clock that was put back must not stop it for days
            return False
        self._last_forgotten[os.getpid()] = now
        try:
            self.forget(now, keep_days)
        except StateError as why:
            log.warning("not_forgotten", why=str(why))
            return False
        return True

    def summary(self, since: datetime | None = None, displays: Mapping[tuple[str, str], str] | None = None) -> tuple[Figures, ...]:
        """What became of the cards shown since then, by service and kind; `displays` name reasons by (system, code)."""
        return self._database.run(lambda connection: figures.count(connection, since, displays or {}))

    def check(self) -> None:
        """Raise StateError unless the database answers and has our tables."""
        self._database.run(lambda connection: connection.execute(select(replays.c.until).limit(1)).all())

    def close(self) -> None:
        """Hang up, in this process. Whatever is asked next connects again."""
        self._database.close()
