"""A background load: another process that appends real events to a store, so many a second.

`python -m tests.bench.load STORE RATE START_US` goes on until its standard input is closed. The events are the demo's
own two days, told again and again with fresh ids: corrections to the same flights, so that every view of the demo
board changes all the time. Each bears the time START_US plus what has passed since.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections import deque
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path

import msgspec

from dataflow.feeds.recording import read_recording
from storage.database import Database
from storage.ids import uuid7

TICK_S = 0.01
RECORDING = Path(__file__).parents[2] / "assets" / "demo" / "nyc-2013-02-08.ndjson.gz"


def append(store: Path, rate: float, start: int, stop: threading.Event) -> int:
    """Append until told to stop; the number of events. What is late is appended as soon as it can be."""
    events = cycle(read_recording(RECORDING))
    began = time.perf_counter()
    sent = 0
    waiting = deque()
    with Database.open(store) as database:
        while not stop.wait(TICK_S):
            elapsed = time.perf_counter() - began
            now = start + int(elapsed * 1e6)
            told = islice(events, int(elapsed * rate) - sent)
            due = [msgspec.structs.replace(event, id=uuid7(now), time=now) for event in told]
            sent += len(due)
            if due:
                waiting.append(database.log.append(due))
            while len(waiting) > 20:
                waiting.popleft().result()
    return sent


@contextmanager
def running(store: Path, rate: float, start: int):
    """The load, as a process of its own, for the length of a with block."""
    command = [sys.executable, "-m", "tests.bench.load", str(store), str(rate), str(start)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        yield process
    finally:
        process.stdin.close()
        process.wait(30)


def main() -> None:
    store, rate, start = sys.argv[1:4]
    stop = threading.Event()
    thread = threading.Thread(target=lambda: (sys.stdin.read(), stop.set()))
    thread.start()
    print(append(Path(store), float(rate), int(start), stop))
    thread.join()


if __name__ == "__main__":
    main()
