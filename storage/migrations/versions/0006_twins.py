"""An id may be in the log more than once, by several sources and authors: unique is the id with its twin's number.

SQLite can't take a constraint off a table, so the log is copied. It copies whole records, unread, where the two tables
have the same columns and the new one has no index yet; the indexes are built when all is there.
"""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"

_COLUMNS = """
position INTEGER NOT NULL, id TEXT NOT NULL, type TEXT NOT NULL, source TEXT NOT NULL, subject TEXT,
time INTEGER NOT NULL, authid TEXT, causationid TEXT, seen INTEGER, expects INTEGER, data TEXT NOT NULL,
extensions TEXT, twin INTEGER DEFAULT 0 NOT NULL, PRIMARY KEY (position)
"""
_CONFIRMED = (
    "CREATE TRIGGER confirmed AFTER INSERT ON log BEGIN DELETE FROM outbox"
    " WHERE id = NEW.id AND source = NEW.source AND (authid IS NULL OR authid = NEW.authid); END"
)


def upgrade() -> None:
    op.execute("ALTER TABLE log ADD COLUMN twin INTEGER DEFAULT 0 NOT NULL")
    op.execute(f"CREATE TABLE log_0006 ({_COLUMNS})")
    op.execute("INSERT INTO log_0006 SELECT * FROM log")
    op.execute("DROP TABLE log")
    op.execute("ALTER TABLE log_0006 RENAME TO log")
    op.execute("CREATE UNIQUE INDEX identity ON log (id, twin)")
    op.execute("CREATE INDEX withdrawals ON log (position) WHERE type = 'entry.withdrawn'")
    op.execute(_CONFIRMED)
