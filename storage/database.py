"""A store: one SQLite file in WAL mode with `synchronous=FULL`, through SQLAlchemy Core.

One writer thread commits in groups (`writer.py`); every reader has its own connection; several processes may
have the file open at once. The parts of a store are handed its connections; only this module knows them all.
Importing it imports SQLAlchemy (0.4 s), so import it where a store is really opened.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from threading import Event
from typing import Any, Self, TypeVar

from storage.connections import Connections
from storage.damage import probe, set_aside
from storage.log import EventLog, last_position
from storage.meta import Meta
from storage.opening import keep_private, open_engine
from storage.outbox import Outbox
from storage.quarantine import Quarantine
from storage.watcher import Watcher
from storage.writer import Job

T = TypeVar("T")


class Database:
    """An open store. Use `Database.open`; it is a context manager."""

    def __init__(self, connections: Connections, grown: Event, private: Path | None = None) -> None:
        """`connections` set `grown` when they committed; `private` is a folder that goes when the store is closed."""
        self.path = connections.path
        self._connections = connections
        self._private = private
        self.watcher = Watcher(connections.connect, lambda: last_position(connections), grown)
        self.log = EventLog(connections, self.watcher)
        self.outbox = Outbox(connections)
        self.quarantine = Quarantine(connections)
        self.meta = Meta(connections)

    @classmethod
    def open(cls, path: Path | None, *, create: bool = True) -> Self:
        """Open the store at `path` (made if `create`). None: a private one, gone when closed."""
        grown = Event()
        if path is None:
            private = Path(tempfile.mkdtemp(prefix="watchfloor-"))
            return cls(Connections(private / "store.db", open_engine(private / "store.db"), grown.set), grown, private)
        probe(path, create)
        keep_private(path)
        return cls(Connections(path, open_engine(path), grown.set), grown)

    @classmethod
    def open_read_only(cls, path: Path) -> Self:
        """Open the store at `path` to read it as it is: nothing is made, moved or changed, and writing is refused."""
        from storage.read_only import open_connections

        connections, private = open_connections(path)
        return cls(connections, Event(), private)

    def write(self, job: Job[T]) -> Future[T]:
        """As `Connections.write`."""
        return self._connections.write(job)

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> Sequence[Any]:
        """As `Connections.rows`."""
        return self._connections.rows(sql, parameters)

    def close(self) -> None:
        """Finish what is being written, stop the threads, release the file. Closing twice is fine.

        A store that showed damage while it was written is set aside.
        """
        self._connections.finish_writing()
        self.watcher.close()
        self._connections.close()
        if self._private is not None:
            shutil.rmtree(self._private, ignore_errors=True)
        elif self._connections.damage is not None and self._connections.writes and self.path.exists():
            set_aside(self.path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
