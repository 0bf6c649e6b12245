"""What is quarantined can be settled: what it is, how it ended, and which misfits of the log were dismissed."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Integer, Text, text

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("quarantine", Column("kind", Text, nullable=False, server_default="message"))
    op.add_column("quarantine", Column("stale", Integer, nullable=False, server_default="0"))
    op.add_column("quarantine", Column("settled", Integer))
    op.add_column("quarantine", Column("outcome", Text))
    op.execute("UPDATE quarantine SET kind = 'entry' WHERE origin = 'outbox'")
    op.create_index("open_quarantine", "quarantine", ["kind", "key"], sqlite_where=text("settled IS NULL"))
    op.create_index("settled_quarantine", "quarantine", ["settled"], sqlite_where=text("settled IS NOT NULL"))
    op.create_table(
        "dismissed", Column("position", Integer, primary_key=True), Column("time", Integer, nullable=False)
    )
