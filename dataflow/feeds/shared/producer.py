"""Events by the hundred for a shared log: a machine that tells what it sees, a recording that is told again.

JetStream's atomic batches: a batch of messages is in the log whole or not at all, and the server calls fsync once for
it, where single messages cost an fsync each. Where a batch is refused or not answered, its messages are sent one by
one; the server knows the ids that it has seen, so what went through is not in the log twice. Operators' entries go by
`publisher.py`, not here.
Source: NATS ADR-50 (JetStream Batch Publishing); server 2.12 and newer, one fsync a batch from 2.15.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import msgspec

from dataflow.nats import wire

if TYPE_CHECKING:
    from nats.aio.client import Client

    from storage.event import Event

LARGEST = 1000
"""Messages of one batch: the server's limit."""

ANSWER_S = 5.0
SLOWEST = 16 * 1024
"""Bytes a second of the slowest line that answers are waited for on."""

ATTEMPTS = 3
PAUSE_S = 0.1
_TOO_MANY = 429
_ID, _SEQUENCE, _COMMIT = "Nats-Batch-Id", "Nats-Batch-Sequence", "Nats-Batch-Commit"


class NotTaken(Exception):
    """The log does not take an event; `str` says why."""


class Answer(msgspec.Struct, gc=False):
    """What the stream says to a message, or to the last one of a batch."""

    seq: int = 0
    error: dict[str, Any] | None = None


answers = msgspec.json.Decoder(Answer)


def answer_s(messages: Iterable[wire.Message]) -> float:
    """How long to wait for an answer to the last of these: they go over the line before it comes."""
    return ANSWER_S + sum(map(size, messages)) / SLOWEST


def size(message: wire.Message) -> int:
    """Bytes of a message with its headers, as the server counts them; the subject beside."""
    return len(message.body) + sum(len(name) + len(text) + 4 for name, text in message.headers.items())


def batched(messages: Sequence[wire.Message]) -> list[wire.Message]:
    """The messages as one batch, at most `LARGEST`. Only the last one is answered."""
    name = uuid4().hex
    batch = [
        wire.Message(message.subject, message.headers | {_ID: name, _SEQUENCE: str(number)}, message.body)
        for number, message in enumerate(messages, 1)
    ]
    batch[-1].headers[_COMMIT] = "1"
    return batch


class Producer:
    """Writes to one board's log under one name, over a connection of the caller's. One `send` at a time."""

    def __init__(self, client: Client, board: str, author: str) -> None:
        self._client, self._board, self._author = client, board, author

    async def send(self, events: Sequence[Event]) -> None:
        """Until the log holds them all, each once. Raises NotTaken, and nats' errors where no server answers."""
        from nats.errors import TimeoutError

        for start in range(0, len(events), LARGEST):
            messages = [wire.encode(self._board, self._author, event) for event in events[start : start + LARGEST]]
            with suppress(TimeoutError):
                if (await self._ask(batched(messages))).error is None:
                    continue
            await self._send_singly(messages)

    async def _send_singly(self, messages: Sequence[wire.Message]) -> None:
        """A batch is refused for one message of it: the log holds it, or does not take it, or takes no batches."""
        from nats.errors import TimeoutError

        for message in messages:
            for attempt in range(ATTEMPTS):
                try:
                    error = await self._error(message)
                    break
                except TimeoutError:
                    if attempt + 1 == ATTEMPTS:
                        raise
            if error is not None:
                raise NotTaken(f"{message.subject}: {error.get('description', 'no reason given')}")

    async def _error(self, message: wire.Message) -> dict[str, Any] | None:
        """Why the log does not take a message. Where too many wait for it, this one waits, too."""
        while True:
            error = (await self._ask([message])).error
            if error is None or error.get("code") != _TOO_MANY:
                return error
            await asyncio.sleep(PAUSE_S)

    async def _ask(self, messages: Sequence[wire.Message]) -> Answer:
        *others, last = messages
        for message in others:
            await self._client.publish(message.subject, message.body, headers=message.headers)
        reply = await self._client.request(
            last.subject, last.body, headers=last.headers, timeout=answer_s(messages)
        )
        return answers.decode(reply.data)
