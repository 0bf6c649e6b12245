"""Small named values of a store: the board's id, compiled plans, where a replay stands."""

from __future__ import annotations

from concurrent.futures import Future
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from storage.connections import Connections


class Meta:
    """The named values of one store."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def get(self, key: str) -> bytes | None:
        """Return the value; None where there is none."""
        rows = self._connections.rows("SELECT value FROM meta WHERE key = ?", (key,))
        return bytes(rows[0][0]) if rows else None

    def put(self, key: str, value: bytes) -> Future[None]:
        """Set it; done when it is on disk."""

        def job(connection: Connection) -> None:
            connection.exec_driver_sql("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (key, value))

        return self._connections.write(job)
