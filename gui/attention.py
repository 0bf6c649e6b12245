"""Needs attention: what could not be taken as it came, with the reason, the time and the raw text."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from dataflow.session import Attention
from gui.format import local_time
from gui.theme import Theme

_NONE = "Nothing needs attention. Events that do not fit and entries that were refused would be listed here."


class AttentionDialog(QDialog):
    """Shown with `open()`; a list, and below it the raw text of the one that is selected. Esc closes it."""

    def __init__(self, theme: Theme, zone: ZoneInfo, parent: QWidget) -> None:
        super().__init__(parent)
        self._zone = zone
        self._items: tuple[Attention, ...] = ()
        self.setWindowTitle("Needs attention")
        self.setAccessibleName("Needs attention")
        self.resize(720, 460)
        self._heading = QLabel(self)
        self._heading.setFont(theme.font("heading"))
        self._list = QListWidget(self)
        self._list.setAccessibleName("What needs attention")
        self._list.currentRowChanged.connect(self._show_raw)
        self._raw = QPlainTextEdit(self)
        self._raw.setReadOnly(True)
        self._raw.setTabChangesFocus(True)
        self._raw.setAccessibleName("Raw text")
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 20)
        column.setSpacing(12)
        column.addWidget(self._heading)
        column.addWidget(self._list, 2)
        column.addWidget(self._raw, 1)

    def show_items(self, items: Sequence[Attention]) -> None:
        """Show these, newest first; the selected one stays selected if it is still there."""
        if tuple(items) == self._items and self._heading.text():
            return
        row = self._list.currentRow()
        kept = self._items[row].key if 0 <= row < len(self._items) else None
        self._items = tuple(items)
        self._heading.setText(f"Needs attention: {len(items):,}" if items else "Needs attention")
        self._list.clear()
        for item in items:
            entry = QListWidgetItem(f"{self._time(item.time)}   {item.reason}", self._list)
            entry.setToolTip(item.reason)
        at = next((at for at, item in enumerate(items) if item.key == kept), 0 if items else -1)
        self._list.setCurrentRow(at)
        if not items:
            self._raw.setPlainText(_NONE)
        self._list.setFocus(Qt.FocusReason.OtherFocusReason)

    def _show_raw(self, row: int) -> None:
        if 0 <= row < len(self._items):
            self._raw.setPlainText(self._items[row].text)

    def _time(self, time: int) -> str:
        local = local_time(time, self._zone)
        return f"{local.day} {local:%b %H:%M:%S}"
