"""A window on a real pipeline: what an operator does, and what the panels show of it."""

from __future__ import annotations

import asyncio

import pytest
from PySide6.QtCore import SIGNAL, Qt
from PySide6.QtWidgets import QApplication

from gui.attention.dialog import AttentionDialog
from gui.binding import bridge
from gui.binding.screen import Screen
from gui.panels.form import Form
from gui.panels.table import Table
from gui.theme.theme import Theme
from gui.window.main_window import MainWindow
from storage.errors import StoreFull
from tests.dataflow.desks import BOARD, QUERY, note, opened, until

FORM = """
[[panels]]
kind = "form"
title = "Enter"
at = [0, 1, 1, 1]
events = ["note.made"]
"""

TALL_FORM_AND_PLACES = FORM.replace("[0, 1, 1, 1]", "[0, 1, 2, 1]") + """
[[panels]]
kind = "table"
title = "Places"
at = [1, 0, 1, 1]
sql = "SELECT place FROM by_place"
"""


TALL_FORM_AND_SOUTH = TALL_FORM_AND_PLACES.replace("by_place", "by_place WHERE place = 'south'")


@pytest.fixture
def turns(monkeypatch):
    """Let a frame have room for one panel; the titles of the tables that had their turn."""
    titles = []
    apply = Table.apply
    monkeypatch.setattr(bridge, "FLUSH_S", 0.0)
    monkeypatch.setattr(Table, "apply", lambda self, *what: (titles.append(self.spec.title), apply(self, *what)))
    return titles


class Desk:
    """A window on a desk, and an operator at it."""

    def __init__(self, desk, qtbot):
        self.pipeline, self.database, self._qtbot = desk.pipeline, desk.database, qtbot
        self.window = MainWindow(Theme.load("dark"))
        self.window.show_board(desk.pipeline.board)
        self.window.resize(1000, 600)
        self.window.show()
        self.screen = Screen(self.window, desk.pipeline)
        desk.pipeline.start()

    def panel(self, kind):
        return next(panel for panel in self.window.panels if isinstance(panel, kind))

    def shown(self):
        """The text of the table's cells, row by row."""
        model = self.panel(Table).model
        index = model.index
        return [
            [model.data(index(row, column)) for column in range(model.columnCount())]
            for row in range(model.rowCount())
        ]

    async def shows(self, rows):
        """Until the table has these rows."""
        while self.shown() != rows:
            await self.flushed()

    async def flushed(self):
        done = asyncio.get_running_loop().create_future()
        connection = self.screen.bridge.flushed.connect(lambda _: done.done() or done.set_result(None))
        await asyncio.wait_for(done, 5)
        self.screen.bridge.flushed.disconnect(connection)

    def enter(self, place):
        form = self.panel(Form)
        form.fill("note.made", {"place": place})
        self._qtbot.keyClick(QApplication.focusWidget() or form, Qt.Key.Key_Return)

    def close(self):
        self.screen.close()
        self.window.close()
        self.window.deleteLater()


def on_desk(run, qtbot, folder, act, board=BOARD + FORM):
    async def main():
        async with opened(folder, board, start=False) as opened_desk:
            desk = Desk(opened_desk, qtbot)
            try:
                await desk.screen.settled()
                await act(desk)
            finally:
                desk.close()

    run(main())


def test_history_is_shown_and_what_is_entered_appears(run, qtbot, tmp_path):
    async def act(desk):
        await asyncio.wrap_future(desk.database.log.append([note("north"), note("north")]))
        await desk.shows([["north", "2"]])
        desk.enter("south")
        await desk.shows([["north", "2"], ["south", "1"]])
        await until(desk.pipeline.status, lambda status: status.position == 3 and status.pending == 0)

    on_desk(run, qtbot, tmp_path, act)


def test_a_refused_entry_is_told_to_the_form_and_not_written(run, qtbot, tmp_path, monkeypatch):
    async def act(desk):
        said = []
        form = desk.panel(Form)
        monkeypatch.setattr(form, "refused", said.extend)
        form.submitted.emit("note.made", {"place": "west"})
        assert [problem.field for problem in said] == ["place"]
        assert desk.database.outbox.count() == 0
        assert desk.pipeline.status.value.pending == 0

    on_desk(run, qtbot, tmp_path, act)


def test_a_full_disk_is_said_in_the_form(run, qtbot, tmp_path, monkeypatch):
    async def act(desk):
        def refuse(entries):
            future = asyncio.futures.concurrent.futures.Future()
            future.set_exception(StoreFull(desk.database.path))
            return future

        monkeypatch.setattr(desk.database.outbox, "add", refuse)
        said = []
        monkeypatch.setattr(desk.panel(Form), "failed", said.append)
        desk.enter("north")
        while not said:
            await asyncio.sleep(0)
        assert "full" in said[0].lower() or "space" in said[0].lower()
        await desk.shows([])

    on_desk(run, qtbot, tmp_path, act)


def test_an_entry_that_the_log_refuses_is_kept_and_not_given_back_to_the_form(run, qtbot, tmp_path):
    async def act(desk):
        desk.database.log.append([note("north")]).result(5)  # this desk has not heard of it yet
        desk.enter("north")
        form = desk.panel(Form).form()
        await until(desk.pipeline.status, lambda status: status.attention == 1 and status.pending == 0)
        while "needs attention" not in form.outcome.text():
            await asyncio.sleep(0)
        assert form.outcome.text() == "North has changed since you saw it: it needs attention (F8)"
        assert form.blank()
        assert desk.database.log.last() == 1

    on_desk(run, qtbot, tmp_path, act, BOARD.replace("entry = true", "entry = true\nguard = true") + FORM)


