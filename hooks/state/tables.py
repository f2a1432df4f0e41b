"""The four tables, and how they come to be: any number of workers and hosts may start at once on an empty database."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON, Boolean, Column, Connection, DateTime, Dialect, Double, Index, Integer, MetaData, Table, Text, UniqueConstraint, inspect, text,
)  # fmt: skip
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlalchemy.types import TypeDecorator

_CREATING = 5827549  # the number of the advisory lock, the same for every version of this program


class Moment(TypeDecorator[datetime]):
    """A point in time, in UTC on both sides: SQLite keeps no offset, PostgreSQL answers in the session's own."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return value and (value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC))


ALL = MetaData()

replays = Table(
    "replays", ALL,
    Column("issuer", Text, primary_key=True),
    Column("jti", Text, primary_key=True),  # its SHA-256: of one length, whatever a caller thinks of
    Column("until", Double, nullable=False),  # seconds since 1970, as in the token
    Index("replays_until", "until"),
)  # fmt: skip

cards = Table(
    "cards", ALL,
    Column("card", Text, primary_key=True),  # its uuid
    Column("at", Moment, nullable=False),
    Column("client", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("kind", Text, nullable=False),  # "assessment", "order"
    Column("protocol", Text, nullable=False),
    Column("text_version", Text, nullable=False),
    Column("software_version", Text, nullable=False),
    Column("inputs_hash", Text, nullable=False),
    Column("overall", Text, nullable=False),
    Column("milliseconds", Integer, nullable=False),
    Index("cards_at", "at"),
)  # fmt: skip

feedback = Table(
    "feedback", ALL,
    Column("client", Text, nullable=False),
    Column("card", Text, nullable=False),  # not every EHR sends back the uuid, so this refers to nothing
    Column("outcome", Text, nullable=False),
    Column("outcome_timestamp", Moment, nullable=False),
    Column("service", Text, nullable=False),
    Column("accepted", JSON, nullable=False),  # ids of the suggestions taken
    Column("reason_system", Text),
    Column("reason_code", Text),
    Column("reason_display", Text),
    Column("commented", Boolean, nullable=False),  # that there was a comment; a comment may speak of the child
    Column("received_at", Moment, nullable=False),
    # With the client in it, one hospital cannot occupy the place of another's feedback.
    UniqueConstraint("client", "card", "outcome", "outcome_timestamp", name="feedback_once"),
    Index("feedback_received_at", "received_at"),
)  # fmt: skip

visits = Table(
    "visits", ALL,
    Column("id", Text, primary_key=True),
    Column("sealed", Text, nullable=False),  # the key is in the clinician's browser and nowhere else
    Column("until", Double, nullable=False),  # seconds since 1970
    Index("visits_until", "until"),
)  # fmt: skip


def make_tables(connection: Connection) -> None:
    """Create what is missing, within the connection's transaction.

    Where nothing is missing nothing is created, so a user without the right to create may run this too.
    """
    if connection.dialect.name == "postgresql":  # there, even IF NOT EXISTS fails when two create at once
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _CREATING})
    there = inspect(connection)
    for table in ALL.sorted_tables:
        if not there.has_table(table.name):
            connection.execute(CreateTable(table, if_not_exists=True))
            for index in sorted(table.indexes, key=lambda index: str(index.name)):
                connection.execute(CreateIndex(index, if_not_exists=True))
