"""The connections to one SQLite file: one thread writes, every reader has a connection of its own.

Driver errors are translated here, at the transaction's edge, into `errors.py`. Importing this module imports SQLAlchemy
(0.4 s), so import it where a store is really opened.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError

from storage.driver_errors import translate
from storage.errors import StorageError, StoreClosed, StoreDamaged, StoreReadOnly
from storage.writer import Job, Writer

T = TypeVar("T")

BUSY_SECONDS = 10.0
CACHE_KIB = 32 * 1024
LARGEST = 64 * 2**20
"""Bytes of one value, and so of one chunk of events that is read."""


class Connections:
    """Reads and writes the store at `path`. `committed` is called on the writer's thread after each commit; None: the
    store is only read.

    `damage` is what SQLite said of a damaged file; from then on nothing is written.
    """

    def __init__(self, path: Path, engine: Engine, committed: Callable[[], None] | None) -> None:
        self.path = path
        self.damage: str | None = None
        self._engine = engine
        self._closed = False
        self._writer = None if committed is None else self._begin_writing(committed)

    @property
    def writes(self) -> bool:
        """Whether the store was opened to be written."""
        return self._writer is not None

    def write(self, job: Job[T]) -> Future[T]:
        """Run `job` on the writer thread; done when it is on disk. See `writer.py` for the rules."""
        if self.damage is not None:
            return _failed(StoreDamaged(self.path, self.damage))
        if self._writer is None:
            return _failed(StoreReadOnly(self.path, f"{self.path}: is open for reading only"))
        return self._writer.submit(job)

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> Sequence[Any]:
        """Read on a connection of its own, from any thread. Raises StorageError."""
        if self._closed:
            raise StoreClosed(self.path)
        try:
            with self._engine.connect() as connection:
                return connection.exec_driver_sql(sql, tuple(parameters)).fetchall()
        except DBAPIError as error:
            raise self._translate(error) from None

    def connect(self) -> Connection:
        """Return a connection that is the caller's to close."""
        return self._engine.connect()

    def finish_writing(self) -> None:
        """Write what waits, then refuse more. Doing so twice is fine."""
        if self._writer is not None:
            self._writer.close()

    def close(self) -> None:
        """Finish writing and release the file. Closing twice is fine."""
        self.finish_writing()
        self._closed = True
        self._engine.dispose()

    def _begin_writing(self, committed: Callable[[], None]) -> Writer:
        closed = StoreClosed(self.path)
        return Writer(self._engine.connect(), self._translate, committed, lambda: closed)

    def _translate(self, error: BaseException) -> BaseException:
        """Return this layer's error for the driver's; remembers that the file is damaged."""
        translated = translate(self.path, error)
        if isinstance(translated, StoreDamaged):
            self.damage = translated.detail
        return translated


def make_engine(database: str, **query: str) -> Engine:
    """Return connections to an SQLite file, none of which is made yet; with a `query`, `database` is a URI."""
    engine = create_engine(
        URL.create("sqlite", database=database, query=query),
        isolation_level="AUTOCOMMIT",  # transactions are begun and ended by hand, in writer.py
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False, "cached_statements": 256},
        max_overflow=-1,
        pool_reset_on_return=None,
    )
    event.listen(engine, "connect", _configure)
    return engine


def _configure(driver: sqlite3.Connection, _: object) -> None:
    driver.execute("PRAGMA synchronous = FULL")
    driver.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    driver.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LARGEST)


def _failed(error: StorageError) -> Future[Any]:
    future: Future[Any] = Future()
    future.set_exception(error)
    return future
