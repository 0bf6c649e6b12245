"""A recording told to a real server: history at once, the rest at its time, each event once and in order."""

from __future__ import annotations

import asyncio
import time

import pytest

from dataflow.feeds.shared import replayer
from dataflow.feeds.shared.replayer import Replayer
from dataflow.feeds.shared_clock import Replay
from dataflow.nats import subjects, wire
from dataflow.nats.errors import ServerFailed
from storage.event import Event
from tests.dataflow.feeds.shared.logs import client
from tests.nats import make_server, server  # noqa: F401  fixtures

BOARD = "b"
SECOND = 1_000_000
COUNT = 300


def recording():
    """An event a second."""
    return [
        Event(id=f"e{second}", source="/x", type="note.made", time=second * SECOND, subject="desk", data=b'{"n":1}')
        for second in range(COUNT)
    ]


def replay(start: int, speed: float) -> Replay:
    return Replay(start * SECOND, COUNT * SECOND, speed, time.time_ns() // 1000)


async def told(url):
    """The events in the log, in order."""
    async with client(url, BOARD) as connection:
        info = await connection.jetstream().stream_info(subjects.stream(BOARD))
        messages = [
            await connection.jetstream().get_msg(subjects.stream(BOARD), n + 1) for n in range(info.state.messages)
        ]
    return [wire.decode(BOARD, m.subject, m.headers, m.data, m.seq) for m in messages]


def test_history_is_there_before_the_rest_is_told(server):  # noqa: F811
    async def main():
        tells = Replayer(server.url, BOARD, recording())
        await tells.write_history(99 * SECOND)
        events = await told(server.url)
        assert [event.id for event in events] == [f"e{n}" for n in range(100)]
        assert {event.authid for event in events} == {None}
        assert not tells.over
        await tells.replay(replay(99, 1000))
        assert tells.over
        assert [event.id for event in await told(server.url)] == [f"e{n}" for n in range(COUNT)]

    asyncio.run(main())


def test_nothing_is_told_before_its_time(server):  # noqa: F811
    async def main():
        tells, pace = Replayer(server.url, BOARD, recording()), replay(0, 100)
        await tells.write_history(0)
        telling, events = asyncio.create_task(tells.replay(pace)), []
        while len(events) < 50:
            events = await told(server.url)
            assert events[-1].time <= pace.at(time.time_ns() // 1000)
        telling.cancel()
        await asyncio.wait({telling})

    asyncio.run(main())


def test_what_is_due_while_the_server_is_away_is_told_later_and_once(server, monkeypatch):  # noqa: F811
    monkeypatch.setattr(replayer, "RETRY_S", 0.05)

    async def main():
        tells, pace = Replayer(server.url, BOARD, recording()), replay(0, 600)
        await tells.write_history(0)
        telling = asyncio.create_task(tells.replay(pace))
        while len(await told(server.url)) < 20:
            assert not telling.done()
        server.kill()
        while pace.wait_s(pace.end, time.time_ns() // 1000) > 0:
            await asyncio.sleep(0)
        server.start()
        await telling
        assert [event.id for event in await told(server.url)] == [f"e{n}" for n in range(COUNT)]

    asyncio.run(main())


def test_a_server_that_is_not_there_is_told_at_once():
    with pytest.raises(ServerFailed, match="does not take the recording: no answer from nats:"):
        asyncio.run(Replayer("nats://127.0.0.1:1", BOARD, recording()).write_history(0))
