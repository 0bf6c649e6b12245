"""The log: the ordered, append-only events of a board.

Invariants: an id is in the log once, at one position, for ever; positions rise in the order of appending,
whichever process appends; an append comes whole or not at all, and takes its ids out of the outbox in the
same transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING

import msgspec

from storage import rows
from storage.event import Event

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from storage.database import Database


_READ = rows.select("log", "position", "position > ? AND position <= ? ORDER BY position LIMIT ?")


class Appended(msgspec.Struct, frozen=True, gc=False):
    """What became of an append, in the order given: where each event is, and whether it is new."""

    positions: list[int]
    new: list[bool]


class EventLog:
    """The log of one store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def append(self, events: Sequence[Event]) -> Future[Appended]:
        """Append what is not there yet; done when it is on disk. Without a position, an event gets the next.
        """
        return self._database.write(lambda connection: _append(connection, events))

    def read(self, after: int = 0, until: int | None = None, chunk: int = 1000) -> Iterator[list[Event]]:
        """The events after position `after`, up to and with `until` (None: the last one now), in chunks. Any
        thread.

        Each chunk is a short read of its own, so an iterator that is left half-way holds nothing open.
        """
        until = self.last() if until is None else until
        while after < until:
            events = self._chunk(after, until, chunk)
            if not events:
                return
            yield events
            after = events[-1].position or until

    def last(self) -> int:
        """The last position; 0 in an empty log."""
        return int(self._database.rows("SELECT max(position) FROM log")[0][0] or 0)

    def last_time(self) -> int:
        """The time of the latest event, in µs; 0 in an empty log."""
        return int(self._database.rows("SELECT max(time) FROM log")[0][0] or 0)

    def count(self) -> int:
        return int(self._database.rows("SELECT count(*) FROM log")[0][0])

    def watch(self, callback: Callable[[int], None]) -> Callable[[], None]:
        """Call `callback`, on a thread of the store's, with the last position when any process appended."""
        return self._database.watcher.subscribe(callback)

    def _chunk(self, after: int, until: int, chunk: int) -> list[Event]:
        return rows.events(*self._database.rows(_READ, (after, until, chunk))[0])


def _append(connection: Connection, events: Sequence[Event]) -> Appended:
    ((last, waiting),) = connection.exec_driver_sql(
        "SELECT (SELECT max(position) FROM log), EXISTS (SELECT 1 FROM outbox)"
    ).fetchall()
    appended = _insert(connection, events, last or 0)
    if waiting:
        connection.exec_driver_sql("DELETE FROM outbox WHERE id = ?", [(e.id,) for e in events])
    return appended


def _insert(connection: Connection, events: Sequence[Event], last: int) -> Appended:
    """Most appends are all new, so try that first; else find out which are."""
    positions = _positions(events, last)
    connection.exec_driver_sql("SAVEPOINT fresh")
    inserted = rows.insert(connection, "log", "position", events, positions)
    if inserted == len(events):
        connection.exec_driver_sql("RELEASE fresh")
        return Appended(positions, [True] * len(positions))
    connection.exec_driver_sql("ROLLBACK TO fresh")
    connection.exec_driver_sql("RELEASE fresh")
    return _insert_unknown(connection, events, last)


def _insert_unknown(connection: Connection, events: Sequence[Event], last: int) -> Appended:
    known = _known(connection, events)
    first: dict[str, Event] = {}
    for event in events:
        if event.id not in known:
            first.setdefault(event.id, event)
    fresh = list(first.values())
    positions = _positions(fresh, last)
    rows.insert(connection, "log", "position", fresh, positions)
    at = known | dict(zip(first, positions, strict=True))
    return Appended([at[e.id] for e in events], [first.get(e.id) is e for e in events])


def _positions(events: Sequence[Event], last: int) -> list[int]:
    positions = []
    for event in events:
        position = last + 1 if event.position is None else event.position
        positions.append(position)
        last = max(last, position)
    return positions


def _known(connection: Connection, events: Sequence[Event]) -> dict[str, int]:
    ids = msgspec.json.encode([event.id for event in events]).decode()
    found = connection.exec_driver_sql(
        "SELECT id, position FROM log WHERE id IN (SELECT value FROM json_each(?))", (ids,)
    ).fetchall()
    return {row[0]: row[1] for row in found}
