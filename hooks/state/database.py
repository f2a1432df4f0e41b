"""One database for every thread, process and host: connections of each process's own, and faults in plain words."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Engine, StaticPool, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from hooks.state.faults import StateError, told
from hooks.state.tables import make_tables

Result = TypeVar("Result")

PATIENCE = 5  # seconds that one SQLite writer waits for another
ADDRESS = "the database must be given as sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME"
CREATED = "READ COMMITTED"  # only making the tables needs a transaction


class Database:
    """Every statement commits by itself: a token is used up, a card is kept, at once and for everybody."""

    def __init__(self, url: str):
        self._url = _read(url)
        self._memory = self._url.get_backend_name() == "sqlite" and (
            self._url.database in (None, "", ":memory:") or self._url.query.get("mode") == "memory"
        )
        # Connections must not cross a fork. The parent's are left alone rather than closed: closing would hang up on it.
        self._per_process: dict[int, _Connections] = {}

    @property
    def file(self) -> Path | None:
        """The SQLite file, if it is one."""
        return Path(str(self._url.database)) if self._url.get_backend_name() == "sqlite" and not self._memory else None

    @property
    def in_memory(self) -> bool:
        return self._memory

    def run(self, work: Callable[[Connection], Result]) -> Result:
        """`work` with a connection; once more if the server had hung up meanwhile, so it must bear to be done twice."""
        try:
            try:
                return self._once(work)
            except DBAPIError as error:
                if not error.connection_invalidated:
                    raise
                return self._once(work)
        except (SQLAlchemyError, UnicodeError, OverflowError) as error:
            fault = told(error)
        raise fault  # out here, so that it does not carry the driver's message along as its context

    def _once(self, work: Callable[[Connection], Result]) -> Result:
        mine = self._mine()
        with mine.alone, mine.engine.connect() as connection:
            return work(connection)

    def _mine(self) -> _Connections:
        pid = os.getpid()
        mine = self._per_process.get(pid) or self._per_process.setdefault(pid, _Connections(self._url, self._memory))
        mine.make_ready()
        return mine

    def close(self) -> None:
        """Hang up, in this process. The next statement connects again."""
        if mine := self._per_process.pop(os.getpid(), None):
            mine.engine.dispose()


class _Connections:
    """Those of one process."""

    def __init__(self, url: URL, memory: bool):
        self.alone: AbstractContextManager[Any] = threading.RLock() if memory else nullcontext()  # in memory: one connection for all threads
        self.engine = _engine(url, memory)
        self._ready, self._getting_ready = False, threading.Lock()

    def make_ready(self) -> None:
        if self._ready:
            return
        with self._getting_ready, self.alone:
            if not self._ready:
                isolation = "SERIALIZABLE" if self.engine.dialect.name == "sqlite" else CREATED
                with self.engine.connect().execution_options(isolation_level=isolation) as connection, connection.begin():
                    make_tables(connection)
                self._ready = True


def _read(url: str) -> URL:
    """The URL with the driver we use; a wrong one is not quoted, it may hold a password."""
    try:
        read = make_url(url)
    except (SQLAlchemyError, ValueError):
        raise StateError(ADDRESS) from None
    if read.drivername in ("postgresql", "postgres", "postgresql+psycopg"):
        return read.set(drivername="postgresql+psycopg")
    if read.drivername in ("sqlite", "sqlite+pysqlite") and not read.host:
        return read
    raise StateError(ADDRESS)


def _engine(url: URL, memory: bool) -> Engine:
    # hide_parameters: what was to be stored stays out of error messages and of SQLAlchemy's own log.
    common: dict[str, Any] = {"isolation_level": "AUTOCOMMIT", "hide_parameters": True}
    if memory:
        return create_engine(url, poolclass=StaticPool, connect_args={"check_same_thread": False}, **common)
    common |= {"pool_size": 8, "max_overflow": 8, "pool_timeout": PATIENCE}
    if url.get_backend_name() == "sqlite":
        engine = create_engine(url, connect_args={"timeout": PATIENCE, "check_same_thread": False}, **common)
        event.listen(engine, "connect", _settle_sqlite)
        return engine
    # A call is waiting: a host that is gone is given up after seconds, not minutes. Nothing is prepared on the server,
    # since a pooler such as PgBouncer may put the next statement on another connection.
    limits = {"connect_timeout": 2, "tcp_user_timeout": 3000, "application_name": "relapse-cds"}
    ours = {key: value for key, value in limits.items() if key not in url.query}
    return create_engine(url, connect_args={**ours, "prepare_threshold": None}, pool_recycle=1800, **common)


def _settle_sqlite(connection: Any, _record: Any) -> None:
    """Readers beside one writer, no flush per commit: what a power cut can lose is the last few seconds, never the file."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL").close()
            break
        except sqlite3.OperationalError as busy:  # for this one statement SQLite does not wait for others that start as well
            if busy.sqlite_errorname != "SQLITE_BUSY" or time.monotonic() > until:
                raise
            time.sleep(0.01)
    connection.execute("PRAGMA synchronous=NORMAL").close()
