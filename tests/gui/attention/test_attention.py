"""The dialog of what needs attention: what it says of each item, and every action by button and by key."""

from __future__ import annotations

from types import SimpleNamespace

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QWidget

from dataflow.board import Board
from dataflow.session import Attention, Meanwhile, Problem, Status, Told
from gui.attention.controller import AttentionController
from gui.attention.dialog import AttentionDialog
from gui.attention.words import Words

KEY = Qt.Key
MINUTE = 60_000_000
NOW = 1_360_351_920_000_000     # 8 February 2013, 14:32 in New York
BOARD = msgspec.convert(
    {
        "id": "b", "title": "Board", "timezone": "America/New_York",
        "events": {
            "held": {"entry": True, "label": "Hold a flight", "subject": "flight", "guard": True, "fields": {
                "flight": {"required": True}, "reason": {"choices": ["Crew", "Weather"]},
                "until": {"type": "timestamp"}, "minutes": {"type": "int", "unit": "min", "label": "For"},
                "note": {}}},
            "gate": {"label": "Gate", "subject": "flight", "fields": {"flight": {}, "gate": {}, "note": {}}},
        },
    },
    Board,
)  # fmt: skip


def told(type="held", author="amy", time=NOW, position=None, **fields):
    return Told(
        id=f"{type}-{author}-{time}", type=type, subject="AA753", time=time, author=author, position=position,
        fields={"flight": "AA753", **fields},
    )  # fmt: skip


def stale(key=9, **fields):
    entry = told(reason="Crew", until=NOW + 38 * MINUTE, **fields)
    return Attention(key=key, time=NOW, reason="AA753 has changed since you saw it", text='{"id":"x"}', origin="outbox",
                     kind="entry", entry=entry, stale=True)  # fmt: skip


def message(key, **given):
    usual = {"time": NOW, "reason": f"reason {key}", "text": f'{{"n":{key}}}', "origin": f"a.ndjson:{key}"}
    return Attention(key=key, **{**usual, **given})


MEANWHILE = Meanwhile(until=12, events=(
    told("gate", "eve", NOW + MINUTE, 11, gate="B2", note="not a hold's note"),
    told("held", "bob", NOW + 2 * MINUTE, 12, reason="Weather", until=NOW + 38 * MINUTE),
))  # fmt: skip


@pytest.fixture
def dialog(qtbot, theme):
    parent = QWidget()
    qtbot.addWidget(parent)
    made = AttentionDialog(BOARD, theme, parent)
    made.set_now(NOW)
    made.show()
    qtbot.waitExposed(made)
    made.activateWindow()
    qtbot.waitUntil(made.isActiveWindow)
    made._focus_list()
    yield made
    made.close()


def press(dialog, qtbot, key, modifier=Qt.KeyboardModifier.NoModifier):
    qtbot.keyClick(dialog.focusWidget(), key, modifier)


def words(widget):
    """All the texts that are shown."""
    return [label.text() for label in widget.findChildren(QLabel) if label.isVisible() and label.text()]


def offered(dialog):
    actions = dialog._actions
    buttons = (actions.undo, actions.copy, actions.dismiss, actions.back, actions.change, actions.again)
    return [button.text().replace("&", "") for button in buttons if button.isVisible()]


def selected(dialog):
    return [item.key for item in dialog._selected()]


def rows(line_list):
    return [line.words() for line in line_list.lines]


# What it says


def test_a_stale_entry_is_shown_as_its_form_would_with_what_happened_meanwhile(dialog):
    dialog.show_items([stale(minutes=40)])
    assert "Looking for what happened to AA753 since …" in words(dialog)
    assert not dialog._actions.again.isEnabled()
    dialog.show_meanwhile(9, MEANWHILE)
    assert words(dialog)[:4] == [
        "Needs attention: 1", "Hold a flight · AA753", "Entered 8 Feb 14:32:00 by amy",
        "AA753 has changed since you saw it.",
    ]  # fmt: skip
    assert "What happened to AA753 since" in words(dialog)
    assert words(dialog._entry._fields) == [
        "You entered", "Meanwhile", "Flight", "AA753", "Reason", "Crew", "Weather · bob", "Until", "8 Feb 15:10",
        "For", "40\u202fmin", "Note", "–",
    ]  # fmt: skip
    assert rows(dialog._entry._story) == [
        "14:33:00, Gate, eve, Gate B2 · Note not a hold's note",
        "14:34:00, Hold a flight, bob, Reason Weather · Until 8 Feb 15:10",
    ]
    assert rows(dialog._list) == ["Hold a flight · AA753, Changed meanwhile · 8 Feb 14:32:00 · amy"]
    assert offered(dialog) == ["Discard", "Change…", "Re-apply"]
    assert dialog._actions.again.isEnabled()


