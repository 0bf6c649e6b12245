"""The intake: reads the log after the last position, in slices, and pushes it into the engine.

Where a confirmed event was pending before, its pending row is retracted and the confirmed row inserted in one push:
that is all there is to a rebase. An event that does not fit the board's declared fields is set apart with its reason.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter

from dataflow.engine import Engine
from dataflow.feeds.sources import is_sourced
from dataflow.schema import Misfit, Schema
from dataflow.zset import Row
from storage.event import Event
from storage.log import EventLog

MOST = 1000
PUSH_S = 0.0025


class Intake:
    """`position` is the last one that the views hold."""

    def __init__(
        self, log: EventLog, schema: Schema, engine: Engine, misfit: Callable[[Event, str], None]
    ) -> None:
        self.position = 0
        self._log = log
        self._schema = schema
        self._engine = engine
        self._misfit = misfit
        self._pending: dict[str, Row | None] = {}
        self._confirmed: Callable[[Sequence[Event]], None] = _nobody
        self._size = 64
        self._guards = any(event.guard for event in schema.board.events.values())
        self._last: dict[str, int] = {}

    def confirms(self, pending: dict[str, Row | None], confirmed: Callable[[Sequence[Event]], None]) -> None:
        """From now on it is this intake that confirms entries: `pending` maps their ids to their rows in the engine, or
        to None where there is none.
        """
        self._pending, self._confirmed = pending, confirmed

    def last_of(self, subject: str) -> int:
        """The last position of an entity's events; 0 if there are none. Known only where the board guards entries.

        What devices say is not counted: the server guards entries against entries.
        """
        return self._last.get(subject, 0)

    def step(self, until: int, deadline: float) -> int:
        """Take events up to position `until`, until `perf_counter` says `deadline`; how many were taken.

        One part is taken in any case, so that there is progress.
        """
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

    def _push(self, events: list[Event]) -> None:
        rows: list[Row] = []
        weights: list[int] = []
        confirmed: list[Event] = []
        for event in events:
            if event.id in self._pending:
                confirmed.append(event)
                pending = self._pending.pop(event.id)
                if pending is not None:
                    rows.append(pending)
                    weights.append(-1)
            try:
                rows.append(self._schema.row(event))
            except Misfit as misfit:
                self._misfit(event, str(misfit))
                continue
            weights.append(1)
        if self._guards:
            entered = (event for event in events if not is_sourced(event))
            self._last.update((event.subject or "", event.position or 0) for event in entered)
        if rows:
            self._engine.push("events", rows, weights if confirmed else None)
        self.position = events[-1].position or self.position
        if confirmed:
            self._confirmed(confirmed)


def _nobody(_: Sequence[Event]) -> None:
    """An intake that only reads history confirms no entry."""
