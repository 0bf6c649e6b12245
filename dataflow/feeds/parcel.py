"""Parcels: what is sent to the shared log at once and answered once. One entry, or a batch of entries that the log
takes whole or not at all.

A batch is worth one fsync of the server's, a message alone is worth one as well: many entries go in batches. A guarded
entry goes alone, since a batch would be refused for it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Container

import msgspec

from dataflow.feeds import wire
from dataflow.feeds.producer import batched, size
from storage.errors import StorageError
from storage.event import Event

MOST = 256
"""Entries of one batch: encoding them takes about 3 ms of the loop's time."""
FEW = 8
"""Fewer than these go alone: the first one is not held up until the last one has been sent."""
LARGEST = 128 * 1024
"""Bytes of one batch."""
LONGEST = 3900
"""Characters of a subject. The server ends a connection on which a line has more than 4,096."""
_HEADERS = 128
"""Bytes that being in a batch adds to a message, at the most."""


class Parcel(msgspec.Struct, gc=False):
    """Messages, the entry of each, their bytes, and until when (in the loop's time) an answer is waited for."""

    entries: list[Event]
    messages: list[wire.Message]
    size: int = 0
    deadline: float = 0.0

    @property
    def batch(self) -> bool:
        return len(self.entries) > 1


class Packer:
    """Makes parcels. What can't be put into a message is dropped, with the reason."""

    def __init__(self, board: str, operator: str, drop: Callable[[str, str], None]) -> None:
        self._board, self._operator, self._drop = board, operator, drop

    def one(self, entry: Event, limit: int, expectation: dict[str, str]) -> Parcel | None:
        """`limit`: the bytes that the server takes; `expectation`: the headers that are not as the entry has them."""
        message = self._message(entry)
        if message is None:
            return None
        if size(message) > limit:
            self._drop(entry.id, f"larger than the {limit:,} bytes that the server takes")
            return None
        headers = message.headers | expectation
        return Parcel([entry], [wire.Message(message.subject, headers, message.body)], size(message))

    def many(
        self, queue: deque[Event], waiting: Container[str], limit: int, joins: Callable[[Event], bool]
    ) -> Parcel:
        """From the head of the queue as long as entries join, and as much as a batch may hold; it may be empty.

        Those that wait no more are left out.
        """
        entries: list[Event] = []
        messages: list[wire.Message] = []
        taken = 0
        while queue and len(entries) < MOST and joins(queue[0]):
            message = self._message(queue[0]) if queue[0].id in waiting else None
            if message is not None:
                more = size(message) + _HEADERS
                if taken + more > min(LARGEST, limit):
                    break
                taken += more
                entries.append(queue[0])
                messages.append(message)
            queue.popleft()
        return Parcel(entries, batched(messages) if len(messages) > 1 else messages, taken)

    def _message(self, entry: Event) -> wire.Message | None:
        try:
            message = wire.encode(self._board, self._operator, entry)
        except (StorageError, ValueError) as error:
            self._drop(entry.id, f"can't be put into a message: {error}")
            return None
        if len(message.subject) > LONGEST:
            self._drop(entry.id, f"its names are longer than the {LONGEST:,} characters that the server takes")
            return None
        return message
