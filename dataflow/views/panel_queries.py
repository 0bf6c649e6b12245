"""The queries of a board's panels in one engine: kept from the beginning, and known to people by the panels' titles."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress

from dataflow.board import queries
from dataflow.boards.file import LoadedBoard
from dataflow.engine.engine import Engine, Hydrate, LiveQuery
from dataflow.engine.step_budget import Budget
from dataflow.notice import Notice
from dataflow.sql.errors import SqlError

SHORT = 60
"""Letters of a query that names itself."""


class PanelQueries:
    """`loaded` is the board as it is shown. `suspended` says what is set aside."""

    def __init__(
        self, engine: Engine, hydrate: Hydrate, loaded: LoadedBoard, tell: Callable[[Notice], object]
    ) -> None:
        self.loaded = loaded
        self.suspended: list[str] = []
        self._engine, self._hydrate, self._tell = engine, hydrate, tell
        self._budget = Budget()
        self._kept: dict[str, LiveQuery] = {}
        engine.keep_to(self._budget, self._receive)
        self._keep(_wanted(loaded))

    def live(self, sql: str) -> LiveQuery:
        """Return a query of its own. Raises `SqlError`."""
        return self._engine.live(sql, self._hydrate, sliced=True)

    def show_board(self, loaded: LoadedBoard) -> None:
        """Take up other panels; queries of panels that are gone are kept no more."""
        self.loaded = loaded
        wanted = set(_wanted(loaded))
        for sql in [sql for sql in self._kept if sql not in wanted]:
            self._kept.pop(sql).close()
        self._keep(wanted)

    def mark(self) -> None:
        """Note that a step begins."""
        self._budget.mark()

    def _keep(self, wanted: Iterable[str]) -> None:
        """Keep these queries but for those that are wrong: whoever asks for such a one is told."""
        for sql in wanted:
            if sql not in self._kept:
                with suppress(SqlError):
                    self._kept[sql] = self.live(sql)

    def report_failed(self, sql: str, error: Exception) -> str:
        """Tell that whoever reads a query failed on its rows. Return why it is set aside."""
        reason = f"Set aside: its reader failed ({type(error).__name__}: {' '.join(str(error).split()):.100})"
        self._receive(Notice(reason, (sql,), error, aside=True))
        return reason

    def _receive(self, notice: Notice) -> None:
        """Pass a notice on, in which a panel's query has the panel's title."""
        names = ", ".join(dict.fromkeys(map(self._name, notice.queries)))
        text = f"{names}: {notice.text}" if names else notice.text
        if notice.aside:
            self.suspended.append(text)
        self._tell(notice._replace(text=text))

    def _name(self, sql: str) -> str:
        titles = (panel.title for panel in self.loaded.board.panels if sql in queries(panel).values())
        return next(titles, " ".join(sql.split())[:SHORT])


def _wanted(loaded: LoadedBoard) -> list[str]:
    return [sql for panel in loaded.board.panels for sql in queries(panel).values()]
