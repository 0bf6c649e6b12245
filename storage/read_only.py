"""A store that is only read: nothing of it is made, moved or changed, whoever else has it open.

Where no write-ahead log is beside the file, SQLite reads the file alone, and what was read while it changed is read
again. Where one is, it is read by the shared memory that belongs to it. Where that is gone (a copy of a store that was
open, say), or an older Watchfloor wrote the store, a private copy is read.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from storage import schema
from storage.connections import Connections, make_engine
from storage.damage import FILES, probe_readable
from storage.driver_errors import translate
from storage.errors import StorageError, StoreBusy, StoreDamaged, StoreUnreadable
from storage.opening import check_pages, open_engine, read_version

_TRIES = 5


class Way(Enum):
    """How a store is read; the value is what its URI says."""

    AT_REST = "immutable"
    IN_USE = "readonly_shm"
    COPIED = ""


class Stamp(NamedTuple):
    """What tells one state of the file from another."""

    inode: int
    size: int
    changed: int


Opened = tuple[Connections, Path | None]
"""Connections to a store, and the folder of the private copy that they read, if they do."""


def open_connections(path: Path) -> Opened:
    """Open the store to read it. Raises StorageError, also where there is no such store. What is damaged stays where it
    is.
    """
    probe_readable(path)
    way, stamp = choose_way(path), _stamp(path)
    if way is Way.COPIED:
        return _copied(path)
    engine = _engine(path, way)
    try:
        with engine.connect() as connection:
            version = read_version(path, connection)
            check_pages(path, connection)
    except (DBAPIError, StorageError) as error:
        engine.dispose()
        raise translate(path, error) from None
    if version == schema.HEAD:
        return _Unwritten(path, engine, way, stamp), None
    engine.dispose()
    return _copied(path)


def choose_way(path: Path) -> Way:
    """By the files that stand beside the store now."""
    wal, memory, journal = (_size(path, suffix) for suffix in FILES[1:])
    if journal:
        return Way.COPIED
    if wal is None or (wal == 0 and memory is None):
        return Way.AT_REST
    return Way.COPIED if memory is None else Way.IN_USE


class _Unwritten(Connections):
    """Reads the store's own file; what was read while it changed is read again."""

    def __init__(self, path: Path, engine: Engine, way: Way, stamp: Stamp | None) -> None:
        super().__init__(path, engine, None)
        self._way, self._stamp = way, stamp

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> Sequence[Any]:
        for _ in range(_TRIES):
            try:
                rows = super().rows(sql, parameters)
            except StoreDamaged:
                if not self._has_changed():
                    raise
            else:
                if not self._has_changed():
                    return rows
            self._open_anew()
        raise StoreBusy(self.path)

    def _has_changed(self) -> bool:
        """Whether the file alone was read, and somebody changed it meanwhile."""
        return self._way is Way.AT_REST and self._stamp != _stamp(self.path)

    def _open_anew(self) -> None:
        self._engine.dispose()
        way = choose_way(self.path)
        self._way = Way.IN_USE if way is Way.COPIED else way
        self._stamp, self.damage = _stamp(self.path), None
        self._engine = _engine(self.path, self._way)


def _engine(path: Path, way: Way) -> Engine:
    return make_engine(path.absolute().as_uri(), mode="ro", uri="true", **{way.value: "1"})


def _copied(path: Path) -> Opened:
    private = Path(tempfile.mkdtemp(prefix="watchfloor-"))
    try:
        _copy(path, private / path.name)
        return Connections(path, open_engine(private / path.name), None), private
    except BaseException as error:
        shutil.rmtree(private, ignore_errors=True)
        if isinstance(error, StorageError):
            raise _about(path, error) from None
        raise


def _about(path: Path, error: StorageError) -> StorageError:
    """The same about the store itself: nobody knows of the copy."""
    if isinstance(error, StoreDamaged):
        return StoreDamaged(path, error.detail)
    return StoreUnreadable(path, f"{path}: cannot be read ({error})")


def _copy(path: Path, to: Path) -> None:
    """The store with what is beside it, as they belong together: again, where it changes meanwhile."""
    for _ in range(_TRIES):
        before = _stamp(path)
        for suffix in FILES:
            if suffix != "-shm" and _size(path, suffix) is not None:
                shutil.copyfile(path.with_name(path.name + suffix), to.with_name(to.name + suffix))
        if before == _stamp(path):
            return
    raise StoreBusy(path)


def _size(path: Path, suffix: str) -> int | None:
    try:
        return path.with_name(path.name + suffix).stat().st_size
    except OSError:
        return None


def _stamp(path: Path) -> Stamp | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return Stamp(status.st_ino, status.st_size, status.st_mtime_ns)
