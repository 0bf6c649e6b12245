"""An event that comes into the log leaves the outbox, by a trigger: appending then is one statement."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("CREATE TRIGGER confirmed AFTER INSERT ON log BEGIN DELETE FROM outbox WHERE id = NEW.id; END")
