"""The end of a shared log, as it was written last: who follows the log need not read from the disk what was just there.

Invariant: a stretch holds every event of the log that is after `after` and up to `until`, in order. So it may only be
added by who writes the log alone, in a transaction that has been committed.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from storage.event import LoggedEvent

STRETCHES = 8
"""That many are kept: an eighth of a second of a busy board, or the last batches of a desk that catches up."""

LARGEST = 4 * 2**20
"""Bytes of data in one of them: large events are read from the disk."""


class Stretch(NamedTuple):
    after: int
    until: int
    events: Sequence[LoggedEvent]


class Recent:
    """Written by one thread, read by any."""

    def __init__(self) -> None:
        self._stretches: tuple[Stretch, ...] = ()

    def add(self, stretch: Stretch) -> None:
        if sum(len(event.data) for event in stretch.events) <= LARGEST:
            self._stretches = (*self._stretches[1 - STRETCHES :], stretch)

    def chunk(self, after: int, until: int, most: int) -> list[LoggedEvent]:
        """Return the events after a position and up to another, `most` at the most; none if they are not held."""
        events: list[LoggedEvent] = []
        for stretch in self._stretches:
            if stretch.after <= after < stretch.until:
                begin = bisect_right(stretch.events, after, key=_position)
                end = bisect_right(stretch.events, until, lo=begin, key=_position)
                events += stretch.events[begin : min(end, begin + most - len(events))]
                if len(events) == most or until <= stretch.until:
                    break
                after = stretch.until
        return events


def _position(event: LoggedEvent) -> int:
    return event.position
