"""The outbox: entries that the log has not confirmed yet, in the order in which they were entered.

Invariant: an entry leaves it only in the transaction that puts it elsewhere: into the log (`EventLog.append`
does that) or, when it was refused, into quarantine.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import TYPE_CHECKING

from storage import rows
from storage.cloudevents import encode
from storage.errors import StorageError, TooLarge
from storage.event import Event, LoggedEvent, without_position
from storage.quarantine import Quarantined, settle
from storage.quarantine import insert as quarantine

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from storage.connections import Connections

ORIGIN = "outbox"
PART = 1000
_READ = rows.select("outbox", "key", "key > ? ORDER BY key LIMIT ?")


class Outbox:
    """The outbox of one store."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def add(self, entries: Sequence[Event]) -> Future[None]:
        """Keep them, once each; done when they are on disk."""
        return self._connections.write(lambda connection: _add(connection, entries))

    def replace(self, key: int, entry: Event) -> Future[None]:
        """Keep an entry that takes the place of a refused one (its key in quarantine), which is settled by the same
        transaction. Raises `AlreadySettled`; nothing is kept then.
        """
        return self._connections.write(lambda connection: _replace(connection, key, entry))

    def pending(self) -> list[Event]:
        """Return all entries, in entry order, without a position.

        They are read in parts: together they may be beyond what one value may hold.
        """
        entries: list[LoggedEvent] = []
        while part := self._part(entries[-1].position if entries else 0, PART):
            entries += part
        return [without_position(entry) for entry in entries]

    def reject(self, id: str, reason: str, *, stale: bool = False) -> Future[None]:
        """Move a refused entry to quarantine, in one transaction. An id that is not here changes nothing."""
        return self._connections.write(lambda connection: _reject(connection, id, reason, stale))

    def sign(self, author: str) -> None:
        """Make what an earlier run left under another name this author's: a shared log will say so.

        Where the disk takes nothing it stays as it is.
        """
        if self._connections.rows("SELECT 1 FROM outbox WHERE authid IS NOT ? LIMIT 1", (author,)):
            with suppress(StorageError):
                self._connections.write(lambda connection: _sign(connection, author)).result()

    def _part(self, after: int, most: int) -> list[LoggedEvent]:
        """Return the next ones after a key, which stands as their position."""
        try:
            return rows.events(*self._connections.rows(_READ, (after, most))[0])
        except TooLarge:
            if most == 1:
                raise
            return self._part(after, max(1, most // 8))

    def count(self) -> int:
        return int(self._connections.rows("SELECT count(*) FROM outbox")[0][0])


def _add(connection: Connection, entries: Sequence[Event]) -> None:
    rows.insert(connection, "outbox", "key", entries, [None] * len(entries))


def _sign(connection: Connection, author: str) -> None:
    connection.exec_driver_sql("UPDATE outbox SET authid = ? WHERE authid IS NOT ?", (author, author))


def _replace(connection: Connection, key: int, entry: Event) -> None:
    settle(connection, key, entry.id)
    _add(connection, [entry])


def _reject(connection: Connection, id: str, reason: str, stale: bool) -> None:
    chosen = connection.exec_driver_sql(rows.select("outbox", "key", "id = ?"), (id,)).fetchall()
    now = time.time_ns() // 1000
    quarantine(connection, [_refused(entry, reason, now, stale) for entry in rows.events(*chosen[0])])
    connection.exec_driver_sql("DELETE FROM outbox WHERE id = ?", (id,))


def _refused(entry: Event, reason: str, now: int, stale: bool) -> Quarantined:
    return Quarantined(reason=reason, text=encode(entry), time=now, origin=ORIGIN, kind="entry", stale=stale)
