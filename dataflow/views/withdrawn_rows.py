"""What one floor's views do not hold although it is in the log, or waits to be: by the log's withdrawals, and by
entries that withdraw something and still wait.

Such an entry takes effect at once, and what it withdraws comes back if it is refused, or if the log finds it without
effect; where several entries withdraw the same, with the last of them. What the log has withdrawn stays out. An own
entry that itself still waits has its pending row kept aside here. Nothing is pushed: methods give the changes to push.
`position` is always how far the views are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from dataflow.events.schema import Misfit, Schema
from dataflow.events.withdrawals import Objected, Reference, Withdrawals, reference
from dataflow.zset import Change, Row
from storage.event import Event, LoggedEvent
from storage.identity import Identity, identity
from storage.log import EventLog


class Withheld:
    """`absent` is what is to be left out when it comes; `pending` maps the ids of entries that wait to their rows."""

    def __init__(self, log: EventLog, schema: Schema, objected: Objected) -> None:
        self.withdrawals = Withdrawals(log, frozenset(schema.board.admins), objected)
        self.absent: set[Identity] = set()
        self.pending: dict[str, Row | None] = {}
        self._log, self._schema = log, schema
        self._by: dict[Identity, set[str]] = {}
        self._targets: dict[str, Identity] = {}
        self._aside: dict[Identity, Row] = {}

    def __contains__(self, event: Event) -> bool:
        return identity(event) in self.withdrawals.gone or identity(event) in self._by

    def all(self) -> frozenset[Identity]:
        """All of them, as they are now."""
        return frozenset(self.withdrawals.gone.union(self._by))

    def find(self, id: str) -> list[LoggedEvent]:
        """The events of the log with an id, in its order, also where the views are not so far yet."""
        return self._log.find([id])

    def objection(self, author: str, id: str, target: Event | None) -> str | None:
        """Why an operator may not withdraw what has this id now; `target` is what was found of it."""
        if target is None:
            return f"there is no event `{id}` here"
        if target in self:
            return "it is withdrawn already"
        return self.withdrawals.objection(author, target)

    def look_ahead(
        self, coming: Sequence[LoggedEvent], position: int, until: int
    ) -> tuple[list[LoggedEvent], list[Change]]:
        """What the log withdraws up to `until`, and the changes to what the views hold of that already. `coming`: all
        withdrawals up to there that are not judged yet.
        """
        gone = self.withdrawals.judge(coming, until)
        self.absent.update(identity(event) for event in gone if event.position > position)
        return gone, self._undone(gone, position)

    def judge(
        self, withdrawals: Iterable[LoggedEvent], before: int, position: int
    ) -> tuple[list[LoggedEvent], list[Change]]:
        """What withdrawals of the log withdraw that came after position `before`, and the changes to what the views
        held of that before; also where one of them has waited as an entry.
        """
        came = list(withdrawals)
        gone = self.withdrawals.judge(came)
        changes = self._undone(gone, before)
        for event in came:
            changes += self.release(event.id, position)
        return gone, changes

    def withhold(self, entries: Iterable[Event], own: Mapping[str, Event], position: int) -> list[Change]:
        """These withdrawals wait as entries from now on. `own`: all entries that wait."""
        changes: list[Change] = []
        for entry in entries:
            target = self._meant(reference(entry), entry.authid, own)
            if target is None or self.withdrawals.objection(entry.authid, target):
                continue
            if identity(target) in self.withdrawals.gone:
                continue
            self._targets[entry.id] = identity(target)
            others = self._by.setdefault(identity(target), set())
            others.add(entry.id)
            if len(others) == 1:
                changes += self._take_out(target, position)
        return changes

    def release(self, entry: str, position: int) -> list[Change]:
        """An entry, by its id, waits no more. What it alone withdrew comes back, unless the log has withdrawn it."""
        target = self._targets.pop(entry, None)
        others = self._by.get(target) if target is not None else None
        if target is None or others is None:
            return []
        others.discard(entry)
        if others:
            return []
        del self._by[target]
        aside = self._aside.pop(target, None)
        return [] if target in self.withdrawals.gone else self._bring_back(target, aside, position)

    def _meant(self, meant: Reference | None, author: str | None, own: Mapping[str, Event]) -> Event | None:
        """Which event an author's withdrawal names: of the log, or an own entry that waits."""
        if meant is None:
            return None
        waiting = [own[meant.id]] if meant.id in own else []
        return meant.choose(author, [*waiting, *self.find(meant.id)])

    def _take_out(self, target: Event, position: int) -> list[Change]:
        key = identity(target)
        if target.position is not None and target.position <= position:
            return [(row, -1) for row in self.rows(target)]
        self.absent.add(key)
        row = None if target.position is not None else self.pending.get(target.id)
        if row is None:
            return []
        self._aside[key], self.pending[target.id] = row, None
        return [(row, -1)]

    def _bring_back(self, target: Identity, aside: Row | None, position: int) -> list[Change]:
        self.absent.discard(target)
        if aside is not None and target[0] in self.pending:
            self.pending[target[0]] = aside
            return [(aside, 1)]
        event = next((event for event in self.find(target[0]) if identity(event) == target), None)
        if event is None or event.position > position:
            return []
        return [(row, 1) for row in self.rows(event)]

    def _undone(self, gone: Iterable[LoggedEvent], until: int) -> list[Change]:
        held = (event for event in gone if event.position <= until and identity(event) not in self._by)
        return [(row, -1) for event in held for row in self.rows(event)]

    def rows(self, event: Event) -> list[Row]:
        """The event's row; none where it does not fit."""
        try:
            return [self._schema.row(event)]
        except Misfit:
            return []
