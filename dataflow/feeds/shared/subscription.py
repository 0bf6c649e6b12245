"""An ordered subscription to a stream: every message after a sequence, in order, each once, or `Gap`.

The server numbers what it delivers to a consumer. A number that is not the next one means that something was dropped on
the way; so does silence, for the server says something every `HEARTBEAT_S`. Then `take` raises `Gap`, and the caller
opens another subscription from where it stands. Flow control bounds what waits here (to 32 MB, by the server's choice):
the server goes on when it is told that what it sent before has been taken.

Others may be able to send into our inbox, or to change our consumer. A message is the log's only if the server
delivered it for our consumer: it then came under its own subject, with a reply subject that names stream and consumer,
which no client can write. Anything else is dropped and counted (`foreign`). Heartbeats can be written by anybody: one
that names another number than ours is a reason to ask (`doubted`, see `audit.py`) and no more, and a wish for an answer
is granted only on the subjects of flow control.
Source: https://docs.nats.io/using-nats/developer/develop_jetstream/consumers (ordered consumers)
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from uuid import uuid4

import msgspec
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription as Inbox
from nats.errors import Error

from dataflow.nats import consumer, wire
from dataflow.nats.connection import Connection
from dataflow.nats.errors import StreamRefused

HEARTBEAT_S = 2.0
SILENCE_S = 3 * HEARTBEAT_S
OPEN_S = 5.0


class Gap(Exception):
    """Something was dropped on the way, or kept from us; `str` says what."""


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
    """Opened by `open`. `caught_up` once everything up to `goal` has been taken; `consumer` is what was made for it."""

    def __init__(self, connection: Connection, stream: str) -> None:
        self.caught_up = False
        self.behind = 0
        self.goal = 0
        self.foreign = 0
        self.consumer = consumer.Made({}, "", 0)
        self.name = uuid4().hex
        self.doubted = asyncio.Event()
        self._connection = connection
        self._stream = stream
        self._loop = asyncio.get_running_loop()
        self._messages: deque[Delivered] = deque()
        self._answers: deque[tuple[int, str]] = deque()
        self._wake = asyncio.Event()
        self._delivered = self._taken = 0
        self._last = 0
        self._ends = False
        self._failure: Exception | None = None
        self._heard = self._loop.time()
        self._watch: asyncio.TimerHandle | None = None
        self._inbox: Inbox | None = None
        self._place = ""
        self._plain = _compile_plain(0, "", "", "")

    @property
    def waiting(self) -> int:
        """Messages that can be taken now."""
        return len(self._messages)

    @property
    def reached(self) -> int:
        """The sequence of the last message that came, or that was before the first one that is to come."""
        return self._messages[-1].sequence if self._messages else self._last

    async def open(self, start: int, goal: int) -> None:
        """Begin with the message at sequence `start`, or the next one that there is; the stream ends at `goal` now.

        Raises `Gap` where the server made another consumer than it was asked for, StreamRefused, and nats' errors.
        """
        client = self._connection.client
        self._place = consumer.address(self._connection, self.name)
        self._inbox = await client.subscribe(self._place)
        self._receive(self._inbox._id)
        config = consumer.configuration(self.name, self._place, start, HEARTBEAT_S, 5 * SILENCE_S)
        answer = await consumer.make(self._connection, self._stream, config, OPEN_S)
        if error := answer.get("error"):
            raise StreamRefused(f"the server makes no subscription: {error.get('description', 'no reason given')}")
        self.consumer = consumer.made(answer)
        if wrong := consumer.misfits(config, self.consumer.config):
            raise Gap(f"the server made another subscription than was asked for ({', '.join(wrong)})")
        self.goal, self.behind, self._last = goal, self.consumer.pending, start - 1
        self.caught_up = start > goal
        self._heard = self._loop.time()
        self._listen()

    def fail(self, failure: Exception) -> None:
        """What has come in order can still be taken; then `take` raises this."""
        if self._failure is None:
            self._failure = failure
            self._wake.set()

    def end_here(self) -> None:
        """The stream holds nothing after what came, though its last sequence is a later one."""
        self._ends = True
        self._wake.set()

    def leave_out(self, why: str) -> None:
        """Nothing that has come and was not taken is wanted; `take` raises `Gap`."""
        self._messages.clear()
        self.fail(Gap(why))

    async def take(self, most: int) -> list[Delivered]:
        """What has come, in order: at least one, or none when it is found that there is none to come.

        Raises `Lost`, `Gap`, and what `fail` was told.
        """
        while not self._messages:
            await self._answer()
            if self._connection.lost:
                raise Lost
            if self._failure is not None:
                raise self._failure
            if self._ends and not self.caught_up:
                self.caught_up, self.behind = True, 0
                return []
            self._wake.clear()
            await self._wake.wait()
        taken = [self._messages.popleft() for _ in range(min(most, len(self._messages)))]
        self._taken += len(taken)
        self._last = taken[-1].sequence
        self.behind = max(taken[-1].behind, self.goal - self._last)
        self.caught_up = self.caught_up or self._last >= self.goal
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
        arrived = self._loop.time()
        match = self._plain.match(data, at)
        while match is not None:
            subject, sequence, number, time, behind, head, size = match.groups()
            begin = match.end()
            end = begin + int(size)
            if end + 2 > len(data):
                break
            self._add(
                int(number),
                Delivered(
                    int(sequence), int(time) // 1000, int(behind),
                    str(subject, "ascii"), wire.STRUCTURED, data[begin + int(head) : end], arrived,
                ),
            )  # fmt: skip
            at = end + 2
            match = self._plain.match(data, at)
        return at

    def put(self, message: Msg) -> None:
        place = _read_place(message.reply, self._stream, self.name) if message.subject != self._place else None
        if place is not None:  # whatever its headers say: they are somebody else's
            sequence, number, time, behind = place
            arrived = self._loop.time()
            self._add(
                number, Delivered(sequence, time, behind, message.subject, message.headers, message.data, arrived)
            )
        elif not message.data and message.headers and message.headers.get("Status") == "100":
            self._control(message)
        else:
            self.foreign += 1

    def _add(self, number: int, delivered: Delivered) -> None:
        if number != self._delivered + 1:
            self.fail(Gap("something was dropped on the way"))
        if self._failure is None:
            self._heard = delivered.heard
            self._delivered = number
            self._messages.append(delivered)
            self._wake.set()

    def _control(self, message: Msg) -> None:
        """The server wants to hear that what it sent was taken; or, being idle, says how much it sent."""
        headers = message.headers or {}
        if answer := message.reply or headers.get("Nats-Consumer-Stalled"):
            if not answer.startswith(f"$JS.FC.{self._stream}.{self.name}."):
                self.foreign += 1
                return
            self._answers.append((self._delivered, answer))
            self._wake.set()
        elif headers.get("Nats-Last-Consumer", "") != str(self._delivered):
            self.doubted.set()
        self._heard = self._loop.time()

    async def _answer(self) -> None:
        while self._answers and self._answers[0][0] <= self._taken:
            await self._connection.client.publish(self._answers.popleft()[1])

    def _receive(self, sid: int) -> None:
        """What the connection reads for this subscription comes here from now on."""
        self._plain = _compile_plain(sid, self._place, self._stream, self.name)
        self._connection.client.bring(sid, self)

    def _listen(self) -> None:
        """Every second heartbeat: is the server still there?"""
        since = self._loop.time() - SILENCE_S
        if max(self._heard, self._connection.heard_of_message) < since:
            silent = self._connection.heard < since
            self.fail(Lost("the server fell silent") if silent else Gap("nothing more came, and it is asked for anew"))
            return
        self._watch = self._loop.call_later(HEARTBEAT_S, self._listen)


def _compile_plain(sid: int, inbox: str, stream: str, name: str) -> re.Pattern[bytes]:
    """The beginning of a plain message of a stream's consumer, up to its headers: see `nats/parser.py`. What came under
    the
    inbox's own name was not delivered by the server.
    """
    whose = re.escape(stream.encode()), re.escape(name.encode())
    return re.compile(
        rb"HMSG (?!%b )([!-~]+) %d \$JS\.ACK\.%b\.%b\.\d+"
        rb"\.(\d{1,20})\.(\d{1,20})\.(\d{1,20})\.(\d{1,20}) (\d{1,10}) (\d{1,10})\r\n"
        rb"(?=NATS/1\.0\r\nContent-Type: %b\r\n)"
        % (re.escape(inbox.encode()), sid, *whose, re.escape(wire.STRUCTURED["Content-Type"].encode()))
    )


def _read_place(reply: str, stream: str, name: str) -> tuple[int, int, int, int] | None:
    """From `$JS.ACK.…` of a stream's consumer: sequence in the stream, number at the consumer, time in µs, how many
    wait behind. The longer form names a domain and an account before the stream.
    """
    tokens = reply.split(".")
    if len(tokens) < 9 or tokens[:2] != ["$JS", "ACK"]:
        return None
    begin = 2 if len(tokens) == 9 else 4
    numbers = tokens[begin + 3 : begin + 7]
    if tokens[begin : begin + 2] != [stream, name] or len(numbers) < 4 or not all(map(_is_number, numbers)):
        return None
    sequence, number, time, behind = map(int, numbers)
    return sequence, number, time // 1000, behind


def _is_number(text: str) -> bool:
    return text.isdecimal() and len(text) <= 20
