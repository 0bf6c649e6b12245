"""A shared log in memory, by the rules of JetStream that the publisher relies on; pure, for the virtual loop.

It knows message ids, checks the position that a guarded entry expects, takes a batch whole or not at all, and brings
what it holds to one publisher as a feed would. Troubles are spans of time: `mute` (it takes, and says nothing),
`refuse` (it takes nothing, and says why) and `nobody` (no one answers for the stream).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from types import SimpleNamespace
from typing import NamedTuple

import msgspec

from dataflow.feeds.shared.publisher import Publisher
from dataflow.nats import subjects, wire
from storage.errors import CloudEventError
from storage.event import Event

BOARD = "b"
LINE_S = 0.01
"""One way to the server, or back."""
_BATCH, _COMMIT = "Nats-Batch-Id", "Nats-Batch-Commit"
_STALE, _NOT_UNIQUE, _FULL, _TOO_LARGE = 10071, 10201, 10077, 10054


class Trouble(NamedTuple):
    """From one time of the loop to another."""

    kind: str
    begin: float
    end: float


class Connection:
    """To the log, until it is `cut`. `sent` are the headers and subject of each message, in order."""

    def __init__(self, log: FakeLog) -> None:
        self.client = self
        self.max_payload = log.max_payload
        self.lost, self.last_error = False, None
        self.sent: list[wire.Message] = []
        self._log = log
        self._answered = None
        self._going: deque[tuple[wire.Message, str]] = deque()
        self._coming: deque[tuple[str, bytes]] = deque()

    async def answers(self, answered) -> str:
        self._answered = answered
        return "_INBOX.x"

    async def publish(self, subject: str, body: bytes, reply: str = "", headers: dict[str, str] | None = None) -> None:
        self.sent.append(wire.Message(subject, dict(headers or {}), body))
        self._going.append((self.sent[-1], reply))
        asyncio.get_running_loop().call_later(LINE_S, self._arrive)

    def cut(self) -> None:
        """What is on its way, to or fro, is lost."""
        self.lost = True

    def _arrive(self) -> None:
        """The next one: timers of the same moment ring in no order."""
        message, reply = self._going.popleft()
        answer = None if self.lost else self._log.take(message, self)
        if reply and answer is not None:
            self._coming.append((reply, answer))
            asyncio.get_running_loop().call_later(LINE_S, self._answer)

    def _answer(self) -> None:
        subject, data = self._coming.popleft()
        if not self.lost and self._answered is not None:
            self._answered(SimpleNamespace(subject=subject, data=data))


class FakeLog:
    """`publisher` is told what is in the log `return_s` seconds after it came there."""

    def __init__(self, operator: str = "amy", return_s: float = 0.02, troubles: Sequence[Trouble] = ()) -> None:
        self.messages: list[wire.Message] = []
        self.troubles = list(troubles)
        self.max_payload = 2**20
        self.denied: set[str] = set()
        self.too_large: set[str] = set()
        self.takes_batches = True
        self.returned = 0
        self.refusals, self.notices = [], []
        self._return_s = return_s
        self._known: dict[str, int] = {}
        self._batch: list[wire.Message] = []
        self.publisher = Publisher(
            BOARD, operator, self.refusals.append, self.notices.append, self.entries_after, 0, self.find
        )

    @property
    def last(self) -> int:
        return len(self.messages)

    def events(self) -> list[Event]:
        """What a feed makes of the messages; what is none is left out."""
        return [event for at in range(self.last) if (event := self._event(at + 1)) is not None]

    def find(self, id: str) -> list[Event]:
        return [event for event in self.events() if event.id == id and event.position <= self.returned]

    def entries_after(self, entities, position: int) -> list[tuple[int, str, str | None, str | None]]:
        return [
            (event.position, event.id, event.subject, event.authid)
            for event in self.events()
            if position < event.position <= self.returned and (event.subject or "") in entities
        ]

    def write(self, operator: str, event: Event, body: bytes | None = None) -> None:
        """Somebody else's message."""
        message = wire.encode(BOARD, operator, event)
        self._store(message if body is None else msgspec.structs.replace(message, body=body))

    def bring(self, until: int) -> None:
        """The feed has brought all up to this position."""
        fresh = [event for at in range(self.returned + 1, until + 1) if (event := self._event(at)) is not None]
        if until > self.returned:
            self.returned = until
            self.publisher.confirm(fresh, until)

    def take(self, message: wire.Message, connection: Connection) -> bytes | None:
        """What the server answers; None: nothing."""
        if message.subject in self.denied:
            connection.last_error = PermissionError(message.subject)
            self.publisher.deny(message.subject.lower())
            return None
        trouble = self._trouble()
        if _BATCH in message.headers:
            self._batch.append(message)
            if _COMMIT not in message.headers:
                return None
            messages, self._batch = self._batch, []
            whole = len(messages) == int(message.headers["Nats-Batch-Sequence"])
            answer = self._take_batch(messages) if whole and trouble not in ("refuse", "nobody") else None
        else:
            messages = [message]
            answer = self._take_one(message) if trouble not in ("refuse", "nobody") else None
        if trouble == "mute":
            return None
        if trouble == "nobody":
            return b""
        return answer or _error(_FULL, "maximum messages exceeded")

    def _trouble(self) -> str:
        now = asyncio.get_running_loop().time()
        return next((each.kind for each in self.troubles if each.begin <= now < each.end), "")

    def _take_batch(self, messages: list[wire.Message]) -> bytes:
        if not self.takes_batches or any(message.headers[wire.MESSAGE_ID] in self._known for message in messages):
            return _error(_NOT_UNIQUE, "atomic publish contains duplicate message id")
        if any(self._is_stale(message) is not None for message in messages):
            return _error(_STALE, "wrong last sequence: 0")
        if any(message.subject in self.too_large for message in messages):
            return _error(_TOO_LARGE, "message size exceeds maximum allowed")
        for message in messages:
            self._store(message)
        return msgspec.json.encode({"seq": self.last})

    def _take_one(self, message: wire.Message) -> bytes:
        if (known := self._known.get(message.headers[wire.MESSAGE_ID])) is not None:
            return msgspec.json.encode({"seq": known, "duplicate": True})
        if message.subject in self.too_large:
            return _error(_TOO_LARGE, "message size exceeds maximum allowed")
        if (last := self._is_stale(message)) is not None:
            return _error(_STALE, f"wrong last sequence: {last}")
        self._store(message)
        return msgspec.json.encode({"seq": self.last})

    def _is_stale(self, message: wire.Message) -> int | None:
        """The entity's last position, where the message expects another."""
        if wire.EXPECTED not in message.headers:
            return None
        entity = message.headers[wire.EXPECTED_OF].removesuffix(">")
        at = [number for number, each in enumerate(self.messages, 1) if each.subject.startswith(entity)]
        last = at[-1] if at else 0
        return None if last == int(message.headers[wire.EXPECTED]) else last

    def _store(self, message: wire.Message) -> None:
        self.messages.append(message)
        self._known[message.headers[wire.MESSAGE_ID]] = self.last
        asyncio.get_running_loop().call_later(self._return_s, self.bring, self.last)

    def _event(self, position: int) -> Event | None:
        message = self.messages[position - 1]
        try:
            return wire.decode(BOARD, message.subject, message.headers, message.body, position)
        except CloudEventError:
            return None


def own(log: FakeLog, operator: str = "amy") -> list[str]:
    """The ids of what an operator has in the log, in its order."""
    return [event.id for event in log.events() if event.authid == operator]


def entity_of(message: wire.Message) -> str | None:
    return subjects.decode(BOARD, message.subject).entity


def _error(code: int, description: str) -> bytes:
    return msgspec.json.encode({"error": {"code": 400, "err_code": code, "description": description}})
