"""What needs attention: entries that the log refused, messages that are no events, events that do not fit the board.

Refused entries and messages are in the store's quarantine, and stay there when they are settled. Misfits are events of
the log; they are found as the log is read, and the store remembers which of them were dismissed: their keys here are
negative positions. What happened to a refused entry's entity since its operator saw it is read from the log in slices.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence

from dataflow.desk.event_text import describe_event
from dataflow.events.schema import Schema
from dataflow.session import Attention, EntryRefused, Meanwhile, Problem
from storage.cloudevents import decode
from storage.database import Database
from storage.errors import CloudEventError
from storage.event import Event
from storage.log import EventLog
from storage.quarantine import Quarantined

LISTED = 1000
MEANWHILE = 200
SLICE = 4000
"""Positions of the log that are looked through at once for one entity: about 2 ms."""


class AttentionList:
    """The list of one desk. `changed` is called when its length may be another one."""

    def __init__(self, database: Database, changed: Callable[[], None]) -> None:
        self._database, self._quarantine = database, database.quarantine
        self._changed = changed
        self._closed = False
        self._story = _Story(None)
        self._dismissed = self._quarantine.dismissed_positions()
        self._open = self._quarantine.count()

    def count(self, misfits: Collection[Attention]) -> int:
        """How many items there are."""
        if not self._dismissed:
            return self._open + len(misfits)
        return self._open + sum(-item.key not in self._dismissed for item in misfits)

    def recount(self) -> None:
        """Look into the store; another process may have added to it."""
        self._open = self._quarantine.count()

    def list(self, schema: Schema, misfits: Iterable[Attention]) -> list[Attention]:
        """Entries first, then messages, then misfits; each newest first."""
        stored = [attention(schema, item) for item in self._quarantine.list(LISTED)]
        return [*stored, *(item for item in misfits if -item.key not in self._dismissed)]

    def raw(self, key: int, misfits: Iterable[Attention]) -> str:
        """All of what came."""
        if key < 0:
            return next((item.text for item in misfits if item.key == key), "")
        return self._quarantine.text(key).decode(errors="replace")

    def entry(self, key: int) -> Event:
        """A refused entry that is open. Raises `EntryRefused` where there is none any more."""
        found = self._quarantine.entry(key)
        if found is None:
            raise EntryRefused([Problem(None, "this was dealt with already, perhaps in another window")])
        return decode(found.text)

    async def dismiss(self, keys: Sequence[int]) -> None:
        """They need no attention any more."""
        positions = [-key for key in keys if key < 0]
        kept = [self._quarantine.dismiss([key for key in keys if key >= 0])]
        if positions:
            kept.append(self._quarantine.dismiss_positions(positions))
        await asyncio.gather(*map(asyncio.wrap_future, kept))
        self._dismissed.update(positions)
        self.note_settled()

    async def restore(self, keys: Sequence[int]) -> None:
        """What was dismissed is there again."""
        positions = [-key for key in keys if key < 0]
        kept = [self._quarantine.restore([key for key in keys if key >= 0])]
        if positions:
            kept.append(self._quarantine.restore_positions(positions))
        await asyncio.gather(*map(asyncio.wrap_future, kept))
        self._dismissed.difference_update(positions)
        self.note_settled()

    def note_added(self) -> None:
        """Note that a refused entry is in the store now, where a tick may have counted it already."""
        self.recount()
        self._changed()

    def note_settled(self) -> None:
        """Note that some items are there no more, or again."""
        if not self._closed:
            self.recount()
            self._changed()

    def close(self) -> None:
        """Look into the store no more: it is about to be closed."""
        self._closed = True

    async def meanwhile(self, schema: Schema, entry: Event, until: int) -> Meanwhile:
        """What happened to an entry's entity since its operator saw it, up to position `until`."""
        story = self._story if self._story.id == entry.id else _Story(entry)
        while story.after < until:
            story.read(self._database.log, min(story.after + SLICE, until))
            await asyncio.sleep(0)
        self._story = story
        events = tuple(describe_event(schema, event) for event in story.events)
        return Meanwhile(until=story.after, events=events, earlier=story.count - len(events))


class _Story:
    """What happened to one entity after a position, as far as the log was read. It is read on when asked again."""

    def __init__(self, entry: Event | None) -> None:
        self.id = entry.id if entry else ""
        self.after = max(entry.expects or 0, entry.seen or 0) if entry else 0
        self.events: deque[Event] = deque(maxlen=MEANWHILE)
        self.count = 0
        self._subject = entry.subject if entry else None

    def read(self, log: EventLog, until: int) -> None:
        found = log.about(self._subject, self.after, until)
        self.count += len(found)
        self.events.extend(found)
        self.after = until


def attention(schema: Schema, item: Quarantined) -> Attention:
    """A quarantined item as people read it."""
    text = item.text.decode(errors="replace")
    event = _decoded(item) if item.kind == "entry" else None
    return Attention(
        key=item.key or 0, time=item.time, reason=item.reason, text=text, origin=item.origin, stale=item.stale,
        kind="message" if event is None else "entry", entry=None if event is None else describe_event(schema, event),
    )  # fmt: skip


def _decoded(item: Quarantined) -> Event | None:
    """None for an entry of an older version that was cut: it is shown as a message is."""
    try:
        return decode(item.text)
    except CloudEventError:
        return None
