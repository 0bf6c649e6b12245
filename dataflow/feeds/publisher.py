"""The publisher: sends entries to the shared log in order, until each has come back through the feed.

Up to `WINDOW` entries are on their way at once. Whatever is in doubt (no answer in time, the connection lost, an error
that may pass) is sent again with the same id, which the server takes once; then one entry goes at a time until answers
come again. An entry is done when the feed returns it, or when its refusal is final. What may have been sent on an
earlier connection waits until the feed has caught up, since the server forgets ids sooner than an outbox does: so it
is not sent again when it is in the log already.

A guarded entry says which position of its entity the operator saw. If the server holds a later one, the entry waits
until the feed has brought it; where all that came between are this desk's own entries, or nothing that became an
event, the entry is sent again with the new position, else it is stale.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from nats import errors
from nats.aio.msg import Msg

from dataflow.feeds import wire
from dataflow.feeds.connection import Connection
from dataflow.feeds.feed import Refusal
from dataflow.feeds.producer import ANSWER_S, SLOWEST, size
from storage.errors import StorageError
from storage.event import Event

WINDOW = 64
TICK_S = 0.25
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 10.0
_REMEMBERED = 10_000
_STALE = 10071
_TOO_LARGE = 10054
_LAST = re.compile(r"sequence: (\d+)")


class _Answer(msgspec.Struct, gc=False):
    """What the stream says to a message."""

    seq: int = 0
    error: dict[str, Any] | None = None


class _Sent(msgspec.Struct):
    entry: Event
    subject: str
    size: int
    deadline: float


_answers = msgspec.json.Decoder(_Answer)


class Publisher:
    """`refuse` tells of a final refusal; `ids_after` which events about an entity the store holds after a position."""

    def __init__(
        self,
        board: str,
        operator: str,
        refuse: Callable[[Refusal], None],
        ids_after: Callable[[str | None, int], Sequence[str]],
    ) -> None:
        self._board, self._operator = board, operator
        self._refuse, self._ids_after = refuse, ids_after
        self._waiting: dict[str, Event] = {}
        self._queue: deque[Event] = deque()
        self._sent: dict[int, _Sent] = {}
        self._number = 0
        self._own: dict[str, None] = {}
        self._disputed: dict[str, int] = {}
        self._expected: dict[str, int] = {}
        self._cursor = 0
        self._window = WINDOW
        self._failures = 0
        self._pause = 0.0
        self._running = False
        self._wake = asyncio.Event()

    def add(self, entries: Sequence[Event]) -> None:
        """Send these as well, after all others."""
        fresh = [entry for entry in entries if entry.id not in self._waiting]
        self._waiting.update((entry.id, entry) for entry in fresh)
        if self._running:
            self._queue.extend(fresh)
            self._wake.set()

    def returned(self, ids: Sequence[str], cursor: int) -> None:
        """The store holds these events now, and all else up to a position."""
        self._cursor = cursor
        for id in ids:
            if self._waiting.pop(id, None) is not None:
                self._expected.pop(id, None)
        for id, last in list(self._disputed.items()):
            if last <= cursor:
                del self._disputed[id]
                self._settle(id, last)

    def denied(self, subject: str) -> None:
        """The server's permissions do not let us publish on this subject (told in lower case)."""
        for number, sent in list(self._sent.items()):
            if sent.subject.lower() == subject:
                del self._sent[number]
                self._drop(sent.entry.id, f"the server does not let {self._operator} write this; ask for the role")
        self._wake.set()

    async def run(self, connection: Connection, caught_up: asyncio.Event) -> None:
        """Send over this connection until it is lost."""
        if self._waiting:
            await caught_up.wait()
        inbox = await connection.answers(self._answered)
        self._begin()
        tick = _Tick(self._wake)
        try:
            while not connection.lost:
                self._overdue()
                if self._may_send():
                    await self._send(connection, inbox, self._queue.popleft())
                else:
                    self._wake.clear()
                    await self._wake.wait()
        except (errors.Error, OSError):
            return  # the feed makes another connection
        finally:
            tick.stop()
            self._running = False

    def _begin(self) -> None:
        self._queue = deque(self._waiting.values())
        self._sent.clear()
        self._disputed.clear()
        self._window, self._failures, self._pause = WINDOW, 0, 0.0
        self._running = True

    def _may_send(self) -> bool:
        return bool(self._queue) and len(self._sent) < self._window and _now() >= self._pause

    async def _send(self, connection: Connection, inbox: str, entry: Event) -> None:
        if entry.id not in self._waiting:
            return
        try:
            message = wire.encode(self._board, self._operator, entry)
        except (StorageError, ValueError) as error:
            self._drop(entry.id, f"can't be put into a message: {error}")
            return
        limit = connection.client.max_payload
        if size(message) > limit:
            self._drop(entry.id, f"larger than the {limit:,} bytes that the server takes")
            return
        headers = message.headers | self._expectation(entry)
        self._number += 1
        before = sum(sent.size for sent in self._sent.values())
        deadline = _now() + ANSWER_S + (before + size(message)) / SLOWEST
        self._sent[self._number] = _Sent(entry, message.subject, size(message), deadline)
        self._remember(entry.id)
        try:
            await connection.client.publish(message.subject, message.body, f"{inbox}.{self._number}", headers)
        except (errors.BadSubjectError, errors.BadHeaderError, errors.MaxPayloadError) as error:
            del self._sent[self._number]
            self._drop(entry.id, str(error))

    def _expectation(self, entry: Event) -> dict[str, str]:
        expected = self._expected.get(entry.id)
        return {} if expected is None else wire.expectation(self._board, entry.subject, expected)

    def _answered(self, message: Msg) -> None:
        number = int(message.subject.rpartition(".")[2])
        sent = self._sent.get(number)
        if sent is None:
            return
        try:
            answer = _answers.decode(message.data)
        except msgspec.DecodeError:
            answer = _Answer()
        if answer.error is not None:
            self._refused(number, sent.entry, answer.error)
        elif answer.seq == 0:
            self._stumble()
        else:
            self._taken(number, sent.entry, answer.seq)
        self._wake.set()

    def _taken(self, number: int, entry: Event, position: int) -> None:
        """In the log. Where the feed is past that already, it won't come again."""
        del self._sent[number]
        self._failures = 0
        self._window = min(WINDOW, self._window * 2)
        if position <= self._cursor:
            self._waiting.pop(entry.id, None)

    def _refused(self, number: int, entry: Event, error: dict[str, Any]) -> None:
        code, said = error.get("err_code"), str(error.get("description", ""))
        last = _LAST.search(said)
        if code == _STALE and last and entry.expects is not None:
            del self._sent[number]
            self._disputed[entry.id] = int(last[1])
            self.returned((), self._cursor)
        elif code == _TOO_LARGE:
            del self._sent[number]
            self._drop(entry.id, f"the log does not take it: {said}")
        else:
            self._stumble()

    def _settle(self, id: str, last: int) -> None:
        """The feed has brought all that the server knew when it refused a guarded entry."""
        entry = self._waiting.get(id)
        if entry is None:
            return
        between = self._ids_after(entry.subject, entry.expects or 0)
        if id in between:
            self._waiting.pop(id)
            self._expected.pop(id, None)
            return  # the log has it
        if any(each not in self._own for each in between):
            self._drop(id, Refusal.changed(entry).reason, stale=True)
            return
        self._expected[id] = last
        self._queue.appendleft(entry)
        self._wake.set()

    def _drop(self, id: str, reason: str, *, stale: bool = False) -> None:
        self._expected.pop(id, None)
        if self._waiting.pop(id, None) is not None:
            self._refuse(Refusal(id, reason, stale))

    def _overdue(self) -> None:
        first = next(iter(self._sent.values()), None)
        if first is not None and first.deadline < _now():
            self._stumble()

    def _stumble(self) -> None:
        """Send all that is on its way once more, in order, after a pause, one at a time."""
        self._queue.extendleft(self._sent[number].entry for number in sorted(self._sent, reverse=True))
        self._sent.clear()
        self._window = 1
        pause = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2**self._failures)
        self._failures = min(self._failures + 1, 10)
        self._pause = _now() + pause * random.uniform(0.5, 1)

    def _remember(self, id: str) -> None:
        self._own[id] = None
        if len(self._own) > _REMEMBERED:
            del self._own[next(iter(self._own))]


class _Tick:
    """Wakes the publisher now and then, to look at deadlines and pauses: one timer, not one for each message."""

    def __init__(self, wake: asyncio.Event) -> None:
        self._wake = wake
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(TICK_S, self._ring)

    def _ring(self) -> None:
        self._wake.set()
        self._timer = self._loop.call_later(TICK_S, self._ring)

    def stop(self) -> None:
        self._timer.cancel()


def _now() -> float:
    return asyncio.get_running_loop().time()
