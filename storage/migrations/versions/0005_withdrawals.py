"""Withdrawals are rare, and asked for at every start: an index of them alone, so that nothing is read to find none."""

from __future__ import annotations

from alembic import op
from sqlalchemy import text

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_index("withdrawals", "log", ["position"], sqlite_where=text("type = 'entry.withdrawn'"))
