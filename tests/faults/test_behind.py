"""A desk that was away while the log went on by tens of thousands of events, or a million."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from tests.faults import board
from tests.faults.children import Other
from tests.faults.desks import desk, stream
from tests.faults.verdict import Verdict
from tests.nats import Server, make_server, server  # noqa: F401  fixtures

BURST = 10_000
OFFLINE = 40


@pytest.mark.parametrize(
    "behind", [30_000, pytest.param(1_000_000, marks=[pytest.mark.long, pytest.mark.timeout(1800)])]
)
def test_a_desk_far_behind_catches_up(server: Server, tmp_path: Path, behind: int) -> None:  # noqa: F811
    asyncio.run(far_behind(server, tmp_path, behind))


async def far_behind(server: Server, folder: Path, behind: int) -> None:  # noqa: F811
    """It was there at the beginning; entries of its own wait; it goes on entering while it catches up."""
    path = board.write(folder)
    await stream(server.url)
    other = Other(server.url)
    await other.send(100)
    async with desk(folder, server.url, "amy") as amy:
        await amy.holds(100)
    server.kill()
    async with desk(folder, server.url, "amy") as amy:
        mine = [amy.enter(number).id for number in range(OFFLINE)]
        await amy.until(lambda status: status.pending == OFFLINE)
    server.start()
    for _ in range(behind // BURST):
        await other.send(BURST)
    began = time.monotonic()
    async with desk(folder, server.url, "amy") as amy, asyncio.timeout(1200):
        await amy.stores(behind // 2)
        mine += [amy.enter(number).id for number in range(OFFLINE)]
        await amy.holds(behind + 100 + 2 * OFFLINE, 1200)
        print(f"{behind:,} behind: caught up in {time.monotonic() - began:.1f} s")
        verdict = await Verdict(folder, path, board.ID).read(server.url)
        verdict.acknowledged([*mine, *other.acknowledged])
        await verdict.desks(amy)
