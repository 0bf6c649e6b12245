"""An operator's entry: the keypress that submits the form, to durable, to painted; 500 events/s in the background.

    uv run python -m tests.bench.entry [--json] [--entries 200] [--rate 500]

The demo board in a real window (Qt's offscreen platform). For each entry the form of `incident.opened` is filled in,
and Return pressed in it; times run from just before that keypress. *Painted* is the end of the first frame whose log
panel held the entry: as pending, and as confirmed. Another process appends the background to the same store.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from time import perf_counter

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from gui.panels.form import Form
from gui.panels.log import Log
from tests.bench.frames import percentile
from tests.bench.load import running
from tests.bench.report import Figure, report
from tests.bench.stage import Frames, Stage, on_stage

TYPE = "incident.opened"
PAUSE_S = 0.03
STAGES = ("accepted", "pending painted", "durable", "durable and painted", "confirmed", "confirmed painted")


class Operator:
    """Makes one entry after the other, and notes when it reaches each stage, in ms after the keypress."""

    def __init__(self, stage: Stage) -> None:
        self.times: dict[str, list[float]] = {stage: [] for stage in STAGES}
        self._form = next(panel for panel in stage.window.panels if isinstance(panel, Form))
        self._log = next(b for b in stage.screen.bridge._bindings.values() if isinstance(b._panel, Log))
        self._title, self._at, self._seen = "", 0.0, {}
        self._frames = Frames(stage.window, self._painted)
        enter = stage.pipeline.enter
        stage.pipeline.enter = lambda *given, **named: self._entered(enter(*given, **named))

    async def enter(self, title: str) -> None:
        """Fill the form, press Ctrl+Return, and wait until the confirmed entry is on the screen."""
        loop = asyncio.get_running_loop()
        self._title, self._seen = title, {}
        self._pending, self._confirmed = loop.create_future(), loop.create_future()
        self._form.fill(TYPE, {"title": title, "place": "JFK", "severity": "low"})
        await asyncio.sleep(PAUSE_S)
        field = QApplication.focusWidget()
        assert field is not None, "no field has the keyboard"
        self._at = perf_counter()
        QTest.keyClick(field, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
        self._mark("accepted")
        await self._entry.durable
        self._mark("durable")
        await self._entry.confirmed
        self._mark("confirmed")
        await asyncio.wait_for(self._confirmed, 5)
        self._seen.setdefault("pending painted", self._seen["confirmed painted"])
        self._seen["durable and painted"] = max(self._seen["durable"], self._seen["pending painted"])
        for stage, times in self.times.items():
            times.append(self._seen[stage])

    def _entered(self, entry):
        self._entry = entry
        return entry

    def _mark(self, stage: str) -> None:
        self._seen[stage] = (perf_counter() - self._at) * 1000

    def _painted(self, began: float, ended: float) -> None:
        if self._log._live is None:
            return
        columns = [column.name for column in self._log._live.columns]
        title, pending = columns.index("title"), columns.index("pending")
        for row in self._log._rows[:100]:
            if self._title and row[title] and row[title].endswith(self._title):
                if row[pending]:
                    self._seen.setdefault("pending painted", (ended - self._at) * 1000)
                elif not self._confirmed.done():
                    self._mark("confirmed painted")
                    self._confirmed.set_result(None)


def measure(entries: int, rate: float) -> list[Figure]:
    figures: list[Figure] = []

    async def run(stage: Stage) -> None:
        stage.window.activateWindow()
        operator = Operator(stage)
        with running(stage.store, rate, stage.start):
            await asyncio.sleep(2)
            for number in range(entries):
                await operator.enter(f"bench {number} over")
                await asyncio.sleep(PAUSE_S)
        goals = {"durable and painted": (20, 50)}
        for stage_name, times in operator.times.items():
            p50, p99 = goals.get(stage_name, (None, None))
            figures.append(Figure(f"keypress to {stage_name}, p50", percentile(times, 50), "ms", p50))
            figures.append(Figure(f"keypress to {stage_name}, p99", percentile(times, 99), "ms", p99))

    on_stage(run)
    return figures


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--json", action="store_true")
    arguments.add_argument("--entries", type=int, default=200)
    arguments.add_argument("--rate", type=float, default=500)
    given = arguments.parse_args()
    return report(measure(given.entries, given.rate), given.json)


if __name__ == "__main__":
    sys.exit(main())
