"""The driver's errors as this layer's own: what SQLite's codes mean for people."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from storage.errors import (
    PositionTaken,
    StorageError,
    StoreBusy,
    StoreDamaged,
    StoreFailed,
    StoreFull,
    StoreReadOnly,
    StoreUnreadable,
    TooLarge,
)


def translate(path: Path, error: BaseException) -> BaseException:
    """This layer's error for a driver's error; any other error as it is."""
    if not isinstance(error, DBAPIError) or not isinstance(error.orig, sqlite3.Error):
        return error
    code = getattr(error.orig, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    return _meaning(path, code & 0xFF, str(error.orig))


def _meaning(path: Path, code: int, detail: str) -> StorageError:
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return StoreBusy(path)
    if code == sqlite3.SQLITE_FULL:
        return StoreFull(path)
    if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
        return StoreDamaged(path, detail)
    if code == sqlite3.SQLITE_READONLY:
        return StoreReadOnly(path, f"{path}: cannot be written to ({detail}); check its permissions")
    if code in {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}:
        return StoreUnreadable(path, f"{path}: cannot be opened ({detail}); check it and its directory")
    if code == sqlite3.SQLITE_TOOBIG:
        return TooLarge(path, detail)
    if code == sqlite3.SQLITE_CONSTRAINT and "log.position" in detail:
        return PositionTaken(detail)
    return StoreFailed(path, detail)
