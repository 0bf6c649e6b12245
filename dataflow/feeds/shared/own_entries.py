"""This desk's own entries on their way: when each comes back is told to whoever measures."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from time import perf_counter
from typing import TYPE_CHECKING

from dataflow.feeds.feed import OnReturn
from storage.event import Event
from storage.identity import confirms

if TYPE_CHECKING:
    from dataflow.feeds.shared.receiver import Received


class OwnEntries:
    """Entries that were sent and have not come back."""

    def __init__(self) -> None:
        self._entries: dict[str, Event] = {}

    def add(self, entries: Iterable[Event]) -> None:
        """These are on their way from now on."""
        self._entries.update((entry.id, entry) for entry in entries)

    def remove(self, id: str) -> None:
        """It will not come back."""
        self._entries.pop(id, None)

    def match_received(self, received: Received, on_return: OnReturn) -> None:
        """Remove those that are among what was received, and call `on_return` with the time when each came."""
        if not self._entries or self._entries.keys().isdisjoint([event.id for event in received.events]):
            return
        heard = {delivered.sequence: delivered.heard for delivered in received.batch}
        ahead = perf_counter() - asyncio.get_running_loop().time()
        for event in received.events:
            if event.id in self._entries and confirms(event, self._entries[event.id]):
                del self._entries[event.id]
                on_return(event.id, heard[event.position] + ahead)
