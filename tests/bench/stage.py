"""A desk with its window, on the demo board at 14:30 of the demo's day: what an operator sees."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import perf_counter, thread_time
from typing import Any
from zoneinfo import ZoneInfo

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication
from qasync import QEventLoop
from reactivex.scheduler.eventloop import AsyncIOScheduler

from dataflow.boards.file import BoardFile, load
from dataflow.clock import ReplayClock
from dataflow.desk.desk import deliver_on
from dataflow.desk.pipeline import Pipeline
from dataflow.feeds.feed import Deliver, Feed
from dataflow.feeds.local import LocalFeed
from dataflow.feeds.recording import read_recording
from dataflow.feeds.shared_clock import moment
from gui.app import SWITCH_S
from gui.binding.screen import Screen
from gui.theme.theme import Theme
from gui.window.main_window import MainWindow
from storage.database import Database
from storage.event import Event
from tests.bench.load import RECORDING

BOARD = Path(__file__).parents[2] / "assets" / "boards" / "nyc.toml"


class Frames(QObject):
    """Calls `painted(began, ended)` after each frame that the window hands to the screen; times by `perf_counter`.
    `own`: the seconds of the thread's own time between them.
    """

    def __init__(self, window: QObject, painted: Callable[[float, float], None]) -> None:
        super().__init__(window)
        self.own = 0.0
        self._painted = painted
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() != QEvent.Type.UpdateRequest:
            return False
        began, own = perf_counter(), thread_time()
        watched.event(event)
        self.own = thread_time() - own
        self._painted(began, perf_counter())
        return True


class Stage:
    """`start` is the board's time when it opens, in µs; from then on its clock runs as fast as the wall's."""

    author = "bench"

    def __init__(self, folder: Path) -> None:
        loaded = load(BOARD)
        loop = asyncio.get_running_loop()
        self.start = moment("14:30", ZoneInfo(loaded.board.timezone))
        self.store = folder / "bench.db"
        self.database = Database.open(self.store)
        scheduler, deliver = AsyncIOScheduler(loop), deliver_on(loop)
        self.feed = self.make_feed(scheduler, deliver)
        clock = ReplayClock(scheduler, self.start, self.start * 2, 1.0)
        clock.resume()
        self.pipeline = Pipeline(
            BoardFile(BOARD, known=loaded), loaded, self.database,
            self.feed, clock, scheduler, deliver, loop, author=self.author,
        )  # fmt: skip
        self.theme = Theme.load("dark")
        self.theme.apply(QApplication.instance())
        self.window = MainWindow(self.theme)
        self.window.show_board(loaded.board)
        self.window.resize(1600, 1000)
        self.window.show()
        self.screen = Screen(self.window, self.pipeline)

    def make_feed(self, scheduler: AsyncIOScheduler, deliver: Deliver) -> Feed:
        """The local log, with the day so far in it."""
        self.database.log.append(day_until(self.start)).result()
        return LocalFeed(self.database.log, scheduler, deliver)

    async def open(self) -> None:
        self.pipeline.start()
        await self.screen.settled()
        await asyncio.sleep(1)

    async def close(self) -> None:
        self.screen.close()
        await self.pipeline.close()
        self.database.close()
        self.window.close()


def day_until(time: int) -> list[Event]:
    """What the demo's recording tells up to a time, in µs."""
    return [event for event in read_recording(RECORDING) if event.time <= time]


def on_stage(measure: Callable[[Any], Awaitable[None]], make: Callable[[Path], Stage] = Stage) -> None:
    """Run a measurement on a fresh stage."""

    async def main() -> None:
        with tempfile.TemporaryDirectory() as folder:
            stage = make(Path(folder))
            await stage.open()
            try:
                await measure(stage)
            finally:
                await stage.close()

    sys.setswitchinterval(SWITCH_S)
    app = QApplication.instance() or QApplication(["bench"])
    loop = QEventLoop(app)
    asyncio.set_event_loop(loop)
    with loop:
        loop.run_until_complete(main())
