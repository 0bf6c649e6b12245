"""A store as the mirror of a shared log: what a feed received, written with how far the feed is.

Invariants: events, quarantine and cursor are written in one transaction; an event that the log holds is skipped, so
receiving anything again changes nothing; the cursor only rises, and is at or above the log's last position. A store
mirrors one shared log for ever, the one whose id it remembers.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING

from storage import log, quarantine
from storage.errors import StoreMirrors
from storage.event import Event
from storage.quarantine import Quarantined

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from storage.database import Database

_STREAM, _CURSOR = "stream", "cursor"
_PUT = "INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)"


class Mirror:
    """Writes what a feed receives into one store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def source(self) -> str | None:
        """The id of the shared log that this store mirrors; None: of none yet."""
        found = self._database.meta.get(_STREAM)
        return None if found is None else found.decode()

    def refuse(self) -> None:
        """For whoever would append to the store as to a log of its own. Raises `StoreMirrors`."""
        if self.source is not None:
            raise StoreMirrors(self._database.path)

    @property
    def cursor(self) -> int:
        """The last position of the shared log that was dealt with."""
        return int(self._database.meta.get(_CURSOR) or 0)

    def adopt(self, source: str) -> Future[None]:
        """From now on this store mirrors the shared log with this id."""
        return self._database.meta.put(_STREAM, source.encode())

    def receive(self, events: Sequence[Event], refused: Sequence[Quarantined], cursor: int) -> Future[None]:
        """Write events at their positions, set apart what could not be taken, and move the cursor."""

        def job(connection: Connection) -> None:
            if events:
                log.append(connection, events)
            quarantine.insert(connection, refused)
            found = connection.exec_driver_sql("SELECT value FROM meta WHERE key = ?", (_CURSOR,)).scalar()
            connection.exec_driver_sql(_PUT, (_CURSOR, str(max(cursor, int(found or 0))).encode()))

        return self._database.write(job)

    def id_at(self, position: int) -> str | None:
        """Which event the log holds at a position."""
        found = self._database.rows("SELECT id FROM log WHERE position = ?", (position,))
        return found[0][0] if found else None

    def ids_after(self, subject: str | None, position: int) -> list[str]:
        """The events about an entity after a position, but for what devices say: it is nobody's entry."""
        entries = "(authid IS NOT NULL OR source NOT LIKE 'mqtt:%')"
        sql = f"SELECT id FROM log WHERE position > ? AND subject IS ? AND {entries}"
        return [id for (id,) in self._database.rows(sql, (position, subject))]
