"""What a file is before SQLite touches it, and how a damaged one is set aside: renamed, never overwritten."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from storage.errors import NotAStore, StoreDamaged, StoreMissing, StoreReadOnly, StoreUnreadable

_MAGIC = b"SQLite format 3\0"
_HEADER = 100
_GONE = "its header is gone"

FILES = ("", "-wal", "-shm", "-journal")
"""What is added to a store's name for the files that SQLite makes of one store."""


def probe(path: Path, create: bool) -> None:
    """Refuse what cannot be a store, with the reason. A file of another kind is left exactly as it is."""
    if not path.exists():
        _refuse_missing(path, create)
        return
    header = _header(path)
    if not os.access(path, os.W_OK) or not os.access(path.parent, os.W_OK):
        raise StoreReadOnly(path, f"{path}: cannot be written to; check its and its directory's rights")
    if _is_gone(path, header):
        raise StoreDamaged(path, _GONE, set_aside(path))


def probe_readable(path: Path) -> None:
    """As `probe`, for a store that is only read: a damaged one stays where it is."""
    if not path.exists():
        _refuse_missing(path, create=False)
    if _is_gone(path, _header(path)):
        raise StoreDamaged(path, _GONE)


def set_aside(path: Path) -> Path:
    """Move the store with its -wal and -shm to `X.damaged-<time>`; tells where."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    aside = path.with_name(f"{path.name}.damaged-{stamp}")
    for suffix in ("-shm", "-wal", ""):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(aside.with_name(aside.name + suffix))
    return aside


def _refuse_missing(path: Path, create: bool) -> None:
    if not path.parent.is_dir():
        raise StoreMissing(path, f"{path}: there is no such directory; make it or name another place")
    if not create:
        raise StoreMissing(path, f"{path}: there is no such store; check the name")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise StoreReadOnly(path, f"{path}: the directory cannot be written to; check its permissions")


def _header(path: Path) -> bytes:
    if not path.is_file():
        raise StoreUnreadable(path, f"{path}: not a file; name a file for the store")
    try:
        with path.open("rb") as file:
            return file.read(_HEADER)
    except OSError as error:
        raise StoreUnreadable(path, f"{path}: cannot be read ({error.strerror}); check it") from None


def _is_gone(path: Path, header: bytes) -> bool:
    """Whether a store's header was lost. Raises NotAStore for what never was one."""
    if not header or header.startswith(_MAGIC):
        return False
    if header.strip(b"\0"):
        raise NotAStore(path, f"{path}: not a Watchfloor store; it is left as it is, name another file")
    return True
