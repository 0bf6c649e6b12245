"""The producer on a real server: many events at once, each in the log once, in order."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from dataflow.feeds.shared.producer import NotTaken, Producer
from dataflow.nats import streams, wire
from storage.event import Event
from tests.nats import make_server, server  # noqa: F401

BOARD = "ops"


def events(count, start=0):
    return [
        Event(id=f"e{number}", source="/x", type="note.made", time=number, subject="desk", data=b'{"n":1}')
        for number in range(start, start + count)
    ]


def on(server, main, *, batches=True):  # noqa: F811
    """Run `main(producer, held)` on a fresh stream; `held()` is the ids in the log, in order."""
    import nats

    async def run():
        client = await nats.connect(server.url)
        made = streams.configuration(BOARD) | {"allow_atomic": batches}
        await client.request(f"$JS.API.STREAM.CREATE.{made['name']}", msgspec.json.encode(made))

        async def held():
            last = (await streams.find(client, BOARD)).last
            messages = [await client.jetstream().get_msg(made["name"], number + 1) for number in range(last)]
            return [wire.decode(BOARD, m.subject, m.headers, m.data, m.seq).id for m in messages]

        try:
            await main(Producer(client, BOARD, "amy"), held)
        finally:
            await client.close()

    asyncio.run(run())


@pytest.mark.parametrize("batches", [True, False])
def test_what_is_sent_again_is_in_the_log_once_and_in_order(server, batches):  # noqa: F811
    async def main(producer, held):
        await producer.send(events(30))
        await producer.send(events(30, start=20))
        await producer.send([])
        assert await held() == [f"e{number}" for number in range(50)]

    on(server, main, batches=batches)


def test_more_than_one_batch_takes(server):  # noqa: F811
    async def main(producer, held):
        await producer.send(events(1001))
        assert await held() == [f"e{number}" for number in range(1001)]

    on(server, main)


def test_what_the_log_does_not_take_is_told_and_the_others_are_there(server):  # noqa: F811
    async def main(producer, held):
        stale = msgspec.structs.replace(events(1)[0], id="stale", expects=7)
        with pytest.raises(NotTaken, match="wrong last sequence"):
            await producer.send([*events(2), stale])
        assert await held() == ["e0", "e1"]

    on(server, main)
