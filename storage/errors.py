"""What can go wrong with a store: one root; the facts are attributes, the message is one line for people.

StorageError
├─ StoreMissing      no such file, or no such directory to make it in
├─ StoreUnreadable   it is there, but this account may not read it, or it is not a file
├─ StoreReadOnly     it can be read but not written
├─ NotAStore         a file of another kind; it is left as it is
├─ StoreNewer        a newer Watchfloor wrote it
├─ StoreDamaged      SQLite says it is damaged; `aside` tells where it was moved to, if it was
├─ StoreFull         no room on the disk; nothing of this write is kept
├─ StoreBusy         another process held the store for too long
├─ StoreMirrors      it mirrors a shared log, which alone gives positions
├─ StoreClosed       it was closed before
├─ StoreFailed       the disk or SQLite failed in another way
│  └─ TooLarge       more bytes at once than a store takes
├─ AlreadySettled    what needed attention was dealt with already
├─ PositionTaken     the log holds another event at this position
└─ CloudEventError   bytes that are no CloudEvent in JSON
"""

from __future__ import annotations

from pathlib import Path


class StorageError(Exception):
    """The root of this layer's errors. `str(error)` is one line: what, where, what to do next."""


class StoreError(StorageError):
    """An error about the store at `path`."""

    def __init__(self, path: Path, message: str) -> None:
        super().__init__(message)
        self.path = path


class StoreMissing(StoreError):
    """There is no such file or directory."""


class StoreUnreadable(StoreError):
    """The file is there, but it cannot be read."""


class StoreReadOnly(StoreError):
    """The file can be read but not written."""


class NotAStore(StoreError):
    """The file is something else than a Watchfloor store."""


class StoreNewer(StoreError):
    """A newer Watchfloor wrote the file: it has schema version `found`, and this one knows up to `known`."""

    def __init__(self, path: Path, found: str, known: str) -> None:
        super().__init__(
            path,
            f"{path}: written by a newer Watchfloor (schema {found}, this one knows up to {known}); "
            "upgrade Watchfloor or name another store",
        )
        self.found = found
        self.known = known


class StoreDamaged(StoreError):
    """SQLite says that the file is damaged. `aside` is where it was moved to; None: it is where it was."""

    def __init__(self, path: Path, detail: str, aside: Path | None = None) -> None:
        super().__init__(path, f"{path}: damaged ({detail}); {_advice(aside)}")
        self.detail = detail
        self.aside = aside


class StoreFull(StoreError):
    """There was no room on the disk; nothing of this write is kept. The store goes on when there is room."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, f"{path}: the disk is full, so this was not saved; make room and try again")


class StoreBusy(StoreError):
    """Another process held the store for too long."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, f"{path}: another process keeps the store locked; close it and try again")


class StoreMirrors(StoreError):
    """The store mirrors a shared log: nothing else may give positions in it."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            path, f"{path}: holds a copy of a shared log; open it with --server, or name another store with --store"
        )


class StoreClosed(StoreError):
    """The store was closed before this was written."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, f"{path}: the store is closed; open it again")


class StoreFailed(StoreError):
    """The disk or SQLite failed; `detail` is what it said."""

    def __init__(self, path: Path, detail: str) -> None:
        super().__init__(path, f"{path}: writing or reading failed ({detail}); check the disk and try again")
        self.detail = detail


class TooLarge(StoreFailed):
    """More bytes at once than a store takes or gives."""


class PositionTaken(StorageError):
    """The log holds another event at a position that a feed gave: it is not the same log any more."""

    def __init__(self, detail: str) -> None:
        super().__init__(
            f"the log holds another event at this position ({detail}); the feed is not the one that filled "
            "this store, so use a fresh store"
        )


class AlreadySettled(StorageError):
    """What needed attention was dealt with before this, perhaps in another window. `key` is its key."""

    def __init__(self, key: int) -> None:
        super().__init__("this was dealt with already, perhaps in another window; nothing was entered")
        self.key = key


class CloudEventError(StorageError):
    """These bytes are no CloudEvent that Watchfloor can take; `reason` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def _advice(aside: Path | None) -> str:
    if aside is None:
        return "close Watchfloor and open the store again, which sets it aside; then restore a backup"
    return f"it was moved to {aside}; restore a backup, or start again with an empty store"
