"""The tables, as the newest version has them. `migrations/` brings older files here; a test proves that both
agree.

`log.position` and the keys are SQLite's rowid: dense, ordered, and free. Times are microseconds since
1970-01-01 UTC.
"""

from __future__ import annotations

from sqlalchemy import Column, Connection, Index, Integer, LargeBinary, MetaData, Table, Text, text

HEAD = "0006"
APPLICATION_ID = 0x57464C52
"""`PRAGMA application_id` of every store: "WFLR"."""

CONFIRMED = (
    "CREATE TRIGGER confirmed AFTER INSERT ON log BEGIN DELETE FROM outbox"
    " WHERE id = NEW.id AND source = NEW.source AND (authid IS NULL OR authid = NEW.authid); END"
)
"""What the log holds is not in the outbox, whoever appended it; the log signs an entry that nobody has signed."""

metadata = MetaData()


def _event_columns(*, unique: bool) -> list[Column[str] | Column[int]]:
    return [
        Column("id", Text, nullable=False, unique=unique),
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


log = Table(
    "log",
    metadata,
    Column("position", Integer, primary_key=True),
    *_event_columns(unique=False),
    Column("twin", Integer, nullable=False, server_default=text("0")),  # see `identity.py`
    Index("identity", "id", "twin", unique=True),
    Index("withdrawals", "position", sqlite_where=text("type = 'entry.withdrawn'")),
)
outbox = Table("outbox", metadata, Column("key", Integer, primary_key=True), *_event_columns(unique=True))
quarantine = Table(
    "quarantine",
    metadata,
    Column("key", Integer, primary_key=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("time", Integer, nullable=False),
    Column("origin", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("text", LargeBinary, nullable=False),
    Column("kind", Text, nullable=False, server_default="message"),  # or "entry"
    Column("stale", Integer, nullable=False, server_default="0"),
    Column("settled", Integer),  # when; NULL: it is open
    Column("outcome", Text),  # "dismissed", or the id of the entry that took its place
    Index("open_quarantine", "kind", "key", sqlite_where=text("settled IS NULL")),
    Index("settled_quarantine", "settled", sqlite_where=text("settled IS NOT NULL")),
)
dismissed = Table(
    "dismissed",
    metadata,
    Column("position", Integer, primary_key=True),
    Column("time", Integer, nullable=False),
)
meta = Table(
    "meta",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),
)
checkpoints = Table(
    "checkpoints",
    metadata,
    Column("name", Text, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("state", LargeBinary, nullable=False),
)


def create(connection: Connection) -> None:
    """Make the newest schema in an empty database."""
    metadata.create_all(connection, checkfirst=False)
    connection.exec_driver_sql(CONFIRMED)
    connection.exec_driver_sql("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
    connection.exec_driver_sql("INSERT INTO alembic_version VALUES (?)", (HEAD,))
    connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")


def version(connection: Connection) -> str | None:
    """The schema version that the file has; None: the file is empty; "": it is no store of ours."""
    if connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar() == 0:
        return None
    if connection.exec_driver_sql("PRAGMA application_id").scalar() != APPLICATION_ID:
        return ""
    number = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return "" if number is None else str(number)