def test_a_message_is_shown_with_its_raw_text(dialog):
    dialog.show_items([message(5), message(-3, kind="misfit", origin="position 3")])
    assert words(dialog._message)[:2] == ["Reason 5.", "8 Feb 14:32:00 · a.ndjson:5"]
    assert dialog._message._raw.toPlainText() == '{"n":5}'
    assert offered(dialog) == ["Copy", "Dismiss"]
    dialog._list.go_to(1)
    assert "in no view" in words(dialog._message)[2]


def test_what_came_from_elsewhere_is_never_taken_as_markup(dialog):
    evil = "<b>x</b><img src='http://evil'>"
    entry = msgspec.structs.replace(told(note=evil), subject=evil, author=evil, time=2**62)
    item = msgspec.structs.replace(stale(), entry=entry, reason=evil)
    dialog.show_items([item, message(1, reason=evil * 500, text=evil, origin=evil, time=-(2**62))])
    dialog.show_meanwhile(9, Meanwhile(until=1, events=(entry,)))
    labels = [label for label in dialog.findChildren(QLabel) if evil in label.text()]
    assert len(labels) >= 5
    assert {label.textFormat() for label in labels} == {Qt.TextFormat.PlainText}
    dialog._list.go_to(1)
    dialog.grab()
    assert dialog._message._raw.toPlainText() == evil


def test_long_words_widen_nothing(dialog, qtbot):
    long = "x" * 5000
    entry = msgspec.structs.replace(told(note=long), subject=long, author=long)
    size = dialog.size()
    item = msgspec.structs.replace(stale(), entry=entry, reason=long)
    dialog.show_items([item, message(1, reason=long, origin=long)])
    dialog.show_meanwhile(9, Meanwhile(until=1, events=(entry,)))
    dialog._actions.change.click()
    dialog._list.go_to(1)
    dialog.grab()
    assert dialog.size() == size


def test_nothing_is_said_and_nothing_is_offered_where_there_is_nothing(dialog):
    dialog.show_items([])
    assert words(dialog)[0] == "Needs attention"
    assert words(dialog)[1].startswith("Nothing needs attention.")
    assert offered(dialog) == []


def test_more_than_are_listed_are_counted(dialog):
    dialog.show_items([message(2), message(1)], 4321)
    assert words(dialog)[0] == "Needs attention: 4,321 · the newest 2 are shown"


def test_an_entry_that_the_board_does_not_have_any_more_can_only_be_discarded(dialog):
    dialog.show_items([msgspec.structs.replace(stale(), entry=told("gate", gate="B2"))])
    dialog.show_meanwhile(9, MEANWHILE)
    assert not dialog._actions.again.isEnabled()
    assert not dialog._actions.change.isEnabled()
    assert dialog._actions.dismiss.isEnabled()


def test_everything_has_a_name(dialog):
    dialog.show_items([stale()])
    dialog.show_meanwhile(9, MEANWHILE)
    named = [dialog._list, dialog._entry._story, dialog._message._raw, dialog._actions.again, dialog._actions.dismiss]
    assert [widget.accessibleName() for widget in named] == [
        "What needs attention", "What happened meanwhile", "Raw text", "Re-apply", "Discard",
    ]  # fmt: skip


def test_fields_that_are_no_json_object_of_the_board_are_said_as_they_are():
    entry = Told(id="1", type="other", subject=None, time=NOW, author="x", fields={"data": "[1", "n": [1, 2]})
    said = [(each.label, each.text) for each in Words(BOARD).fields(entry)]
    assert said == [("Data", "[1"), ("N", "[1, 2]")]


# What is selected


def test_what_was_selected_stays_so_or_its_neighbour_is(dialog):
    dialog.show_items([message(key) for key in (5, 4, 3, 2, 1)])
    assert selected(dialog) == [5]
    dialog._list.go_to(2)
    dialog.show_items([message(key) for key in (6, 5, 4, 3, 2, 1)])
    assert selected(dialog) == [3]
    dialog.show_items([message(key) for key in (6, 5, 4, 2, 1)])
    assert selected(dialog) == [2]
    dialog.show_items([message(key) for key in (6, 5)])
    assert selected(dialog) == [5]
    dialog.show_items([])
    assert selected(dialog) == []


def test_what_happened_to_another_entry_is_not_shown(dialog):
    dialog.show_items([stale(9), stale(8)])
    dialog.show_meanwhile(8, MEANWHILE)
    assert dialog._entry.meanwhile is None
    dialog.show_meanwhile(9, MEANWHILE)
    dialog._list.go_to(1)
    assert dialog._entry.meanwhile is None


