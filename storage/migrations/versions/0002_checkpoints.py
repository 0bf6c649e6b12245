"""Checkpoints: the engine's state at a position."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Integer, LargeBinary, Text

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "checkpoints",
        Column("name", Text, primary_key=True),
        Column("position", Integer, nullable=False),
        Column("state", LargeBinary, nullable=False),
    )
