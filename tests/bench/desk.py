"""A desk of the latency bench: a process with a real window on a shared log, which enters or which watches.

`python -m tests.bench.desk enter|watch URL NAME` says `ready` when all is painted. Then `enter` takes a number, makes
so many entries in the form (with Ctrl+Return), and answers with a JSON object: the title of each, and when it was
submitted, durable and confirmed, and its position. `watch` takes the last title, and answers with when each was
received, stored, in the views and painted. All times are `perf_counter`'s, which is one clock for all processes of a
machine.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
from pathlib import Path
from time import perf_counter

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from dataflow.feeds.shared import subscription
from dataflow.feeds.shared.feed import NatsFeed
from gui.panels.form import Form
from tests.bench.stage import Frames, Stage, on_stage

TYPE = "incident.opened"
PAUSE_S = 0.04
PANEL = "Open incidents"
MARK = "bench "
LONGEST_S = 20


class SharedStage(Stage):
    """The stage on a shared log."""

    def __init__(self, folder: Path, url: str, author: str) -> None:
        self.url, self.author = url, author
        self.received = receipts()
        super().__init__(folder)

    def make_feed(self, scheduler, deliver):
        loop = asyncio.get_running_loop()
        return NatsFeed([self.url], "nyc", self.author, self.database, scheduler, deliver, loop)

    async def close(self) -> None:
        self.feed.close()
        await self.feed.closed()
        await super().close()


def receipts() -> dict[int, float]:
    """Filled, from now on, with when each sequence of the shared log came in."""
    times: dict[int, float] = {}
    take = subscription.Subscription.take

    async def taken(self, most):
        batch = await take(self, most)
        ahead = perf_counter() - self._loop.time()
        times.update((delivered.sequence, delivered.heard + ahead) for delivered in batch)
        return batch

    subscription.Subscription.take = taken
    return times


async def enter(stage: SharedStage, count: int) -> dict[str, dict[str, float]]:
    """Entries one after the other, at times that have nothing to do with frames; the end when one is not confirmed."""
    stage.window.activateWindow()
    form = next(panel for panel in stage.window.panels if isinstance(panel, Form))
    entered, session_enter = [], stage.pipeline.enter
    stage.pipeline.enter = lambda *given, **named: entered.append(session_enter(*given, **named)) or entered[-1]
    times = {}
    for number in range(count):
        title = f"{MARK}{os.getpid()} {number}"
        form.fill(TYPE, {"title": title, "place": "JFK", "severity": "low"})
        await asyncio.sleep(PAUSE_S * (1 + random.random()))
        submitted = perf_counter()
        QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
        await entered[-1].durable
        durable = perf_counter()
        try:
            position = await asyncio.wait_for(entered[-1].confirmed, LONGEST_S)
        except TimeoutError:
            break
        times[title] = {
            "submitted": submitted, "durable": durable, "confirmed": perf_counter(), "position": position,
        }  # fmt: skip
    return times


class Watch:
    """Notes when things reach each stage on the desk of somebody else."""

    def __init__(self, stage: SharedStage) -> None:
        self._received = stage.received
        self.views: dict[str, float] = {}
        self.painted: dict[str, float] = {}
        self.arrivals: list[tuple[int, float]] = []
        bindings = stage.screen.bridge._bindings
        self._shown = next(binding for (panel, _), binding in bindings.items() if panel.spec.title == PANEL)
        self._title = [column.name for column in self._shown._live.columns].index("title")
        self._live = stage.pipeline.live(next(p.sql for p in stage.pipeline.board.panels if p.title == PANEL))
        self._live.splices.subscribe(lambda _: self._note(self.views, self._live.rows(), perf_counter()))
        stage.feed.arrivals.subscribe(lambda position: self.arrivals.append((position, perf_counter())))
        self._frames = Frames(stage.window, lambda _, ended: self._note(self.painted, self._shown._rows, ended))

    def _note(self, times, rows, now) -> None:
        for row in rows[:20]:
            if row[self._title] and row[self._title].startswith(MARK):
                times.setdefault(row[self._title], now)

    async def answer(self, last: str) -> dict[str, object]:
        """Everything, as JSON can tell it, once the last entry is painted; or what there is long after."""
        until = perf_counter() + LONGEST_S
        while last not in self.painted and perf_counter() < until:
            await asyncio.sleep(0.02)
        return {
            "views": self.views, "painted": self.painted, "arrivals": self.arrivals,
            "received": list(self._received.items()),
        }  # fmt: skip


async def run(stage: SharedStage, role: str) -> None:
    loop = asyncio.get_running_loop()
    watch = Watch(stage) if role == "watch" else None
    print("ready", flush=True)
    line = await loop.run_in_executor(None, sys.stdin.readline)
    answer = await watch.answer(line.strip()) if watch else await enter(stage, int(line))
    print(json.dumps(answer), flush=True)
    await loop.run_in_executor(None, sys.stdin.readline)


def main() -> None:
    role, url, name = sys.argv[1:4]
    on_stage(lambda stage: run(stage, role), lambda folder: SharedStage(folder, url, name))


if __name__ == "__main__":
    main()
