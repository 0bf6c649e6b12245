from __future__ import annotations

import msgspec
import pytest
from PySide6.QtCore import QPoint, QRect, QSettings, Qt
from PySide6.QtWidgets import QLineEdit, QWidget

from dataflow.board import Action, Board, EventType, Field
from dataflow.session import Status
from gui.widgets.pill import Pill
from gui.window.action_dialog import orphans
from gui.window.grid import GAP, cell
from gui.window.keys import KeysDialog, row_keys
from gui.window.main_window import MainWindow

KEY = Qt.Key
BOARD = msgspec.convert(
    {
        "id": "b", "title": "Board", "timezone": "America/New_York",
        "events": {
            "held": {"entry": True, "label": "Hold", "fields": {"flight": {}, "note": {}}},
            "gate": {"entry": True, "label": "Gate", "fields": {"flight": {}, "gate": {}}},
        },
        "panels": [
            {"kind": "log", "title": "Log", "at": [1, 0, 2, 2]},
            {"kind": "value", "title": "Number", "at": [0, 0, 1, 1], "sql": "…"},
            {"kind": "form", "title": "Enter", "at": [0, 1, 1, 1], "events": ["held"]},
        ],
    },
    Board,
)  # fmt: skip


def with_action(event):
    table = {"kind": "table", "title": "Flights", "at": [3, 0, 1, 2], "sql": "…",
             "actions": [{"label": "Do it", "event": event, "key": "H", "fields": {"flight": "flight"}}]}  # fmt: skip
    content = msgspec.to_builtins(BOARD)
    return msgspec.convert({**content, "panels": [*content["panels"], table]}, Board)


@pytest.fixture
def window(qtbot, theme):
    made = MainWindow(theme)
    qtbot.addWidget(made)
    made.resize(1000, 700)
    made.show_board(BOARD)
    made.show()
    qtbot.waitExposed(made)
    made.activateWindow()
    qtbot.waitUntil(made.isActiveWindow)
    return made


def test_cells_share_the_window_evenly_with_gaps_between():
    left, right = cell((0, 0, 1, 1), 2, 2, 1010, 510), cell((0, 1, 1, 1), 2, 2, 1010, 510)
    assert left == QRect(GAP, GAP, 490, 240)
    assert right.left() - left.right() - 1 == GAP
    assert cell((0, 0, 2, 2), 2, 2, 1010, 510) == QRect(GAP, GAP, 990, 490)


@pytest.mark.parametrize("size", [(1000, 700), (1601, 997), (3840, 2160)])
def test_panels_lie_by_their_place_at_any_size(window, size):
    window.resize(*size)
    number, form, log = window.panels
    assert [panel.spec.title for panel in window.panels] == ["Number", "Enter", "Log"]
    assert number.y() == form.y()
    assert form.x() - number.geometry().right() - 1 == GAP
    assert log.width() == form.geometry().right() - number.x() + 1
    assert abs(log.height() - 2 * number.height() - GAP) <= 2


def test_the_keyboard_reaches_everything(window, qtbot):
    number, form, _ = window.panels
    qtbot.keyClick(window, "1", Qt.KeyboardModifier.ControlModifier)
    assert number.hasFocus()
    qtbot.keyClick(window, KEY.Key_E)
    assert form.form().fields["flight"].editor.hasFocus()
    qtbot.keyClick(window.focusWidget(), KEY.Key_E)
    assert form.form().fields["flight"].editor.text() == "e"
    qtbot.keyClick(window.focusWidget(), KEY.Key_Escape)
    qtbot.keyClick(window.focusWidget(), KEY.Key_Escape)
    assert window.hasFocus()
    order = []
    for _ in range(12):
        qtbot.keyClick(window.focusWidget(), KEY.Key_Tab)
        order.append(window.focusWidget().accessibleName())
    assert order[order.index("Number"):][:5] == ["Number", "Flight", "Note", "Hold", "Log"]


def test_space_holds_a_replay_but_not_while_typing(window, qtbot):
    with qtbot.assertNotEmitted(window.pause_wanted):
        qtbot.keyClick(window, KEY.Key_Space)
    window.set_status(Status(state="replaying"))
    with qtbot.waitSignal(window.pause_wanted) as asked:
        qtbot.keyClick(window, KEY.Key_Space)
    assert asked.args == [True]
    window.focus_form()
    with qtbot.assertNotEmitted(window.pause_wanted):
        qtbot.keyClick(window.focusWidget(), KEY.Key_Space)


