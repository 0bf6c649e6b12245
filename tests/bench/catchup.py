"""A new desk, with its window, joins a log of a million events on a real server.

    uv run python -m tests.bench.catchup [--json] [--events 1000000] [--kept FOLDER]

The log is the year's flights, written by the demo's producer; with `--kept` the filled server is left in that folder
for the next run. The desk has an empty store and the demo board in a real window (Qt's offscreen platform); its clock
stands at the log's end. *Joined* is when the views hold every event and the panels show them: everything was received,
decoded, stored (with fsync) and taken up by the engine. Meanwhile the window is asked every 16 ms to paint a spot; a
*frame* is from when that was due to the end of the painting, with all that the loop's thread did in between. A *stall*
is the longest time for which the loop, asked by a timer every 2 ms, did not answer. Both are watched until two seconds
after the desk has joined.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from time import perf_counter, process_time, thread_time

import msgspec
import nats
import psutil
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QWidget

from dataflow.feeds.shared.feed import NatsFeed
from dataflow.feeds.shared.producer import Producer
from dataflow.nats import streams
from dataflow.server.config import Settings
from dataflow.server.process import ServerProcess
from storage.cloudevents import decode
from storage.event import Event
from storage.ids import uuid7
from tests.bench.frames import percentile
from tests.bench.report import Figure, report
from tests.bench.shared import BOARD
from tests.bench.stage import Frames, Stage, on_stage
from tests.data.year import year_file
from tests.nats import free_port

FRAME_MS, BEAT_MS = 16, 2
AFTER_S = 2
BATCH = 500
RATE = 30_000
READY_S = 60.0


@contextmanager
def full_log(events: int, kept: Path | None) -> Iterator[tuple[str, int]]:
    """A server whose stream holds so many events: its address, and the time of the last one (µs)."""
    with ExitStack() as stack:
        folder = kept / f"{events}" if kept else Path(stack.enter_context(tempfile.TemporaryDirectory()))
        process = ServerProcess(Settings(name="bench", store=folder / "js", port=free_port()), folder)
        process.start(READY_S)
        stack.callback(process.stop)
        yield process.url, asyncio.run(fill(process.url, events))


async def fill(url: str, count: int) -> int:
    """Make the log as long as that, going on where an earlier run left off. The time of its last event, in µs."""
    connection = await nats.connect(url)
    written = (await streams.ensure(connection, BOARD)).last
    producer, told, last = Producer(connection, BOARD, "feed"), islice(year(), count), 0
    for number, batch in enumerate(iter(lambda: list(islice(told, BATCH)), [])):
        last = batch[-1].time
        if (number + 1) * BATCH > written:
            await producer.send(batch)
    held = (await streams.find(connection, BOARD)).last
    await connection.close()
    if held != count:
        raise SystemExit(f"the log holds {held:,} events, not {count:,}: name another folder")
    return last


def year() -> Iterator[Event]:
    """The year's events, in order of time; then the same with other ids, a year later."""
    shift = 0
    while True:
        with year_file().open("rb") as lines:
            for event in map(decode, lines):
                time = event.time + shift
                yield msgspec.structs.replace(event, id=uuid7(time), time=time) if shift else event
        shift = time + 1 - event.time + 365 * 86_400_000_000


class Joining(Stage):
    """The stage with nothing on it yet, on a shared log whose last event is from `now`."""

    author = "joiner"

    def __init__(self, folder: Path, url: str, now: int) -> None:
        self._url, self._now = url, now
        super().__init__(folder)

    def make_feed(self, scheduler, deliver):
        self.start = self._now
        loop = asyncio.get_running_loop()
        return NatsFeed([self._url], BOARD, self.author, self.database, scheduler, deliver, loop)

    async def open(self) -> None:
        self.watch = Watch(self.window)
        await asyncio.sleep(0.2)
        self.watch.restart()
        self.began, thread, process = perf_counter(), thread_time(), process_time()
        self.pipeline.start()
        await self.screen.settled()
        self.took = perf_counter() - self.began
        self.loop_busy, self.busy = (thread_time() - thread) / self.took, (process_time() - process) / self.took
        await asyncio.sleep(AFTER_S)
        self.watch.stop()

    async def close(self) -> None:
        self.feed.close()
        await self.feed.closed()
        await super().close()


class Watch:
    """Asks the window for a frame every 16 ms, and the loop for an answer every 2 ms; lengths in milliseconds."""

    def __init__(self, window: QWidget) -> None:
        self._spot = QWidget(window)
        self._spot.setGeometry(0, 0, 8, 8)
        self._spot.show()
        self._filter = Frames(window, self._painted)
        self._frame, self._beat = (QTimer(window, timerType=Qt.TimerType.PreciseTimer) for _ in range(2))
        self._frame.timeout.connect(self._ask)
        self._beat.timeout.connect(self._answer)
        self.restart()

    def restart(self) -> None:
        self.frames: list[float] = []
        self.stall = 0.0
        self._due: float | None = None
        self._asked = self._heard = perf_counter()
        self._frame.start(FRAME_MS)
        self._beat.start(BEAT_MS)

    def stop(self) -> None:
        self._frame.stop()
        self._beat.stop()

    def _ask(self) -> None:
        now = perf_counter()
        if self._due is None:
            self._due = min(now, self._asked + FRAME_MS / 1000)
        self._asked = now
        self._spot.update()

    def _painted(self, _: float, ended: float) -> None:
        if self._due is not None:
            self.frames.append((ended - self._due) * 1000)
            self._due = None

    def _answer(self) -> None:
        now = perf_counter()
        self.stall = max(self.stall, (now - self._heard) * 1000)
        self._heard = now


def measure(events: int, kept: Path | None) -> list[Figure]:
    figures: list[Figure] = []

    async def told(stage: Joining) -> None:
        stored, shown = stage.database.log.count(), stage.pipeline.status.value.position
        figures.extend(tell(stage, events, min(stored, shown)))

    with full_log(events, kept) as (url, now):
        on_stage(told, lambda folder: Joining(folder, url, now))
    return figures


def tell(stage: Joining, events: int, there: int) -> list[Figure]:
    frames = stage.watch.frames
    return [
        Figure("events in the log", events, "events"),
        Figure("of them in the store and in the views", there, "events", events, "higher"),
        Figure("joined after", stage.took, "s"),
        Figure("received, decoded, stored and in the views", there / stage.took, "events/s", RATE, "higher"),
        Figure("frame, p50", percentile(frames, 50), "ms"),
        Figure("frame, p99", percentile(frames, 99), "ms", 16),
        Figure("longest frame", max(frames), "ms"),
        Figure("longest stall", stage.watch.stall, "ms"),
        Figure("the loop's thread, of one core", 100 * stage.loop_busy, "%"),
        Figure("the whole process, of one core", 100 * stage.busy, "%"),
        Figure("memory at the end", psutil.Process().memory_info().rss / 1e6, "MB"),
    ]


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--json", action="store_true")
    arguments.add_argument("--events", type=int, default=1_000_000)
    arguments.add_argument("--kept", type=Path)
    given = arguments.parse_args()
    return report(measure(given.events, given.kept), given.json)


if __name__ == "__main__":
    sys.exit(main())
