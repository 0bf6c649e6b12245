"""A board is saved while somebody works on it: what it does not change stays as it was arranged, and goes on."""

from __future__ import annotations

import asyncio

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication
from shiboken6 import isValid

from gui.panels.form import Form
from gui.panels.log import Log
from gui.panels.table import Table
from gui.panels.value import Value
from tests.dataflow.desks import BOARD, QUERY, note, until
from tests.gui.binding.test_screen import FORM, on_desk

COUNT = """
[[panels]]
kind = "value"
title = "Places"
at = [1, 0, 1, 1]
sql = "SELECT count(*) AS value FROM by_place"
"""
LOG = """
[[panels]]
kind = "log"
title = "All"
at = [1, 1, 1, 1]
"""
WHOLE = BOARD + FORM + COUNT + LOG
PLACES = [f"place {number:02}" for number in range(60)]


async def saved(desk, folder, text):
    """Save the board, and wait until the window has it."""
    boards = []
    subscription = desk.pipeline.boards.subscribe(boards.append)
    (folder / "board.toml").write_text(text)
    while len(boards) < 2:
        await asyncio.sleep(0)
    subscription.dispose()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


async def read(desk):
    """Until all queries have read their history, and the panels have it."""
    while not all(binding._ready for binding in desk.screen.bridge._bindings.values()):
        await asyncio.sleep(0)
    desk.screen.bridge.settle()


async def append(desk, *places):
    await asyncio.wrap_future(desk.database.log.append([note(place) for place in places]))
    position = desk.database.log.last()
    await until(desk.pipeline.status, lambda status: status.position == position)
    await read(desk)


def names(table):
    return [table.model.row(at)[0] for at in range(table.model.rowCount())]


async def arranged(desk):
    """The table sorted downwards and filtered, a row selected, scrolled away from the top."""
    await append(desk, *PLACES)
    table = desk.panel(Table)
    table.sort_by(0)
    table.sort_by(0)
    table.filter.setText("place")
    table.filter._tell()
    await read(desk)
    assert names(table) == PLACES[::-1]
    table.view.select([25, 26], 26)
    table.view.verticalScrollBar().setValue(333)
    return table


def assert_arranged(table, first=0):
    assert (table.sort, table.words, table.filter.text()) == (("place", True), "place", "place")
    assert [table.model.row(at)[0] for at in table.view.selected_rows()] == ["place 34", "place 33"]
    assert table.values()["place"] == "place 33"
    assert table.view.verticalScrollBar().value() == 333 + 26 * first


def test_what_an_operator_has_arranged_survives_a_save_that_changes_another_panel(run, qtbot, tmp_path):
    async def act(desk):
        table = await arranged(desk)
        old = desk.panel(Value)
        await saved(desk, tmp_path, WHOLE.replace("count(*) AS value", "2 * count(*) AS value"))
        assert desk.panel(Table) is table
        assert desk.panel(Value) is not old
        await read(desk)
        assert_arranged(table)
        assert names(table) == PLACES[::-1]
        await append(desk, "place 99", "place 33")
        assert names(table) == ["place 99", *PLACES[::-1]]
        assert [row[1] for row in map(table.model.row, table.view.selected_rows())] == [1, 2]
        assert_arranged(table, first=1)
        assert desk.panel(Value)._number == "122"

    on_desk(run, qtbot, tmp_path, act, WHOLE)


def test_a_panel_that_moves_gets_another_title_or_an_id_is_the_same_widget(run, qtbot, tmp_path):
    async def act(desk):
        table = await arranged(desk)
        left = table.geometry()
        moved = WHOLE.replace("at = [0, 0, 1, 1]", "at = [5, 0, 1, 1]")
        moved = moved.replace('title = "Notes"\nat', 'title = "X"\nat')
        assert moved.count('title = "X"') == 1
        await saved(desk, tmp_path, moved)
        assert desk.panel(Table) is table
        assert (table.spec.title, table.accessibleName(), table.view.accessibleName()) == ("X", "X", "X")
        assert table.geometry() != left
        assert desk.window.panels[-1] is table
        table.view.verticalScrollBar().setValue(333)    # it is lower now
        await saved(desk, tmp_path, moved.replace('title = "X"', 'title = "X"\nid = "notes"'))
        assert desk.panel(Table) is table
        assert table.spec.id == "notes"
        assert_arranged(table)

    on_desk(run, qtbot, tmp_path, act, WHOLE)


