"""The first schema: the log, the outbox, quarantine and meta."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Integer, LargeBinary, Text

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table("log", Column("position", Integer, primary_key=True), *_event_columns())
    op.create_table("outbox", Column("key", Integer, primary_key=True), *_event_columns())
    op.create_table(
        "quarantine",
        Column("key", Integer, primary_key=True),
        Column("digest", LargeBinary, nullable=False, unique=True),
        Column("time", Integer, nullable=False),
        Column("origin", Text, nullable=False),
        Column("reason", Text, nullable=False),
        Column("text", LargeBinary, nullable=False),
    )
    op.create_table(
        "meta",
        Column("key", Text, primary_key=True),
        Column("value", LargeBinary, nullable=False),
    )
    op.execute("PRAGMA application_id = 1464224850")


def _event_columns() -> list[Column[str] | Column[int]]:
    return [
        Column("id", Text, nullable=False, unique=True),
        Column("type", Text, nullable=False),
        Column("source", Text, nullable=False),
        Column("subject", Text),
        Column("time", Integer, nullable=False),
        Column("authid", Text),
        Column("causationid", Text),
        Column("seen", Integer),
        Column("expects", Integer),
        Column("data", Text, nullable=False),
        Column("extensions", Text),
    ]
