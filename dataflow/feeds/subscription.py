"""An ordered subscription to a stream: every message after a sequence, in order, each once, or `Gap`.

The server numbers what it delivers to a consumer. A number that is not the next one, or an idle heartbeat that names a
number beyond ours, means that something was dropped on the way; so does silence, for the server says something every
`HEARTBEAT_S`. Then `take` raises `Gap`, and the caller opens another subscription from where it stands. Sequences of
the *stream* may have holes where messages were deleted. Flow control bounds what waits here: the server goes on when
what it sent before has been taken.
Source: https://docs.nats.io/using-nats/developer/develop_jetstream/consumers (ordered consumers)
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress

import msgspec
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription as Inbox
from nats.errors import Error
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from dataflow.feeds.connection import Connection

HEARTBEAT_S = 2.0
SILENCE_S = 3 * HEARTBEAT_S
OPEN_S = 5.0
WAITING = 2000
"""Messages that wait here; more of them wait at nats-py, and soon at the server."""
_LIMIT_MESSAGES, _LIMIT_BYTES = 512 * 1024, 256 * 2**20


class Gap(Exception):
    """Something was dropped on the way."""


class Lost(Exception):
    """The connection is over."""


class Delivered(msgspec.Struct, frozen=True, gc=False):
    """A message, where it is in the stream, when it came there (µs), how many wait behind it, when it came here (loop
    time).
    """

    sequence: int
    time: int
    behind: int
    message: Msg
    heard: float


class Subscription:
    """Opened by `open`. `caught_up` once everything that there was has been taken."""

    def __init__(self, connection: Connection, stream: str) -> None:
        self.caught_up = False
        self.behind = 0
        self._connection = connection
        self._stream = stream
        self._loop = asyncio.get_running_loop()
        self._messages: deque[Delivered] = deque()
        self._wake, self._room = asyncio.Event(), asyncio.Event()
        self._room.set()
        self._delivered = 0
        self._broken = False
        self._heard = self._loop.time()
        self._watch: asyncio.TimerHandle | None = None
        self._inbox: Inbox | None = None

    @property
    def waiting(self) -> int:
        """Messages that can be taken now."""
        return len(self._messages)

    async def open(self, start: int) -> None:
        """Begin with the message at sequence `start`, or the next one that there is."""
        client = self._connection.client
        inbox = client.new_inbox()
        self._inbox = await client.subscribe(
            inbox, cb=self._receive, pending_msgs_limit=_LIMIT_MESSAGES, pending_bytes_limit=_LIMIT_BYTES
        )
        config = ConsumerConfig(
            deliver_subject=inbox, deliver_policy=DeliverPolicy.BY_START_SEQUENCE, opt_start_seq=start,
            ack_policy=AckPolicy.NONE, max_deliver=1, flow_control=True, idle_heartbeat=HEARTBEAT_S,
            mem_storage=True, num_replicas=1, inactive_threshold=5 * SILENCE_S,
        )  # fmt: skip
        consumer = await client.jetstream(timeout=OPEN_S).add_consumer(self._stream, config)
        self.behind = (consumer.num_pending or 0) + (consumer.delivered.consumer_seq if consumer.delivered else 0)
        self.caught_up = self.behind == 0
        self._heard = self._loop.time()
        self._listen()

    async def take(self, most: int) -> list[Delivered]:
        """What has come, in order: at least one, or none when all there was has been taken for the first time."""
        while not self._messages:
            if self._connection.lost:
                raise Lost
            if self._broken:
                raise Gap
            self._wake.clear()
            await self._wake.wait()
            if self.caught_up and not self._messages and not self._broken and not self._connection.lost:
                return []
        taken = [self._messages.popleft() for _ in range(min(most, len(self._messages)))]
        if len(self._messages) < WAITING:
            self._room.set()
        self.behind = taken[-1].behind
        self.caught_up = self.caught_up or self.behind == 0
        return taken

    async def close(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
        self._room.set()
        if self._inbox is not None and not self._connection.lost:
            with suppress(Error, OSError):
                await self._inbox.unsubscribe()  # and the consumer goes, for nobody listens

    def wake(self) -> None:
        """The connection was lost."""
        self._wake.set()
        self._room.set()

    async def _receive(self, message: Msg) -> None:
        self._heard = self._loop.time()
        if not message.data and message.headers and message.headers.get("Status") == "100":
            await self._control(message)
            return
        if self._broken:
            return
        where = _where(message.reply)
        if where is None:
            return
        sequence, number, time, behind = where
        if number != self._delivered + 1:
            self._break()
            return
        self._delivered = number
        self._messages.append(Delivered(sequence, time, behind, message, self._heard))
        self._wake.set()
        if len(self._messages) >= WAITING:
            self._room.clear()
            await self._room.wait()

    async def _control(self, message: Msg) -> None:
        headers = message.headers or {}
        answer = message.reply or headers.get("Nats-Consumer-Stalled")
        if answer:
            await self._connection.client.publish(answer)
            return
        number = headers.get("Nats-Last-Consumer", "")
        if number.isdigit() and int(number) != self._delivered:
            self._break()
        elif not self.caught_up and not self._messages:
            self.caught_up = True
            self._wake.set()

    def _listen(self) -> None:
        """Every second heartbeat: is the server still there?"""
        heard = max(self._heard, self._connection.heard_of_message)
        if self._loop.time() - heard > SILENCE_S and self._room.is_set():
            self._break()
            return
        self._watch = self._loop.call_later(HEARTBEAT_S, self._listen)

    def _break(self) -> None:
        self._broken = True
        self._wake.set()


def _where(reply: str) -> tuple[int, int, int, int] | None:
    """From `$JS.ACK.…`: sequence in the stream, number at the consumer, time in µs, how many wait behind."""
    tokens = reply.split(".")
    if len(tokens) < 9 or tokens[:2] != ["$JS", "ACK"]:
        return None
    numbers = tokens[5:9] if len(tokens) == 9 else tokens[7:11]
    if len(numbers) < 4 or not all(number.isdigit() for number in numbers):
        return None
    sequence, number, time, behind = map(int, numbers)
    return sequence, number, time // 1000, behind
