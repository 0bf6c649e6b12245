"""Opening a store's file: what it must be, and bringing it up to date."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from storage import schema
from storage.connections import BUSY_SECONDS, make_engine
from storage.damage import FILES, set_aside
from storage.driver_errors import translate
from storage.errors import NotAStore, StorageError, StoreDamaged, StoreNewer, StoreReadOnly
from storage.private import create_file, tighten

CHECKED_BYTES = 32 * 2**20
"""Stores up to this size are checked page by page when opened; beyond it that would hold up the start."""


def open_engine(path: Path) -> Engine:
    """Return connections to the store, brought up to date. Sets a damaged one aside. Raises StorageError."""
    engine = make_engine(str(path))
    try:
        with engine.connect() as connection:
            if version := read_version(path, connection):
                check_pages(path, connection)
            _write_ahead(connection)
            if version != schema.HEAD:
                _bring_up(connection)
    except (DBAPIError, StorageError) as error:
        engine.dispose()
        raise _set_aside_damaged(path, error) from None
    return engine


def keep_private(path: Path) -> None:
    """Make the store's file, where there is none, for this account alone; tighten those that are there. Raises
    StoreReadOnly.

    SQLite gives what it makes beside a store the store's own rights, and says itself what it cannot reach.
    """
    try:
        path.stat()
    except FileNotFoundError:
        _make_private(path)
    except OSError:
        return
    for suffix in FILES:
        tighten(path.with_name(path.name + suffix))


def read_version(path: Path, connection: Connection) -> str | None:
    """Return the version of the store's schema; None for an empty file. Raises NotAStore and StoreNewer."""
    version = schema.version(connection)
    if version == "":
        raise NotAStore(path, f"{path}: an SQLite file, but not a Watchfloor store; it is left as it is")
    if version is not None and version > schema.HEAD:
        raise StoreNewer(path, version, schema.HEAD)
    return version


def check_pages(path: Path, connection: Connection) -> None:
    """Raises StoreDamaged. A large store is not looked through."""
    if path.stat().st_size > CHECKED_BYTES:
        return
    verdict = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
    if verdict != "ok":
        raise StoreDamaged(path, " ".join(str(verdict).split()))


def _make_private(path: Path) -> None:
    try:
        os.close(create_file(path))
    except OSError as error:
        raise StoreReadOnly(path, f"{path}: cannot be made ({error.strerror}); name another place") from None


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
        version = schema.version(connection)
        if version is None:
            schema.create(connection)
        elif version != schema.HEAD:
            from storage.migrations import upgrade

            upgrade(connection)
        connection.exec_driver_sql("COMMIT")
    except BaseException:
        connection.exec_driver_sql("ROLLBACK")
        raise


def _set_aside_damaged(path: Path, error: Exception) -> BaseException:
    translated = translate(path, error)
    if isinstance(translated, StoreDamaged):
        return StoreDamaged(path, translated.detail, set_aside(path))
    return translated
