"""A desk killed at random moments: what it called durable is in the log once, and its last life shows the truth.

Half of the moments are those at which it has just called an entry durable: were it too early, the entry would be lost.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.faults import board
from tests.faults.children import Child, Other
from tests.faults.desks import desk, stream
from tests.faults.verdict import Verdict
from tests.nats import Server, make_server, server  # noqa: F401  fixtures

RATE = 250
BACKLOG, LONG_BACKLOG = 300, 3000
"""Events at the most that the other producer makes while the desk is away, and now and then."""
LONGEST_LIFE_S = 1.0
PHASES = ("starting", "catching up", "live", "on their way")
PER_SERVER = 12
"""Lives of the desk to one of the server."""


@pytest.mark.parametrize("kills", [8, pytest.param(200, marks=[pytest.mark.long, pytest.mark.timeout(3600)])])
def test_what_a_killed_desk_called_durable_is_in_the_log_once(server: Server, tmp_path: Path, kills: int) -> None:  # noqa: F811
    seed = random.randrange(1 << 30)
    began = time.monotonic()
    print(f"seed {seed}")
    told = asyncio.run(Killing(server, tmp_path, random.Random(seed)).run(kills))
    print(f"{kills} kills in {time.monotonic() - began:.0f} s; {told}")


class Killing:
    def __init__(self, server: Server, folder: Path, chance: random.Random) -> None:  # noqa: F811
        self._server, self._folder, self._chance = server, folder, chance
        self._other = Other(server.url)
        self._lives: list[Child] = []
        self._met: Counter[str] = Counter()
        """What the desk was at when it was killed."""

    async def run(self, kills: int) -> str:
        try:
            return await self._run(kills)
        finally:
            for child in self._lives:
                await child.kill()

    async def _run(self, kills: int) -> str:
        path = board.write(self._folder)
        await stream(self._server.url)
        for life in range(kills):
            await self._life(life)
        last = await self._start()
        await last.until(lambda child: len(child.confirmed) > 20)
        verdict = await self._verdict(path, last)
        durable = sum(len(each.durable) for each in self._lives)
        met = self._met
        assert all(sum(n for at, n in met.items() if phase in at) >= max(1, kills // 20) for phase in PHASES), met
        return f"{len(verdict.log.seen)} events, {durable} durable entries; {dict(met)}"

    async def _life(self, life: int) -> None:
        child = await self._start()
        sending = asyncio.create_task(self._other.send(self._chance.randrange(1, BACKLOG)))
        if life % PER_SERVER == PER_SERVER // 2 + 1:
            self._server.kill()
        if life % 2:
            await self._at_random(child)
        else:
            await self._in_phase(child, PHASES[life // 2 % len(PHASES)])
        self._met[at(child)] += 1
        await child.kill()
        if not self._server.running:
            self._server.start()
        await sending
        await self._other.send(self._chance.randrange(1, LONG_BACKLOG if life % 10 == 0 else BACKLOG))

    async def _at_random(self, child: Child) -> None:
        if self._chance.random() < 0.8:
            await child.until(lambda child: child.states)
        if self._server.running and self._chance.random() < 0.5:
            some = self._chance.randrange(1, 30)
            await child.until(lambda child: len(child.durable) >= some)
        else:
            await asyncio.sleep(self._chance.uniform(0, LONGEST_LIFE_S))

    async def _in_phase(self, child: Child, phase: str) -> None:
        """Until it says that it is at that: so that none of them is left to chance."""
        if phase != "starting":
            await child.until(lambda child: phase in at(child))

    async def _start(self) -> Child:
        child = await Child.start(self._folder, self._server.url, "amy", RATE, self._chance.randrange(1 << 30))
        self._lives.append(child)
        return child

    async def _verdict(self, path: Path, last: Child) -> Verdict:
        await last.rest(0)
        verdict = await Verdict(self._folder, path, board.ID).read(self._server.url)
        durable = [id for child in self._lives for id in child.durable]
        verdict.acknowledged([*durable, *self._other.acknowledged])
        for child in self._lives:
            verdict.confirmed(child.confirmed)
        verdict.views(await last.rest(verdict.log.last))
        await last.end()
        verdict.store(self._folder / "amy.db")
        async with desk(self._folder, self._server.url, "bob") as fresh:
            await verdict.desks(fresh)
        return verdict


def at(child: Child) -> str:
    waiting = len(set(child.durable) - child.confirmed.keys())
    state = child.states[-1] if child.states else "starting"
    return f"{state or 'opening'}{', entries on their way' if waiting else ''}"
