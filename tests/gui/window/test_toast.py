"""The toast after an entry: what was entered, the way back by mouse and key, and that it disturbs nobody."""

from __future__ import annotations

import asyncio

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QEnterEvent
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QVBoxLayout, QWidget

from gui.widgets.pill import Pill
from gui.window import toast as module
from gui.window.toast import Toast
from tests.gui.binding.test_screen import on_desk
from tests.gui.binding.test_undo import CTRL, NAMED


@pytest.fixture
def over(qtbot, theme):
    """A window with a field that has the keyboard, and a toast over it."""
    window = QWidget()
    qtbot.addWidget(window)
    field = QLineEdit(window)
    QVBoxLayout(window).addWidget(field)
    window.resize(600, 300)
    toast = Toast(theme, window)
    window.show()
    qtbot.waitExposed(window)
    field.setFocus()
    return window, field, toast


def way(toast):
    return toast.findChild(Pill)


def test_it_takes_no_keyboard_and_lies_over_the_foot(over):
    window, field, toast = over
    toast.offer("Entered: Hold UA1", "undo")
    assert toast.isVisible()
    assert window.focusWidget() is field
    assert window.rect().contains(toast.geometry())
    assert abs(toast.geometry().center().x() - window.rect().center().x()) <= 1
    window.resize(400, 500)
    assert window.rect().contains(toast.geometry())
    assert toast.geometry().bottom() > 430
    toast.offer("Withdrawn: Hold UA1", "redo")
    label = toast.findChild(QLabel)
    assert label.width() >= label.sizeHint().width()
    assert label.geometry().right() < way(toast).geometry().left()


def test_the_mouse_and_the_keyboard_press_it(over, qtbot):
    window, field, toast = over
    toast.offer("Entered: Hold UA1", "undo")
    assert (way(toast).text(), way(toast).accessibleName()) == ("Undo  Ctrl+Z", "Undo")
    with qtbot.waitSignal(toast.undo_wanted):
        qtbot.mouseClick(way(toast), Qt.MouseButton.LeftButton)
    assert window.focusWidget() is field
    toast.offer("Withdrawn: Hold UA1", "redo")
    qtbot.keyClick(field, Qt.Key.Key_Tab)
    assert way(toast).hasFocus()
    with qtbot.waitSignal(toast.redo_wanted):
        qtbot.keyClick(way(toast), Qt.Key.Key_Return)


def test_it_goes_by_itself_and_stays_while_somebody_is_at_it(over, qtbot, monkeypatch):
    _, field, toast = over
    toast._ends.setInterval(20)
    toast.offer("Entered: Hold UA1", "undo")
    qtbot.waitUntil(lambda: not toast.isVisible())
    toast.offer("Entered: Hold UA1", "undo")
    way(toast).setFocus(Qt.FocusReason.TabFocusReason)
    assert not toast._ends.isActive()
    field.setFocus()
    qtbot.waitUntil(lambda: not toast.isVisible())
    toast.offer("Entered: Hold UA1", "undo")
    at = QPointF(2, 2)
    QApplication.sendEvent(toast, QEnterEvent(at, at, at))
    assert not toast._ends.isActive()
    QApplication.sendEvent(toast, QEvent(QEvent.Type.Leave))
    qtbot.waitUntil(lambda: not toast.isVisible())
    assert module.STAYS_MS >= 5_000


def test_it_is_announced_and_says_words_as_they_are(over, monkeypatch):
    announced = []
    monkeypatch.setattr(module.QAccessible, "updateAccessibility", lambda event: announced.append(event.message()))
    _, __, toast = over
    toast.offer("Entered: <b>UA1</b>", "undo")
    assert announced == ["Entered: <b>UA1</b>. Undo: Ctrl+Z"]
    label = toast.findChild(QLabel)
    assert (label.text(), label.textFormat()) == ("Entered: <b>UA1</b>", Qt.TextFormat.PlainText)
    toast.offer("Entered: " + "x" * 900, "")
    assert toast.width() < 600
    assert not way(toast).isVisible()
    toast.offer("", "")
    assert not toast.isVisible()


async def told(toast, words):
    """It says so soon after the frame that shows the entry."""
    async with asyncio.timeout(5):
        while toast.words() != words:
            await asyncio.sleep(0.01)


def test_an_entry_is_undone_and_entered_again_from_the_toast(run, qtbot, tmp_path):
    async def act(desk):
        desk.enter("north")
        desk.enter("south")
        await desk.shows([["north", "1"], ["south", "1"]])
        toast = desk.window.findChild(Toast)
        focused = desk.window.focusWidget()
        await told(toast, "Entered: Note south")
        qtbot.mouseClick(way(toast), Qt.MouseButton.LeftButton, pos=QPoint(5, 5))
        await desk.shows([["north", "1"], ["", "1"]])
        await told(toast, "Withdrawn: Note south")
        assert desk.window.focusWidget() is focused
        qtbot.mouseClick(way(toast), Qt.MouseButton.LeftButton)
        await desk.shows([["north", "1"], ["south", "1"], ["", "1"]])
        await told(toast, "Entered again: Note south")
        qtbot.keyClick(desk.window.focusWidget(), Qt.Key.Key_Z, CTRL)
        await desk.shows([["north", "1"], ["", "2"]])
        await told(toast, "Withdrawn: Note south")

    on_desk(run, qtbot, tmp_path, act, NAMED)
