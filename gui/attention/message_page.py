"""A message that is no event, or an event that does not fit the board: why, whence, and its raw text."""

from __future__ import annotations

from PySide6.QtWidgets import QPlainTextEdit, QVBoxLayout, QWidget

from dataflow.session import Attention
from gui.attention.labels import plain
from gui.attention.words import Words
from gui.text.values import cut
from gui.theme.theme import Theme

LONGEST = 50_000
"""Letters of what came that are shown; the store keeps all."""
_KINDS = {
    "misfit": "This event is in the log, but the board's fields do not fit it: it is in no view.",
    "message": "This is no event that the log could take. It was set apart, and the rest went on.",
    "entry": "This entry was refused, and can't be read any more.",
}


class MessagePage(QWidget):
    """Shows one item at a time."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._key: int | None = None
        self._reason = plain(self, theme, style="heading")
        self._byline, self._kind = plain(self, theme, "dim"), plain(self, theme, "dim")
        self._raw = QPlainTextEdit(self)
        self._raw.setReadOnly(True)
        self._raw.setTabChangesFocus(True)
        self._raw.setAccessibleName("Raw text")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for label, gap in ((self._reason, 3), (self._byline, 10), (self._kind, 14)):
            column.addWidget(label)
            column.addSpacing(gap)
        column.addWidget(self._raw, 1)

    def show_item(self, item: Attention, words: Words) -> None:
        """Show this item."""
        self._reason.setText(words.reason(item))
        self._byline.setText(words.detail(item))
        self._kind.setText(_KINDS[item.kind])
        if self._key != item.key:
            self._key = item.key
            self._raw.setPlainText(cut(item.text, LONGEST))

    def show_raw(self, text: str) -> None:
        """All of what came, as far as it can be laid out."""
        shown = cut(text, LONGEST)
        if self._raw.toPlainText() != shown:
            self._raw.setPlainText(shown)
