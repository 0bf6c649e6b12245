"""Quarantine: what could not be taken, with the reason. Nothing is lost, and the rest goes on.

Messages are what came from elsewhere and is no event; entries are an operator's own that the log refused. An item stays
for good: once somebody has dealt with it, it is *settled* and says how, and only what is open is listed and counted.
The same text from the same origin for the same reason is kept once, so that importing a file twice adds nothing.
Events that are in the log but do not fit the board are no items of this table; which of them were dismissed is.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Literal

import msgspec

from storage.errors import AlreadySettled

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from storage.connections import Connections

LONGEST = 64 * 1024
"""Bytes of a raw message that are kept at the most. An entry is kept whole: it is its operator's work."""

LISTED = 4096
"""Bytes of a message that are listed; `text` gives all that is kept."""

_SELECT = "SELECT key, time, origin, reason, {text}, kind, stale FROM quarantine WHERE settled IS NULL AND "
_ENTRIES = _SELECT.format(text="text") + "kind = 'entry' ORDER BY key DESC LIMIT ?"
_MESSAGES = _SELECT.format(text=f"substr(text, 1, {LISTED})") + "kind = 'message' ORDER BY key DESC LIMIT ?"
_ENTRY = _SELECT.format(text="text") + "kind = 'entry' AND key = ?"
_COUNT = "SELECT (SELECT count(*) FROM quarantine) - (SELECT count(*) FROM quarantine WHERE settled IS NOT NULL)"
_KEYS = "(SELECT value FROM json_each(?))"
_DISMISSED = "dismissed"


class Quarantined(msgspec.Struct, frozen=True, kw_only=True):
    """Something that could not be taken. `origin` says whence: `flights.ndjson:17`, `outbox`, a feed.

    The `text` of an entry is its event in JSON; `stale` where its entity had changed since the operator saw it.
    """

    reason: str
    text: bytes
    time: int
    origin: str
    key: int | None = None
    kind: Literal["message", "entry"] = "message"
    stale: bool = False


class Quarantine:
    """The quarantine of one store."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def add(self, items: Sequence[Quarantined]) -> Future[None]:
        """Keep them; done when they are on disk."""
        return self._connections.write(lambda connection: insert(connection, items))

    def list(self, limit: int = 1000) -> list[Quarantined]:
        """Return what is open: refused entries, then messages (their beginnings); of each the newest `limit`."""
        return [_item(*row) for sql in (_ENTRIES, _MESSAGES) for row in self._connections.rows(sql, (limit,))]

    def entry(self, key: int) -> Quarantined | None:
        """Return a refused entry, if it is open."""
        rows = self._connections.rows(_ENTRY, (key,))
        return _item(*rows[0]) if rows else None

    def text(self, key: int) -> bytes:
        """Return all that is kept of one item, settled or not; empty where there is none."""
        rows = self._connections.rows("SELECT text FROM quarantine WHERE key = ?", (key,))
        return bytes(rows[0][0]) if rows else b""

    def count(self) -> int:
        """Return how many are open. All of them are counted fast, one by one only those that are settled."""
        return int(self._connections.rows(_COUNT)[0][0])

    def dismiss(self, keys: Sequence[int]) -> Future[None]:
        """Settle those that are open; what is settled already stays as it is."""
        sql = f"UPDATE quarantine SET settled = ?, outcome = ? WHERE settled IS NULL AND key IN {_KEYS}"
        return self._connections.write(
            lambda connection: _run(connection, sql, (_now(), _DISMISSED, _json(keys)))
        )

    def restore(self, keys: Sequence[int]) -> Future[None]:
        """Open those that were dismissed again."""
        sql = f"UPDATE quarantine SET settled = NULL, outcome = NULL WHERE outcome = ? AND key IN {_KEYS}"
        return self._connections.write(lambda connection: _run(connection, sql, (_DISMISSED, _json(keys))))

    def dismissed_positions(self) -> set[int]:
        """Return the positions of the events that need no attention although they do not fit the board."""
        return {position for (position,) in self._connections.rows("SELECT position FROM dismissed")}

    def dismiss_positions(self, positions: Sequence[int]) -> Future[None]:
        """Dismiss events of the log by their positions."""
        sql = "INSERT OR IGNORE INTO dismissed (position, time) SELECT value, ? FROM json_each(?)"
        return self._connections.write(lambda connection: _run(connection, sql, (_now(), _json(positions))))

    def restore_positions(self, positions: Sequence[int]) -> Future[None]:
        """Take that back."""
        sql = f"DELETE FROM dismissed WHERE position IN {_KEYS}"
        return self._connections.write(lambda connection: _run(connection, sql, (_json(positions),)))


def insert(connection: Connection, items: Sequence[Quarantined]) -> None:
    """Keep items, within a transaction of the caller's."""
    if items:
        connection.exec_driver_sql(
            "INSERT INTO quarantine (digest, time, origin, reason, text, kind, stale) VALUES (?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (digest) DO NOTHING",
            [
                (_digest(item), item.time, item.origin, item.reason, _kept(item), item.kind, int(item.stale))
                for item in items
            ],
        )


def settle(connection: Connection, key: int, by: str) -> None:
    """Another entry, with the id `by`, takes a refused one's place. Within the caller's transaction, which is lost if
    the item has been settled before: raises `AlreadySettled`.
    """
    sql = "UPDATE quarantine SET settled = ?, outcome = ? WHERE settled IS NULL AND key = ?"
    if connection.exec_driver_sql(sql, (_now(), by, key)).rowcount == 0:
        raise AlreadySettled(key)


def _item(
    key: int, time: int, origin: str, reason: str, text: bytes | None, kind: Literal["message", "entry"], stale: int
) -> Quarantined:
    return Quarantined(
        key=key, time=time, origin=origin, reason=reason, text=bytes(text or b""), kind=kind, stale=bool(stale)
    )


def _kept(item: Quarantined) -> bytes:
    return item.text if item.kind == "entry" else item.text[:LONGEST]


def _run(connection: Connection, sql: str, parameters: tuple[object, ...]) -> None:
    connection.exec_driver_sql(sql, parameters)


def _now() -> int:
    return time.time_ns() // 1000


def _json(numbers: Sequence[int]) -> str:
    return msgspec.json.encode(list(numbers)).decode()


def _digest(item: Quarantined) -> bytes:
    whole = msgspec.json.encode((item.origin, item.reason, item.text))
    return hashlib.blake2b(whole, digest_size=16).digest()
