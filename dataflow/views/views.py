"""A floor: what belongs to one version of a board. Its schema, its engine, and the intake that brings the log in."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

from dataflow.board import queries
from dataflow.boards.check import engine_for
from dataflow.boards.file import LoadedBoard
from dataflow.engine.engine import LiveQuery
from dataflow.engine.operators.node import Rows
from dataflow.engine.plan_cache import Plans
from dataflow.engine.step_budget import Budget
from dataflow.notice import Notice
from dataflow.session import Attention
from dataflow.sql.errors import SqlError
from dataflow.views.history import History
from dataflow.views.log_reader import Intake
from storage.event import LoggedEvent
from storage.log import EventLog

MISFITS = 1000
SAID = 100_000
"""Bytes of an event that does not fit that are kept to be shown; the log has all."""
SHORT = 60
"""Letters of a query that names itself."""


class Floor:
    """`misfits` are the events of the log that do not fit the board's declared fields, newest first. `budget` is that
    of its steps; `tell` takes what goes wrong in one, with the panels' titles; `asides` say what is set aside.
    """

    def __init__(
        self, loaded: LoadedBoard, log: EventLog, plans: Plans | None,
        tell: Callable[[Notice], object] = lambda _: None,
    ) -> None:  # fmt: skip
        self.loaded = loaded
        self.schema = loaded.schema
        self.budget = Budget()
        self.asides: list[str] = []
        self._tell = tell
        self.engine = engine_for(loaded, plans)
        self.engine.keep_to(self.budget, self._heard)
        self.intake = Intake(log, self.schema, self.engine, self._misfit, self._settled)
        self.misfits: deque[Attention] = deque(maxlen=MISFITS)
        self._history = History(log, self.schema)
        wanted = [sql for panel in loaded.board.panels for sql in queries(panel).values()]
        self._held = [live for sql in wanted if (live := self._try(sql))]

    def live(self, sql: str) -> LiveQuery:
        """A query that comes late reads history in slices: the engine's `work`. Raises `SqlError`."""
        return self.engine.live(sql, self._hydrate, sliced=True)

    def close(self) -> None:
        self.engine.close()

    def _try(self, sql: str) -> LiveQuery | None:
        """Each panel's query is there before history is read, so that it is read once. A wrong one is its panel's."""
        try:
            return self.live(sql)
        except SqlError:
            return None

    def _heard(self, notice: Notice) -> None:
        """Where a query is a panel's, people know it by the panel."""
        panels = self.loaded.board.panels
        titles = [
            next((panel.title for panel in panels if sql in queries(panel).values()), " ".join(sql.split())[:SHORT])
            for sql in notice.queries
        ]
        names = ", ".join(dict.fromkeys(titles))
        text = f"{names}: {notice.text}" if names else notice.text
        if notice.aside:
            self.asides.append(text)
        self._tell(notice._replace(text=text))

    def _hydrate(self) -> Iterator[Rows]:
        """The rows of everything that has been pushed up to now and was not withdrawn, in chunks."""
        return self._history.read(self.intake.position, self.intake.withheld.all())

    def _settled(self, event: LoggedEvent) -> None:
        """An event that does not fit is withdrawn."""
        for item in [item for item in self.misfits if item.key == -event.position]:
            self.misfits.remove(item)

    def _misfit(self, event: LoggedEvent, reason: str) -> None:
        text = f"{event.type} {event.data[:SAID].decode(errors='replace')}"
        at = event.position
        said = Attention(key=-at, time=event.time, reason=reason, text=text, origin=f"position {at}", kind="misfit")
        self.misfits.appendleft(said)
