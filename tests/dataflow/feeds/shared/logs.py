"""Desks on a real nats-server: a store and a feed each, and other clients that write what they like."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import nats
from reactivex.scheduler.eventloop import AsyncIOScheduler

from dataflow.desk.desk import deliver_on
from dataflow.feeds.shared.feed import NatsFeed
from dataflow.nats import streams, wire
from storage.database import Database
from storage.event import Event
from storage.ids import uuid7
from tests.dataflow.desks import until

BOARD = "b"
START = 1_700_000_000_000_000


def entry(n: int, subject: str | None = "UA1", **given) -> Event:
    return Event(
        id=uuid7(START + n), source="/test", type="note.made", time=START + n, subject=subject,
        data=b'{"n":%d}' % n, authid="amy", **given,
    )  # fmt: skip


class SharedDesk:
    """A store and a running feed."""

    def __init__(self, database: Database, feed: NatsFeed) -> None:
        self.database, self.feed = database, feed
        self.refusals = []
        self.states = []
        self._told = [feed.refusals.subscribe(self.refusals.append), feed.status.subscribe(self.states.append)]

    async def close(self) -> None:
        self.feed.close()
        await self.feed.closed()
        for told in self._told:
            told.dispose()

    async def enter(self, *entries: Event) -> None:
        await asyncio.wrap_future(self.database.outbox.add(entries))
        self.feed.publish(entries)

    async def reaches(self, position: int, timeout: float = 15) -> None:
        await until(self.feed.arrivals, lambda reached: reached >= position, timeout)

    async def reaches_cursor(self, position: int, timeout: float = 15) -> None:
        """Until all up to there was dealt with, whether it is an event or not."""
        async with asyncio.timeout(timeout):
            while self.feed._receiver.cursor < position:
                await asyncio.sleep(0.01)

    async def says(self, state: str, words: str = "", timeout: float = 15):
        return await until(self.feed.status, lambda said: said.state == state and words in said.detail, timeout)

    async def refused(self, timeout: float = 15):
        if not self.refusals:
            await until(self.feed.refusals, lambda _: True, timeout)
        return self.refusals[-1]

    def ids(self) -> list[str]:
        return [event.id for chunk in self.database.log.read() for event in chunk]

    def events(self) -> list[Event]:
        return [event for chunk in self.database.log.read() for event in chunk]


@asynccontextmanager
async def desk(url: str, store, operator: str = "amy", board: str = BOARD, identity=None, early=()):
    """`early`: entries that an earlier run left in the outbox."""
    loop = asyncio.get_running_loop()
    with Database.open(store) as database:
        feed = NatsFeed(
            [url], board, operator, database, AsyncIOScheduler(loop), deliver_on(loop), loop, identity=identity
        )
        shared = SharedDesk(database, feed)
        if early:
            await asyncio.wrap_future(database.outbox.add(early))
        feed.publish(database.outbox.pending())
        feed.start()
        try:
            yield shared
        finally:
            await shared.close()


@asynccontextmanager
async def client(url: str, board: str | None = BOARD):
    """Somebody else's connection; the board's stream is there. It ends with its server, as nats-py's reconnecting may
    take no notice of being cancelled."""
    connection = await nats.connect(url, allow_reconnect=False)
    try:
        if board is not None:
            await streams.ensure(connection, board)
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def in_a_folder(server, tmp_path):
    """A server, and a folder for the desks' stores."""
    yield server, tmp_path


async def write(connection, event: Event, operator: str = "bob", **changes):
    """As another desk would; `changes` are those of the message."""
    message = wire.encode(BOARD, operator, event)
    headers = {**message.headers, **changes.get("headers", {})}
    subject, body = changes.get("subject", message.subject), changes.get("body", message.body)
    return await connection.jetstream().publish(subject, body, headers=headers)
