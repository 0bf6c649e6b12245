"""Which events are one and the same: those with the same `id`, `source` and author.

CloudEvents' identity is source + id; who wrote an event is proved by a shared log, and nobody's event is somebody
else's, whatever ids they choose. An id may so be in a log several times, by *twins*: `log.twin` numbers them from 0.
What has the same identity is the same event, or else somebody made a mistake, and it is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from storage import rows
from storage.event import Event

if TYPE_CHECKING:
    from sqlalchemy import Connection

Identity: TypeAlias = tuple[str, str, str | None]
"""Id, source, author."""

TOGETHER = 8 * 2**20
"""Bytes of data that are compared at once."""

_IDS = "(SELECT value FROM json_each(?))"
_KNOWN = (
    "SELECT json_group_array(json_array(id, source, authid, position, length(CAST(data AS BLOB)))) FROM log"
    f" WHERE id IN {_IDS}"
)
_AT = rows.select("log", "position", f"position IN {_IDS} ORDER BY position")
_OUT = (
    f"DELETE FROM outbox WHERE id IN {_IDS} AND EXISTS (SELECT 1 FROM log WHERE log.id = outbox.id"
    " AND log.source = outbox.source AND (outbox.authid IS NULL OR log.authid = outbox.authid))"
)
_places = msgspec.json.Decoder(list[tuple[str, str, str | None, int, int]])


class Place(msgspec.Struct, frozen=True, gc=False):
    """Where an event is in the log, and the bytes of its data."""

    position: int
    size: int


def identity(event: Event) -> Identity:
    """What makes it this event and no other."""
    return event.id, event.source, event.authid


def confirms(event: Event, entry: Event) -> bool:
    """Whether an event of the log is this entry. One that nobody has signed is the log's to sign."""
    return (event.id, event.source) == (entry.id, entry.source) and entry.authid in (None, event.authid)


def find_known(connection: Connection, events: Sequence[Event]) -> dict[Identity, Place]:
    """Return all that the log has under the ids of these events, in one step: see `rows.py`."""
    places = _places.decode(connection.exec_driver_sql(_KNOWN, (_ids(events),)).scalar_one())
    return {(id, source, author): Place(position, size) for id, source, author, position, size in places}


def find_others(connection: Connection, pairs: Sequence[tuple[Event, Place]]) -> Iterator[tuple[Event, int]]:
    """Yield those events that say something else than the log's one of the same identity, and where that is."""
    for part in _parts(pairs):
        positions = msgspec.json.encode([place.position for _, place in part]).decode()
        metas, texts = connection.exec_driver_sql(_AT, (positions,)).fetchall()[0]
        logged = {event.position: event for event in rows.events(metas, texts)}
        yield from ((event, place.position) for event, place in part if not says_same(event, logged[place.position]))


def leave_outbox(connection: Connection, events: Sequence[Event]) -> None:
    """Delete those entries of the outbox that are among these events and in the log."""
    connection.exec_driver_sql(_OUT, (_ids(events),))


def says_same(one: Event, two: Event) -> bool:
    """Whether two events of one identity say the same, however their JSON is written."""
    return _attributes(one) == _attributes(two) and all(
        _json(mine) == _json(theirs)
        for mine, theirs in ((one.data, two.data), (one.extensions, two.extensions))
        if mine != theirs
    )


def _attributes(event: Event) -> tuple[object, ...]:
    return event.type, event.subject, event.time, event.causationid, event.seen, event.expects


def _json(text: bytes | None) -> object:
    try:
        return text and msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return text


def _parts(pairs: Sequence[tuple[Event, Place]]) -> Iterator[list[tuple[Event, Place]]]:
    part: list[tuple[Event, Place]] = []
    size = 0
    for event, place in pairs:
        if part and size + place.size > TOGETHER:
            yield part
            part, size = [], 0
        part.append((event, place))
        size += place.size
    if part:
        yield part


def _ids(events: Sequence[Event]) -> str:
    return msgspec.json.encode([event.id for event in events]).decode()
