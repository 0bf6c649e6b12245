"""Views on a real store and a real engine, which the tests of this room share."""

from __future__ import annotations

from collections import deque
from math import inf
from pathlib import Path

from dataflow.boards.file import load
from dataflow.views.views import Views
from storage.database import Database
from storage.event import Event
from tests.dataflow.desks import BOARD, QUERY


class Stage:
    """`live` is a query that was there from the beginning; `views` are open, and have read nothing."""

    def __init__(self, folder: Path, events: list[Event] = (), board: str = BOARD, sql: str = QUERY) -> None:
        path = folder / "board.toml"
        path.write_text(board)
        self.loaded = load(path)
        self.database = Database.open(folder / "notes.db")
        self.append(*events)
        self.views = Views(self.loaded, self.database.log, None)
        self.views.show()
        self.live = self.views.live(sql)

    @property
    def misfits(self) -> list[str]:
        return [item.reason for item in self.views.misfits]

    def append(self, *events: Event) -> None:
        self.database.log.append(list(events)).result(5)

    def read(self, until: int | None = None, deadline: float = inf) -> list[int]:
        """Bring the log into the views as one step does; how many events each part had."""
        until = self.database.log.last() if until is None else until
        self.views.mark()
        return list(self.views.read_log(until, deadline))

    def replace(self, board: str | None = None, *, show: bool = True) -> None:
        """Let other views take over, of a saved board or of the same."""
        path = self.loaded.path
        if board is not None:
            path.write_text(board)
            self.loaded = load(path)
        views = Views(self.loaded, self.database.log, None, readers=self.views.handles())
        while views.position < self.views.position:
            deque(views.read_log(self.views.position, 0), maxlen=0)
        views.advance(self.views.now)
        before, self.views = self.views, views
        views.take_over(before)
        before.close()
        while show and views.show_waiting(0):
            """All of them."""

    def read_all(self) -> None:
        while self.views.position < self.database.log.last():
            deque(self.read(), maxlen=0)

    def rows(self, sql: str = "") -> list[tuple]:
        """What a query says: the one that was there from the beginning, or one that comes now."""
        if not sql:
            return list(self.live.rows())
        live = self.views.live(sql)
        while self.views.work(inf):
            """Until it has read history."""
        found = list(live.rows())
        live.close()
        return found
