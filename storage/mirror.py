"""A store as the mirror of a shared log: what a feed received, written with how far the feed is.

Invariants: events, quarantine and cursor are written in one transaction; an event that the log holds is skipped, so
receiving anything again changes nothing; the cursor only rises, and is at or above the log's last position. A store
mirrors one shared log for ever, the one whose id it remembers.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from storage import log, quarantine
from storage.errors import StoreMirrors
from storage.event import DEVICE, LoggedEvent
from storage.quarantine import Quarantined
from storage.recent import Stretch

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from storage.database import Database

_STREAM, _CURSOR = "stream", "cursor"
_LOG, _HEARD = "shared log", "heard"
_AFTER = (
    "SELECT json_group_array(json_array(position, id, subject, authid)) FROM (SELECT * FROM log WHERE position > ?"
    " AND coalesce(subject, '') IN (SELECT value FROM json_each(?))"
    f" AND (authid IS NOT NULL OR source NOT LIKE '{DEVICE}%') ORDER BY position)"
)
Entry: TypeAlias = tuple[int, str, str | None, str | None]
"""Position, id, entity, author."""
_entries = msgspec.json.Decoder(list[Entry])
_PUT = "INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)"


class Mirror:
    """Writes what a feed receives into one store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def source(self) -> str | None:
        """The id of the shared log that this store mirrors; None: of none yet."""
        id = self._database.meta.get(_STREAM)
        return None if id is None else id.decode()

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

    @property
    def shared_log(self) -> str:
        """The shared log that this store is for, as people call it: "nats://tower:4222"; "": the log is its own."""
        name = self._database.meta.get(_LOG)
        if self.source is None and (not name or self._database.log.last()):
            return ""
        return (name or b"a shared log").decode()

    def follow(self, log: str) -> Future[None]:
        """From now on this store is for a shared log, not yet a certain one before it adopts it; "": for its own."""
        return self._database.meta.put(_LOG, log.encode())

    @property
    def heard(self) -> int:
        """When the shared log was last heard, in µs of this machine's clock; 0: never.

        A store that was not told when has heard its last event.
        """
        time = self._database.meta.get(_HEARD)
        return int(time) if time is not None else self._database.log.last_time() if self.source is not None else 0

    def hear(self, time: int) -> Future[None]:
        """Keep when the shared log was last heard."""
        return self._database.meta.put(_HEARD, str(time).encode())

    def receive(
        self, events: Sequence[LoggedEvent], refused: Sequence[Quarantined], cursor: int, origin: str = log.ORIGIN
    ) -> Future[None]:
        """Write events at their positions, which rise, set apart what could not be taken, and move the cursor. `origin`
        says what log this is, should some of the events be others than those that are there.

        What is new stays at hand for who reads the log's end: see `recent.py`.
        """

        stretch: Stretch | None = None

        def job(connection: Connection) -> None:
            nonlocal stretch
            appended = log.append(connection, events, origin) if events else None
            quarantine.insert(connection, refused)
            cursor_before = connection.exec_driver_sql("SELECT value FROM meta WHERE key = ?", (_CURSOR,)).scalar()
            before = int(cursor_before or 0)
            connection.exec_driver_sql(_PUT, (_CURSOR, str(max(cursor, before)).encode()))
            fresh = appended is not None and all(appended.new) and before < events[0].position
            stretch = Stretch(before, cursor, events) if fresh else None

        def written(done: Future[None]) -> None:
            if stretch is not None and not done.cancelled() and done.exception() is None:
                self._database.log.recent.add(stretch)

        future = self._database.write(job)
        future.add_done_callback(written)
        return future

    def id_at(self, position: int) -> str | None:
        """Which event the log holds at a position."""
        ids = self._database.rows("SELECT id FROM log WHERE position = ?", (position,))
        return ids[0][0] if ids else None

    def entries_after(self, entities: Collection[str], position: int) -> list[Entry]:
        """The entries about some entities ("": about none) after a position, in order. What devices say is no entry.

        Any thread; reads all events after the position.
        """
        subjects = msgspec.json.encode(list(entities)).decode()
        return _entries.decode(self._database.rows(_AFTER, (position, subjects))[0][0])