def test_the_theme_turns_while_running(window, qtbot, theme):
    qtbot.keyClick(window, KEY.Key_T, Qt.KeyboardModifier.ControlModifier)
    assert theme.name == "Light"
    light = window.grab().toImage().pixelColor(QPoint(3, 100))
    assert light.name() == theme.color("background").name()
    window.toggle_theme()
    assert theme.name == "Dark"


def test_full_screen_and_quit(window, qtbot):
    qtbot.keyClick(window, KEY.Key_F11)
    assert window.isFullScreen()
    qtbot.keyClick(window, KEY.Key_F11)
    assert not window.isFullScreen()
    with qtbot.waitSignal(window.closed):
        qtbot.keyClick(window, KEY.Key_Q, Qt.KeyboardModifier.ControlModifier)


def test_the_keys_are_shown_with_the_boards_own(window, qtbot):
    qtbot.keyClick(window, KEY.Key_F1)
    dialog = window.findChild(KeysDialog)
    assert dialog.isVisible()
    qtbot.keyClick(dialog, KEY.Key_Escape)
    assert not dialog.isVisible()
    assert [key.caps for key in row_keys(with_action("held"))] == [("H",)]


def test_a_row_action_fills_the_boards_form(window):
    board = with_action("held")
    _, form, _, table = window.show_board(board)
    table.action.emit(Action(label="Do it", event="held"), {"flight": "AA753"})
    assert form.form().fields["flight"].editor.text() == "AA753"


def test_a_row_action_without_a_form_on_the_board_has_one_aside(window, qtbot):
    board = with_action("gate")
    assert orphans(board) == ["gate"]
    *_, table, aside = window.show_board(board)
    table.action.emit(Action(label="Do it", event="gate"), {"flight": "AA753"})
    assert aside.isVisible()
    assert aside.form().fields["flight"].editor.text() == "AA753"
    with qtbot.waitSignal(aside.submitted) as sent:
        aside.form().submit()
    assert sent.args == ["gate", {"flight": "AA753", "gate": None}]
    aside.accepted()
    assert not aside.isVisible()


def test_what_needs_attention_is_asked_for_by_key_and_by_press(window, qtbot):
    window.set_status(Status(attention=2))
    with qtbot.waitSignal(window.attention_wanted):
        qtbot.keyClick(window, KEY.Key_F8)
    pill = next(each for each in window.findChildren(Pill) if each.text() == "2 need attention")
    with qtbot.waitSignal(window.attention_wanted):
        pill.click()


def test_a_board_without_panels_says_what_to_do(window):
    assert window.show_board(Board(id="e", title="Empty")) == []
    told = [child.accessibleDescription() for child in window.findChildren(QWidget)]
    assert any("[[panels]]" in text for text in told)
    assert window.windowTitle() == "Empty · Watchfloor"


def test_another_board_leaves_nothing_of_the_first(window, qtbot):
    old = window.panels
    window.show_board(msgspec.structs.replace(BOARD, title="Again", events={"held": EventType(fields={"x": Field()})}))
    qtbot.waitUntil(lambda: len(window.findChildren(QLineEdit)) == 1)
    assert not set(old) & set(window.panels)


def test_what_was_being_entered_outlives_a_saved_board_file(window):
    _, form, _ = window.panels
    form.form().fields["note"].editor.setText("half a sen")
    _, again, _ = window.show_board(msgspec.structs.replace(BOARD, title="Again"))
    assert again.form().fields["note"].text() == "half a sen"
    assert again.form().fields["flight"].text() == ""


def test_place_and_theme_are_remembered_in_the_settings_given(qtbot, theme, tmp_path):
    settings = QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)
    first = MainWindow(theme, settings)
    qtbot.addWidget(first)
    first.setGeometry(10, 20, 900, 610)
    first.show()
    first.close()
    second = MainWindow(theme, settings)
    qtbot.addWidget(second)
    assert second.size() == first.size()
    assert settings.value("window/theme") == "dark"
