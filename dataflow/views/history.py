"""The rows that the views hold, from the log's beginning, for queries that come late or are built anew.

Where there are few they are read in slices between the frames. Where there are many, a process beside reads them
(`history_process.py`) and this one only takes them over, at a tenth of the cost: it has frames to paint. While that
process has nothing ready yet, an empty chunk says so. If it ends too early, the rest is read here.
"""

from __future__ import annotations

import marshal
import subprocess
import sys
from collections.abc import Collection, Iterator
from contextlib import suppress
from queue import Empty, Full, Queue
from threading import Event as Flag
from threading import Thread

import msgspec

from dataflow.board import Board
from dataflow.engine.operators.node import NONE, Rows
from dataflow.events.schema import Schema
from dataflow.views.log_reader import LogReader, Part
from storage.identity import Identity
from storage.log import EventLog

MANY = 5_000
"""Reading so many here takes about as long as a process takes to start."""
TOGETHER = 8
"""So many parts come in one frame from beside: every frame that a thread takes over holds this process up a little."""
HEAD = 4
"""Bytes that tell the length of a frame."""
AHEAD = 16
"""Frames that may wait here."""
PATIENCE_S = 0.1

class Request(msgspec.Struct):
    """What the process beside is to read: the rows of a store's log up to a position, by a board, but some events'."""

    store: str
    board: Board
    until: int
    without: list[Identity]


class History:
    """What reads history, for one board."""

    def __init__(self, log: EventLog, schema: Schema) -> None:
        self._log, self._schema, self._reader = log, schema, LogReader(schema)

    def read(self, until: int, without: frozenset[Identity]) -> Iterator[Rows]:
        """The rows up to a position, but of the events `without`, in chunks; closed early, it stops."""
        if until < MANY:
            return self._here(0, until, without)
        return self._read_by_process(Request(str(self._log.path), self._schema.board, until, list(without)))

    def _here(self, after: int, until: int, without: Collection[Identity]) -> Iterator[Rows]:
        return (rows for _, rows in self._reader.read(self._log, after, until, without))

    def _read_by_process(self, request: Request) -> Iterator[Rows]:
        reached = 0
        process = HistoryProcess(request)
        try:
            while not process.ended:
                part = process.take()
                if part is None:
                    yield NONE
                    continue
                reached, rows = part
                yield rows
        finally:
            process.close()
        if reached < request.until:
            yield from self._here(reached, request.until, request.without)


class HistoryProcess:
    """The process beside, and the thread that takes over what it says."""

    def __init__(self, request: Request) -> None:
        self.ended = False
        self._parts: Iterator[bytes] = iter(())
        self._frames: Queue[bytes] = Queue(AHEAD)
        self._closed = Flag()
        self._process = subprocess.Popen(
            # -P: not from the folder that we were started in
            [sys.executable, "-P", "-m", "dataflow.views.history_process"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self._thread = Thread(target=self._listen, args=[msgspec.msgpack.encode(request)], name="history")
        self._thread.start()

    def take(self) -> Part | None:
        """What comes next; None if nothing is there yet, or has `ended`."""
        part = next(self._parts, None)
        if part is None:
            with suppress(Empty):
                frame = self._frames.get_nowait()
                self.ended = not frame
                self._parts = iter(marshal.loads(frame) if frame else ())  # our own process said it
                part = next(self._parts, None)
        found: Part | None = None if part is None else marshal.loads(part)
        return found

    def close(self) -> None:
        self._closed.set()
        self._process.kill()
        self._thread.join()
        self._process.wait()

    def _listen(self, request: bytes) -> None:
        given, said = self._process.stdin, self._process.stdout
        assert given is not None
        assert said is not None
        with suppress(OSError), given:
            given.write(request)
        with said:
            while head := said.read(HEAD):
                size = int.from_bytes(head, "big")
                frame = said.read(size)
                if len(frame) < size or not self._put(frame):
                    break
        self._put(b"")

    def _put(self, frame: bytes) -> bool:
        while not self._closed.is_set():
            with suppress(Full):
                self._frames.put(frame, timeout=PATIENCE_S)
                return True
        return False
