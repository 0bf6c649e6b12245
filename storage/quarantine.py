"""Quarantine: what came and could not be taken, with the reason. Nothing is lost, and the rest goes on.

The same text from the same origin for the same reason is kept once, so that importing a file twice adds
nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from storage.database import Database

LONGEST = 64 * 1024
"""Bytes of a raw event that are kept at the most."""


class Quarantined(msgspec.Struct, frozen=True, kw_only=True):
    """One raw event that could not be taken. `origin` says whence: `flights.ndjson:17`, `outbox`, a feed."""

    reason: str
    text: bytes
    time: int
    origin: str
    key: int | None = None


class Quarantine:
    """The quarantine of one store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, items: Sequence[Quarantined]) -> Future[None]:
        """Keep them; done when they are on disk."""
        return self._database.write(lambda connection: insert(connection, items))

    def list(self, limit: int = 1000) -> Sequence[Quarantined]:
        """Newest first."""
        found = self._database.rows(
            "SELECT key, time, origin, reason, text FROM quarantine ORDER BY key DESC LIMIT ?", (limit,)
        )
        return [
            Quarantined(key=key, time=time, origin=origin, reason=reason, text=bytes(text))
            for key, time, origin, reason, text in found
        ]

    def count(self) -> int:
        return int(self._database.rows("SELECT count(*) FROM quarantine")[0][0])


def insert(connection: Connection, items: Sequence[Quarantined]) -> None:
    """Within a transaction of the caller's."""
    if items:
        connection.exec_driver_sql(
            "INSERT INTO quarantine (digest, time, origin, reason, text) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (digest) DO NOTHING",
            [(_digest(item), item.time, item.origin, item.reason, item.text[:LONGEST]) for item in items],
        )


def _digest(item: Quarantined) -> bytes:
    whole = msgspec.json.encode((item.origin, item.reason, item.text))
    return hashlib.blake2b(whole, digest_size=16).digest()
