"""A desk behind 300 ms and 64 kB/s: it catches up, enters, is seen, and never loses its connection for being slow."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from dataflow.feeds.shared import producer, publisher, subscription
from dataflow.nats import connection
from tests.faults import board
from tests.faults.desks import stream
from tests.faults.net import Told, confirmed, desks, judge, made, meet, send
from tests.faults.proxy import link
from tests.nats import Server, make_server, server  # noqa: F401  fixtures

LATENCY_S, RATE = 0.3, 64_000
LONG = [pytest.mark.long, pytest.mark.timeout(600)]


@pytest.mark.parametrize(
    ("history", "entries", "times"), [(400, 12, 0.25), pytest.param(8000, 200, 1.0, marks=LONG)]
)
def test_a_desk_on_a_slow_line(server, tmp_path, history, entries, times) -> None:  # noqa: F811
    with pytest.MonkeyPatch.context() as patch:
        shorter(patch, times)
        asyncio.run(slow_desk(server, tmp_path, history, entries, times))


async def slow_desk(server: Server, folder: Path, history: int, entries: int, times: float) -> None:  # noqa: F811
    """It enters while it catches up, and after; the other desk is near. One connection lasts from begin to end.

    Answers wait behind the history: what is not answered must not go again, as the server soon forgets ids.
    """
    board.write(folder)
    await stream(server.url, duplicate_window=int(2e9 * times))
    before = made(history)
    await send(server.url, before)
    async with link(server.port, LATENCY_S, RATE) as line, desks(folder, amy=server.url, bob=line.url) as (amy, bob):
        told = Told(bob)
        await bob.until(lambda status: status.to_go > 0)
        early = [each.enter(number) for number in range(entries) for each in (amy, bob)]
        positions = await confirmed(early, 200)
        await bob.says("live")
        await meet(amy, bob)
        late = [each.enter(number) for number in range(entries, 2 * entries) for each in (amy, bob)]
        positions |= await confirmed(late, 200)
        await judge(folder, server.url, (amy, bob), positions, [each.id for each in before])
        assert line.connections == 1
        assert told.count("offline") == told.count("refused") == told.count("failed") == 0
        assert not any("dropped" in detail for _, detail in told.states)
        assert max(position for position in positions.values()) == history + 4 * entries
        told.end()


@pytest.mark.parametrize(("size", "times"), [(150_000, 0.25), pytest.param(900_000, 1.0, marks=LONG)])
def test_an_event_that_takes_longer_than_silence_may_last(server, tmp_path, size, times) -> None:  # noqa: F811
    """Both ways: one from the log, and an entry as large. `times`: how much shorter than by default each wait is."""
    with pytest.MonkeyPatch.context() as patch:
        shorter(patch, times)
        asyncio.run(large(server, tmp_path, size))


async def large(server: Server, folder: Path, size: int) -> None:  # noqa: F811
    board.write(folder)
    await stream(server.url)
    before = made(1, padding=size)
    await send(server.url, before)
    async with link(server.port, LATENCY_S, RATE) as line, desks(folder, bob=line.url) as (bob,):
        told = Told(bob)
        await bob.says("live", timeout=60)
        carried = line.carried
        huge = bob.pipeline.enter("job.moved", {"job": "J1", "place": "x" * size})
        positions = await confirmed([huge], 100)
        assert line.carried - carried < 2.5 * size, "it went over the line more than once, there and back"
        await judge(folder, server.url, (bob,), positions, [each.id for each in before])
        assert (line.connections, told.count("offline")) == (1, 0)
        told.end()


@pytest.mark.parametrize(("count", "times"), [(250, 0.25), pytest.param(1000, 1.0, marks=LONG)])
def test_a_batch_that_takes_longer_than_an_answer_may(server, tmp_path, count, times) -> None:  # noqa: F811
    with pytest.MonkeyPatch.context() as patch:
        shorter(patch, times)
        asyncio.run(batch(server, tmp_path, count))


async def batch(server: Server, folder: Path, count: int) -> None:  # noqa: F811
    """It goes over the line once."""
    board.write(folder)
    await stream(server.url)
    events = made(count, padding=200)
    async with link(server.port, LATENCY_S, RATE) as line, desks(folder, amy=server.url) as (amy,):
        await send(line.url, events)
        took = line.carried / count
        assert took < 900, f"{took:.0f} bytes an event"
        await judge(folder, server.url, (amy,), {}, [each.id for each in events])
        assert amy.pipeline.status.value.position == count


def shorter(patch: pytest.MonkeyPatch, times: float) -> None:
    patch.setattr(subscription, "HEARTBEAT_S", subscription.HEARTBEAT_S * times)
    patch.setattr(subscription, "SILENCE_S", subscription.SILENCE_S * times)
    patch.setattr(connection, "PING_S", connection.PING_S * times / 2)
    for module in (publisher, producer):
        patch.setattr(module, "ANSWER_S", module.ANSWER_S * times)