def test_each_entry_is_asked_for_when_it_is_selected(dialog, qtbot):
    asked = []
    dialog.meanwhile_wanted.connect(asked.append)
    dialog.show_items([stale(9), stale(8), message(1)])
    for _ in range(2):
        press(dialog, qtbot, KEY.Key_Down)
    assert asked == [9, 8]


# What can be done


def test_re_apply_by_keys_tells_what_was_seen(dialog, qtbot):
    dialog.show_items([stale()])
    dialog.show_meanwhile(9, MEANWHILE)
    asked = []
    dialog.again_wanted.connect(lambda key, *_: asked.append(key))
    press(dialog, qtbot, KEY.Key_Return)
    assert dialog._actions.again.hasFocus()
    with qtbot.waitSignal(dialog.again_wanted) as wanted:
        press(dialog, qtbot, KEY.Key_Return)
    assert wanted.args == [9, None, 12]
    press(dialog, qtbot, KEY.Key_Return)
    assert asked == [9]
    dialog.entered(9)
    dialog.show_items([])
    dialog.confirmed(13)
    assert dialog._actions.outcome.text() == "Confirmed at position 13"


def test_change_opens_the_form_filled_and_says_what_others_say(dialog, qtbot):
    dialog.show_items([stale(note="half"), message(1)])
    dialog.show_meanwhile(9, MEANWHILE)
    qtbot.keyClick(dialog, KEY.Key_C, Qt.KeyboardModifier.AltModifier)
    qtbot.waitUntil(lambda: dialog._entry.form is not None)
    form = dialog._entry.form
    assert {name: box.text() for name, box in form.fields.items()} == {
        "flight": "AA753", "reason": "Crew", "until": "15:10", "minutes": "", "note": "half",
    }  # fmt: skip
    assert form.fields["reason"].editor.hasFocus()
    assert "Meanwhile Weather · bob" in words(form)
    assert offered(dialog) == ["Back"]
    assert not dialog._list.isEnabled()
    form.fields["reason"].set_value("Weather")
    with qtbot.waitSignal(dialog.again_wanted) as wanted:
        press(dialog, qtbot, KEY.Key_Return)
    assert wanted.args == [9, {
        "flight": "AA753", "reason": "Weather", "until": NOW + 38 * MINUTE, "minutes": None, "note": "half",
    }, 12]  # fmt: skip
    dialog.refused([Problem("note", "is too short")])
    assert "Is too short" in words(form)
    dialog.entered(9)
    dialog.show_items([message(1)])
    assert dialog._entry.form is None
    assert dialog._list.isEnabled()


def test_escape_leaves_the_form_first_and_loses_nothing(dialog, qtbot):
    dialog.show_items([stale()])
    dialog.show_meanwhile(9, MEANWHILE)
    dialog._actions.change.click()
    press(dialog, qtbot, KEY.Key_Escape)
    assert dialog.isVisible()
    assert "Crew" in words(dialog)
    assert dialog._list.hasFocus()
    press(dialog, qtbot, KEY.Key_Escape)
    assert not dialog.isVisible()


def test_what_happens_while_it_is_changed_is_said_in_the_form_and_what_was_typed_stays(dialog, qtbot):
    dialog.show_items([stale()])
    dialog.show_meanwhile(9, MEANWHILE)
    dialog._actions.change.click()
    dialog._entry.form.fields["note"].set_value("mine")
    later = told("held", "eve", NOW + 3 * MINUTE, 14, reason="Crew", minutes=5)
    dialog.show_meanwhile(9, Meanwhile(until=14, events=(*MEANWHILE.events, later)))
    qtbot.waitUntil(lambda: "Meanwhile 5\u202fmin · eve" in words(dialog._entry.form))
    assert "Meanwhile Weather · bob" not in words(dialog._entry.form)
    dialog.show_items([message(3), stale()])
    assert dialog._entry.form.fields["note"].text() == "mine"
    dialog.show_board(msgspec.structs.replace(BOARD, title="Again"))
    assert dialog._entry.form.fields["note"].text() == "mine"
    dialog.show_items([message(3)])
    assert dialog._entry.form is None


def test_what_is_being_changed_is_left_alone_when_another_entry_is_durable(dialog, qtbot):
    dialog.show_items([stale(9), stale(8)])
    dialog.show_meanwhile(9, MEANWHILE)
    dialog._actions.change.click()
    dialog.entered(8)
    dialog.show_items([stale(9)])
    assert dialog._entry.form is not None
    dialog._leave_form()
    dialog.copied()
    dialog.confirmed(13)
    assert dialog._actions.outcome.text() == "Copied"


