"""A connection that is cut: in the middle of what a desk says, for seconds, and for longer than the server remembers
the ids that it has seen. What was on its way is in the log once, whether or not the desk ever heard of it.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import asynccontextmanager
from pathlib import Path

import nats
import pytest

from dataflow.feeds.shared import subscription
from dataflow.nats import connection
from tests.faults import board
from tests.faults.desks import stream
from tests.faults.net import Told, confirmed, desks, judge
from tests.faults.proxy import link
from tests.nats import Server, make_server, server  # noqa: F401  fixtures

SECOND_NS = 1_000_000_000
LONG = [pytest.mark.long, pytest.mark.timeout(600)]


@pytest.mark.parametrize(
    ("window_s", "rounds"), [(0.2, 6), pytest.param(1, 60, marks=LONG), pytest.param(120, 2, marks=LONG)]
)
def test_cut_for_longer_than_ids_are_remembered(server, tmp_path, window_s, rounds) -> None:  # noqa: F811
    asyncio.run(forgotten(server, tmp_path, window_s, rounds))


async def forgotten(server: Server, folder: Path, window_s: float, rounds: int) -> None:  # noqa: F811
    """The server takes some entries and is not heard; then nobody gets through until it has forgotten their ids."""
    chance = random.Random(rounds)
    board.write(folder)
    await stream(server.url, duplicate_window=int(window_s * SECOND_NS))
    line_is_deaf = False
    positions: dict[str, int] = {}
    async with (
        link(server.port, drops=lambda _: line_is_deaf) as line,
        desks(folder, amy=server.url, bob=line.url) as (amy, bob),
        memory(server, window_s) as memories,
    ):
        await bob.says("live")
        for number in range(rounds):
            count = chance.randrange(1, 60)
            line_is_deaf = True
            entered = [bob.enter(number * 100 + each) for each in range(count)]
            before = max(positions.values(), default=0)
            await amy.until(lambda status, before=before: status.position > before)
            line.down = True
            line.cut()
            line_is_deaf = False
            entered += [bob.enter(number * 100 + 60 + each) for each in range(chance.randrange(5))]
            await bob.says("offline")
            await memories.fade()
            line.down = False
            positions |= await confirmed(entered)
        assert len(set(positions.values())) == len(positions)
        await judge(folder, server.url, (amy, bob), positions)


@asynccontextmanager
async def memory(server: Server, window_s: float):  # noqa: F811
    """A stream that forgets ids as soon as the board's does. `fade()` returns when it has forgotten one of now."""
    client = await nats.connect(server.url, allow_reconnect=False)
    js = client.jetstream()
    await js.add_stream(name="memory", subjects=["memory"], duplicate_window=window_s)
    try:
        yield Memory(js, window_s)
    finally:
        await client.close()


class Memory:
    def __init__(self, js, window_s: float) -> None:
        self._js, self._window_s = js, window_s

    async def fade(self) -> None:
        id = {"Nats-Msg-Id": str(random.random())}
        while not (await self._js.publish("memory", b"", headers=id)).duplicate:
            """The first one."""
        async with asyncio.timeout(10 + 2 * self._window_s):
            while (await self._js.publish("memory", b"", headers=id)).duplicate:
                await asyncio.sleep(self._window_s / 10)


@pytest.mark.parametrize("rounds", [25, pytest.param(400, marks=LONG)])
def test_cut_in_the_middle_of_a_word(server, tmp_path, rounds) -> None:  # noqa: F811
    asyncio.run(interrupted(server, tmp_path, rounds))


async def interrupted(server: Server, folder: Path, rounds: int) -> None:  # noqa: F811
    """After any number of bytes; batches and single entries."""
    chance = random.Random(rounds)
    board.write(folder)
    await stream(server.url)
    positions: dict[str, int] = {}
    async with link(server.port) as line, desks(folder, amy=server.url, bob=line.url) as (amy, bob):
        for number in range(rounds):
            await bob.says("live")
            count = chance.choice([2, 12, 90])
            line.fuse = chance.randrange(count * 500)
            entered = [bob.enter(number * 100 + each) for each in range(count)]
            positions |= await confirmed(entered)
        assert line.connections > rounds / 2
        await judge(folder, server.url, (amy, bob), positions)


@pytest.mark.parametrize("times", [0.1, pytest.param(1.0, marks=LONG)])
def test_a_line_on_which_nothing_passes(server, tmp_path, times) -> None:  # noqa: F811
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subscription, "HEARTBEAT_S", subscription.HEARTBEAT_S * times)
        patch.setattr(subscription, "SILENCE_S", subscription.SILENCE_S * times)
        patch.setattr(connection, "PING_S", connection.PING_S * times)
        patch.setattr(connection, "CONNECT_S", connection.CONNECT_S * times)
        asyncio.run(held(server, tmp_path))


async def held(server: Server, folder: Path) -> None:  # noqa: F811
    """No word of an end: the desk has to notice. Then what the line held is there all at once, beside the new way."""
    board.write(folder)
    await stream(server.url)
    async with link(server.port) as line, desks(folder, amy=server.url, bob=line.url) as (amy, bob):
        await bob.says("live")
        told = Told(bob)
        line.held = True
        entered = [each.enter(number) for number in range(40) for each in (amy, bob)]
        said = await bob.says("offline")
        assert said.pending == 40
        line.held = False
        positions = await confirmed(entered)
        await bob.says("live")
        assert told.count("refused") == told.count("failed") == 0
        await judge(folder, server.url, (amy, bob), positions)
        told.end()


def test_a_connection_on_which_nothing_passes_is_closed(server) -> None:  # noqa: F811
    """Though what it still has to say can't be sent: no socket and no task is left."""

    async def check() -> None:
        async with link(server.port) as line:
            others = asyncio.all_tasks()
            opened = await connection.connect([line.url], "x", None, lambda: None, lambda _: None)
            await opened.answers(print)
            line.held = True
            for _ in range(60):
                await opened.client.publish("a", b"x" * 100_000)
            await opened.close()
            assert opened.lost
            assert opened.client._transport._io_writer.is_closing()
            left = [task.get_coro().__qualname__ for task in asyncio.all_tasks() - others if not task.cancelling()]
            assert not [name for name in left if "Client" in name or "Subscription" in name], left

    asyncio.run(check())
