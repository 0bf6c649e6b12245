"""The demo board under load: another process appends 5,000 real events a second to its store, and the window shows them.

    uv run python -m tests.bench.frames [--json] [--rate 5000] [--seconds 30]

A *frame* is the work from the pipeline's or the bridge's start on a batch to the end of painting: the event loop's busy time in one
turn. A *stall* is the longest time in which the loop, asked by a timer every 2 ms, did not answer. The *backlog* is how many events the
log holds that the views do not show yet.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import statistics
import sys
import time

from tests.bench.load import running
from tests.bench.report import Figure, report
from tests.bench.stage import Stage, on_stage

BEAT_MS = 2


class Heart:
    """How long the loop was busy between two of its timer's beats, in milliseconds."""

    def __init__(self) -> None:
        from PySide6.QtCore import Qt, QTimer

        self.gaps: list[float] = []
        self._last = time.perf_counter()
        self._timer = QTimer(timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)
        self._timer.start(BEAT_MS)

    def stop(self) -> None:
        self._timer.stop()

    def _beat(self) -> None:
        now = time.perf_counter()
        self.gaps.append((now - self._last) * 1000)
        self._last = now


def percentile(values: list[float], percent: float) -> float:
    """The value that `percent` % of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def measure(rate: float, seconds: float) -> list[Figure]:
    figures: list[Figure] = []

    async def run(stage: Stage) -> None:
        with running(stage.store, rate, stage.start):
            await asyncio.sleep(3)
            first, began = stage.pipeline.status.value.position, time.perf_counter()
            heart, backlog, painted = Heart(), [], []
            from tests.bench.stage import Frames

            frames = Frames(stage.window, lambda: painted.append(time.perf_counter()))
            while time.perf_counter() - began < seconds:
                await asyncio.sleep(0.1)
                backlog.append(stage.database.log.last() - stage.pipeline.status.value.position)
            heart.stop()
            frames.deleteLater()
            took = time.perf_counter() - began
            shown = stage.pipeline.status.value.position - first
        gaps = heart.gaps
        busy = [gap for gap in gaps if gap > BEAT_MS * 2]
        under = 100 * sum(gap < 16 for gap in gaps if gap > 0) / len(gaps)
        figures.extend([
            Figure("events shown a second", shown / took, "events/s", rate * 0.95, "higher"),
            Figure("frames painted a second", len(painted) / took, "frames/s"),
            Figure("turns of the loop under 16 ms", under, "%", 99, "higher"),
            Figure("turn of the loop, p99", percentile(gaps, 99), "ms", 16),
            Figure("turn of the loop over 4 ms, median", statistics.median(busy or [0]), "ms"),
            Figure("longest stall", max(gaps), "ms", 50),
            Figure("backlog, median", statistics.median(backlog), "events"),
            Figure("backlog, largest", max(backlog), "events", rate),
            Figure("memory at the end", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "MB"),
        ])

    on_stage(run)
    return figures


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--json", action="store_true")
    arguments.add_argument("--rate", type=float, default=5000)
    arguments.add_argument("--seconds", type=float, default=30)
    given = arguments.parse_args()
    return report(measure(given.rate, given.seconds), given.json)


if __name__ == "__main__":
    sys.exit(main())
