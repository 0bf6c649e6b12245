"""The last stage of a delay: the frame that shows an entry of this desk confirmed has been handed to the screen."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest
from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QWidget

from gui.binding import bridge
from gui.binding.painted_frame import PaintedFrame
from gui.panels.table import Table
from gui.window.main_window import MainWindow
from tests.dataflow.desks import BOARD, note, until
from tests.gui.binding.test_screen import FORM, TALL_FORM_AND_PLACES, on_desk


class Told(QObject):
    """Notes, in order, the paintings of a widget, and what else it is told."""

    def __init__(self, widget):
        super().__init__(widget)
        self.all = []
        widget.installEventFilter(self)

    def eventFilter(self, _, event):
        if event.type() == QEvent.Type.Paint:
            self.all.append("paint")
        return False


def test_a_frame_is_over_once_it_has_been_painted(qtbot, theme):
    window = MainWindow(theme)
    qtbot.addWidget(window)
    window.show()
    qtbot.waitExposed(window)
    with qtbot.waitSignal(window.painted):
        window.update()     # whatever showing it has brought about is over
    told, frame = Told(window), PaintedFrame(window)
    window.painted.connect(frame.over)
    frame.painted.connect(told.all.append)
    frame.expect(3)
    frame.expect(7)
    assert told.all == []
    with qtbot.waitSignal(frame.painted):
        window.update()
    assert told.all == ["paint", 7]
    with qtbot.waitSignal(window.painted):
        window.update()
    assert told.all == ["paint", 7, "paint"]


async def measured(desk, count):
    """Until so many entries are measured."""
    await until(desk.pipeline.status, lambda _: sum(s.count for s in desk.pipeline.delays().all[:1]) >= count)
    return {stage.stage: stage for stage in desk.pipeline.delays().all}


def test_an_entry_is_measured_up_to_the_frame_that_shows_it(run, qtbot, tmp_path):
    async def act(desk):
        told = Told(desk.panel(Table).findChild(QWidget, "qt_scrollarea_viewport") or desk.panel(Table))
        desk.screen._frame.painted.connect(lambda number: told.all.append((number, desk.shown())))
        desk.enter("south")
        total, *stages = (await measured(desk, 1)).values()
        assert [stage.stage for stage in stages] == ["outbox commit", "publish and log", "views", "paint"]
        assert sum(stage.most_ms for stage in stages) == pytest.approx(total.most_ms)
        over = told.all.index((1, [["south", "1"]]))
        assert told.all[over - 1] == "paint"

    on_desk(run, qtbot, tmp_path, act)


def test_where_panels_take_turns_an_entry_is_shown_when_all_had_theirs(run, qtbot, tmp_path, monkeypatch):
    monkeypatch.setattr(bridge, "FLUSH_S", 0.0)

    async def act(desk):
        frames = []
        desk.screen.bridge.shown.connect(frames.append)
        for place in ("south", "north", "north"):
            desk.enter(place)
        stages = await measured(desk, 3)
        assert stages["paint"].count == 3
        assert frames[-1] == 3
        assert all(one < other for one, other in pairwise(frames))

    on_desk(run, qtbot, tmp_path, act, BOARD + TALL_FORM_AND_PLACES)


def test_without_an_entry_nothing_is_expected_of_a_frame(run, qtbot, tmp_path):
    async def act(desk):
        await asyncio.wrap_future(desk.database.log.append([note("north")]))
        await desk.shows([["north", "1"]])
        assert desk.screen._frame._expected == 0
        assert desk.pipeline.delays().all == ()

    on_desk(run, qtbot, tmp_path, act, BOARD + FORM)
