from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QAbstractItemModelTester

from dataflow.board import LogPanel
from dataflow.zset import Column, Splice, apply_splices
from gui.panels.log import Log

NOW = 1_360_351_920_000_000
COLUMNS = [Column("position", "int"), Column("time", "timestamp"), Column("title", "text"), Column("detail", "text"),
           Column("tone", "text"), Column("pending", "bool")]  # fmt: skip


def row(position, title, *, pending=False, tone=None):
    return (position, NOW + position * 60_000_000, title, f"detail {position}", tone, pending)


class Feed:
    def __init__(self, panel):
        self.panel = panel
        self.rows = []
        panel.set_columns("main", COLUMNS)

    def __call__(self, *splices):
        apply_splices(self.rows, splices)
        self.panel.apply("main", splices, self.rows)


@pytest.fixture
def log(qtbot, theme):
    panel = Log(LogPanel(title="Log", at=(0, 0, 1, 1)), theme, ZoneInfo("America/New_York"))
    qtbot.addWidget(panel)
    panel.resize(300, 300)
    panel.show()
    return panel


def shown(panel):
    model = panel._model
    return [model.data(model.index(at, 0), Qt.ItemDataRole.DisplayRole) for at in range(model.rowCount())]


def test_rows_follow_the_splices(log):
    feed = Feed(log)
    QAbstractItemModelTester(log._model, QAbstractItemModelTester.FailureReportingMode.Fatal, log)
    feed(Splice(0, 0, (row(2, "Two"), row(1, "One"))))
    feed(Splice(0, 0, (row(9, "Held", pending=True),)), Splice(2, 1, ()))
    assert shown(log) == ["14:41 · Held · pending · detail 9", "14:34 · Two · detail 2"]
    feed(Splice(0, 1, (row(3, "Held"),)))
    assert shown(log) == ["14:35 · Held · detail 3", "14:34 · Two · detail 2"]
    assert log._note == "position 3"
    log.grab()


def test_tones_are_roles_and_pending_wins(log):
    feed = Feed(log)
    feed(Splice(0, 0, (row(2, "a", tone="critical", pending=True), row(1, "b", tone="critical"), row(0, "c"))))
    assert [log._model.line(at).role for at in range(3)] == ["pending", "critical", "text"]


def test_what_is_read_stays_in_place_while_news_come_in(log, qtbot):
    feed = Feed(log)
    feed(Splice(0, 0, tuple(row(at, f"Line {at}") for at in range(100, 0, -1))))
    bar = log._view.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 1000)
    bar.setValue(500)
    first = log._view.indexAt(log._view.rect().topLeft()).data()
    feed(Splice(0, 0, (row(102, "New"), row(101, "New"))))
    assert log._view.indexAt(log._view.rect().topLeft()).data() == first
    bar.setValue(0)
    feed(Splice(0, 0, (row(103, "Newest"),)))
    assert bar.value() == 0


def test_an_empty_log_says_so(log):
    feed = Feed(log)
    feed(Splice(0, 0, ()))
    assert log.accessibleDescription() == "Nothing has happened yet."
    assert not log._view.isVisible()
    feed(Splice(0, 0, (row(1, "One"),)))
    assert log.accessibleDescription() == ""
    assert log._view.isVisible()
