"""Notices that the log grew, whoever appended: a thread that asks SQLite's cheap `PRAGMA data_version`.

This process' own appends wake it at once; another process' are seen at the next tick. Callbacks run on this
thread.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from storage.errors import StorageError

TICK = 0.02  # seconds
Callback = Callable[[int], None]


class Watcher:
    """`connect` gives a connection of its own; `last` the log's last position. `grown` is set by who commits here."""

    def __init__(self, connect: Callable[[], Connection], last: Callable[[], int], grown: threading.Event) -> None:
        self._connect = connect
        self._last = last
        self._wake = grown
        self._callbacks: list[Callback] = []
        self._open = True
        self._reported = 0
        self._version: int | None = None
        self._thread: threading.Thread | None = None
        self._gate = threading.Lock()

    def subscribe(self, callback: Callback) -> Callable[[], None]:
        """Call `callback` with the last position when it rises, until the returned function is called."""
        with self._gate:
            self._callbacks = [*self._callbacks, callback]
            if self._thread is None:
                self._reported = self._last()
                self._thread = threading.Thread(target=self._run, name="watchfloor-watcher", daemon=True)
                self._thread.start()
        return lambda: self._unsubscribe(callback)

    def close(self) -> None:
        """Stop the thread. Closing twice is fine."""
        with self._gate:
            self._open = False
            thread = self._thread
        self._wake.set()
        if thread is not None:
            thread.join()

    def _unsubscribe(self, callback: Callback) -> None:
        with self._gate:
            self._callbacks = [each for each in self._callbacks if each is not callback]

    def _run(self) -> None:
        with self._connect() as connection:
            while self._open:
                with contextlib.suppress(DBAPIError, StorageError):  # whoever reads or writes is told
                    self._look(connection)
                self._wake.wait(TICK)
                self._wake.clear()

    def _look(self, connection: Connection) -> None:
        version = connection.exec_driver_sql("PRAGMA data_version").scalar()
        if version == self._version:
            return
        last = self._last()
        self._version = version
        if last > self._reported:
            self._reported = last
            for callback in self._callbacks:
                self._call(callback, last)

    def _call(self, callback: Callback, last: int) -> None:
        try:
            callback(last)
        except Exception:
            logging.getLogger(__name__).exception("a callback that watches the log failed")
