"""The entries of this desk that wait for the log, and their pending rows.

State: an entry is *due* once its turn to be shown has come, and *hidden* while another entry that waits withdraws it.
Its row is in the engine while it is due and not hidden, if the board as it is now has such a row. Methods return the
changes to push. Order: pending rows stand after all confirmed ones, in the order in which they were added.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from dataflow.events.schema import Misfit, Schema
from dataflow.zset import Change, Row
from storage.event import Event, LoggedEvent
from storage.identity import Identity, confirms, identity

PROVISIONAL = 1 << 60
"""The first provisional position: above every position that a log will give."""


class _Pending:
    """One entry, at its provisional position. `row` is made when it is first shown."""

    __slots__ = ("due", "entry", "hidden", "position", "row", "shown")

    def __init__(self, entry: Event, position: int) -> None:
        self.entry, self.position = entry, position
        self.row: Row | None = None
        self.due = self.hidden = self.shown = False


class PendingRows:
    """The entries that wait, by id, in the order in which they were made."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._entries: dict[str, _Pending] = {}
        self._queue: deque[_Pending] = deque()
        self._last = PROVISIONAL

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, id: str) -> bool:
        return id in self._entries

    def get(self, id: str) -> Event | None:
        pending = self._entries.get(id)
        return None if pending is None else pending.entry

    def entries(self) -> list[Event]:
        """Return all that wait."""
        return [pending.entry for pending in self._entries.values()]

    @property
    def shown(self) -> int:
        """How many of them are in the views."""
        return sum(pending.shown for pending in self._entries.values())

    @property
    def queued(self) -> bool:
        """Whether some wait for their turn to be shown."""
        return bool(self._queue)

    def add(self, entry: Event) -> list[Change]:
        """Add an entry that is due at once."""
        return self._show([self._put(entry)])

    def queue(self, entries: Iterable[Event]) -> None:
        """Add entries that `show` brings into the views; what is added meanwhile comes after them."""
        self._queue.extend(map(self._put, entries))

    def take_over(self, others: PendingRows) -> list[Event]:
        """Queue all entries of other views, at the same provisional positions. Return them."""
        for other in others._entries.values():
            pending = self._entries[other.entry.id] = _Pending(other.entry, other.position)
            self._queue.append(pending)
        self._last = max(self._last, others._last)
        return others.entries()

    def show(self, count: int) -> list[Change]:
        """Bring so many of those that wait for their turn."""
        due = [self._queue.popleft() for _ in range(min(count, len(self._queue)))]
        return self._show(pending for pending in due if self._entries.get(pending.entry.id) is pending)

    def confirm(self, events: Iterable[LoggedEvent]) -> tuple[list[LoggedEvent], list[Row]]:
        """Take out the entries that are among these events of the log. Return those events, and the rows to retract."""
        confirmed: list[LoggedEvent] = []
        rows: list[Row] = []
        for event in events:
            pending = self._entries.get(event.id)
            if pending is not None and confirms(event, pending.entry):
                confirmed.append(event)
                rows += [row for row, _ in self._remove(pending)]
        return confirmed, rows

    def drop(self, id: str) -> list[Change]:
        """Take out an entry; nothing where it does not wait."""
        pending = self._entries.get(id)
        return [] if pending is None else self._remove(pending)

    def hide(self, target: Identity) -> list[Change]:
        """Keep an entry's row out of the views; nothing where it does not wait."""
        return self._set_hidden(target, True)

    def reveal(self, target: Identity) -> list[Change] | None:
        """Let an entry's row into the views again; None where it does not wait."""
        return self._set_hidden(target, False) if self._find(target) else None

    def _put(self, entry: Event) -> _Pending:
        self._last += 1
        pending = self._entries[entry.id] = _Pending(entry, self._last)
        return pending

    def _find(self, target: Identity) -> _Pending | None:
        pending = self._entries.get(target[0])
        return pending if pending is not None and identity(pending.entry) == target else None

    def _show(self, due: Iterable[_Pending]) -> list[Change]:
        changes: list[Change] = []
        for pending in due:
            pending.due = True
            changes += self._refresh(pending)
        return changes

    def _set_hidden(self, target: Identity, hidden: bool) -> list[Change]:
        pending = self._find(target)
        if pending is None:
            return []
        pending.hidden = hidden
        return self._refresh(pending)

    def _remove(self, pending: _Pending) -> list[Change]:
        del self._entries[pending.entry.id]
        pending.due = False
        return self._refresh(pending)

    def _refresh(self, pending: _Pending) -> list[Change]:
        """Bring an entry's row in or out, as its state asks."""
        wanted = pending.due and not pending.hidden
        if wanted == pending.shown:
            return []
        if pending.row is None:
            try:
                pending.row = self._schema.pending_row(pending.entry, pending.position)
            except Misfit:
                return []
        pending.shown = wanted
        return [(pending.row, 1 if wanted else -1)]
