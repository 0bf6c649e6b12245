"""Producers that do not keep the rules: the same ids again when the server has forgotten them, old news after new."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import nats

from dataflow.nats import wire
from storage.event import Event
from tests.faults import board
from tests.faults.children import Other
from tests.faults.desks import desk, stream
from tests.faults.verdict import Verdict
from tests.nats import Server, make_server, server  # noqa: F401  fixtures

WINDOW_NS = 200_000_000
HOUR_US = 3_600_000_000


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[nats.NATS]:
    client = await nats.connect(url, allow_reconnect=False)
    try:
        yield client
    finally:
        await client.close()


async def send(client: nats.NATS, events: list[Event], author: str = "other") -> list[bool]:
    """One by one, in this order; whether the server knew each."""
    known = []
    for event in events:
        message = wire.encode(board.ID, author, event)
        taken = await client.jetstream().publish(message.subject, message.body, headers=message.headers)
        known.append(bool(taken.duplicate))
    return known


async def forgotten(client: nats.NATS, newest: Event, author: str = "other") -> None:
    """Until the server's window for this event, and so for all before it, is over. It is in the log twice then."""
    while (await send(client, [newest], author))[0]:
        """Each look is a round trip."""


def test_ids_sent_again_after_the_servers_window_are_shown_once(server: Server, tmp_path: Path) -> None:  # noqa: F811
    """By whom they were sent; what somebody else sends with the same ids is that author's own, and is shown as well."""
    async def check() -> None:
        path = board.write(tmp_path)
        await stream(server.url, duplicate_window=WINDOW_NS)
        now = time.time_ns() // 1000
        events = [board.event(number, now + number) for number in range(300)]
        async with (
            connected(server.url) as client,
            desk(tmp_path, server.url, "amy") as amy,
            desk(tmp_path, server.url, "bob") as bob,
        ):
            await send(client, events)
            mine = [each.enter(number) for number in range(50) for each in (amy, bob)]
            await forgotten(client, events[-1])
            doubled = events[:200]
            random.Random(7).shuffle(doubled)
            assert not any(await send(client, doubled)), "the server was to have forgotten them"
            mine += [each.enter(number) for number in range(50, 100) for each in (amy, bob)]
            positions = await asyncio.gather(*(each.confirmed for each in mine))
            await amy.stores(max(positions))
            again = [event for chunk in amy.desk.database.log.read() for event in chunk]
            assert not any(await send(client, again, "mallory")), "another author's are other messages"
            await send(client, [board.event(1000, now)])
            verdict = await Verdict(tmp_path, path, board.ID).read(server.url)
            entered = [each.id for each in mine]
            verdict.acknowledged([*entered, *(event.id for event in events)], doubled=[event.id for event in again])
            assert len(verdict.log.seen) == 2 * len(again) + len(doubled) + 2
            assert len(verdict.log.facts) == 2 * len(again) + 1
            verdict.confirmed(dict(zip(entered, positions, strict=True)))
            await verdict.desks(amy, bob)
        async with desk(tmp_path, server.url, "late") as late:
            await verdict.desks(late)

    asyncio.run(check())


def test_old_news_after_new_is_shown_by_the_logs_order(server: Server, tmp_path: Path) -> None:  # noqa: F811
    """Events of the last hours and of the next, in no order at all, between the entries of two desks."""

    async def check() -> None:
        path = board.write(tmp_path)
        await stream(server.url)
        chance = random.Random(3)
        now = time.time_ns() // 1000
        strange = [board.event(number, now + chance.randrange(-6 * HOUR_US, HOUR_US)) for number in range(400)]
        other = Other(server.url)
        async with (
            connected(server.url) as client,
            desk(tmp_path, server.url, "amy") as amy,
            desk(tmp_path, server.url, "bob") as bob,
        ):
            mine = []
            for start in range(0, 400, 20):
                mine += [each.enter(start) for each in (amy, bob)]
                await send(client, strange[start : start + 20])
                await other.send(10, span_us=-60_000_000)
            await asyncio.gather(*(each.confirmed for each in mine))
            verdict = await Verdict(tmp_path, path, board.ID).read(server.url)
            verdict.acknowledged([each.id for each in (*mine, *strange)] + other.acknowledged)
            await verdict.desks(amy, bob)

    asyncio.run(check())
