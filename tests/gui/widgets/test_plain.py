"""Text of boards and data is text, on every widget of the window: no markup, no picture, no key of it takes effect."""

from __future__ import annotations

import ast
from html.parser import HTMLParser
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QAbstractItemModel, QAbstractListModel, Qt
from PySide6.QtGui import QKeySequence, QTextDocument
from PySide6.QtGui import Qt as GuiQt
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QMenu, QWidget

import gui
from dataflow.board import Board
from dataflow.session import Attention, DelayReport, Present, Problem, Status
from dataflow.zset import Column, Splice
from gui.attention.dialog import AttentionDialog
from gui.delays.dialog import DelayDialog
from gui.panels.table import Table
from gui.widgets.pill import Pill
from gui.widgets.plain import PlainLabel, tip, tip_table, without_keys
from gui.window.keys import KeysDialog, row_keys
from gui.window.main_window import MainWindow
from gui.window.new_store_dialog import Notice

EVIL = '<b>x</b><img src="file:///etc/hostname"> &Y &lt; \t<a href="http://h/">z</a>'
BOARD = msgspec.convert(
    {
        "id": "b", "title": EVIL, "timezone": "UTC",
        "events": {"held": {"entry": True, "label": EVIL, "submit": EVIL + " {note}", "fields": {
            "note": {"label": EVIL, "help": EVIL, "default": EVIL, "unit": EVIL},
            "yes": {"type": "bool", "label": EVIL, "help": EVIL},
            "pick": {"label": EVIL, "help": EVIL, "choices": [EVIL, "b"]},
            "long": {"label": EVIL, "help": EVIL, "multiline": True},
            "many": {"label": EVIL, "help": EVIL, "choices": [EVIL + str(at) for at in range(12)]},
        }}},
        "panels": [
            {"kind": "value", "title": EVIL, "note": EVIL, "unit": EVIL, "at": [0, 0, 1, 1], "sql": "…"},
            {"kind": "table", "title": EVIL, "at": [0, 1, 1, 1], "sql": "…", "columns": {"name": {"label": EVIL}},
             "actions": [{"label": EVIL, "event": "held", "key": "H", "fields": {"note": "name"}}]},
            {"kind": "log", "title": EVIL, "at": [1, 0, 1, 1], "empty": EVIL},
            {"kind": "bar", "title": EVIL, "at": [1, 1, 1, 1], "sql": "…"},
            {"kind": "form", "title": EVIL, "at": [2, 0, 2, 2], "events": ["held"]},
        ],
    },
    Board,
)  # fmt: skip
TEXTS = {
    "value": ([Column("value", "text"), Column("caption", "text")], [(EVIL, EVIL)]),
    "table": ([Column("name", "text")], [(EVIL,)]),
    "log": ([Column("time", "timestamp"), Column("title", "text"), Column("detail", "text")], [(0, EVIL, EVIL)]),
    "bar": ([Column("label", "text"), Column("value", "int")], [(EVIL, 1)]),
}
OURS = {"p", "table", "tr", "td"}      # the tags of our own tooltips


@pytest.fixture
def window(qtbot, theme):
    made = MainWindow(theme)
    qtbot.addWidget(made)
    made.resize(1200, 1000)
    made.show_board(BOARD)
    for panel, (columns, rows) in zip(made.panels, TEXTS.values(), strict=False):
        panel.take_columns("main", columns)
        panel.take("main", [Splice(0, 0, tuple(rows))], rows)
    form = made.panels[-1].form()
    form.refused([Problem(name, EVIL) for name in form.fields] + [Problem("other", EVIL)])
    form.fields["note"].show_remark(EVIL)
    made.set_status(Status(state="offline", detail=EVIL, unfit=True, attention=3))
    made.set_problems([EVIL, EVIL])
    made.set_presence([Present(EVIL, EVIL, 0, 0)])
    made.offer_new_stores()
    made.say(EVIL)
    made.show()
    return made


