"""Which panels a process died of, kept beside the store: the next one opens with them shut, and says so.

While a panel is built, laid out, brought data or painted, its digest stands in a small mapped file, `STORE.drawing-…`:
setting it costs a copy of 16 bytes, and what is in a map outlives the process, however that ends. Each process has a
file of its own, and holds a lock on it. Who finds one that nobody holds, and a digest in it, shuts that panel: it is
noted in `STORE.shut` until somebody tries again, or the panel's section of the board is another one.

A process that is killed from outside in just that moment shuts a panel, too: trying again costs a key.
"""

from __future__ import annotations

import faulthandler
import mmap
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import IO

import msgspec

from dataflow.board import Panel
from gui.paths import reports

try:
    import fcntl
except ImportError:     # where there are no locks, a file that is open cannot be deleted either
    fcntl = None  # type: ignore[assignment]

_SIZE = 16
_NOBODY = bytes(_SIZE)
_MOST = 100


class Death(msgspec.Struct, frozen=True):
    """When it was noticed (seconds since 1970), and where the dying process has left a report; empty for nowhere."""

    noticed: int
    report: str = ""

    def words(self) -> str:
        """What a shut panel says."""
        left = f"\nThe report is in {self.report}" if self.report else ""
        return f"Watchfloor ended while it drew this panel, so it is shut.{left}"


class ShutPanels:
    """Of one store, for one process; `close` it at the end. Where the folder takes no files, nothing is kept."""

    def __init__(self, store: Path) -> None:
        self._now = _NOBODY
        self._crash: IO[bytes] | None = None
        self._map: mmap.mmap | None = None
        self._marker: Path | None = None
        self.move_to(store)

    def move_to(self, store: Path) -> None:
        """It is another store from now on."""
        self.close()
        self._file = store.with_name(f"{store.name}.shut")
        self._deaths = _read(self._file)
        self._notice(store)
        self._begin(store)

    def death_of(self, panel: Panel) -> Death | None:
        """Why a panel is to be shut, if it is."""
        return self._deaths.get(digest(panel).hex())

    def forget(self, panel: Panel) -> None:
        """Somebody tries again."""
        if self._deaths.pop(digest(panel).hex(), None) is not None:
            self._keep()

    def set(self, own: bytes) -> bytes:
        """From now on this panel is drawn, by its digest; which one was before."""
        before, self._now = self._now, own
        if self._map is not None:
            self._map[:_SIZE] = own
        return before

    def close(self) -> None:
        """Nothing is drawn any more."""
        self._end_crash_report()
        if self._map is not None:
            self._map.close()
            self._map = None
        if self._marker is not None:
            os.close(self._descriptor)
            self._marker.unlink(missing_ok=True)
            self._marker = None

    def _notice(self, store: Path) -> None:
        """Shut what processes that are gone were drawing."""
        found = [content for path in _markers(store) if (content := _take(path))]
        for content in found:
            if (own := content[:_SIZE]) != _NOBODY:
                self._deaths[own.hex()] = Death(int(time.time()), _crash_report(content[_SIZE:]))
        if found:
            self._keep()

    def _begin(self, store: Path) -> None:
        try:
            self._descriptor, name = tempfile.mkstemp(prefix=f"{store.name}.drawing-", dir=store.parent)
            self._marker = Path(name)
            if fcntl is not None:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX)
            os.write(self._descriptor, _NOBODY + os.fsencode(self._begin_crash_report()))
            self._map = mmap.mmap(self._descriptor, 0)
        except OSError:
            return      # a folder that takes no files, a full disk: nothing is kept of this process

    def _begin_crash_report(self) -> str:
        """Have Python write down where it was when a signal ends it, unless somebody else does so."""
        if faulthandler.is_enabled():
            return ""
        path = reports() / f"crash-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        self._crash = path.open("wb")
        faulthandler.enable(self._crash)
        return str(path)

    def _end_crash_report(self) -> None:
        if self._crash is not None:
            faulthandler.disable()
            self._crash.close()
            Path(self._crash.name).unlink(missing_ok=True)
            self._crash = None

    def _keep(self) -> None:
        newest = sorted(self._deaths.items(), key=lambda item: item[1].noticed)[-_MOST:]
        try:
            if newest:
                self._file.touch(mode=0o600)
                self._file.write_bytes(msgspec.json.encode(dict(newest)))
            else:
                self._file.unlink(missing_ok=True)
        except OSError:
            return      # a folder that takes no files: then it is shut in this process only


@contextmanager
def shut_panels(store: Path | None) -> Iterator[ShutPanels | None]:
    """Of this store, while a window is open; none where there is no store that outlives it."""
    shut = None if store is None or not store.name else ShutPanels(store)
    try:
        yield shut
    finally:
        if shut is not None:
            shut.close()


def digest(panel: Panel) -> bytes:
    """What a panel is known by: its whole section of the board."""
    return blake2b(msgspec.json.encode(panel), digest_size=_SIZE).digest()


def _markers(store: Path) -> list[Path]:
    """The files of all processes that draw, or drew, panels of a store."""
    prefix = f"{store.name}.drawing-"
    try:
        return [path for path in store.parent.iterdir() if path.name.startswith(prefix)]
    except OSError:
        return []


def _take(path: Path) -> bytes:
    """What a process that is gone has left in its file, which is deleted; nothing while it lives."""
    try:
        with path.open("r+b") as file:
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            content = file.read(4096)
        path.unlink()
    except OSError:
        return b""
    return content


def _crash_report(name: bytes) -> str:
    """Where a crash was written down; an empty report is deleted."""
    path = Path(os.fsdecode(name))
    try:
        if path.name.startswith("crash-") and path.stat().st_size == 0:
            path.unlink()
            return ""
        return str(path) if path.name.startswith("crash-") else ""
    except OSError:
        return ""


def _read(file: Path) -> dict[str, Death]:
    try:
        return msgspec.json.decode(file.read_bytes(), type=dict[str, Death])
    except (OSError, msgspec.MsgspecError):
        return {}
