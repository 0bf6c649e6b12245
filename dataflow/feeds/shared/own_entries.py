"""This desk's own entries on their way: when each comes back is told to whoever measures."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from time import perf_counter
from typing import TYPE_CHECKING

from storage.event import Event
from storage.identity import confirms

if TYPE_CHECKING:
    from dataflow.feeds.shared.receiver import Received


class Own:
    """`told(id, at)` is called for each that comes back: when it came, on `perf_counter`."""

    def __init__(self) -> None:
        self.told: Callable[[str, float], None] = _nobody
        self._ids: dict[str, Event] = {}

    def sent(self, entries: Iterable[Event]) -> None:
        self._ids.update((entry.id, entry) for entry in entries)

    def forget(self, id: str) -> None:
        """It will not come back."""
        self._ids.pop(id, None)

    def look(self, received: Received) -> None:
        """Are some of them among what was received?"""
        if not self._ids or self._ids.keys().isdisjoint([event.id for event in received.events]):
            return
        heard = {delivered.sequence: delivered.heard for delivered in received.batch}
        ahead = perf_counter() - asyncio.get_running_loop().time()
        for event in received.events:
            if event.id in self._ids and confirms(event, self._ids[event.id]):
                del self._ids[event.id]
                self.told(event.id, heard[event.position] + ahead)


def _nobody(_: str, __: float) -> None:
    """Nobody measures."""
