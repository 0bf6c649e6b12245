"""Which widgets a saved board keeps, where they lie, and where the keyboard is then."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QApplication, QLineEdit
from shiboken6 import isValid

from dataflow.board import Action, Board
from gui.panels import kinds, making
from gui.panels.base import Panel
from gui.panels.shut import Shut
from gui.theme.theme import Theme
from gui.window.action_dialog import ActionDialog
from gui.window.main_window import MainWindow

KEY = Qt.Key
EVENTS = {
    "held": {"entry": True, "label": "Hold", "fields": {"flight": {}, "note": {}}},
    "gate": {"entry": True, "label": "Gate", "fields": {"flight": {}, "gate": {}}},
}
NUMBER = {"kind": "value", "title": "Number", "at": [0, 0, 1, 1], "sql": "…"}
FORM = {"kind": "form", "title": "Enter", "at": [0, 1, 1, 1], "events": ["held"]}
FLIGHTS = {
    "kind": "table", "title": "Flights", "at": [1, 0, 1, 2], "sql": "…",
    "actions": [{"label": "Gate…", "event": "gate", "fields": {"flight": "flight"}}],
}  # fmt: skip
LOG = {"kind": "log", "title": "Log", "at": [2, 0, 1, 2]}
LINE = {"kind": "line", "title": "Delay", "at": [3, 0, 1, 2], "sql": "…", "unit": "min"}


def board(*panels, **more):
    keys = {"id": "b", "title": "Board", "events": EVENTS, "panels": list(panels), **more}
    return msgspec.convert(keys, Board)


def window_on(qtbot, theme, *panels):
    made = MainWindow(theme)
    qtbot.addWidget(made)
    made.resize(1000, 700)
    made.show_board(board(*panels))
    made.show()
    qtbot.waitExposed(made)
    made.activateWindow()
    qtbot.waitUntil(made.isActiveWindow)
    return made


@pytest.fixture
def window(qtbot, theme):
    return window_on(qtbot, theme, NUMBER, FORM, FLIGHTS, LOG)


def by_title(window):
    return {panel.spec.title: panel for panel in window.panels}


def settle():
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def tabbed(qtbot, window, count):
    """The names that the Tab key comes by."""
    window.setFocus()
    names = []
    for _ in range(count):
        qtbot.keyClick(window.focusWidget(), KEY.Key_Tab)
        names.append(window.focusWidget().accessibleName())
    return names


CHANGES = {
    "its query": {"sql": "SELECT 2 AS n"}, "its kind": {"kind": "bar"}, "its looks": {"note": "so"},
    "when it is stale": {"stale_after": "5m"},
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("id", [{}, {"id": "number"}], ids=["made id", "given id"])
def test_a_changed_panel_is_new_and_the_others_are_the_same(qtbot, theme, change, id):
    window = window_on(qtbot, theme, NUMBER | id, FORM, FLIGHTS, LOG)
    before = by_title(window)
    window.show_board(board(NUMBER | id | change, FORM, FLIGHTS, LOG))
    settle()
    after = by_title(window)
    assert [title for title in before if before[title] is not after[title]] == ["Number"]
    assert not isValid(before["Number"])
    assert [isValid(before[title]) for title in ("Enter", "Flights", "Log")] == [True] * 3


def test_panels_that_come_go_and_move_leave_the_others(window):
    before = by_title(window)
    low, moved = {**NUMBER, "title": "Low", "at": [0, 0, 1, 1]}, {**LOG, "at": [0, 1, 1, 1]}
    window.show_board(board(low, moved, FLIGHTS))
    settle()
    after = by_title(window)
    assert list(after) == ["Low", "Log", "Flights", "Entry"]
    assert (after["Log"], after["Flights"]) == (before["Log"], before["Flights"])
    assert after["Log"].spec.at == (0, 1, 1, 1)
    assert after["Log"].x() == after["Low"].geometry().right() + 11
    assert not isValid(before["Enter"])


def test_a_title_is_another_and_the_widget_the_same(qtbot, theme):
    window = window_on(qtbot, theme, LINE, FLIGHTS)
    before = by_title(window)
    window.show_board(board({**LINE, "title": "Delays"}, {**FLIGHTS, "title": "All flights"}))
    line, table = window.panels[1], window.panels[0]
    assert (table, line) == (before["Flights"], before["Delay"])
    assert (line.accessibleName(), line.plot.accessibleName()) == ("Delays (min)", "Delays")
    assert (table.accessibleName(), table.view.accessibleName()) == ("All flights", "All flights")


SHARED = {
    "another time zone": ({"timezone": "Asia/Tokyo"}, []),
    "a field less": ({"events": {**EVENTS, "held": {"entry": True, "label": "Hold", "fields": {"flight": {}}}}}, []),
    "an event type less": ({"events": {"held": EVENTS["held"]}}, []),
    "another type's label": ({"events": {**EVENTS, "held": {**EVENTS["held"], "label": "Stop"}}}, ["Flights", "Log"]),
    "another event type": ({"events": {**EVENTS, "gone": {}}}, ["Enter", "Flights", "Log"]),
    "another title": ({"title": "Again"}, ["Enter", "Flights", "Log"]),
}  # fmt: skip


@pytest.mark.parametrize(("change", "kept"), SHARED.values(), ids=SHARED)
def test_what_the_board_says_for_all_makes_those_anew_that_need_it(qtbot, theme, change, kept):
    window = window_on(qtbot, theme, FORM, FLIGHTS, LOG)
    before = by_title(window)
    window.show_board(board(FORM, FLIGHTS, LOG, **change))
    after = by_title(window)
    assert [title for title in ("Enter", "Flights", "Log") if before[title] is after[title]] == kept


def test_all_are_new_where_that_is_wanted(window):
    before = set(window.panels)
    assert len(window.show_board(board(NUMBER, FORM, FLIGHTS, LOG), anew=True)) == 5
    settle()
    assert not before & set(window.panels)
    assert not any(map(isValid, before))


def test_the_keyboard_stays_where_it_was_to_the_letter(window, qtbot):
    form = by_title(window)["Enter"].form()
    note = form.fields["note"].editor
    note.setFocus()
    qtbot.keyClicks(note, "half a sen")
    note.setSelection(2, 3)
    window.show_board(board({**NUMBER, "sql": "SELECT 1 AS n"}, {**FORM, "at": [5, 0, 1, 1]}, FLIGHTS, LOG))
    settle()
    assert window.focusWidget() is note
    assert (note.text(), note.selectedText()) == ("half a sen", "lf ")


@pytest.mark.parametrize("changed", [{"sql": "SELECT 3 AS n"}, {"note": "so"}])
def test_the_keyboard_goes_to_what_came_for_the_panel_that_had_it(window, qtbot, changed):
    by_title(window)["Number"].focus()
    window.show_board(board({**NUMBER, **changed}, FORM, FLIGHTS, LOG))
    settle()
    assert by_title(window)["Number"].hasFocus()


def test_tab_leads_through_old_and_new_panels_by_place(window, qtbot):
    names = tabbed(qtbot, window, 20)
    assert names[names.index("Number"):][:6] == ["Number", "Flight", "Note", "Hold", "Flights", "Log"]
    new = {**NUMBER, "title": "New", "at": [0, 0, 1, 1]}
    places = (LOG, [0, 1, 1, 1]), (FLIGHTS, [1, 0, 1, 1]), (FORM, [1, 1, 1, 1])
    window.show_board(board(new, *({**section, "at": at} for section, at in places)))
    settle()
    names = tabbed(qtbot, window, 20)
    assert names[names.index("New"):][:6] == ["New", "Log", "Flights", "Flight", "Note", "Hold"]


def test_numbers_lead_to_panels_by_place(window, qtbot):
    window.show_board(board({**NUMBER, "at": [9, 0, 1, 1]}, FORM, FLIGHTS, LOG))
    qtbot.keyClick(window, "4", Qt.KeyboardModifier.ControlModifier)
    assert by_title(window)["Number"].hasFocus()


def test_drafts_go_to_a_form_that_is_made_anew_and_leave_those_that_are_kept(window):
    old = by_title(window)["Enter"].form()
    old.fields["note"].editor.setText("half a sen")
    window.show_board(board(NUMBER, {**FORM, "events": ["held", "gate"]}, FLIGHTS, LOG))
    new = by_title(window)["Enter"]
    assert new.drafts() == {"held": {"note": "half a sen"}}
    second = {**FORM, "title": "Second", "at": [9, 0, 1, 1]}
    window.show_board(board(NUMBER, {**FORM, "events": ["held", "gate"]}, FLIGHTS, LOG, second))
    assert by_title(window)["Enter"] is new
    assert by_title(window)["Second"].drafts() == {}


def test_a_dialog_that_is_open_stays_open_over_a_save(window):
    table = by_title(window)["Flights"]
    table.action.emit(Action(label="Gate…", event="gate"), {"flight": "AA753"})
    dialog = window.findChild(ActionDialog)
    dialog.form.form().fields["gate"].editor.setText("B1")
    window.show_board(board({**NUMBER, "sql": "SELECT 1 AS n"}, FORM, FLIGHTS, LOG))
    settle()
    assert window.panels[-1] is dialog.form
    assert dialog.isVisible()
    assert dialog.form.drafts() == {"gate": {"flight": "AA753", "gate": "B1"}}
    window.show_board(board(NUMBER, FORM, LOG))
    settle()
    assert not isValid(dialog)
    assert window.findChildren(ActionDialog) == []


def test_a_row_action_opens_its_form_once_after_many_saves(window):
    for number in range(3):
        window.show_board(board({**NUMBER, "sql": f"SELECT {number} AS n"}, FORM, FLIGHTS, LOG))
    opened = []
    window.findChild(ActionDialog).show_for = lambda *what: opened.append(what)
    by_title(window)["Flights"].action.emit(Action(label="Gate…", event="gate"), {"flight": "AA753"})
    assert len(opened) == 1


def test_a_panel_that_is_shut_or_failed_is_tried_again(qtbot, theme, monkeypatch):
    def fails(*_):
        raise OSError("no such font")

    monkeypatch.setattr(kinds, "make", fails)
    window = window_on(qtbot, theme, NUMBER)
    (shut,) = window.panels
    assert isinstance(shut, Shut)
    monkeypatch.undo()
    (number,) = window.show_board(board(NUMBER))
    assert not isinstance(number, Shut)
    number.show_failure("This panel can't be drawn")
    assert window.show_board(board(NUMBER)) != [number]


def test_a_kept_panel_is_known_by_its_new_section_if_the_process_dies_of_it(window, monkeypatch):
    class Marks:
        def set(self, own):
            return own

    marks = Marks()
    panel = by_title(window)["Log"]
    making.keep(panel, msgspec.structs.replace(panel.spec, at=(7, 0, 1, 1)), marks)
    assert panel.mark == (marks, making.digest(panel.spec))
    assert panel.spec.at == (7, 0, 1, 1)


def test_a_board_without_panels_leaves_its_sentence_when_there_are_some(window):
    window.show_board(board())
    settle()
    assert len(window.findChildren(Panel)) == 0
    window.show_board(board(NUMBER))
    settle()
    assert not any("[[panels]]" in child.accessibleDescription() for child in window.findChildren(Panel.__base__))


SECTIONS = st.lists(st.sampled_from([NUMBER, FORM, FLIGHTS, LOG, {**NUMBER, "sql": "SELECT 1 AS n"}]), max_size=6)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(SECTIONS, SECTIONS)
def test_whatever_is_saved_each_panel_has_one_widget_and_none_is_left(qtbot, theme, first, second):
    def placed(sections):
        return board(*({**section, "at": [row, 0, 1, 1]} for row, section in enumerate(sections)))

    window = MainWindow(Theme.load("dark"))
    before = {panel.spec.id: panel for panel in window.show_board(placed(first)) if panel.spec.id}
    saved = placed(second)
    after = window.show_board(saved)
    settle()
    shown = [panel for panel in after if panel.spec.id]
    assert [panel.spec for panel in shown] == saved.panels
    assert set(window.findChildren(Panel)) == set(after)
    assert all(panel.isVisibleTo(window) for panel in shown)
    for panel in shown:
        assert before.get(panel.spec.id, panel) is panel, "made ids tell what is shown: what has one already is kept"
    assert len(window.findChildren(QLineEdit)) == len({w for p in after for w in p.findChildren(QLineEdit)})
    window.deleteLater()
    settle()
