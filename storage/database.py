"""A store: one SQLite file in WAL mode with `synchronous=FULL`, through SQLAlchemy Core.

One writer thread commits in groups (`writer.py`); every reader has its own connection; several processes may
have the file open at once. Driver errors are translated here, at the transaction's edge, into `errors.py`.
Importing this module imports SQLAlchemy (0.4 s), so import it where a store is really opened.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Self, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError

from storage import schema
from storage.damage import probe, set_aside
from storage.driver_errors import translate
from storage.errors import (
    NotAStore,
    StorageError,
    StoreClosed,
    StoreDamaged,
    StoreNewer,
    StoreReadOnly,
)
from storage.log import EventLog
from storage.meta import Meta
from storage.outbox import Outbox
from storage.private import create_file, tighten
from storage.quarantine import Quarantine
from storage.watcher import Watcher
from storage.writer import Job, Writer

T = TypeVar("T")

BUSY_SECONDS = 10.0
CACHE_KIB = 32 * 1024
LARGEST = 64 * 2**20
"""Bytes of one value, and so of one chunk of events that is read."""

BESIDE = ("", "-wal", "-shm", "-journal")
"""What SQLite adds to a store's name for the files of one store."""

CHECKED_BYTES = 32 * 2**20
"""Stores up to this size are checked page by page when opened; beyond it that would hold up the start."""


class Database:
    """An open store. Use `Database.open`; it is a context manager."""

    def __init__(self, path: Path, engine: Engine, private: Path | None = None, *, writes: bool = True) -> None:
        """`private` is a folder that goes when the store is closed."""
        self.path = path
        self._engine = engine
        self._private = private
        self._damage: str | None = None
        self._closed = False
        self._writer = self._begin_writing() if writes else None
        self.log = EventLog(self)
        self.outbox = Outbox(self)
        self.quarantine = Quarantine(self)
        self.meta = Meta(self)
        self.watcher = Watcher(engine.connect, self.log.last)

    @classmethod
    def open(cls, path: Path | None, *, create: bool = True) -> Self:
        """Open the store at `path` (made if `create`). None: a private one, gone when closed."""
        if path is None:
            private = Path(tempfile.mkdtemp(prefix="watchfloor-"))
            return cls(private / "store.db", opened(private / "store.db"), private)
        probe(path, create)
        _keep_private(path)
        return cls(path, opened(path))

    @staticmethod
    def open_read_only(path: Path) -> Database:
        """Open the store at `path` to read it as it is: nothing is made, moved or changed, and writing is refused."""
        from storage.read_only import open_read_only

        return open_read_only(path)

    def write(self, job: Job[T]) -> Future[T]:
        """Run `job` on the writer thread; done when it is on disk. See `writer.py` for the rules."""
        if self._damage is not None:
            failed: Future[T] = Future()
            failed.set_exception(StoreDamaged(self.path, self._damage))
            return failed
        if self._writer is None:
            refused: Future[T] = Future()
            refused.set_exception(StoreReadOnly(self.path, f"{self.path}: is open for reading only"))
            return refused
        return self._writer.submit(job)

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> Sequence[Any]:
        """Read on a connection of its own, from any thread."""
        if self._closed:
            raise StoreClosed(self.path)
        try:
            with self._engine.connect() as connection:
                return connection.exec_driver_sql(sql, tuple(parameters)).fetchall()
        except DBAPIError as error:
            raise self._translated(error) from None

    def close(self) -> None:
        """Finish what is being written, stop the threads, release the file. Closing twice is fine."""
        if self._writer is not None:
            self._writer.close()
        self.watcher.close()
        self._closed = True
        self._engine.dispose()
        if self._private is not None:
            shutil.rmtree(self._private, ignore_errors=True)
        elif self._damage is not None and self._writer is not None and self.path.exists():
            set_aside(self.path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _begin_writing(self) -> Writer:
        closed = StoreClosed(self.path)
        return Writer(self._engine.connect(), self._translated, self._committed, lambda: closed)

    def _committed(self) -> None:
        self.watcher.poke()

    def _translated(self, error: BaseException) -> BaseException:
        translated = translate(self.path, error)
        if isinstance(translated, StoreDamaged):
            self._damage = translated.detail
        return translated


def opened(path: Path) -> Engine:
    """Connections to the store, brought up to date. One that is damaged is set aside. Raises StorageError."""
    engine = connections(str(path))
    try:
        with engine.connect() as connection:
            if found := schema_version(path, connection):
                check_pages(path, connection)
            _write_ahead(connection)
            if found != schema.HEAD:
                _bring_up(connection)
    except (DBAPIError, StorageError) as error:
        engine.dispose()
        raise _refusal(path, error) from None
    return engine


def _keep_private(path: Path) -> None:
    """SQLite gives what it makes beside a store the store's own rights, and says itself what it cannot reach."""
    try:
        path.stat()
    except FileNotFoundError:
        _make_private(path)
    except OSError:
        return
    for suffix in BESIDE:
        tighten(path.with_name(path.name + suffix))


def _make_private(path: Path) -> None:
    try:
        os.close(create_file(path))
    except OSError as error:
        raise StoreReadOnly(path, f"{path}: cannot be made ({error.strerror}); name another place") from None


def connections(database: str, **query: str) -> Engine:
    """Connections to an SQLite file; with a `query`, `database` is a URI."""
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


def schema_version(path: Path, connection: Connection) -> str | None:
    """The version of the store's schema; None for an empty file. Raises NotAStore and StoreNewer."""
    found = schema.version(connection)
    if found == "":
        raise NotAStore(path, f"{path}: an SQLite file, but not a Watchfloor store; it is left as it is")
    if found is not None and found > schema.HEAD:
        raise StoreNewer(path, found, schema.HEAD)
    return found


def check_pages(path: Path, connection: Connection) -> None:
    """Raises StoreDamaged. A large store is not looked through."""
    if path.stat().st_size > CHECKED_BYTES:
        return
    verdict = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
    if verdict != "ok":
        raise StoreDamaged(path, " ".join(str(verdict).split()))


def _write_ahead(connection: Connection) -> None:
    """Switch to WAL. SQLite does not wait for locks here, so this waits."""
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.exec_driver_sql("PRAGMA journal_mode = WAL")
            return
        except DBAPIError as error:
            code = getattr(error.orig, "sqlite_errorcode", 0)
            if code & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.01)


def _bring_up(connection: Connection) -> None:
    """Create or migrate in one transaction; look again inside it, for another process may be first."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")
    try:
        found = schema.version(connection)
        if found is None:
            schema.create(connection)
        elif found != schema.HEAD:
            from storage.migrations import upgrade

            upgrade(connection)
        connection.exec_driver_sql("COMMIT")
    except BaseException:
        connection.exec_driver_sql("ROLLBACK")
        raise


def _refusal(path: Path, error: Exception) -> BaseException:
    translated = translate(path, error)
    if isinstance(translated, StoreDamaged):
        return StoreDamaged(path, translated.detail, set_aside(path))
    return translated
