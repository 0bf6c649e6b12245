"""The table model under Qt's own tester, and what it announces."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from PySide6.QtCore import QAbstractItemModel, QModelIndex, Qt
from PySide6.QtTest import QAbstractItemModelTester
from pytestqt.qtbot import QtBot

from dataflow.board import ColumnSpec
from dataflow.zset import Column, Row, Splice
from gui.models.table_model import TableModel
from tests.gui.models.test_rows import histories

COLUMNS = [Column("a", "int"), Column("b", "text")]


def model(specs: dict[str, ColumnSpec] | None = None, columns: list[Column] = COLUMNS) -> TableModel:
    made = TableModel(specs or {}, ZoneInfo("UTC"))
    made.set_columns(columns)
    return made


def heard(of: QAbstractItemModel) -> list[tuple[str, int, int]]:
    said: list[tuple[str, int, int]] = []

    def note(what: str):
        return lambda _parent, first, last: said.append((what, first, last))

    of.rowsInserted.connect(note("inserted"))
    of.rowsRemoved.connect(note("removed"))
    of.dataChanged.connect(lambda first, last: said.append(("changed", first.row(), last.row())))
    of.modelReset.connect(lambda: said.append(("reset", 0, 0)))
    return said


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(histories())
def test_qt_finds_no_fault(qapp: object, history: tuple[list[Row], list[list[Splice]]]) -> None:
    start, batches = history
    made = model()
    tester = QAbstractItemModelTester(made, QAbstractItemModelTester.FailureReportingMode.Fatal)
    made.apply([Splice(0, 0, tuple(start))])
    for batch in batches:
        made.apply(batch)
        assert [made.index(at, 0).data() for at in range(made.rowCount())] == [
            str(r[0]) for r in made.store.rows
        ]
    del tester


def test_changes_are_announced_once_and_never_as_a_reset(qtbot: QtBot) -> None:
    made = model()
    made.apply([Splice(0, 0, tuple((at, "x") for at in range(100)))])
    said = heard(made)
    made.apply([Splice(at, 1, ((at, "y"),)) for at in range(10, 60, 3)])
    assert said == [("changed", 10, 58)]
    said.clear()
    made.apply([Splice(5, 0, ((1, "new"),)), Splice(8, 1, ((2, "z"),))])
    assert said == [("inserted", 5, 5), ("changed", 8, 8)]
    said.clear()
    made.apply([])
    made.set_columns(COLUMNS)
    assert said == []


def test_pending_hidden_and_tone_columns_are_not_shown(qtbot: QtBot) -> None:
    columns = [Column(n, "text") for n in ("flight", "state", "tone", "key")] + [Column("pending", "bool")]
    made = model(
        {
            "state": ColumnSpec(tone="tone", label="State now"),
            "key": ColumnSpec(hidden=True),
            "flight": ColumnSpec(bold=True),
        },
        columns,
    )
    made.apply([Splice(0, 0, (("AA1", "Held", "warning", "k", True), ("AA2", "Off", None, "k", False)))])
    assert [made.headerData(at, Qt.Orientation.Horizontal) for at in range(made.columnCount())] == [
        "Flight",
        "State now",
    ]
    assert made.cells(0) == [("AA1", "text", True), ("Held", "warning", False)]
    assert made.cells(1)[1].role == "text"
    assert made.pending(0)
    assert not made.pending(1)


def test_cells_follow_their_row(qtbot: QtBot) -> None:
    made = model()
    made.apply([Splice(0, 0, ((1, "a"), (2, "b")))])
    assert made.cells(1)[1].text == "b"
    made.apply([Splice(0, 1, ())])
    assert made.cells(0)[1].text == "b"
    assert made.rowCount(made.index(0, 0)) == 0
    assert made.data(QModelIndex()) is None
