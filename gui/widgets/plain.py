"""Text from boards and data is text: no label, tooltip, button or menu takes any of it for markup or for a key.

Labels are `PlainLabel`s; a tooltip is set by `set_tip` or shown by `show_tip`; words on buttons, check boxes, in menus
and on labels with a buddy go through `without_keys`. Tests hold the sources and the widget tree to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import Qt as GuiQt
from PySide6.QtWidgets import QLabel, QToolTip, QWidget

_MOST, _WIDEST, _LONG = 2_000, 400, 80


class PlainLabel(QLabel):
    """Qt's label, for text that is only text."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setText(text)


def set_tip(widget: QWidget, text: str) -> None:
    """What a widget tells those who point at it. Those who listen are told by its accessible description."""
    widget.setToolTip(tip(text))


def set_tip_table(widget: QWidget, rows: Sequence[Sequence[str]]) -> None:
    """The same, in rows of cells."""
    widget.setToolTip(tip_table(rows))


def show_own_tip(place: QPoint, widget: QWidget) -> None:
    """Show now what was set."""
    QToolTip.showText(place, widget.toolTip(), widget)


def show_tip(place: QPoint, text: str, widget: QWidget) -> None:
    """Show it now; hide the one that is shown where there is nothing to say."""
    QToolTip.showText(place, tip(text), widget)


def tip(text: str) -> str:
    """The text for a tooltip of Qt's, which guesses whether it is markup: as it is where that guess is no and it needs
    no wrapping; else as markup that shows this very text.
    """
    text = text if len(text) <= _MOST else f"{text[:_MOST]}…"
    if not GuiQt.mightBeRichText(text) and max(map(len, text.split("\n"))) <= _LONG:
        return text
    return f"<p style='white-space: pre-wrap'>{escape(text)}</p>"


def tip_table(rows: Sequence[Sequence[str]]) -> str:
    """Rows of plain cells as a tooltip. Only long lines wrap."""
    if not rows:
        return ""
    wraps = len(rows[0]) == 1 and max(len(line) for (line,) in rows) > _LONG
    cell = "<td>{}</td>" if wraps else "<td style='padding-right: 12px; white-space: pre'>{}</td>"
    width = f" width='{_WIDEST}'" if wraps else ""
    cells = ("".join(cell.format(escape(text[:_MOST])) for text in row) for row in rows)
    return f"<table{width}>{''.join(map('<tr>{}</tr>'.format, cells))}</table>"


def without_keys(text: str) -> str:
    """The words for a button, a check box, a menu or a label with a buddy, where `&` would make a key of a letter and
    a tab would part the words from their key.
    """
    return text.replace("&", "&&").replace("\t", " ")
