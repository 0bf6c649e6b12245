"""A desk that is there to be killed: a process with a whole pipeline, which enters events all the time.

`python -m tests.faults.desk FOLDER URL NAME RATE SEED [OFF_S]` on the board in FOLDER, with the store NAME.db there. A
line on standard output tells, at once: `open` before the store is opened, `state STATE`, `durable ID` when an entry is
on disk, `confirmed ID POSITION` when the log has it. A line on its standard input ends the entering; when nothing waits
any more, it answers `shown` with what it shows, as JSON. It ends, in order, when its input does.
"""

from __future__ import annotations

import asyncio
import random
import sys
from pathlib import Path
from typing import Any

import msgspec

from dataflow.session import Entered
from tests.faults.desks import SharedDesk, opened

BURST = 40
SETTLE_S = 120


def say(*words: object) -> None:
    print(*words, flush=True)


class Entering:
    """Enters `rate` events a second, one by one or in bursts, and tells what becomes of them."""

    def __init__(self, desk: SharedDesk, rate: float, chance: random.Random) -> None:
        self._desk, self._rate, self._chance = desk, rate, chance
        self._told: set[asyncio.Future[Any]] = set()

    async def run(self) -> None:
        number = self._chance.randrange(1 << 20)
        while True:
            count = self._chance.choice((1, 1, 1, 2, 5, BURST))
            for _ in range(count):
                number += 1
                self._follow(self._desk.enter(number))
            await asyncio.sleep(self._chance.uniform(0, 2) * count / self._rate)

    def _follow(self, entered: Entered) -> None:
        def durable(future: Any) -> None:
            if not future.cancelled() and future.exception() is None:
                say("durable", entered.id)

        def confirmed(future: Any) -> None:
            if not future.cancelled() and future.exception() is None:
                say("confirmed", entered.id, future.result())

        entered.durable.add_done_callback(durable)  # type: ignore[attr-defined]
        entered.confirmed.add_done_callback(confirmed)  # type: ignore[attr-defined]


async def run(folder: Path, url: str, name: str, rate: float, seed: int, off_s: float) -> None:
    loop = asyncio.get_running_loop()
    ask = loop.run_in_executor(None, sys.stdin.readline)
    say("open")
    desk = opened(folder, url, name, off_s=off_s)
    states = desk.pipeline.status.subscribe(States())
    entering = loop.create_task(Entering(desk, rate, random.Random(seed)).run())
    while line := await ask:
        ask = loop.run_in_executor(None, sys.stdin.readline)
        entering.cancel()
        await desk.holds(int(line), SETTLE_S)
        say("shown", msgspec.json.encode(desk.shown(), enc_hook=int).decode())
    entering.cancel()
    states.dispose()
    await desk.close()


class States:
    def __init__(self) -> None:
        self._last = ""

    def __call__(self, status: Any) -> None:
        if status.state != self._last:
            self._last = status.state
            say("state", self._last)


def main() -> None:
    folder, url, name, rate, seed, *off = sys.argv[1:]
    asyncio.run(run(Path(folder), url, name, float(rate), int(seed), float(off[0]) if off else 0))


if __name__ == "__main__":
    main()
