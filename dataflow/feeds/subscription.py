"""An ordered subscription to a stream: every message after a sequence, in order, each once, or `Gap`.

The server numbers what it delivers to a consumer. A number that is not the next one, or an idle heartbeat that names a
number beyond ours, means that something was dropped on the way; so does silence, for the server says something every
`HEARTBEAT_S`. Then `take` raises `Gap`, and the caller opens another subscription from where it stands. Sequences of
the *stream* may have holes where messages were deleted. Flow control bounds what waits here (to 32 MB, by the server's
choice): the server goes on when it is told that what it sent before has been taken.
Source: https://docs.nats.io/using-nats/developer/develop_jetstream/consumers (ordered consumers)
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Mapping
from contextlib import suppress

import msgspec
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription as Inbox
from nats.errors import Error

from dataflow.feeds import consumer, wire
from dataflow.feeds.connection import Connection

HEARTBEAT_S = 2.0
SILENCE_S = 3 * HEARTBEAT_S
OPEN_S = 5.0


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
    subject: str
    headers: Mapping[str, str] | None
    body: bytes
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
        self._answers: deque[tuple[int, str]] = deque()
        self._wake = asyncio.Event()
        self._delivered = self._taken = 0
        self._broken = self._silent = False
        self._heard = self._loop.time()
        self._watch: asyncio.TimerHandle | None = None
        self._inbox: Inbox | None = None
        self._plain = _plain(0)

    @property
    def waiting(self) -> int:
        """Messages that can be taken now."""
        return len(self._messages)

    async def open(self, start: int) -> None:
        """Begin with the message at sequence `start`, or the next one that there is."""
        client = self._connection.client
        inbox = consumer.address(self._connection)
        self._inbox = await client.subscribe(inbox)
        self._plain = _plain(self._inbox._id)
        client.bring(self._inbox._id, self)
        made = await consumer.make(self._connection, self._stream, inbox, start, HEARTBEAT_S, OPEN_S)
        self.behind = (made.num_pending or 0) + (made.delivered.consumer_seq if made.delivered else 0)
        self.caught_up = self.behind == 0
        self._heard = self._loop.time()
        self._listen()

    async def take(self, most: int) -> list[Delivered]:
        """What has come, in order: at least one, or none when all there was has been taken for the first time."""
        while not self._messages:
            await self._answer()
            if self._connection.lost:
                raise Lost
            if self._silent:
                raise Lost("the server fell silent")
            if self._broken:
                raise Gap
            self._wake.clear()
            await self._wake.wait()
            if self.caught_up and not self._messages and not self._broken and not self._connection.lost:
                return []
        taken = [self._messages.popleft() for _ in range(min(most, len(self._messages)))]
        self._taken += len(taken)
        self.behind = taken[-1].behind
        self.caught_up = self.caught_up or self.behind == 0
        await self._answer()
        return taken

    async def close(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
        if self._inbox is not None and not self._connection.lost:
            with suppress(Error, OSError):
                await self._inbox.unsubscribe()  # and the consumer goes, for nobody listens

    def wake(self) -> None:
        """The connection was lost."""
        self._wake.set()

    def put_plain(self, data: bytes, at: int) -> int:
        heard = self._loop.time()
        found = self._plain.match(data, at)
        while found is not None:
            subject, sequence, number, time, behind, head, size = found.groups()
            begin = found.end()
            end = begin + int(size)
            if end + 2 > len(data):
                break
            self._add(
                int(number),
                Delivered(
                    int(sequence), int(time) // 1000, int(behind),
                    str(subject, "ascii"), wire.STRUCTURED, data[begin + int(head) : end], heard,
                ),
            )  # fmt: skip
            at = end + 2
            found = self._plain.match(data, at)
        return at

    def put(self, message: Msg) -> None:
        if (where := _where(message.reply)) is not None:  # whatever its headers say: they are somebody else's
            sequence, number, time, behind = where
            heard = self._loop.time()
            self._add(
                number, Delivered(sequence, time, behind, message.subject, message.headers, message.data, heard)
            )
        elif not message.data and message.headers and message.headers.get("Status") == "100":
            self._control(message)

    def _add(self, number: int, delivered: Delivered) -> None:
        if number != self._delivered + 1:
            self._break()
        if not self._broken:
            self._heard = delivered.heard
            self._delivered = number
            self._messages.append(delivered)
            self._wake.set()

    def _control(self, message: Msg) -> None:
        """The server wants to hear that what it sent was taken; or, being idle, says how much it sent."""
        self._heard = self._loop.time()
        headers = message.headers or {}
        if answer := message.reply or headers.get("Nats-Consumer-Stalled"):
            self._answers.append((self._delivered, answer))
            self._wake.set()
            return
        number = headers.get("Nats-Last-Consumer", "")
        if _is_number(number) and int(number) != self._delivered:
            self._break()
        elif not self.caught_up and not self._messages:
            self.caught_up = True
            self._wake.set()

    async def _answer(self) -> None:
        while self._answers and self._answers[0][0] <= self._taken:
            await self._connection.client.publish(self._answers.popleft()[1])

    def _listen(self) -> None:
        """Every second heartbeat: is the server still there?"""
        since = self._loop.time() - SILENCE_S
        if max(self._heard, self._connection.heard_of_message) < since:
            self._silent = self._connection.heard < since
            self._break()
            return
        self._watch = self._loop.call_later(HEARTBEAT_S, self._listen)

    def _break(self) -> None:
        self._broken = True
        self._wake.set()


def _plain(sid: int) -> re.Pattern[bytes]:
    """The beginning of a plain message, up to its headers: see `parser.py`."""
    return re.compile(
        rb"HMSG ([!-~]+) %d \$JS\.ACK\.[^. ]+\.[^. ]+\.\d+"
        rb"\.(\d{1,20})\.(\d{1,20})\.(\d{1,20})\.(\d{1,20}) (\d{1,10}) (\d{1,10})\r\n"
        rb"(?=NATS/1\.0\r\nContent-Type: %b\r\n)" % (sid, re.escape(wire.STRUCTURED["Content-Type"].encode()))
    )


def _where(reply: str) -> tuple[int, int, int, int] | None:
    """From `$JS.ACK.…`: sequence in the stream, number at the consumer, time in µs, how many wait behind."""
    tokens = reply.split(".")
    if len(tokens) < 9 or tokens[:2] != ["$JS", "ACK"]:
        return None
    numbers = tokens[5:9] if len(tokens) == 9 else tokens[7:11]
    if len(numbers) < 4 or not all(map(_is_number, numbers)):
        return None
    sequence, number, time, behind = map(int, numbers)
    return sequence, number, time // 1000, behind


def _is_number(text: str) -> bool:
    return text.isdecimal() and len(text) <= 20
