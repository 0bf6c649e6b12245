"""What the views do not hold although it is in the log, or waits to be: by the log's withdrawals, and by entries that
withdraw something and still wait.

Such an entry takes effect at once, and what it withdraws comes back if it is refused, or if the log finds it without
effect; where several entries withdraw the same, with the last of them. What the log has withdrawn stays out. An own
entry that itself still waits is hidden among the pending rows. Nothing is pushed: methods return the changes to push.
`position` is always how far the views are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dataflow.events.schema import Misfit, Schema
from dataflow.events.withdrawals import OnObjection, Withdrawals, reference
from dataflow.views.pending_rows import PendingRows
from dataflow.zset import Change, Row
from storage.event import WITHDRAWN, Event, LoggedEvent
from storage.identity import Identity, identity
from storage.log import EventLog


class WithdrawnRows:
    """`absent` is what is to be left out when it comes."""

    def __init__(self, log: EventLog, schema: Schema, pending: PendingRows, on_objection: OnObjection) -> None:
        self.absent: set[Identity] = set()
        self._withdrawals = Withdrawals(log, frozenset(schema.board.admins), on_objection)
        self._log, self._schema, self._pending = log, schema, pending
        self._by: dict[Identity, set[str]] = {}
        self._targets: dict[str, Identity] = {}

    def identities(self) -> frozenset[Identity]:
        """Return all that is withdrawn now."""
        return frozenset(self._withdrawals.gone.union(self._by))

    def find(self, id: str) -> list[Event]:
        """Return the events with an id: the entry that waits, then those of the log in its order, also where the views
        are not so far yet.
        """
        waiting = self._pending.get(id)
        return [*([] if waiting is None else [waiting]), *self._log.find([id])]

    def objection(self, author: str, id: str, target: Event | None) -> str | None:
        """Return why an operator may not withdraw what has this id now; `target` is what was found of it."""
        if target is None:
            return f"there is no event `{id}` here"
        if identity(target) in self._withdrawals.gone or identity(target) in self._by:
            return "it is withdrawn already"
        return self._withdrawals.objection(author, target)

    def look_ahead(self, position: int, until: int) -> tuple[list[LoggedEvent], list[Change]]:
        """Judge all withdrawals of the log up to `until`. Return what they withdraw, and the changes to what the views
        hold of that already.
        """
        gone = self._withdrawals.judge(self._withdrawals.coming(until), until)
        self.absent.update(identity(event) for event in gone if event.position > position)
        return gone, self._retract(gone, position)

    def judge(self, came: Sequence[LoggedEvent], before: int, position: int) -> tuple[list[LoggedEvent], list[Change]]:
        """Judge withdrawals of the log that came after position `before`, also where one of them has waited as an
        entry. Return what they withdraw, and the changes to what the views held of that before.
        """
        gone = self._withdrawals.judge(came)
        changes = self._retract(gone, before)
        for event in came:
            changes += self.release(event.id, position)
        return gone, changes

    def withhold(self, entries: Iterable[Event], position: int) -> list[Change]:
        """Let those of some entries that are withdrawals take effect while they wait."""
        changes: list[Change] = []
        for entry in entries:
            target = self._target(entry) if entry.type == WITHDRAWN else None
            if target is None or identity(target) in self._withdrawals.gone:
                continue
            self._targets[entry.id] = identity(target)
            others = self._by.setdefault(identity(target), set())
            others.add(entry.id)
            if len(others) == 1:
                changes += self._take_out(target, position)
        return changes

    def release(self, entry: str, position: int) -> list[Change]:
        """Note that an entry, by its id, waits no more. What it alone withdrew comes back, unless the log has withdrawn
        it.
        """
        target = self._targets.pop(entry, None)
        others = self._by.get(target) if target is not None else None
        if target is None or others is None:
            return []
        others.discard(entry)
        if others:
            return []
        del self._by[target]
        return [] if target in self._withdrawals.gone else self._bring_back(target, position)

    def rows(self, event: Event) -> list[Row]:
        """Return the event's row; none where it does not fit."""
        try:
            return [self._schema.row(event)]
        except Misfit:
            return []

    def _target(self, entry: Event) -> Event | None:
        """Return what an entry withdraws if it may: an event of the log, or an own entry that waits."""
        meant = reference(entry)
        target = None if meant is None else meant.choose(entry.authid, self.find(meant.id))
        return None if target is None or self._withdrawals.objection(entry.authid, target) else target

    def _take_out(self, target: Event, position: int) -> list[Change]:
        if isinstance(target, LoggedEvent) and target.position <= position:
            return [(row, -1) for row in self.rows(target)]
        self.absent.add(identity(target))
        return self._pending.hide(identity(target))

    def _bring_back(self, target: Identity, position: int) -> list[Change]:
        self.absent.discard(target)
        revealed = self._pending.reveal(target)
        if revealed is not None:
            return revealed
        event = next((event for event in self._log.find([target[0]]) if identity(event) == target), None)
        if event is None or event.position > position:
            return []
        return [(row, 1) for row in self.rows(event)]

    def _retract(self, gone: Iterable[LoggedEvent], until: int) -> list[Change]:
        shown = (event for event in gone if event.position <= until and identity(event) not in self._by)
        return [(row, -1) for event in shown for row in self.rows(event)]
