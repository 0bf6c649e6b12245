"""An append is noticed within 50 ms, whichever process made it."""

from __future__ import annotations

import queue
import statistics
import subprocess
import sys
import threading
import time

from storage.connections import make_engine
from storage.database import Database
from storage.errors import StoreBusy
from storage.watcher import Watcher
from tests.storage.samples import event

OTHER = """
import sys, time
from pathlib import Path
from storage.database import Database
from tests.storage.samples import event
with Database.open(Path(sys.argv[1])) as store:
    print("ready", flush=True)
    for n in map(int, sys.stdin):
        done = store.log.append([event(n)]).result()
        print(time.monotonic_ns(), flush=True)
"""


def test_own_appends_are_told_once_each(store):
    seen: queue.Queue[int] = queue.Queue()
    stop = store.log.watch(seen.put)
    store.log.append([event(1), event(2)]).result()
    assert seen.get(timeout=5) == 2
    store.log.append([event(1)]).result()
    store.log.append([event(3)]).result()
    assert seen.get(timeout=5) == 3
    stop()
    store.log.append([event(4)]).result()
    other: queue.Queue[int] = queue.Queue()
    store.log.watch(other.put)
    store.log.append([event(5)]).result()
    assert other.get(timeout=5) >= 4
    assert seen.empty()


def test_a_failing_callback_does_not_stop_the_others(store, caplog):
    def fail(_: int) -> None:
        raise RuntimeError("no")

    seen: queue.Queue[int] = queue.Queue()
    store.log.watch(fail)
    store.log.watch(seen.put)
    store.log.append([event(1)]).result()
    assert seen.get(timeout=5) == 1
    assert "a callback that watches the log failed" in caplog.text
    caplog.clear()


def test_another_process_is_noticed_within_50_ms(tmp_path):
    path = tmp_path / "board.db"
    seen: queue.Queue[tuple[int, int]] = queue.Queue()
    with Database.open(path) as store:
        store.log.watch(lambda last: seen.put((time.monotonic_ns(), last)))
        with subprocess.Popen(
            [sys.executable, "-c", OTHER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as other:
            assert other.stdout.readline() == "ready\n"
            delays = [_delay(other, seen, n) for n in range(1, 21)]
            other.stdin.close()
    assert statistics.median(delays) < 0.05, delays


def test_an_append_is_told_although_the_log_could_not_be_read_at_first(store):
    seen: queue.Queue[int] = queue.Queue()
    failures = [StoreBusy(store.path)]

    def last() -> int:
        if store.log.last() and failures:
            raise failures.pop()
        return store.log.last()

    engine = make_engine(str(store.path))
    watcher = Watcher(engine.connect, last, threading.Event())
    watcher.subscribe(seen.put)
    store.log.append([event(1)]).result()
    assert seen.get(timeout=5) == 1
    assert failures == []
    watcher.close()
    watcher.close()
    engine.dispose()


def test_nobody_is_told_after_the_store_is_closed(tmp_path):
    seen: queue.Queue[int] = queue.Queue()
    with Database.open(tmp_path / "board.db") as store:
        store.log.append([event(1)]).result()
        store.log.watch(seen.put)
    with Database.open(tmp_path / "board.db") as store:
        store.log.append([event(2)]).result()
    assert seen.empty()
    assert "watchfloor-watcher" not in [thread.name for thread in threading.enumerate()]


def _delay(other: subprocess.Popen[str], seen: queue.Queue[tuple[int, int]], n: int) -> float:
    """Seconds from the other process' commit to our callback; both clocks are the machine's monotonic one."""
    other.stdin.write(f"{n}\n")
    other.stdin.flush()
    committed = int(other.stdout.readline())
    noticed, last = seen.get(timeout=5)
    assert last == n
    return (noticed - committed) / 1e9