def test_tab_goes_from_the_form_to_what_happened_meanwhile(dialog, qtbot):
    dialog.show_items([stale()])
    dialog.show_meanwhile(9, MEANWHILE)
    dialog._actions.change.click()
    names = []
    for _ in range(7):
        names.append(dialog.focusWidget().accessibleName())
        press(dialog, qtbot, KEY.Key_Tab)
    assert names == ["Reason", "Until", "For", "Note", "Hold a flight", "What happened meanwhile", "Back"]


def test_discard_and_undo_by_keys(dialog, qtbot):
    dialog.show_items([stale(), message(1)])
    with qtbot.waitSignal(dialog.dismiss_wanted) as wanted:
        press(dialog, qtbot, KEY.Key_Delete)
    assert wanted.args == [[9]]
    dialog.show_items([message(1)])
    dialog.dismissed([stale()])
    assert dialog._actions.outcome.text() == "Discarded: Hold a flight · AA753"
    assert offered(dialog) == ["Undo", "Copy", "Dismiss"]
    assert dialog._list.hasFocus()
    with qtbot.waitSignal(dialog.restore_wanted) as wanted:
        press(dialog, qtbot, KEY.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert wanted.args == [[9]]
    dialog.show_items([stale(), message(1)])
    dialog.restored([9])
    assert selected(dialog) == [9]
    assert "Undo" not in offered(dialog)


def test_many_are_dismissed_at_once(dialog, qtbot):
    dialog.show_items([message(key) for key in (4, 3, 2, 1)])
    press(dialog, qtbot, KEY.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    press(dialog, qtbot, KEY.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    assert offered(dialog) == ["Copy", "Dismiss 3"]
    assert "3 are selected" in words(dialog)
    with qtbot.waitSignal(dialog.dismiss_wanted) as wanted:
        qtbot.keyClick(dialog, KEY.Key_D, Qt.KeyboardModifier.AltModifier)
    assert wanted.args == [[4, 3, 2]]
    dialog.show_items([message(1)])
    dialog.dismissed([message(key) for key in (4, 3, 2)])
    assert dialog._actions.outcome.text() == "Dismissed: 3 items"
    assert selected(dialog) == [1]


def test_the_raw_text_is_copied(dialog, qtbot):
    dialog.show_items([message(4), message(3)])
    with qtbot.waitSignal(dialog.copy_wanted) as wanted:
        press(dialog, qtbot, KEY.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert wanted.args == [[4]]
    with qtbot.waitSignal(dialog.copy_wanted):
        dialog._actions.copy.click()
    dialog.copied()
    assert dialog._actions.outcome.text() == "Copied"


def test_all_of_a_message_is_asked_for_when_it_is_selected(dialog, qtbot):
    asked = []
    dialog.raw_wanted.connect(asked.append)
    dialog.show_items([message(4), message(3)])
    press(dialog, qtbot, KEY.Key_Down)
    assert asked == [4, 3]
    dialog.show_raw(4, "of another one")
    assert dialog._message._raw.toPlainText() == '{"n":3}'
    dialog.show_raw(3, "all of it")
    dialog.show_items([message(5), message(4), message(3)])
    assert dialog._message._raw.toPlainText() == "all of it"


def test_what_could_not_be_done_is_said(dialog):
    dialog.show_items([stale()])
    dialog.show_meanwhile(9, MEANWHILE)
    dialog.refused([Problem("reason", "is not one of its choices"), Problem(None, "dealt with already")])
    assert dialog._actions.outcome.text() == "Reason: is not one of its choices; dealt with already"
    dialog.failed("the disk is full: <b>x</b>")
    assert dialog._actions.outcome.text() == "The disk is full: <b>x</b>"
    assert "&lt;b&gt;x" in dialog._actions.outcome.toolTip()


# While much comes in


def test_the_list_is_read_at_once_and_then_now_and_then(qtbot, theme):
    reads = []
    session = SimpleNamespace(attention=lambda: reads.append(1) or [])
    window = QWidget()
    qtbot.addWidget(window)
    desk = AttentionController(window, theme, session, window)
    desk._list.setInterval(20)
    desk.show_board(BOARD)
    desk.show_status(Status(attention=1))
    desk.open()
    assert len(reads) == 1
    for count in range(2, 9):
        desk.show_status(Status(attention=count))
    assert len(reads) == 2
    qtbot.waitUntil(lambda: len(reads) == 3)
    qtbot.waitUntil(lambda: not desk._list.isActive())
    assert len(reads) == 3
    desk.show_status(Status(attention=9))
    desk.close()


def test_a_refused_withdrawal_has_a_name():
    assert Words(BOARD).name(told("entry.withdrawn")) == "Withdraw an entry · AA753"
