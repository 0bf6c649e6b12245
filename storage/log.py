"""The log: the ordered, append-only events of a board.

Invariants: an event (`identity.py`: an id of a source and an author) is in the log once, at one position, for
ever; positions rise in the order of appending, whichever process appends; an append comes whole or not at all,
and takes its events out of the outbox in the same transaction. What comes again is left out, and set apart
where it does not say the same.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Container, Iterator, Sequence
from concurrent.futures import Future
from itertools import compress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from storage import rows
from storage.cloudevents import encode
from storage.errors import TooLarge
from storage.event import WITHDRAWN, Event, LoggedEvent
from storage.identity import Identity, find_known, find_others, identity, leave_outbox
from storage.quarantine import Quarantined
from storage.quarantine import insert as insert_quarantined
from storage.recent import Recent

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from storage.connections import Connections
    from storage.watcher import Watcher


_READ = rows.select("log", "position", "position > ? AND position <= ? ORDER BY position LIMIT ?")
_ABOUT = rows.select("log", "position", "position > ? AND position <= ? AND subject IS ? ORDER BY position")
_IDS = "(SELECT value FROM json_each(?))"
_NAMED = rows.select("log", "position", f"id IN {_IDS} ORDER BY position")
_WITHDRAWALS = rows.select(
    "log", "position", f"type = '{WITHDRAWN}' AND position > ? AND position <= ? ORDER BY position LIMIT ?"
)
_pairs = msgspec.json.Decoder(list[tuple[str, str | None]])

ORIGIN = "log"
OTHER = (
    "another event with this id, of the same source and author, is in the log already and says something else, so this"
    " one was left out"
)
"""Why an event was set apart."""


class Appended(msgspec.Struct, frozen=True, gc=False):
    """What became of an append, in the order given: where each event is, and whether it is new; of those that are not,
    so many say something else than the event that is there, and were set apart.
    """

    positions: list[int]
    new: list[bool]
    others: int = 0


class Judged(msgspec.Struct, frozen=True, gc=False):
    """What became of entries: how far the log reaches with them, and which were not appended since they were stale."""

    last: int
    stale: list[Event]


class EventLog:
    """The log of one store."""

    def __init__(self, connections: Connections, watcher: Watcher) -> None:
        self._connections = connections
        self._watcher = watcher
        self.recent = Recent()

    @property
    def path(self) -> Path:
        """The store's file."""
        return self._connections.path

    def append(self, events: Sequence[Event], origin: str = ORIGIN) -> Future[Appended]:
        """Append what is not there yet; done when it is on disk. Without a position, an event gets the next. `origin`
        says whence they are.
        """
        return self._connections.write(lambda connection: append(connection, events, origin))

    def append_guarded(self, entries: Sequence[Event], own: Container[str], started_at: int = 0) -> Future[Judged]:
        """Append entries, but not those that say what their operator saw of their entity (`expects`) where others have
        added to it since. The desk's own entries make none stale: those with the ids `own`, and those of the same
        operator up to position `started_at`, where the log was when the desk was started.
        """
        return self._connections.write(lambda connection: append_guarded(connection, entries, own, started_at))

    def read(self, after: int = 0, until: int | None = None, chunk: int = 1000) -> Iterator[list[LoggedEvent]]:
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
            after = events[-1].position

    def about(self, subject: str | None, after: int, until: int) -> list[LoggedEvent]:
        """The events about an entity after position `after`, up to and with `until`: reads all events between."""
        return rows.events(*self._connections.rows(_ABOUT, (after, until, subject))[0])

    def find(self, ids: Sequence[str]) -> list[LoggedEvent]:
        """Those events of the log that have these ids, in order."""
        try:
            return rows.events(*self._connections.rows(_NAMED, (_json(ids),))[0])
        except TooLarge:
            if len(ids) == 1:
                raise
            middle = len(ids) // 2
            return sorted([*self.find(ids[:middle]), *self.find(ids[middle:])], key=_position)

    def withdrawals(self, after: int, until: int, chunk: int = 1000) -> Iterator[list[LoggedEvent]]:
        """As `read`, of withdrawals only. Where there are none, it costs the same whatever the log holds."""
        while events := self._select(_WITHDRAWALS, after, until, chunk):
            yield events
            after = events[-1].position

    def last(self) -> int:
        """The last position; 0 in an empty log."""
        return last_position(self._connections)

    def last_time(self) -> int:
        """The time of the latest event, in µs; 0 in an empty log."""
        return int(self._connections.rows("SELECT max(time) FROM log")[0][0] or 0)

    def count(self) -> int:
        return int(self._connections.rows("SELECT count(*) FROM log")[0][0])

    def watch(self, callback: Callable[[int], None]) -> Callable[[], None]:
        """Call `callback`, on a thread of the store's, with the last position when any process appended."""
        return self._watcher.subscribe(callback)

    def _chunk(self, after: int, until: int, chunk: int) -> list[LoggedEvent]:
        return self.recent.chunk(after, until, chunk) or self._select(_READ, after, until, chunk)

    def _select(self, sql: str, after: int, until: int, chunk: int) -> list[LoggedEvent]:
        """What the SQL finds in the log between two positions, at the most so many; fewer where they are large."""
        try:
            return rows.events(*self._connections.rows(sql, (after, until, chunk))[0])
        except TooLarge:
            if chunk == 1:
                raise
            return self._select(sql, after, until, max(1, chunk // 8))


def last_position(connections: Connections) -> int:
    """Return the log's last position; 0 where it is empty."""
    return int(connections.rows("SELECT max(position) FROM log")[0][0] or 0)


def append(connection: Connection, events: Sequence[Event], origin: str = ORIGIN) -> Appended:
    """Within a transaction of the caller's. Either a feed gave all positions, or the events get the next ones. Mostly
    all are new, and one statement is enough; else it is taken back. `origin` says whence they are, where some are set
    apart.
    """
    positions = [event.position for event in events if event.position is not None]
    if len(positions) in (0, len(events)):
        connection.exec_driver_sql("SAVEPOINT fresh")
        count, last = rows.insert(connection, "log", "position", events, positions or [None] * len(events))
        if count < len(events):
            connection.exec_driver_sql("ROLLBACK TO fresh")
        connection.exec_driver_sql("RELEASE fresh")
        if count == len(events):
            return Appended(positions or list(range(last - count + 1, last + 1)), [True] * count)
    return _append_unknown(connection, events, origin)


def append_guarded(connection: Connection, entries: Sequence[Event], own: Container[str], started_at: int) -> Judged:
    """Within a transaction of the caller's. An entry that the log has already is not judged again."""
    guarded = [entry for entry in entries if entry.expects is not None]
    there = find_known(connection, guarded) if guarded else {}
    stale = [each for each in guarded if identity(each) not in there and _changed(connection, each, own, started_at)]
    refused = {entry.id for entry in stale}
    taken = [entry for entry in entries if entry.id not in refused]
    positions = append(connection, taken).positions if taken else [0]
    return Judged(max(positions), stale)


def _changed(connection: Connection, entry: Event, own: Container[str], started_at: int) -> bool:
    """Whether others have added to an entry's entity since. Up to `seen`, the operator has seen all."""
    since = max(entry.expects or 0, entry.seen or 0)
    sql = (
        "SELECT json_group_array(json_array(id, authid)) FROM log WHERE position > ? AND subject IS ?"
        " AND NOT (position <= ? AND authid IS ?)"
    )
    later = connection.exec_driver_sql(sql, (since, entry.subject, started_at, entry.authid)).scalar_one()
    return any(author != entry.authid or id not in own for id, author in _pairs.decode(later))


def _append_unknown(connection: Connection, events: Sequence[Event], origin: str) -> Appended:
    """Some are in the log already, or come twice, or are another's with an id that is there."""
    there: set[Identity] = set(before := find_known(connection, events))
    numbers = Counter(id for id, _, _ in before)
    new: list[bool] = []
    twins: list[int] = []
    for event in events:
        new.append(identity(event) not in there)
        if new[-1]:
            there.add(identity(event))
            twins.append(numbers[event.id])
            numbers[event.id] += 1
    fresh, again = list(compress(events, new)), compress(events, (not each for each in new))
    rows.insert(connection, "log", "position", fresh, [event.position for event in fresh], twins)
    places = find_known(connection, events)
    leave_outbox(connection, events)
    others = list(find_others(connection, [(event, places[identity(event)]) for event in again]))
    insert_quarantined(connection, [_set_apart(event, at, origin) for event, at in others])
    return Appended([places[identity(event)].position for event in events], new, len(others))


def _set_apart(event: Event, at: int, origin: str) -> Quarantined:
    place = origin if event.position is None else f"{origin}:{event.position}"
    reason = f"{OTHER}: see position {at:,}"
    return Quarantined(reason=reason, text=encode(event), time=time.time_ns() // 1000, origin=place)


def _json(ids: Sequence[str]) -> str:
    return msgspec.json.encode(ids).decode()


def _position(event: LoggedEvent) -> int:
    return event.position
