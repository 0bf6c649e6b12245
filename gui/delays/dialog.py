"""Delay: how the connection stands, and how long this desk's entries took, in all and by stage."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QGridLayout, QLabel, QVBoxLayout, QWidget

from dataflow.session import DelayReport, StageDelay, Status
from gui.delays.chart import Bars, Stages
from gui.delays.words import NOTHING, entries_text, find, waited_text
from gui.text.status_text import delay_text, reason_text, since_text, state_text
from gui.theme.theme import Theme
from gui.widgets.plain import PlainLabel

_WIDTH = 560
_HEADS = ("half within", "99 % within", "slowest", "")


class DelayDialog(QDialog):
    """Shown with `open()`; Esc closes it."""

    def __init__(self, theme: Theme, zone: ZoneInfo, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme, self._zone = theme, zone
        self._shown: DelayReport | None = None
        self.setWindowTitle("Delay")
        self.setAccessibleName("Delay")
        self._state = self._label("", "Connection")
        self._state.setFont(theme.font("title"))
        self._reason = self._label("dim", "Reason")
        self._nothing = self._label("dim", "Nothing measured")
        self._nothing.setText(NOTHING)
        self._totals, self._cells = self._make_totals()
        self._bars = Bars("Entries by delay", theme, self)
        self._stages = Stages("By stage", theme, self)
        self._waited = self._label("dim", "Waited")
        self._arrange()

    def show_delays(self, report: DelayReport, status: Status) -> None:
        """Show these, as the connection stands now."""
        state, reason = state_text(status, self._zone), reason_text(status)
        self._say(self._state, state)
        self._say(self._reason, "" if reason in state else f"{reason[:1].upper()}{reason[1:]}")
        if report == self._shown:
            return
        self._shown = report
        total = find(report.all, "total")
        for widget in (self._totals, self._bars, self._stages):
            widget.setVisible(total is not None)
        self._nothing.setVisible(total is None)
        self._fill("Today", find(report.today, "total"), 1)
        self._fill(f"S{since_text(report.since, status.now, self._zone)[1:]}", total, 2)
        self._bars.show_report(report)
        self._stages.show_report(report)
        self._say(self._waited, waited_text(report))

    def _arrange(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 22)
        column.setSpacing(10)
        heading = PlainLabel("Delay", self)
        heading.setFont(self._theme.font("heading"))
        for widget in (heading, self._state, self._reason, self._nothing, self._totals):
            column.addWidget(widget)
        column.addSpacing(6)
        for widget in (self._bars, self._stages, self._waited):
            column.addWidget(widget)
        column.setSizeConstraint(QVBoxLayout.SizeConstraint.SetFixedSize)

    def _label(self, style: str, name: str) -> QLabel:
        """Words that wrap, and that the keyboard can select and copy."""
        label = PlainLabel(parent=self)
        label.setObjectName(style)
        label.setAccessibleName(name)
        label.setWordWrap(True)
        label.setFixedWidth(_WIDTH)
        label.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByKeyboard | Qt.TextInteractionFlag.TextSelectableByMouse
        )
        return label

    def _say(self, label: QLabel, text: str) -> None:
        if text != label.text():
            label.setText(text)
            label.setAccessibleDescription(text)
        label.setVisible(bool(text))

    def _make_totals(self) -> tuple[QWidget, dict[tuple[int, int], PlainLabel]]:
        box = QWidget(self)
        grid = QGridLayout(box)
        grid.setContentsMargins(0, 4, 0, 0)
        grid.setHorizontalSpacing(22)
        grid.setVerticalSpacing(5)
        cells = {(row, at): PlainLabel(parent=box) for row in range(3) for at in range(5)}
        for (row, at), cell in cells.items():
            cell.setObjectName("dim" if row == 0 or at in (0, 4) else "")
            cell.setFont(self._theme.font("small" if row == 0 else "bold" if 0 < at < 4 else "label"))
            side = Qt.AlignmentFlag.AlignLeft if at == 0 else Qt.AlignmentFlag.AlignRight
            grid.addWidget(cell, row, at, side)
        for at, head in enumerate(_HEADS, 1):
            cells[0, at].setText(head)
        grid.setColumnStretch(0, 1)
        return box, cells

    def _fill(self, name: str, total: StageDelay | None, row: int) -> None:
        cells = [self._cells[row, at] for at in range(5)]
        times = () if total is None else (total.p50_ms, total.p99_ms, total.most_ms)
        words = [name, *map(delay_text, times)] if times else [name, "–", "–", "–"]
        for cell, text in zip(cells, [*words, entries_text(total.count if total else 0)], strict=True):
            cell.setText(text)
        self._totals.setAccessibleName("Totals")
        lines = [", ".join(self._cells[at, column].text() for column in range(5)) for at in (1, 2)]
        self._totals.setAccessibleDescription("\n".join(lines))
