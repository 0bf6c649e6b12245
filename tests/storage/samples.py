"""Events for the tests of this layer."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from storage.event import Event, LoggedEvent

DAY = 1_360_281_600_000_000  # 2013-02-08 00:00 UTC


def event(n: int, **given: object) -> Event:
    kind = LoggedEvent if "position" in given else Event
    return kind(
        **{
            "id": f"id-{n}",
            "source": "/test",
            "type": "flight.departed",
            "subject": f"UA{n}",
            "time": DAY + n * 1_000_000,
            "data": b'{"n":%d}' % n,
            **given,
        }
    )


def events(first: int, last: int) -> list[Event]:
    return [event(n) for n in range(first, last + 1)]


def set_back(path: Path) -> None:
    """Give a store the schema that it had at version 0004, with an id once."""
    with sqlite3.connect(path) as raw:
        for sql in (
            "DROP TRIGGER confirmed", "DROP INDEX withdrawals", "DROP INDEX identity",
            "ALTER TABLE log DROP COLUMN twin", "CREATE UNIQUE INDEX ids ON log (id)",
            "CREATE TRIGGER confirmed AFTER INSERT ON log BEGIN DELETE FROM outbox WHERE id = NEW.id; END",
            "UPDATE alembic_version SET version_num = '0004'",
        ):  # fmt: skip
            raw.execute(sql)
    raw.close()


def ids(log) -> list[str]:
    return [e.id for chunk in log.read() for e in chunk]
