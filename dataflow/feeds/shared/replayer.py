"""Tells a recording to a shared log, at the pace of a replay, for all desks that are on it.

What was before the replay's start is history: it is in the log before anybody comes. While the server is away, what is
due waits, and is then told at once; the log knows the ids that it holds, so whatever is told twice is there once.
"""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_right
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from nats.errors import Error

from dataflow.feeds.shared.producer import NotTaken, Producer
from dataflow.feeds.shared_clock import Replay
from dataflow.nats.connection import NotAdmitted, Unreachable, connect
from dataflow.nats.errors import ServerFailed
from dataflow.nats.streams import ensure
from storage.event import Event

NAME = ""
"""Nobody's: what machines tell has no author."""

TICK_S = 0.05
LONGEST_S = 1.0
RETRY_S = 1.0


class Replayer:
    """`begin` once, then `tell`. `tell` raises NotAdmitted, NotTaken and ServerError: trying again won't help then."""

    def __init__(self, url: str, board: str, recording: Sequence[Event]) -> None:
        """`recording` is by time."""
        self._url, self._board = url, board
        self._recording = recording
        self._times = [event.time for event in recording]
        self._next = 0

    @property
    def over(self) -> bool:
        """Whether all is told."""
        return self._next == len(self._recording)

    async def write_history(self, start: int) -> None:
        """Make the board's stream, with everything up to a time (µs) in it. Raises ServerError."""
        try:
            async with self._producer() as producer:
                await self._send_until(start, producer)
        except (NotAdmitted, NotTaken, Unreachable, Error, OSError) as error:
            raise ServerFailed(f"the server does not take the recording: {error}") from error

    async def replay(self, replay: Replay) -> None:
        """The rest, each event when its time has come, until all is told."""
        while not self.over:
            try:
                async with self._producer() as producer:
                    await self._keep_sending(replay, producer)
            except (Unreachable, Error, OSError):
                await asyncio.sleep(RETRY_S)

    async def _keep_sending(self, replay: Replay, producer: Producer) -> None:
        while not self.over:
            await self._send_until(replay.at(_wall()), producer)
            if not self.over:
                rest = replay.wait_s(self._times[self._next], _wall())
                await asyncio.sleep(min(max(rest, TICK_S), LONGEST_S))

    async def _send_until(self, now: int, producer: Producer) -> None:
        until = bisect_right(self._times, now, self._next)
        await producer.send(self._recording[self._next : until])
        self._next = until

    @asynccontextmanager
    async def _producer(self) -> AsyncIterator[Producer]:
        connection = await connect([self._url], "watchfloor teller", None, _nothing, _nothing)
        try:
            await ensure(connection.client, self._board)
            yield Producer(connection.client, self._board, NAME)
        finally:
            await connection.close()


def _wall() -> int:
    return time.time_ns() // 1000


def _nothing(*_: object) -> None:
    """A connection that is lost fails the next thing that is told."""
