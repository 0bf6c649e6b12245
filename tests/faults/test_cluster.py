"""Three servers, each with a copy of the log: one of them is killed under load, and work goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from dataflow.feeds.shared import subscription
from dataflow.nats import streams
from dataflow.nats.connection import Connection
from dataflow.session import Entered
from tests.faults import board
from tests.faults.children import Other
from tests.faults.cluster import Cluster, cluster
from tests.faults.desks import SharedDesk
from tests.faults.net import Told, confirmed, desks, judge

LONG = [pytest.mark.long, pytest.mark.timeout(900)]
STEP = 100
PACE_S = 0.02


class Load:
    """Two desks' entries, and another producer's events, until it is ended."""

    def __init__(self, desks: list[SharedDesk], other: Other) -> None:
        self.entered: list[Entered] = []
        self._desks, self._other = desks, other
        self._tasks = [asyncio.create_task(task) for task in (self._enter(), self._produce())]
        self._ending = False

    async def _enter(self) -> None:
        while not self._ending:
            self.entered += [desk.enter(len(self.entered)) for desk in self._desks]
            await asyncio.sleep(PACE_S)

    async def _produce(self) -> None:
        while not self._ending:
            await self._other.send(20)

    async def end(self) -> None:
        self._ending = True
        await asyncio.gather(*self._tasks)


@pytest.fixture
def connected(monkeypatch) -> dict[str, str]:
    """To which server each desk is connected, by its name."""
    urls: dict[str, str] = {}
    opens = Connection.open

    async def noting(self, url, name, *how) -> None:
        await opens(self, url, name, *how)
        urls[name.removeprefix("watchfloor ")] = url

    monkeypatch.setattr(Connection, "open", noting)
    return urls


@asynccontextmanager
async def busy(folder: Path) -> AsyncIterator[tuple[Cluster, list[SharedDesk], Load]]:
    """A cluster, two desks and their load; in the end all is as it must be. Amy knows all servers, bob the leader."""
    board.write(folder)
    async with cluster(folder) as servers:
        await servers.make(board.ID)
        leader = await servers.leader(board.ID)
        async with desks(folder, amy=servers.url, bob=leader.url) as opened:
            told = [Told(desk) for desk in opened]
            other = Other(servers.url)
            load = Load(opened, other)
            await go_on(opened)
            yield servers, opened, load
            await asyncio.wait_for(load.end(), 60)
            positions = await confirmed(load.entered)
            await judge(folder, (await servers.leader(board.ID)).url, opened, positions, other.acknowledged)
            for each in told:
                assert each.count("refused") == 0
                each.end()


async def go_on(desks: list[SharedDesk], timeout: float = 30) -> None:
    """Until each desk holds so many events more than now, from both desks, and is live."""
    before = max(desk.pipeline.status.value.position for desk in desks)
    for desk in desks:
        await desk.until(lambda status: status.position > before + STEP and status.state == "live", timeout)


@pytest.mark.parametrize(
    ("which", "rounds"), [("leader", 1), pytest.param("leader", 12, marks=LONG), pytest.param("own", 12, marks=LONG)]
)
def test_a_server_of_three_is_killed(tmp_path: Path, monkeypatch, connected, which: str, rounds: int) -> None:
    """The one that leads the log, or the one that a desk is connected to; and it comes back later."""
    if rounds == 1:  # a short run: ask again sooner while they choose a leader
        monkeypatch.setattr(streams, "_TIMEOUT_S", 1.0)
        monkeypatch.setattr(subscription, "OPEN_S", 1.0)

    async def check() -> None:
        async with busy(tmp_path) as (servers, opened, _):
            for _ in range(rounds):
                leader = await servers.leader(board.ID)
                own = next(node for node in servers.nodes if node.url == connected["amy"])
                killed = leader if which == "leader" else own
                killed.kill()
                await go_on(opened)
                assert connected["amy"] != killed.url
                killed.start()
                await servers.whole(board.ID)

    asyncio.run(check())


def test_one_server_alone_of_three_is_called_offline_not_refused(tmp_path: Path, monkeypatch) -> None:
    """It is reached, but can't answer for the log, which passes. Later it tells of the others, where it can be done."""
    monkeypatch.setattr(streams, "_TIMEOUT_S", 1.0)

    async def check() -> None:
        board.write(tmp_path)
        servers = Cluster(tmp_path)
        try:
            servers.nodes[0].start()
            async with desks(tmp_path, amy=servers.nodes[0].url) as (amy,):
                told = Told(amy)
                entered = amy.enter(1)
                await amy.says("offline", "does not answer about the board's log")
                for node in servers.nodes[1:]:
                    node.start()
                await servers.make(board.ID)
                positions = await confirmed([entered])
                assert told.count("failed") == 0
                assert not any("permitted" in words or "JetStream" in words for _, words in told.states)
                await judge(tmp_path, servers.nodes[0].url, [amy], positions)
                told.end()
        finally:
            servers.kill()

    asyncio.run(check())


@pytest.mark.long
def test_a_server_that_is_cut_off_from_the_others(tmp_path: Path, connected: dict[str, str]) -> None:
    """A desk that is connected to it goes to another one, though it answers to everything but entries."""

    async def check() -> None:
        board.write(tmp_path)
        servers = Cluster(tmp_path)
        async with servers.linked() as links:
            try:
                await servers.start()
                await servers.make(board.ID)
                async with desks(tmp_path, amy=servers.url, bob=servers.url) as opened:
                    positions = await confirmed([desk.enter(1) for desk in opened])
                    alone = next(node for node in servers.nodes if node.url == connected["amy"])
                    cut = [line for ends, line in links.items() if alone in ends]
                    for line in cut:
                        line.down = True
                        line.cut()
                    entered = [desk.enter(number) for number in range(2, 60) for desk in opened]
                    positions |= await confirmed(entered, 40)
                    assert connected["amy"] != alone.url
                    for line in cut:
                        line.down = False
                    await servers.whole(board.ID)
                    await servers.ready()
                    leader = await servers.leader(board.ID)
                    await judge(tmp_path, leader.url, opened, positions)
            finally:
                servers.kill()

    asyncio.run(check())
