"""Events to and from the columns that `log` and `outbox` share.

SQLite's Python driver lets go of the interpreter's lock at every row that it steps over, and a busy thread
then keeps the lock for up to 5 ms a row: measured here, 2,000 rows/s written and 4,000 read beside one busy
thread. So rows go in many to a statement, and come out as one value of a single step: 90,000 rows/s read
beside the same busy thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec

from storage.event import Event, LoggedEvent

if TYPE_CHECKING:
    from sqlalchemy import Connection

_INTO = "id, type, source, subject, time, authid, causationid, seen, expects, data, extensions"
_VALUES = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, CAST(? AS TEXT), CAST(? AS TEXT))"
_WIDTH = 12
_TOGETHER = 512  # rows in one statement at the most; below it, the next power of two

_Meta = tuple[
    int, str, str, str, str | None, int, str | None, str | None, int | None, int | None, int, int | None
]
_metas = msgspec.json.Decoder(list[_Meta])


def insert(
    connection: Connection,
    table: str,
    key: str,
    events: Sequence[Event],
    keys: Sequence[int | None],
    twins: Sequence[int] = (),
) -> tuple[int, int]:
    """Insert those whose id is not there. Tells how many that were, and, if any, the last one's key. `twins`: the
    number of each, for the log (see `identity.py`); else all are the first of their id.

    To keep statements few in kind, a chunk is filled up with its last event, whose id then is there.
    """
    count = last = 0
    width = _WIDTH + bool(twins)
    for start in range(0, len(events), _TOGETHER):
        end = start + _TOGETHER
        chunk = _flat(events[start:end], keys[start:end])
        if twins:
            chunk = _with_twins(chunk, twins[start:end])
        size = 1 << (len(chunk) // width - 1).bit_length()
        chunk += [None, *chunk[1 - width :]] * (size - len(chunk) // width)
        done = connection.exec_driver_sql(_insert_sql(table, key, size, bool(twins)), tuple(chunk))
        count += done.rowcount
        last = done.lastrowid if done.rowcount else last
    return count, last


def select(table: str, key: str, where: str) -> str:
    """SQL whose one row holds many events, as `events` reads them: columns as JSON, then all texts as bytes.
    """
    return (
        f"SELECT '[' || group_concat(meta) || ']', CAST(group_concat(texts, '') AS BLOB) FROM ("
        f"SELECT json_array({key}, id, type, source, subject, time, authid, causationid, seen, expects,"
        f" length(CAST(data AS BLOB)), length(CAST(extensions AS BLOB))) AS meta,"
        f" data || coalesce(extensions, '') AS texts FROM {table} WHERE {where})"
    )


def events(metas: str | None, texts: bytes | None) -> list[LoggedEvent]:
    """The events in a row of `select`'s SQL, in its order; the key is their position."""
    out: list[LoggedEvent] = []
    at = 0
    for key, id, kind, source, subject, time, authid, causationid, seen, expects, size, more in _metas.decode(
        metas or "[]"
    ):
        data = (texts or b"")[at : at + size]
        at += size
        extensions = None if more is None else (texts or b"")[at : at + more]
        at += more or 0
        out.append(
            LoggedEvent(
                id=id,
                source=source,
                type=kind,
                time=time,
                subject=subject,
                data=data,
                authid=authid,
                causationid=causationid,
                seen=seen,
                expects=expects,
                extensions=extensions,
                position=key,
            )
        )
    return out


def _with_twins(flat: Sequence[Any], twins: Sequence[int]) -> list[Any]:
    return [
        value for at, twin in enumerate(twins) for value in (*flat[at * _WIDTH : (at + 1) * _WIDTH], twin)
    ]


def _flat(events: Sequence[Event], keys: Sequence[int | None]) -> list[Any]:
    flat: list[Any] = []
    for e, key in zip(events, keys, strict=True):
        flat += (
            key,
            e.id,
            e.type,
            e.source,
            e.subject,
            e.time,
            e.authid,
            e.causationid,
            e.seen,
            e.expects,
            e.data,
            e.extensions,
        )
    return flat


@cache
def _insert_sql(table: str, key: str, size: int, twins: bool) -> str:
    values = ", ".join([_VALUES[:-1] + ", ?)" if twins else _VALUES] * size)
    unique = "id, twin" if table == "log" else "id"
    into = f"{_INTO}, twin" if twins else _INTO
    return f"INSERT INTO {table} ({key}, {into}) VALUES {values} ON CONFLICT ({unique}) DO NOTHING"
