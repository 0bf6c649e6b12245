"""The process beside: `python -m dataflow.views.history_process` reads a store's log and says its rows.

A `history.Request` on standard input, then frames on standard output: four bytes of length, big-endian, and a
marshalled list of some marshalled `history.Part`s, which are taken over one by one. It is nice to its parent before it
imports anything, and ends when nobody listens any more.
"""

from __future__ import annotations

import os

NICE = 10


def main() -> None:
    import marshal
    import sys
    from contextlib import suppress
    from itertools import islice
    from pathlib import Path

    import msgspec

    from dataflow.events.schema import Schema
    from dataflow.views.history import HEAD, TOGETHER, Request
    from dataflow.views.log_reader import LogReader
    from storage.database import Database

    request = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Request)
    out = sys.stdout.buffer
    with Database.open_read_only(Path(request.store)) as database, suppress(BrokenPipeError):
        reading = LogReader(Schema(request.board)).read(database.log, 0, request.until, frozenset(request.without))
        while some := [marshal.dumps(part) for part in islice(reading, TOGETHER)]:
            frame = marshal.dumps(some)
            out.write(len(frame).to_bytes(HEAD, "big") + frame)
            out.flush()


if __name__ == "__main__":
    if hasattr(os, "nice"):
        os.nice(NICE)
    main()
