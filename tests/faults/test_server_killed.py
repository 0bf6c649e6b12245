"""The server killed (SIGKILL) and started again: while desks catch up, while they publish, while a batch is written."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

from tests.faults import board
from tests.faults.children import Other
from tests.faults.desks import desk, stream
from tests.faults.verdict import Verdict
from tests.nats import Server, make_server, server  # noqa: F401  fixtures

BEHIND = 25_000
WAITING = 1500


def test_server_killed_while_a_desk_catches_up(server: Server, tmp_path: Path) -> None:  # noqa: F811
    async def check() -> None:
        path = board.write(tmp_path)
        await stream(server.url)
        other = Other(server.url)
        await other.send(BEHIND)
        async with desk(tmp_path, server.url, "amy") as amy:
            for position in (1, 4000, 9000, 17_000):
                await amy.stores(position)
                assert amy.desk.database.log.last() < BEHIND, "it was to be killed before the desk had caught up"
                server.kill()
                await amy.says("offline") if position == 9000 else None
                server.start()
            verdict = await Verdict(tmp_path, path, board.ID).read(server.url)
            verdict.acknowledged(other.acknowledged)
            await verdict.desks(amy)

    asyncio.run(check())


def test_server_killed_while_desks_publish_and_batches_are_written(server: Server, tmp_path: Path) -> None:  # noqa: F811
    seed = random.randrange(1 << 30)
    print(f"seed {seed}")
    asyncio.run(publishing(server, tmp_path, random.Random(seed)))


async def publishing(server: Server, folder: Path, chance: random.Random) -> None:  # noqa: F811
    path = board.write(folder)
    await stream(server.url)
    server.kill()
    other, mine = Other(server.url), []
    async with desk(folder, server.url, "amy") as amy, desk(folder, server.url, "bob") as bob:
        mine += [each.enter(number) for number in range(WAITING) for each in (amy, bob)]
        await asyncio.gather(*(each.durable for each in mine))
        server.start()
        sending = asyncio.create_task(bursts(other, 40))
        for _ in range(5):
            await amy.stores(amy.desk.database.log.last() + chance.randrange(1, 500))
            server.kill()
            mine += [each.enter(chance.randrange(1000)) for each in (amy, bob)]
            server.start()
        await sending
        positions = await asyncio.wait_for(asyncio.gather(*(each.confirmed for each in mine)), 60)
        verdict = await Verdict(folder, path, board.ID).read(server.url)
        verdict.acknowledged([*(each.id for each in mine), *other.acknowledged])
        verdict.confirmed({each.id: at for each, at in zip(mine, positions, strict=True)})
        await verdict.desks(amy, bob)


async def bursts(other: Other, count: int) -> None:
    for _ in range(count):
        await other.send(100)
