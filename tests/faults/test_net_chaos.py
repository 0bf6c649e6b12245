"""Everything at once: one server, three desks, each on a line of its own, and whatever can go wrong, by a seed."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from pathlib import Path

import pytest

from tests.faults import board
from tests.faults.children import Other
from tests.faults.desks import SharedDesk, stream
from tests.faults.net import confirmed, desks, judge
from tests.faults.proxy import Link, link
from tests.nats import Server, make_server, server  # noqa: F401  fixtures

SEED = int(os.environ.get("WATCHFLOOR_SEED", "1"))
"""For other schedules than those of the suite: `WATCHFLOOR_SEED=42 pytest -m long tests/faults/test_net_chaos.py`."""


@pytest.mark.parametrize(
    ("seed", "seconds"),
    [pytest.param(SEED + n, 60, marks=[pytest.mark.long, pytest.mark.timeout(400)]) for n in range(4)],
)
def test_whatever_goes_wrong(server: Server, tmp_path: Path, seed: int, seconds: float) -> None:  # noqa: F811
    asyncio.run(chaos(server, tmp_path, seed, seconds))


async def chaos(server: Server, folder: Path, seed: int, seconds: float) -> None:  # noqa: F811
    """Entries all the time on all desks, and bursts of another producer."""
    board.write(folder)
    await stream(server.url)
    troubles = [Trouble(server, seed, n) for n in range(3)]
    async with (
        link(server.port, drops=troubles[0].drops) as one,
        link(server.port, drops=troubles[1].drops) as two,
        link(server.port, drops=troubles[2].drops) as three,
        desks(folder, amy=one.url, bob=two.url, cat=three.url) as opened,
    ):
        for trouble, line in zip(troubles, (one, two, three), strict=True):
            trouble.line = line
        other = Other(server.url)
        entered = []
        ending = asyncio.Event()
        load = [
            *(asyncio.create_task(enter(desk, random.Random(f"{seed} {n}"), entered, ending))
              for n, desk in enumerate(opened)),
            asyncio.create_task(produce(other, random.Random(seed), ending)),
        ]  # fmt: skip
        async with asyncio.timeout(3 * seconds), asyncio.TaskGroup() as group:
            for trouble in troubles:
                group.create_task(trouble.run(seconds))
            group.create_task(server_trouble(server, random.Random(-seed), seconds))
        ending.set()
        await asyncio.wait_for(asyncio.gather(*load), 60)
        began = time.monotonic()
        positions = await confirmed(entered, 120)
        healed = time.monotonic() - began
        log = [f"{name}: {sum(t.counts[name] for t in troubles)}" for name in troubles[0].counts]
        print(
            f"\nseed {seed}: {len(entered)} entries and {len(other.acknowledged)} events, there after {healed:.1f} s;",
            f"connections {[each.connections for each in (one, two, three)]}; {', '.join(log)}",
        )
        await judge(folder, server.url, opened, positions, other.acknowledged)


class Trouble:
    """What happens on one line."""

    def __init__(self, server: Server, seed: int, number: int) -> None:  # noqa: F811
        self.line: Link
        self.counts = dict.fromkeys(("cut", "fuse", "slow", "down", "held", "unanswered", "lossy"), 0)
        self._chance = random.Random(f"{seed}/{number}")
        self._lost = 0.0
        self._only_answers = False

    def drops(self, message: bytes) -> bool:
        """Operations other than messages get through: without them there is no connection to trouble."""
        if self._lost == 0 or not message.startswith((b"MSG", b"HMSG")):
            return False
        if self._only_answers and b'\r\n{"stream":' not in message:
            return False
        return self._chance.random() < self._lost

    async def run(self, seconds: float) -> None:
        """One thing after the other, until so many seconds are over; then the line is well."""
        chance, line = self._chance, self.line
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            await asyncio.sleep(chance.expovariate(1.0))
            what = chance.choice(list(self.counts))
            self.counts[what] += 1
            lasts = min(chance.expovariate(0.4), 12.0)
            match what:
                case "cut":
                    line.cut()
                case "fuse":
                    line.fuse = chance.randrange(30_000)
                case "slow":
                    line.latency_s, line.rate = 0.3, 64_000
                    await asyncio.sleep(lasts)
                    line.latency_s, line.rate = 0.0, None
                case "down":
                    line.down = True
                    line.cut()
                    await asyncio.sleep(lasts)
                    line.down = False
                case "held":
                    line.held = True
                    await asyncio.sleep(lasts)
                    line.held = False
                case "unanswered" | "lossy":
                    self._only_answers, self._lost = what == "unanswered", chance.uniform(0.02, 1)
                    await asyncio.sleep(lasts)
                    self._lost = 0.0


async def server_trouble(server: Server, chance: random.Random, seconds: float) -> None:  # noqa: F811
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        await asyncio.sleep(chance.uniform(3, 12))
        match chance.choice(["kill", "restart", "stop"]):
            case "kill":
                server.kill()
                await asyncio.sleep(chance.expovariate(1.0))
                await asyncio.to_thread(server.start)
            case "restart":
                await asyncio.to_thread(server.restart)
            case "stop":
                assert server.pid is not None
                os.kill(server.pid, signal.SIGSTOP)
                await asyncio.sleep(min(chance.expovariate(0.3), 15))
                os.kill(server.pid, signal.SIGCONT)


async def enter(desk: SharedDesk, chance: random.Random, entered: list, ending: asyncio.Event) -> None:
    """Alone, or many at once."""
    while not ending.is_set():
        count = chance.choice([1, 1, 1, 2, 30])
        entered += [desk.enter(chance.randrange(10_000)) for _ in range(count)]
        await asyncio.sleep(chance.expovariate(10 / count))


async def produce(other: Other, chance: random.Random, ending: asyncio.Event) -> None:
    while not ending.is_set():
        await other.send(chance.randrange(1, 200))
        await asyncio.sleep(chance.expovariate(2))
