"""Batches: what is sent to the shared log at once and answered once. One entry, or a batch of entries that the log
takes whole or not at all.

A batch is worth one fsync of the server's, a message alone is worth one as well: many entries go in batches.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Container, Mapping
from typing import TYPE_CHECKING

import msgspec

from dataflow.feeds.shared.producer import Answer, answers, batched, size
from dataflow.nats import wire
from storage.errors import StorageError
from storage.event import Event

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.aio.msg import Msg

MOST = 256
"""Entries of one batch: encoding them takes about 3 ms of the loop's time."""
FEW = 8
"""Fewer than these go alone: the first one is not held up until the last one has been sent."""
LARGEST = 128 * 1024
"""Bytes of one batch."""
LONGEST = 3900
"""Characters of a subject. The server ends a connection on which a line has more than 4,096."""
SLICE = 64
"""Messages that are handed to the connection before the loop has its turn: about 2 ms."""
_HEADERS = 128
"""Bytes that being in a batch adds to a message, at the most."""


class Batch(msgspec.Struct, gc=False):
    """Messages, the entry of each, their bytes, and until when (in the loop's time) an answer is waited for."""

    entries: list[Event]
    messages: list[wire.Message]
    size: int = 0
    deadline: float = 0.0

    @property
    def is_joint(self) -> bool:
        return len(self.entries) > 1

    @property
    def may_resend(self) -> bool:
        """Whether it may have to go again, as it is or in parts, though nothing is the matter."""
        return self.is_joint or self.entries[0].expects is not None

    async def publish(self, client: Client, reply: str) -> None:
        """Hand all messages to the connection; the last one is to be answered at `reply`. Raises nats' errors."""
        *others, last = self.messages
        for at, message in enumerate(others, 1):
            await client.publish(message.subject, message.body, headers=message.headers)
            if at % SLICE == 0:
                await asyncio.sleep(0)
        await client.publish(last.subject, last.body, reply, last.headers)


def read_answer(message: Msg) -> tuple[int, Answer]:
    """Which batch the server answers to, by the last token of the subject, and what, as far as it can be read."""
    number = int(message.subject.rpartition(".")[2])
    try:
        return number, answers.decode(message.data)
    except msgspec.DecodeError:
        return number, Answer()


class Packer:
    """Makes batches of entries that wait; what can't be put into a message is dropped, with the reason. `expected`
    tells which position the server is to find for a guarded entry; None: it was dropped. `attempts`: those that are
    another message than before.
    """

    def __init__(
        self,
        board: str,
        operator: str,
        waiting: Container[str],
        expected: Callable[[Event], int | None],
        drop: Callable[[str, str], None],
        attempts: Mapping[str, int],
    ) -> None:
        self._board, self._operator, self._attempts = board, operator, attempts
        self._waiting, self._expected, self._drop = waiting, expected, drop

    def pack_one(self, entry: Event, limit: int) -> Batch | None:
        """`limit`: the bytes that the server takes."""
        message = self._message(entry)
        if message is None:
            return None
        if size(message) > limit:
            self._drop(entry.id, f"larger than the {limit:,} bytes that the server takes")
            return None
        return Batch([entry], [message], size(message))

    def pack_many(self, queue: deque[Event], limit: int, alone: Container[str]) -> Batch:
        """From the head of the queue up to one that goes alone, and as much as a batch may hold; it may be empty."""
        entries: list[Event] = []
        messages: list[wire.Message] = []
        about: dict[str | None, wire.Message] = {}
        taken = 0
        while queue and len(entries) < MOST and queue[0].id not in alone:
            message = self._message(queue[0])
            if message is not None:
                more = size(message) + _HEADERS
                if taken + more > min(LARGEST, limit):
                    break
                taken += more
                _lead_with(message, about.setdefault(queue[0].subject or None, message))
                entries.append(queue[0])
                messages.append(message)
            queue.popleft()
        return Batch(entries, batched(messages) if len(messages) > 1 else messages, taken)

    def _message(self, entry: Event) -> wire.Message | None:
        """None: it does not wait any more."""
        if entry.id not in self._waiting:
            return None
        expected = self._expected(entry) if entry.expects is not None else None
        if expected is None and entry.expects is not None:
            return None
        try:
            message = wire.encode(self._board, self._operator, entry, self._attempts.get(entry.id, 0))
        except (StorageError, ValueError) as error:
            self._drop(entry.id, f"can't be put into a message: {error}")
            return None
        if len(message.subject) > LONGEST:
            self._drop(entry.id, f"its names are longer than the {LONGEST:,} characters that the server takes")
            return None
        if expected is not None:
            message.headers.update(wire.expectation(self._board, entry.subject, expected))
        return message


def _lead_with(message: wire.Message, first: wire.Message) -> None:
    """The server checks an entity at a batch's first message about it, against what was there before the batch."""
    for name in (wire.EXPECTED, wire.EXPECTED_OF) if message is not first else ():
        if name in message.headers:
            first.headers[name] = message.headers.pop(name)
