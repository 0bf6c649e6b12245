"""Ctrl+Z and Ctrl+Shift+Z: the operator's last entries are withdrawn and entered again, and the foot says so."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QApplication

from dataflow.board import Board, EventType
from dataflow.session import Entered, EntryRefused, EntryRejected, Problem, Told
from gui.binding.undo import Undo, entry_name
from gui.panels.form import Form
from gui.window.footer import Footer
from tests.dataflow.desks import BOARD
from tests.gui.binding.test_screen import FORM, on_desk

CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
NAMED = BOARD.replace("entry = true", 'entry = true\nsubmit = "Note {place}"') + FORM


def told(id, **fields):
    return Told(id=id, type="note.made", subject=fields.get("place"), time=0, author="amy", fields=fields)


# what is said and kept


class Session:
    """Takes everything, unless it is told why not."""

    def __init__(self):
        self.board = msgspec.convert(
            {"id": "b", "title": "B", "events": {"note.made": {"label": "Note", "fields": {"place": {}}}}}, Board
        )
        self.calls, self.why, self.made = [], "", []

    def withdraw(self, id):
        return self._take(("withdraw", id), None)

    def enter(self, type, fields, *, causation):
        return self._take(("enter", type, fields, causation), told(f"again-{causation}", **fields))

    def _take(self, call, said):
        if self.why:
            raise EntryRefused([Problem(None, self.why)])
        self.calls.append(call)
        loop = asyncio.get_running_loop()
        entered = Entered(id="x", durable=loop.create_future(), confirmed=loop.create_future(), told=said)
        self.made.append(entered)
        return entered


@pytest.fixture
def undoing(qapp):
    """Run a function with an Undo, its session, and what was said."""

    def undone(function):
        async def main():
            parent, session, said = QObject(), Session(), []
            undo = Undo(session, parent)
            undo.message.connect(said.append)
            await function(undo, session, said)
            undo.close()
            for entered in session.made:
                entered.durable.cancel()
                entered.confirmed.cancel()
            await asyncio.sleep(0)

        asyncio.run(main())

    return undone


def entered(id, place):
    return Entered(id=id, durable=None, confirmed=None, told=told(id, place=place))


def test_the_last_entries_are_withdrawn_one_by_one_and_entered_again(undoing):
    async def check(undo, session, said):
        undo.entered(entered("a", "north"))
        undo.entered(entered("b", "south"))
        for act in (undo.undo, undo.undo, undo.undo, undo.redo, undo.redo, undo.redo, undo.undo):
            act()
        assert session.calls == [
            ("withdraw", "b"), ("withdraw", "a"), ("enter", "note.made", {"place": "north"}, "a"),
            ("enter", "note.made", {"place": "south"}, "b"), ("withdraw", "again-b"),
        ]  # fmt: skip
        assert said[2:] == [
            "Withdrawn: Note · south. Ctrl+Shift+Z enters it again.",
            "Withdrawn: Note · north. Ctrl+Shift+Z enters it again.",
            "There is nothing of yours to withdraw: you have entered nothing in this window",
            "Entered again: Note · north. Ctrl+Z withdraws it.",
            "Entered again: Note · south. Ctrl+Z withdraws it.",
            "There is nothing to enter again",
            "Withdrawn: Note · south. Ctrl+Shift+Z enters it again.",
        ]

    undoing(check)


def test_another_entry_ends_what_can_be_entered_again_and_what_was_said(undoing):
    async def check(undo, session, said):
        undo.entered(entered("a", "north"))
        undo.undo()
        undo.entered(entered("b", "south"))
        assert said[-1] == ""
        undo.redo()
        assert said[-1] == "There is nothing to enter again"

    undoing(check)


def test_what_the_log_refused_is_not_there_to_be_withdrawn(undoing):
    async def check(undo, session, said):
        undo.entered(entered("a", "north"))
        undo.entered(entered("b", "south"))
        undo.lost("b")
        undo.undo()
        assert session.calls == [("withdraw", "a")]

    undoing(check)


def test_why_not_is_said_and_the_one_before_is_next(undoing):
    async def check(undo, session, said):
        undo.entered(entered("a", "north"))
        undo.entered(entered("b", "south"))
        session.why = "it is withdrawn already"
        undo.undo()
        assert said[-1] == "Not withdrawn: Note · south. It is withdrawn already"
        session.why = ""
        undo.undo()
        session.why = "`note.made` is not an event type of this board"
        undo.redo()
        assert said[-1] == "Not entered again: Note · north. `note.made` is not an event type of this board"
        assert session.calls == [("withdraw", "a")]

    undoing(check)


def test_a_withdrawal_that_the_log_refuses_can_be_tried_again(undoing):
    async def check(undo, session, said):
        undo.entered(entered("a", "north"))
        undo.undo()
        (undone,) = session.made
        undone.durable.set_result(None)
        undone.confirmed.set_exception(EntryRejected("no", stale=False))
        while said[-1].startswith("Withdrawn"):
            await asyncio.sleep(0)
        assert said[-1] == "Not withdrawn: Note · north. No: it needs attention (F8)"
        undo.redo()
        assert said[-1] == "There is nothing to enter again"
        undo.undo()
        assert session.calls == [("withdraw", "a")] * 2

    undoing(check)


def test_an_entry_is_named_as_the_button_named_it():
    event = msgspec.convert(
        {"submit": "Hold {flight} until {until} {note}", "fields": {"flight": {}, "until": {"type": "timestamp"}}},
        EventType,
    )
    board = Board(id="b", title="B", timezone="America/New_York", events={"note.made": event})
    said = told("a", flight="UA1545", until=1_360_351_920_000_000)
    assert entry_name(said, board) == "Hold UA1545 until 8 Feb 14:32"
    assert entry_name(told("a", place="north"), Board(id="b", title="B")) == "note.made · north"


# in a window


def test_undo_by_the_keyboard_right_after_entering(run, qtbot, tmp_path):
    async def act(desk):
        for place in ("north", "south"):
            desk.enter(place)
        await desk.shows([["north", "1"], ["south", "1"]])
        foot = desk.window.findChild(Footer)
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Z, CTRL)
        await desk.shows([["north", "1"], ["", "1"]])
        assert foot.accessibleDescription().startswith("Withdrawn: Note south. Ctrl+Shift+Z enters it again.")
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Z, CTRL | SHIFT)
        await desk.shows([["north", "1"], ["south", "1"], ["", "1"]])
        assert foot.accessibleDescription().startswith("Entered again: Note south. Ctrl+Z withdraws it.")

    on_desk(run, qtbot, tmp_path, act, NAMED)


def test_in_a_text_field_the_keys_are_the_fields_own_while_it_has_something_to_undo(run, qtbot, tmp_path):
    async def act(desk):
        foot = desk.window.findChild(Footer)
        desk.window.activateWindow()
        editor = desk.panel(Form).form().fields["weight"].editor
        editor.setFocus()
        qtbot.keyClicks(editor, "12")
        qtbot.keyClick(editor, Qt.Key.Key_Z, CTRL)
        assert (editor.text(), foot.accessibleDescription().startswith("There is nothing")) == ("", False)
        qtbot.keyClick(editor, Qt.Key.Key_Z, CTRL | SHIFT)
        assert editor.text() == "12"
        editor.setText("")
        qtbot.keyClick(editor, Qt.Key.Key_Z, CTRL)
        assert foot.accessibleDescription().startswith("There is nothing of yours to withdraw")
        qtbot.keyClick(editor, Qt.Key.Key_Z, CTRL | SHIFT)
        assert foot.accessibleDescription().startswith("There is nothing to enter again")

    on_desk(run, qtbot, tmp_path, act, NAMED)