class Tags(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.found = set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.add(tag)


def check(widget):
    """Nothing on the widget, or in it, is taken for anything but text."""
    widgets = [widget, *widget.findChildren(QWidget)]
    for each in widgets:
        if isinstance(each, QLabel):
            assert each.textFormat() == Qt.TextFormat.PlainText, each.text()
            assert each.buddy() is None or QKeySequence.mnemonic(each.text()).isEmpty()
        if GuiQt.mightBeRichText(each.toolTip()):
            assert Tags(each.toolTip()).found <= OURS, each.toolTip()
        if isinstance(each, QAbstractButton) and EVIL[:8] in each.text():
            assert isinstance(each, Pill) or QKeySequence.mnemonic(each.text()).isEmpty(), each.text()
            assert each.shortcut().isEmpty()
    for model in widget.findChildren(QAbstractItemModel):
        for row in range(model.rowCount()):
            for column in range(1 if isinstance(model, QAbstractListModel) else model.columnCount()):
                told = model.data(model.index(row, column), Qt.ItemDataRole.ToolTipRole)
                assert not told or not GuiQt.mightBeRichText(told) or Tags(told).found <= OURS
    return widgets


def test_the_window_shows_text_as_it_is(window):
    labels = [each for each in check(window) if isinstance(each, QLabel)]
    assert len(labels) > 8
    assert any(EVIL.replace("&", "&&").replace("\t", " ") in label.text() for label in labels)


def test_the_dialogs_show_text_as_it_is(window, theme):
    attention = AttentionDialog(BOARD, theme, window)
    attention.show_items([Attention(key=at, time=0, reason=EVIL, text=EVIL, origin=EVIL) for at in range(2)])
    delays = DelayDialog(theme, ZoneInfo("UTC"), window)
    delays.show_delays(DelayReport(), Status(state="refused", detail=EVIL))
    keys = KeysDialog(row_keys(BOARD), theme, window)
    for dialog in (attention, delays, keys, Notice(EVIL, EVIL, theme, window, EVIL)):
        assert any(isinstance(each, QLabel) for each in check(dialog))


def test_a_menu_shows_a_label_as_it_is(window):
    table = next(panel for panel in window.panels if isinstance(panel, Table))
    menu = table.menu(0)
    assert isinstance(menu, QMenu)
    words, key = menu.actions()[0].text().split("\t")
    assert QKeySequence.mnemonic(words).isEmpty()
    assert words.replace("&&", "&") == EVIL.replace("\t", " ")
    assert key == "H"
    menu.close()
    QApplication.processEvents()


PIECES = st.sampled_from(["<b>", "</b>", "<img src='file:///x'>", "&", "&lt;", "<", ">", "a", "\n", " ", '"'])


@given(st.lists(PIECES).map("".join) | st.text(max_size=120))
def test_a_tooltip_shows_the_text_itself(text):
    shown = tip(text)
    if not GuiQt.mightBeRichText(shown):
        assert shown == text
        return
    assert Tags(shown).found == {"p"}
    document = QTextDocument()
    document.setHtml(shown)
    if text.isprintable():
        assert document.toPlainText().strip() == text.strip()


def test_tooltips_are_bounded_and_tables_are_text():
    assert len(tip("x" * 10**6)) < 2_200
    assert Tags(tip_table([[EVIL, EVIL], ["a", "b"]])).found == {"table", "tr", "td"}
    assert tip_table([]) == ""
    assert without_keys("R&D\tx") == "R&&D x"


def calls(tree):
    return [(ast.unparse(node.func), node.args) for node in ast.walk(tree) if isinstance(node, ast.Call)]


BARE = {"QLabel", "QMessageBox", "QTextEdit", "QTextBrowser", "QTextDocument", "QErrorMessage", "QWhatsThis.showText"}


def test_the_sources_make_no_label_and_no_tooltip_but_by_plain():
    for path in Path(gui.__path__[0]).rglob("*.py"):
        if path.name == "plain.py":
            continue
        for call, args in calls(ast.parse(path.read_text("utf-8"))):
            assert call not in BARE, f"{path}: {call}: use gui.widgets.plain"
            marked_up = (".setToolTip", "QToolTip.showText", ".setWhatsThis")
            assert not call.endswith(marked_up), f"{path}: use gui.widgets.plain"
            assert not call.endswith((".setHtml", ".setMarkdown")), f"{path}: {call}"
            if call.endswith(".setTextFormat"):
                assert ast.unparse(args[0]) == "Qt.TextFormat.PlainText", path


def test_a_label_is_plain(qtbot):
    label = PlainLabel(EVIL)
    qtbot.addWidget(label)
    assert label.text() == EVIL
    assert label.textFormat() == Qt.TextFormat.PlainText
