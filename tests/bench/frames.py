"""The demo board under load: another process appends 5,000 real events a second to its store, and the window shows
them.

    uv run python -m tests.bench.frames [--json] [--rate 5000] [--seconds 30]

A *frame* is all the work of the event loop's thread from one picture to the next: the pipeline's steps (reading the
log, the engine), the bridge's flush (models and panels) and painting. Where no picture was due for several frames,
what was done in the meantime is spread over them, but for its longest piece. A *stall* is the longest time for which
the loop, asked by a timer every 2 ms, did not answer. The *backlog* is how many events the log holds that the views
do not show yet.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
from collections.abc import Callable
from time import perf_counter, thread_time
from typing import Any

import psutil
from PySide6.QtCore import Qt, QTimer

from tests.bench.load import running
from tests.bench.report import Figure, report
from tests.bench.stage import Frames, Stage, on_stage

BEAT_MS = 2
FRAME_MS = 16.7
WARM_UP_S = 3


def percentile(values: list[float], percent: float) -> float:
    """The value that `percent` % of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


class Watch:
    """Times each frame, by the wall's clock and (`own`) by the thread's, and each gap between two beats of a timer; all
    in milliseconds.
    """

    def __init__(self, stage: Stage) -> None:
        self.frames: list[float] = []
        self.own: list[float] = []
        self.parts: dict[str, list[float]] = {"pipeline": [], "flush": [], "paint": []}
        self.gaps: list[float] = []
        self._stage = stage
        self._work = dict.fromkeys(self.parts, 0.0)
        self._own = self._longest = 0.0
        self._painted_at = perf_counter()
        stage.pipeline._step = self._timed("pipeline", stage.pipeline._step)
        stage.pipeline._tick = self._timed("pipeline", stage.pipeline._tick)
        stage.screen.bridge._frame.timeout.disconnect()
        stage.screen.bridge._frame.timeout.connect(self._timed("flush", stage.screen.bridge.flush))
        self._filter = Frames(stage.window, self._painted)
        self._beat_at = perf_counter()
        self._timer = QTimer(stage.window, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)
        self._timer.start(BEAT_MS)

    def restart(self) -> None:
        """Forget what has been measured up to now."""
        for values in (self.frames, self.own, self.gaps, *self.parts.values()):
            values.clear()

    def stop(self) -> None:
        self._timer.stop()

    def _timed(self, part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any) -> None:
            began, own = perf_counter(), thread_time()
            function(*arguments)
            self._worked(part, (perf_counter() - began) * 1000, (thread_time() - own) * 1000)

        return timed

    def _worked(self, part: str, took: float, own: float) -> None:
        self._work[part] += took
        self._own += own
        self._longest = max(self._longest, took)

    def _painted(self, began: float, ended: float) -> None:
        self._worked("paint", (ended - began) * 1000, self._filter.own * 1000)
        if not self._work["flush"]:
            return  # a repaint without news: its work counts with the next frame
        due = max(1, int((ended - self._painted_at) * 1000 / FRAME_MS))
        self.frames.append(max(sum(self._work.values()) / due, self._longest))
        self.own.append(self._own / due)
        for part, work in self._work.items():
            self.parts[part].append(work)
            self._work[part] = 0.0
        self._own = self._longest = 0.0
        self._painted_at = ended

    def _beat(self) -> None:
        now = perf_counter()
        self.gaps.append((now - self._beat_at) * 1000)
        self._beat_at = now


def measure(rate: float, seconds: float) -> list[Figure]:
    figures: list[Figure] = []

    async def run(stage: Stage) -> None:
        watch = Watch(stage)
        with running(stage.store, rate, stage.start):
            await asyncio.sleep(WARM_UP_S)
            watch.restart()
            first, began, backlog = stage.pipeline.status.value.position, perf_counter(), []
            while perf_counter() - began < seconds:
                await asyncio.sleep(0.1)
                backlog.append(stage.database.log.last() - stage.pipeline.views.position)
            took = perf_counter() - began
            shown = stage.pipeline.status.value.position - first
            watch.stop()
        figures.extend(tell(watch, backlog, shown / took, took, rate))

    on_stage(run)
    return figures


def under(frames: list[float]) -> float:
    """How many per cent of the frames are under 16 ms."""
    return 100 * sum(frame < 16 for frame in frames) / len(frames)


def tell(watch: Watch, backlog: list[int], shown: float, took: float, rate: float) -> list[Figure]:
    return [
        Figure("events shown a second", shown, "events/s", rate * 0.95, "higher"),
        Figure("frames painted a second", len(watch.frames) / took, "frames/s"),
        Figure("frames under 16 ms", under(watch.frames), "%", 99, "higher"),
        Figure("of the thread's own time", under(watch.own), "%"),
        Figure("frame, p50", percentile(watch.frames, 50), "ms"),
        Figure("frame, p99", percentile(watch.frames, 99), "ms", 16),
        *(Figure(f"of it {part}, p50", percentile(times, 50), "ms") for part, times in watch.parts.items()),
        *(Figure(f"of it {part}, p99", percentile(times, 99), "ms") for part, times in watch.parts.items()),
        Figure("longest stall", max(watch.gaps), "ms", 50),
        Figure("backlog, median", statistics.median(backlog), "events"),
        Figure("backlog, largest", max(backlog), "events", rate),
        Figure("memory at the end", psutil.Process().memory_info().rss / 1e6, "MB"),
    ]


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--json", action="store_true")
    arguments.add_argument("--rate", type=float, default=5000)
    arguments.add_argument("--seconds", type=float, default=30)
    given = arguments.parse_args()
    return report(measure(given.rate, given.seconds), given.json)


if __name__ == "__main__":
    sys.exit(main())
