"""Guards: what is known of the entities that guarded entries wait about.

A guarded entry says which position of its entity the operator saw. It is stale where others have added to the entity
since, else it is sent with the position of the last entry, which the server checks. If the server holds a later one,
the entry waits until the feed has brought it, and is then stale, or is sent again with the new position. In a batch,
the first message about an entity is checked for all of them; nothing can come between those.

Of each entity: where its last entry is, and where the last one that is not this desk's own, as far as the feed has
brought them. From that follow the position that the server is to find, and whether an entry is stale before it is
sent. What the store held when an entry began to wait is looked up once, from the position on that its operator saw;
after that the feed tells. What this operator wrote before the desk was started is the desk's own as well. What devices
say is no entry, and makes none stale.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Container, Iterable, Sequence

import msgspec

from dataflow.devices.sources import is_sourced
from storage.event import Event, LoggedEvent
from storage.mirror import Entry

_REMEMBERED = 10_000

After = Callable[[Collection[str], int], Sequence[Entry]]


class _Entity(msgspec.Struct, gc=False):
    """Positions of the last entry, and of the last one by others; 0: none known. What came after position `told` the
    feed has told; what the store held up to there is of interest after position `seen`.
    """

    seen: int
    cursor: int
    waiting: int = 0
    last: int = 0
    others: int = 0


class Guards:
    """`waiting`: the ids of the desk's own entries that wait; `after` gives what the store holds about entities after a
    position; `stored`: how far it reached when the desk was started. True while guarded entries wait.
    """

    def __init__(self, operator: str, waiting: Container[str], after: After, stored: int) -> None:
        self._operator, self._waiting, self._after, self._stored = operator, waiting, after, stored
        self._entities: dict[str, _Entity] = {}
        self._unread: dict[str, _Entity] = {}
        self._own: dict[str, None] = {}

    def __bool__(self) -> bool:
        return bool(self._entities)

    @property
    def has_unread(self) -> bool:
        """Whether `look_back` has something to look up."""
        return bool(self._unread)

    def watch(self, entries: Iterable[Event], cursor: int) -> None:
        """These wait from now on, when the feed has brought all up to `cursor`; only the guarded ones matter."""
        for entry in entries:
            if entry.expects is not None:
                seen, name = max(entry.expects, entry.seen or 0), entry.subject or ""
                entity = self._entities.setdefault(name, _Entity(seen, cursor))
                entity.waiting += 1
                if seen < entity.cursor and (entity.waiting == 1 or seen < entity.seen):
                    entity.seen = seen
                    self._unread[name] = entity

    def release(self, entry: Event) -> None:
        """It waits no more."""
        entity = self._entities.get(entry.subject or "")
        if entry.expects is not None and entity is not None:
            entity.waiting -= 1
            if not entity.waiting:
                del self._entities[entry.subject or ""]

    def mark_own(self, entries: Iterable[Event]) -> None:
        """Remember that these are the desk's own."""
        self._own.update((entry.id, None) for entry in entries)
        while len(self._own) > _REMEMBERED:
            del self._own[next(iter(self._own))]

    def observe(self, events: Iterable[LoggedEvent]) -> None:
        """The feed has brought these, each for the first time, and the store holds them."""
        if self._entities:
            for event in events:
                if not is_sourced(event):
                    self._note(event.position, event.id, event.subject, event.authid, stored=False)

    async def look_back(self) -> list[str]:
        """Look up what the store already held that the operator had not seen; the ids. Reads in a thread."""
        unread, self._unread = self._unread, {}
        entries = await asyncio.to_thread(self._after, unread, min(entity.seen for entity in unread.values()))
        for position, id, subject, author in entries:
            if position <= unread[subject or ""].cursor:
                self._note(position, id, subject, author, stored=position <= self._stored)
        return [id for _, id, _, _ in entries]

    def is_stale(self, entry: Event) -> bool:
        """Whether others have added to its entity since its operator saw it."""
        entity = self._entities.get(entry.subject or "")
        return entity is not None and entity.others > (entry.expects or 0)

    def find_expected(self, entry: Event) -> int:
        """Where the server is to find the entity's last entry: this desk's own make nothing stale."""
        entity = self._entities.get(entry.subject or "")
        return max(entry.expects or 0, entity.last if entity is not None else 0)

    def note_last(self, entry: Event, last: int) -> None:
        """The server says where the last message about the entity is; the feed has brought all up to there."""
        entity = self._entities.get(entry.subject or "")
        if entity is not None:
            entity.last = max(entity.last, last)

    def _note(self, position: int, id: str, subject: str | None, author: str | None, *, stored: bool) -> None:
        """`stored`: the store had it when the desk was started."""
        entity = self._entities.get(subject or "")
        if entity is not None:
            entity.last = max(entity.last, position)
            own = stored or id in self._waiting or id in self._own
            if author != self._operator or not own:
                entity.others = max(entity.others, position)
