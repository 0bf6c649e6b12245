"""The server's answers are lost, and everything else gets through: nothing is in the log twice, and entries go on."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from dataflow.feeds.shared import producer, publisher
from tests.faults import board
from tests.faults.desks import stream
from tests.faults.net import confirmed, desks, judge, made, send
from tests.faults.proxy import link
from tests.nats import Server, make_server, server  # noqa: F401  fixtures

LONG = [pytest.mark.long, pytest.mark.timeout(600)]


def answers_write(message: bytes) -> bool:
    """Whether the stream says in it that it has taken something."""
    return b'\r\n{"stream":' in message and b'"seq":' in message


@pytest.mark.parametrize(("lost", "entries"), [(1.0, 400), (0.3, 400), pytest.param(0.7, 4000, marks=LONG)])
def test_answers_to_entries_are_lost(server, tmp_path, lost, entries) -> None:  # noqa: F811
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(publisher, "ANSWER_S", 1000.0)
        asyncio.run(unanswered(server, tmp_path, lost, entries))


async def unanswered(server: Server, folder: Path, lost: float, entries: int) -> None:  # noqa: F811
    """An entry that has come back needs no answer: what waits behind it is not held up."""
    chance = random.Random(entries)
    board.write(folder)
    await stream(server.url)

    def drops(message: bytes) -> bool:
        return answers_write(message) and chance.random() < lost

    async with link(server.port, drops=drops) as line, desks(folder, amy=server.url, bob=line.url) as (amy, bob):
        await bob.says("live")
        entered = []
        for begin in range(0, entries, 100):
            entered += [bob.enter(number) for number in range(begin, begin + 100)]
            positions = await confirmed(entered)
        alone = bob.enter(entries)
        positions |= await confirmed([alone])
        assert line.dropped >= 1
        assert line.connections == 1
        await judge(folder, server.url, (amy, bob), positions)


@pytest.mark.parametrize("lost", [1, 2])
def test_answers_to_batches_of_a_producer_are_lost(server, tmp_path, lost) -> None:  # noqa: F811
    """The first ones: to the batch, and to the first message that is sent again alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(producer, "ANSWER_S", 0.3)
        patch.setattr(producer, "SLOWEST", 2**20)
        asyncio.run(unanswered_batches(server, tmp_path, lost))


async def unanswered_batches(server: Server, folder: Path, lost: int) -> None:  # noqa: F811
    board.write(folder)
    await stream(server.url)
    events = made(300)
    lines = []

    def drops(message: bytes) -> bool:
        return answers_write(message) and lines[0].dropped < lost

    async with link(server.port, drops=drops) as line, desks(folder, amy=server.url) as (amy,):
        lines.append(line)
        await send(line.url, events)
        assert line.dropped == lost
        await judge(folder, server.url, (amy,), {}, [each.id for each in events])
        assert [event.id for chunk in amy.desk.database.log.read() for event in chunk] == [each.id for each in events]