def test_other_rows_of_the_same_columns_come_as_a_difference(run, qtbot, tmp_path):
    async def act(desk):
        table = await arranged(desk)
        resets = []
        table.model.modelReset.connect(lambda: resets.append(1))
        await saved(desk, tmp_path, WHOLE.replace("FROM events GROUP", "FROM events WHERE subject <> 'place 50' GROUP"))
        await read(desk)
        assert names(table) == [place for place in PLACES[::-1] if place != "place 50"]
        assert not resets
        assert_arranged(table, first=-1)

    on_desk(run, qtbot, tmp_path, act, WHOLE)


def test_a_kept_panel_whose_query_has_other_columns_shows_those(run, qtbot, tmp_path):
    every = BOARD.replace(QUERY, "SELECT * FROM by_place ORDER BY place") + FORM

    async def act(desk):
        await append(desk, "north")
        table = desk.panel(Table)
        table.sort_by(1)
        await desk.shows([["north", "1"]])
        await saved(desk, tmp_path, every.replace("count(*) AS notes", "count(*) AS notes, max(weight) AS most"))
        assert desk.panel(Table) is table
        await desk.shows([["north", "1", "1"]])
        assert table.sort == ("notes", False)
        await saved(desk, tmp_path, every.replace("count(*) AS notes", "count(*) AS number"))
        await desk.shows([["north", "1"]])
        assert [column.name for column in table.model.shown] == ["place", "number"]
        assert table.sort is None, "there is no such column to sort by"
        assert table.accessibleDescription() == ""

    on_desk(run, qtbot, tmp_path, act, every)


def test_what_is_gone_leaves_no_widget_no_query_and_no_subscription(run, qtbot, tmp_path):
    async def act(desk):
        await arranged(desk)
        gone, bridge = [desk.panel(Value), desk.panel(Log)], desk.screen.bridge
        lives = [bridge._bindings[panel, "main"]._live for panel in gone]
        await saved(desk, tmp_path, BOARD + FORM)
        assert not any(map(isValid, gone))
        assert desk.window.findChildren(Value) + desk.window.findChildren(Log) == []
        assert len(desk.window.findChildren(Table)) == 1
        assert {panel for panel, _ in bridge._bindings} == {desk.panel(Table)}
        assert set(bridge._connections) == set(desk.window.panels)
        assert all(live.progress is None and not live.ready for live in lives), "they are closed"
        await append(desk, "south")
        assert names(desk.panel(Table)) == PLACES[::-1], "the filter goes on"

    on_desk(run, qtbot, tmp_path, act, WHOLE)


@pytest.mark.parametrize("saves", [1, 3])
def test_what_is_entered_after_a_save_is_entered_once_and_the_form_keeps_its_draft(run, qtbot, tmp_path, saves):
    async def act(desk):
        form, total = desk.panel(Form), "count(*) AS value"
        form.put({"note.made": {"weight": "7"}})
        for number in range(saves):
            await saved(desk, tmp_path, WHOLE.replace(total, f"{number} + {total}"))
        assert desk.panel(Form) is form
        assert form.form().fields["weight"].text() == "7"
        desk.enter("north")
        await desk.shows([["north", "1"]])
        await until(desk.pipeline.status, lambda status: status.position == 1 and status.pending == 0)
        assert desk.database.log.count() == 1

    on_desk(run, qtbot, tmp_path, act, WHOLE)


def test_views_that_are_built_anew_keep_every_panel(run, qtbot, tmp_path):
    async def act(desk):
        table, before = await arranged(desk), list(desk.window.panels)
        boards = []
        subscription = desk.pipeline.boards.subscribe(boards.append)
        desk.pipeline.retry()
        while len(boards) < 2:
            await asyncio.sleep(0)
        subscription.dispose()
        assert desk.window.panels == before
        await read(desk)
        assert_arranged(table)
        await append(desk, "place 60")
        assert names(table)[:2] == ["place 60", "place 59"]

    on_desk(run, qtbot, tmp_path, act, WHOLE)


def test_another_session_may_take_a_window_up(run, qtbot, tmp_path):
    """Panels that two bridges have had tell the second one only."""
    async def act(desk):
        from gui.binding.screen import Screen

        await append(desk, "north")
        desk.screen.close()
        desk.screen = Screen(desk.window, desk.pipeline)
        await desk.screen.settled()
        desk.enter("south")
        await desk.shows([["north", "1"], ["south", "1"]])
        await until(desk.pipeline.status, lambda status: status.position == 2 and status.pending == 0)
        desk.panel(Table).sort_by(0)
        desk.panel(Table).sort_by(0)
        await desk.shows([["south", "1"], ["north", "1"]])

    on_desk(run, qtbot, tmp_path, act, WHOLE)
