"""The intake: reads the log after the last position, in slices, and pushes it into the engine.

Where a confirmed event was pending before, its pending row is retracted and the confirmed row inserted in one push:
that is all there is to a rebase. An event that does not fit the board's declared fields is set apart with its reason.

What is withdrawn (`withdrawals.py`) is retracted when its withdrawal comes. Far behind, withdrawals are looked up
ahead, so that the event is left out when it comes: then nothing is built anew for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from time import perf_counter

from dataflow.devices.sources import is_sourced
from dataflow.engine.engine import Engine
from dataflow.events.schema import Misfit, Schema
from dataflow.views.withdrawn_rows import Withheld
from dataflow.zset import Change, Row
from storage.event import Event, LoggedEvent
from storage.identity import identity
from storage.log import EventLog

MOST = 1000
PUSH_S = 0.0025
AHEAD = 1000
"""More events than this behind, withdrawals are looked up ahead."""


def _nobody(*_: object) -> None:
    """Nobody wants to know: an intake that only reads history confirms no entry."""


def _is_nobodys(_: Event) -> bool:
    return False


class Intake:
    """`position` is the last one that the views hold."""

    def __init__(
        self,
        log: EventLog,
        schema: Schema,
        engine: Engine,
        misfit: Callable[[LoggedEvent, str], None],
        settled: Callable[[LoggedEvent], object] = _nobody,
    ) -> None:
        """`misfit` is told of events that do not fit, and of withdrawals without effect; `settled` of those that did
        not fit and are withdrawn.
        """
        self.position = 0
        self.withheld = Withheld(log, schema, misfit)
        self._noted: list[LoggedEvent] = []
        self._row = schema.reader(self._noted.append)
        self._log = log
        self._schema = schema
        self._engine = engine
        self._misfit = misfit
        self._settled = settled
        self._pending: dict[str, Row | None] = {}
        self._confirmed: Callable[[Sequence[LoggedEvent]], object] = _nobody
        self._is_own: Callable[[Event], bool] = _is_nobodys
        self._size = 64
        self._guards = any(event.guard for event in schema.board.events.values())
        self._last: dict[str, int] = {}

    def confirms(
        self,
        pending: dict[str, Row | None],
        confirmed: Callable[[Sequence[LoggedEvent]], object],
        is_own: Callable[[Event], bool],
    ) -> None:
        """From now on it is this intake that confirms entries: `pending` maps their ids to their rows in the engine, or
        to None where there is none; `is_own` tells whether an event of such an id is that entry.
        """
        self._pending, self._confirmed, self._is_own = pending, confirmed, is_own
        self.withheld.pending = pending

    def last_of(self, subject: str) -> int:
        """The last position of an entity's events; 0 if there are none. Known only where the board guards entries.

        What devices say is not counted: the server guards entries against entries.
        """
        return self._last.get(subject, 0)

    def step(self, until: int, deadline: float) -> int:
        """Take events up to position `until`, until `perf_counter` says `deadline`; how many were taken.

        One part is taken in any case, so that there is progress.
        """
        if until - self.position > AHEAD:
            self._look_ahead(until)
        taken, began = 0, perf_counter()
        for events in self._log.read(self.position, until, chunk=self._size):
            self._push(events)
            taken += len(events)
            ended = perf_counter()
            took, began = ended - began, ended
            self._adapt(len(events), took)
            if ended + took >= deadline:
                break  # another part like this one would take too long
        return taken

    def _adapt(self, events: int, seconds: float) -> None:
        """The next step pushes as many events at once as take about `PUSH_S`.

        Where other processes hold this one up, a push takes long that is not long: the size falls by a half at most.
        """
        fitting = int(events * PUSH_S / max(seconds, 1e-6))
        self._size = max(16, self._size // 2, min(MOST, fitting, self._size * 2))

    def _push(self, events: list[LoggedEvent]) -> None:
        rows: list[Row] = []
        weights: list[int] = []
        confirmed: list[LoggedEvent] = []
        row, absent = self._row, self.withheld.absent
        for event in events:
            own = event.id in self._pending and self._is_own(event)
            if own:
                confirmed.append(event)
                pending = self._pending.pop(event.id)
                if pending is not None:
                    rows.append(pending)
                    weights.append(-1)
            if absent and identity(event) in absent:
                absent.remove(identity(event))
                continue
            try:
                rows.append(self._schema.bring(row(event), event.time) if own else row(event))
            except Misfit as misfit:
                self._misfit(event, str(misfit))
                continue
            weights.append(1)
        if self._guards:
            entered = (event for event in events if not is_sourced(event))
            self._last.update((event.subject or "", event.position) for event in entered)
        only_come = not (confirmed or self._noted)
        before, self.position = self.position, events[-1].position
        if self._noted:
            rows, weights = self._withdraw(before, zip(rows, weights, strict=True))
        if rows:
            self._engine.push("events", rows, None if only_come else weights)
        if confirmed:
            self._confirmed(confirmed)

    def withhold(self, entries: Iterable[Event], own: Mapping[str, Event], beside: Sequence[Change] = ()) -> None:
        """Withdrawals that wait as entries take effect at once, in one push with the changes `beside`. `own` are all
        entries that wait.
        """
        self._change([*self.withheld.withhold(entries, own, self.position), *beside])

    def release(self, entry: str, beside: Sequence[Change] = ()) -> None:
        """An entry, by its id, waits no more: in one push with the changes `beside` it, what it withdrew comes back."""
        self._change([*self.withheld.release(entry, self.position), *beside])

    def _look_ahead(self, until: int) -> None:
        coming = self.withheld.withdrawals.coming(until)
        gone, changes = self.withheld.look_ahead(coming, self.position, until)
        self._settle(gone)
        self._change(changes)

    def _withdraw(self, before: int, changes: Iterable[Change]) -> tuple[list[Row], list[int]]:
        """A batch that came after position `before`, with what its withdrawals change."""
        gone, found = self.withheld.judge(self._noted, before, self.position)
        self._noted.clear()
        self._settle(gone)
        here = {event.position for event in gone}
        return _parted([*found, *(change for change in changes if change[0][0] not in here)])

    def _change(self, changes: Sequence[Change]) -> None:
        if changes:
            self._engine.push("events", *_parted(changes))

    def _settle(self, gone: Iterable[LoggedEvent]) -> None:
        for event in gone:
            if not self.withheld.rows(event):
                self._settled(event)


def _parted(changes: Sequence[Change]) -> tuple[list[Row], list[int]]:
    return [row for row, _ in changes], [weight for _, weight in changes]
