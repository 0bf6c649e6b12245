"""Views: a board's views at a position.

State: the engine, the position in the log, the clock, the entries that wait with their pending rows, what is withdrawn,
the last position of each entity, what does not fit. Nobody else holds a piece of it.

    views.apply(events)              confirmed events, in order; the position rises
    views.read_log(until, deadline)  the same for what the log holds, in parts that take some milliseconds
    views.overlay(entry)             an entry that waits: its rows are pending; views.drop(id) takes them away
    views.advance(now)               the clock; rows enter and leave temporal filters
    views.live(sql, reader)          a handle: the snapshot, then updates

Where a confirmed event was pending before, its pending row is retracted and the confirmed row inserted in one push:
that is all there is to a rebase. What is withdrawn is retracted when its withdrawal comes. Far behind, withdrawals are
looked up ahead, so that the event is left out when it comes: then nothing is built anew for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from time import perf_counter

from dataflow.boards.check import engine_for
from dataflow.boards.file import LoadedBoard
from dataflow.devices.sources import is_sourced
from dataflow.engine.live_query import LiveQuery
from dataflow.engine.operators.node import Rows
from dataflow.engine.plan_cache import Plans
from dataflow.events.schema import Schema
from dataflow.notice import Notice
from dataflow.sql.errors import SqlError
from dataflow.views.history import History
from dataflow.views.live_handle import LiveHandle
from dataflow.views.log_reader import LogReader, ignore, last_position
from dataflow.views.misfits import Misfits
from dataflow.views.pace import Pace
from dataflow.views.panel_queries import PanelQueries
from dataflow.views.pending_rows import PendingRows
from dataflow.views.withdrawn_rows import WithdrawnRows
from dataflow.zset import Change, Row
from storage.event import Event, LoggedEvent
from storage.identity import identity
from storage.log import EventLog

FAR = 1000
"""More events than this behind, withdrawals are looked up ahead."""
SLICE = 64
"""Entries that an earlier run left go into the views so many at once: about 2 ms."""
LATE_S = 0.0025
"""So long after the end of its share of a frame, late queries are not worked on at all."""


class Views:
    """`position` is the last one that the views hold; `open` tells whether their history has been read, before which
    handles say nothing. Methods raise `storage.errors.StorageError` where the log cannot be read.
    """

    def __init__(
        self, loaded: LoadedBoard, log: EventLog, plans: Plans | None,
        tell: Callable[[Notice], object] = ignore, readers: Iterable[LiveHandle] = (), pace: Pace | None = None,
    ) -> None:  # fmt: skip
        """`tell` takes what goes wrong in a step. The queries of `readers`, handles that these views will take over,
        and those of the board's panels are there before history is read, so that it is read once. `pace` says how
        many events a part of the log has.
        """
        self.position = 0
        self.open = False
        self.misfits = Misfits()
        self._log = log
        self._schema = loaded.schema
        self._engine = engine_for(loaded, plans)
        self._pending = PendingRows(self._schema)
        self._withdrawn = WithdrawnRows(log, self._schema, self._pending, self.misfits.add)
        self._came: list[LoggedEvent] = []
        self._reader = LogReader(self._schema, self.misfits.add, self._came.append)
        self._pace = pace or Pace()
        self._history = History(log, self._schema)
        self._confirmed: list[LoggedEvent] = []
        self._guards = any(event.guard for event in loaded.board.events.values())
        self._last: dict[str, int] = {}
        self._handles: dict[LiveHandle, None] = {}
        self._panels = PanelQueries(self._engine, self._read_history, loaded, tell)
        self._prepared: dict[LiveHandle, LiveQuery] = {}
        for handle in readers:
            with suppress(SqlError):  # it is told when the handle comes
                self._prepared[handle] = self._panels.live(handle.sql)

    # What they are

    @property
    def loaded(self) -> LoadedBoard:
        return self._panels.loaded

    @property
    def schema(self) -> Schema:
        return self._schema

    @property
    def now(self) -> int:
        """The views' clock, in µs."""
        return self._engine.now

    @property
    def suspended(self) -> Sequence[str]:
        """What is set aside, one line each."""
        return self._panels.suspended

    def last_of(self, subject: str) -> int:
        """Return the last position of an entity's events; 0 if there are none. Known only where the board guards
        entries.

        What devices say is not counted: the server guards entries against entries.
        """
        return self._last.get(subject, 0)

    # Live queries

    def live(self, sql: str, reader: str = "") -> LiveHandle:
        """Return a handle of a query. One that comes late reads history in slices: `work`. Raises `SqlError`."""
        query = self._panels.live(sql)
        handle = LiveHandle(sql, reader, query, self, self._forget)
        self._handles[handle] = None
        return handle

    def show(self) -> None:
        """Open the views: handles begin to say what they hold."""
        if not self.open:
            self.open = True
            for handle in tuple(self._handles):
                handle.follow()

    def handles(self) -> list[LiveHandle]:
        """Return those that are not closed, the oldest first."""
        return list(self._handles)

    def show_board(self, loaded: LoadedBoard) -> None:
        """Take up a board that differs in looks only: see `boards.changes`."""
        self._panels.show_board(loaded)

    def take_over(self, others: Views) -> None:
        """Go on in the place of other views, whose log has been read so far: their entries wait here from now on, and
        their handles are told the difference.
        """
        waiting = self._pending.take_over(others._pending)
        self._push(self._withdrawn.withhold(waiting, self.position))
        self._push(self._pending.show(SLICE))
        if others.open:
            self.show()
        for handle in tuple(others._handles):
            self._rebind(handle)
        for query in self._prepared.values():
            query.close()
        self._prepared.clear()

    def work(self, deadline: float) -> bool:
        """Bring queries that came late nearer until `perf_counter` says `deadline`, by a chunk at least unless that is
        long over. True while more is to do.
        """
        if self._engine.busy and perf_counter() - deadline > LATE_S:
            return True
        while self._engine.work():
            if self._engine.starved or perf_counter() >= deadline:
                return True
        return False

    def mark(self) -> None:
        """Note that a step begins: what takes too long in it is told."""
        self._panels.mark()

    def close(self) -> None:
        """Read no more history."""
        self._engine.close()

    # The log

    def read_log(self, until: int, deadline: float) -> Iterator[int]:
        """Take the log's events up to position `until`, until `perf_counter` says `deadline`: yield how many after each
        part. One part is taken in any case, so that there is progress.
        """
        if until - self.position > FAR:
            self._look_ahead(until)
        began = perf_counter()
        for events in self._log.read(self.position, until, chunk=self._pace.size):
            self.apply(events)
            ended = perf_counter()
            took, began = ended - began, ended
            self._pace.adapt(len(events), took)
            yield len(events)
            if ended + took >= deadline:
                break  # another part like this one would take too long

    def apply(self, events: Sequence[LoggedEvent]) -> None:
        """Take confirmed events that come next in the log, as one step. `take_confirmed` says which of them waited."""
        confirmed, retracted = self._pending.confirm(events) if self._pending else ([], [])
        absent = self._withdrawn.absent
        rows = self._reader.rows(events, absent, {identity(event) for event in confirmed} if confirmed else ())
        if absent:
            absent.difference_update(map(identity, events))
        if self._guards:
            entered = (event for event in events if not is_sourced(event))
            self._last.update((event.subject or "", event.position) for event in entered)
        before, self.position = self.position, last_position(events, self.position)
        self._confirmed += confirmed
        if retracted or self._came:
            self._push(self._rebase(before, retracted, rows))
        elif rows:
            self._engine.push("events", rows)

    def take_confirmed(self) -> list[LoggedEvent]:
        """Return the entries that have been confirmed since this was asked last, with their positions."""
        confirmed, self._confirmed = self._confirmed, []
        return confirmed

    # Entries that wait

    @property
    def pending(self) -> int:
        """How many entries wait."""
        return len(self._pending)

    @property
    def shown(self) -> int:
        """How many of those that wait are in the views: not those that are withdrawn, or have no row on this board."""
        return self._pending.shown

    def waiting(self) -> list[Event]:
        """Return the entries that wait, in the order in which they were made."""
        return self._pending.entries()

    def waits(self, id: str) -> bool:
        return id in self._pending

    def overlay(self, entry: Event) -> None:
        """Show an entry that waits, and what it withdraws no more, in one step."""
        added = self._pending.add(entry)
        self._push([*self._withdrawn.withhold([entry], self.position), *added])

    def overlay_later(self, entries: Sequence[Event]) -> None:
        """As `overlay`, in slices, by `show_waiting`. What they withdraw is gone at once."""
        self._pending.queue(entries)
        self._push(self._withdrawn.withhold(entries, self.position))

    def show_waiting(self, deadline: float) -> bool:
        """Show a slice of what is to be shown later, and more until `perf_counter` says `deadline`. True while more is
        to do.
        """
        while self._pending.queued:
            self._push(self._pending.show(SLICE))
            if perf_counter() >= deadline:
                break
        return self._pending.queued

    def drop(self, id: str) -> None:
        """Show an entry no more, for it was refused, and what it withdrew again, in one step."""
        dropped = self._pending.drop(id)
        self._push([*self._withdrawn.release(id, self.position), *dropped])

    def find(self, id: str) -> list[Event]:
        """Return the events with an id: the entry that waits, then those of the log in its order, also where the views
        are not so far yet.
        """
        return self._withdrawn.find(id)

    def objection(self, author: str, id: str, target: Event | None) -> str | None:
        """Return why an operator may not withdraw what has this id now; `target` is what was found of it."""
        return self._withdrawn.objection(author, id, target)

    # The clock

    def advance(self, now: int) -> None:
        """Move the clock to `now` (µs), never back."""
        self._engine.advance(now)

    def _rebind(self, handle: LiveHandle) -> None:
        """Bind a handle of other views here; one that cannot go on says why, and the others go on."""
        self._handles[handle] = None
        try:
            query = self._prepared.pop(handle, None) or self._panels.live(handle.sql)
            handle.rebind(query, self, self._forget)
        except SqlError as error:
            handle.fail(str(error), self, self._forget)
        except Exception as error:  # noqa: BLE001  (whatever an observer does, other readers are told)
            handle.fail(self._panels.report_failed(handle.sql, error), self, self._forget)

    def _forget(self, handle: LiveHandle) -> None:
        self._handles.pop(handle, None)

    def _read_history(self) -> Iterator[Rows]:
        """Read the rows of everything that has been applied up to now and was not withdrawn, in chunks."""
        return self._history.read(self.position, self._withdrawn.identities())

    def _look_ahead(self, until: int) -> None:
        gone, changes = self._withdrawn.look_ahead(self.position, until)
        self._forget_misfits(gone)
        self._push(changes)

    def _rebase(self, before: int, retracted: Sequence[Row], rows: Sequence[Row]) -> list[Change]:
        """Return a batch that came after position `before`, with what its withdrawals change and the pending rows that
        it replaces.
        """
        changes: list[Change] = [(row, -1) for row in retracted]
        here: set[int | None] = set()
        if self._came:
            gone, withdrawn = self._withdrawn.judge(tuple(self._came), before, self.position)
            self._came.clear()
            self._forget_misfits(gone)
            changes += withdrawn
            here = {event.position for event in gone}
        return [*changes, *((row, 1) for row in rows if row[0] not in here)]

    def _push(self, changes: Sequence[Change]) -> None:
        if changes:
            self._engine.push("events", [row for row, _ in changes], [weight for _, weight in changes])

    def _forget_misfits(self, gone: Iterable[LoggedEvent]) -> None:
        for event in gone:
            if not self._withdrawn.rows(event):
                self.misfits.remove(event)
