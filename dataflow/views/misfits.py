"""Misfits: the events of the log that do not fit the board's declared fields, and withdrawals without effect."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator

from dataflow.session import Attention
from storage.event import LoggedEvent

KEPT = 1000
"""Of more, the newest are known."""
SHOWN = 100_000
"""Bytes of an event that does not fit that are kept to be shown; the log has all."""


class Misfits(Collection[Attention]):
    """Iterates by position, the newest first, in whatever order they were found: withdrawals are judged after the
    events among which they come. The key of each is its negative position.
    """

    def __init__(self) -> None:
        self._items: deque[Attention] = deque(maxlen=KEPT)

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, item: object) -> bool:
        return item in self._items

    def __iter__(self) -> Iterator[Attention]:
        return iter(sorted(self._items, key=_key))

    def add(self, event: LoggedEvent, reason: str) -> None:
        text = f"{event.type} {event.data[:SHOWN].decode(errors='replace')}"
        at = event.position
        item = Attention(key=-at, time=event.time, reason=reason, text=text, origin=f"position {at}", kind="misfit")
        self._items.appendleft(item)

    def remove(self, event: LoggedEvent) -> None:
        """Forget an event: it is withdrawn."""
        for item in [item for item in self._items if item.key == -event.position]:
            self._items.remove(item)


def _key(item: Attention) -> int:
    return item.key
