"""The log file: a line for each change of state, each slow operator, each query that was set aside, each bug. It lies
in this account's folder for logs, readable by nobody else, and is turned over when it is full.

A file that cannot be written is nobody's error: the window goes on. Several windows may write into one file.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from dataflow.notice import Notice
from dataflow.session import Status
from gui.paths import log_file
from gui.reporting.terminal import printable
from storage.private import make_folder, open_private

LARGEST = 1_000_000
"""Bytes of a file; there are two older ones at the most."""
KEPT = 2
LONGEST = 500
"""Letters of a line."""
AGAIN_S = 60.0
"""The same line is written once in this time."""


class Logbook:
    """The log of one board. `clock` in seconds since 1970, `path` None: where this account keeps it."""

    def __init__(self, board: str, path: Path | None = None, clock: Callable[[], float] = time.time) -> None:
        self.path = log_file() if path is None else path
        self._board, self._clock = board, clock
        self._state = self._warning = ""
        self._written: dict[str, float] = {}

    def follow_status(self, status: Status) -> None:
        """A line where the state, or what is wrong although all works, is another one."""
        state = f"{status.state}: {status.detail}" if status.detail else status.state
        if status.state != self._state.partition(":")[0] or (status.state != "replaying" and state != self._state):
            self.write(state)
        self._state = state
        if status.warning != self._warning:
            self._warning = status.warning
            if status.warning:
                self.write(status.warning)

    def follow_notice(self, notice: Notice) -> None:
        """Something went wrong in the views."""
        self.write(notice.text)

    def write(self, words: str) -> None:
        """One line, with the time in UTC; what was written a moment ago is not written again."""
        now, line = self._clock(), printable(" ".join(words[: 4 * LONGEST].split()), LONGEST)
        if now - self._written.get(line, -AGAIN_S) < AGAIN_S:
            return
        self._written = {known: at for known, at in self._written.items() if now - at < AGAIN_S} | {line: now}
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))
        try:
            self._append(f"{stamp} {os.getpid()} {self._board}: {line}\n".encode())
        except OSError:
            return

    def _append(self, line: bytes) -> None:
        if not self.path.parent.exists():
            make_folder(self.path.parent)
        with open(self.path, "ab", opener=open_private) as file:
            file.write(line)
            full = file.tell() > LARGEST
        if full:
            self._turn_over()

    def _turn_over(self) -> None:
        for number in range(KEPT, 0, -1):
            older = self.path.with_name(f"{self.path.name}.{number - 1}" if number > 1 else self.path.name)
            if older.exists():
                older.replace(self.path.with_name(f"{self.path.name}.{number}"))