def test_sorting_and_filtering_happen_in_the_engine(run, qtbot, tmp_path):
    async def act(desk):
        notes = [note("north"), note("south"), note("south")]
        await asyncio.wrap_future(desk.database.log.append(notes))
        await desk.shows([["north", "1"], ["south", "2"]])
        table = desk.panel(Table)
        table.sort_by(1)
        table.sort_by(1)
        await desk.shows([["south", "2"], ["north", "1"]])
        table.filter_by("nor")
        await desk.shows([["north", "1"]])

    on_desk(run, qtbot, tmp_path, act)


def test_a_saved_board_brings_new_panels(run, qtbot, tmp_path):
    async def act(desk):
        await asyncio.wrap_future(desk.database.log.append([note("north")]))
        await desk.shows([["north", "1"]])
        before, after = (f'kind = "table"\ntitle = "{title}"' for title in ("Notes", "All"))
        (tmp_path / "board.toml").write_text((BOARD + FORM).replace(before, after))
        await until(desk.pipeline.boards, lambda board: board.panels[0].title == "All")
        assert desk.panel(Table).spec.title == "All"
        await desk.shows([["north", "1"]])

    on_desk(run, qtbot, tmp_path, act)


def test_what_needs_attention_stays_open_over_a_saved_board_and_has_its_words(run, qtbot, tmp_path):
    async def act(desk):
        await asyncio.wrap_future(desk.database.log.append([note("south", '"heavy"')]))
        await until(desk.pipeline.status, lambda status: status.attention == 1)
        desk.window.attention_wanted.emit()
        dialog = desk.window.findChild(AttentionDialog)
        (before,) = dialog._list.lines
        saved = (BOARD + FORM).replace('title = "Notes"', 'title = "All"\ntimezone = "Asia/Tokyo"', 1)
        (tmp_path / "board.toml").write_text(saved)
        await until(desk.pipeline.boards, lambda board: board.title == "All")
        assert dialog.isVisible()
        (after,) = dialog._list.lines
        assert (after.title == before.title, after.detail == before.detail) == (True, False)

    on_desk(run, qtbot, tmp_path, act)


def test_a_panel_whose_query_is_wrong_says_so_and_the_others_go_on(run, qtbot, tmp_path):
    wrong = BOARD.replace(QUERY, "SELECT nothing FROM by_place")

    async def act(desk):
        broken, right = (panel for panel in desk.window.panels if isinstance(panel, Table))
        assert "nothing" in broken.accessibleDescription()
        await asyncio.wrap_future(desk.database.log.append([note("north")]))
        while right.model.rowCount() == 0:
            await desk.flushed()

    on_desk(run, qtbot, tmp_path, act, wrong + TALL_FORM_AND_PLACES)


def test_where_much_changes_panels_take_turns_and_all_come_up_to_date(run, qtbot, tmp_path, monkeypatch):
    monkeypatch.setattr(bridge, "FLUSH_S", 0.0)

    async def act(desk):
        counts = []
        desk.screen.bridge.flushed.connect(counts.append)
        await asyncio.wrap_future(desk.database.log.append([note("north")]))
        tables = [panel for panel in desk.window.panels if isinstance(panel, Table)]
        while any(table.model.rowCount() == 0 for table in tables):
            await desk.flushed()
        assert set(counts) == {1}

    on_desk(run, qtbot, tmp_path, act, BOARD + TALL_FORM_AND_PLACES)


def test_what_seldom_changes_is_brought_up_to_date_before_what_changes_all_the_time(run, qtbot, tmp_path, turns):
    async def act(desk):
        async def append(*places):
            turns.clear()
            await asyncio.wrap_future(desk.database.log.append([note(place) for place in places]))
            while len(turns) < len(set(places)):
                await desk.flushed()

        await append("north")
        await append("north")
        await append("north", "south")
        assert turns == ["Places", "Notes"]

    on_desk(run, qtbot, tmp_path, act, BOARD + TALL_FORM_AND_SOUTH)


def test_what_an_entry_of_this_window_has_changed_comes_before_all_else(
    run, qtbot, tmp_path, turns, monkeypatch
):
    async def act(desk):
        await asyncio.wrap_future(desk.database.log.append([note("north")]))
        await desk.shows([["north", "1"]])
        monkeypatch.setattr(bridge, "FRAME_MS", 60_000)
        await asyncio.wrap_future(desk.database.log.append([note("south")]))
        await until(desk.pipeline.status, lambda status: status.position == 2)
        turns.clear()
        desk.enter("north")
        desk.screen.bridge.settle()
        assert turns == ["Notes", "Places"]

    on_desk(run, qtbot, tmp_path, act, BOARD + TALL_FORM_AND_SOUTH)


def test_a_closed_screen_hears_the_window_no_more(run, qtbot, tmp_path, monkeypatch):
    wanted = ("pause_wanted(bool)", "retry_wanted()", "attention_wanted()", "delays_wanted()", "undo_wanted()",
              "redo_wanted()", "painted()", "panel_opened(PyObject)")  # fmt: skip

    def heard(window):
        return {signal: window.receivers(SIGNAL(signal)) for signal in wanted}

    async def act(desk):
        assert all(heard(desk.window).values())
        desk.screen.close()
        monkeypatch.setattr(desk.screen, "close", lambda: None)
        assert not any(heard(desk.window).values())

    on_desk(run, qtbot, tmp_path, act)
