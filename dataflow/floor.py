"""A floor: what belongs to one version of a board. Its schema, its engine, and the intake that brings the log in."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress

from dataflow.board import queries
from dataflow.boards.file import LoadedBoard
from dataflow.boards.sql import engine_for
from dataflow.engine import LiveQuery
from dataflow.intake import Intake
from dataflow.plans import Plans
from dataflow.schema import Misfit
from dataflow.session import Attention
from dataflow.sql.errors import SqlError
from dataflow.zset import Row
from storage.event import Event
from storage.log import EventLog

MISFITS = 1000
HISTORY = 200
"""Events that a late query reads at once: about two milliseconds."""


class Floor:
    """`misfits` are the events of the log that do not fit the board's declared fields, newest first."""

    def __init__(self, loaded: LoadedBoard, log: EventLog, plans: Plans | None) -> None:
        self.loaded = loaded
        self.schema = loaded.schema
        self.engine = engine_for(loaded, plans)
        self._late: list[LiveQuery] = []
        self.intake = Intake(log, self.schema, self.engine, self._misfit, self._settled, self._finish_late)
        self.misfits: deque[Attention] = deque(maxlen=MISFITS)
        self._log = log
        wanted = [sql for panel in loaded.board.panels for sql in queries(panel).values()]
        self._held = [live for sql in wanted if (live := self._try(sql))]

    def live(self, sql: str) -> LiveQuery:
        """A query that comes late reads history in slices: the engine's `work`. Raises `SqlError`."""
        found = self.engine.live(sql, self._history, sliced=True)
        self._late = [live for live in (*self._late, found) if not live.ready]
        return found

    def _finish_late(self) -> None:
        """A row of the log is about to go or to come back, which who still waits for history must not meet half-way."""
        while not all(live.ready for live in self._late) and self.engine.work():
            """On to the next slice."""

    def _try(self, sql: str) -> LiveQuery | None:
        """Each panel's query is there before history is read, so that it is read once. A wrong one is its panel's."""
        try:
            return self.engine.live(sql, self._history)
        except SqlError:
            return None

    def _history(self) -> Iterator[list[Row]]:
        """The rows of everything that has been pushed up to now and was not withdrawn, in chunks."""
        without = self.intake.withheld.ids()
        return (self._rows(events, without) for events in self._log.read(0, self.intake.position, chunk=HISTORY))

    def _rows(self, events: Sequence[Event], without: frozenset[str]) -> list[Row]:
        rows = []
        for event in events:
            if without and event.id in without:
                continue
            with suppress(Misfit):
                rows.append(self.schema.row(event))
        return rows

    def _settled(self, event: Event) -> None:
        """An event that does not fit is withdrawn."""
        for item in [item for item in self.misfits if item.key == -(event.position or 0)]:
            self.misfits.remove(item)

    def _misfit(self, event: Event, reason: str) -> None:
        text = f"{event.type} {event.data.decode(errors='replace')}"
        at = event.position or 0
        said = Attention(key=-at, time=event.time, reason=reason, text=text, origin=f"position {at}", kind="misfit")
        self.misfits.appendleft(said)
