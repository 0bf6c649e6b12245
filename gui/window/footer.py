"""The foot: how much comes in, how far the board has come, why it is cut off, what is wrong with its file; and what
became of a key that has no place of its own to say it.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from dataflow.session import Status
from gui.text.status_text import to_go_text, waiting_text
from gui.theme.icons import icon
from gui.theme.theme import Theme
from gui.widgets.painting import Guarded
from gui.widgets.plain import set_tip

HEIGHT = 30
_SIDE = 16
_THIN = "\u202f"
_IDLE = {"catching up": "catching up", "offline": "nothing waiting", "failed": "not synced", "refused": "not synced"}
_TROUBLE = {"offline": "warning", "failed": "critical", "refused": "critical"}


class Footer(Guarded, QWidget):
    """Takes a Status and the board file's problems."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._right = self._trouble = self._message = ""
        self._left_out = (False, False)
        self._role = "faint"
        self._problems: tuple[str, ...] = ()
        self.setFixedHeight(HEIGHT)
        self.setAccessibleName("Status")

    def set_status(self, status: Status) -> None:
        """Events a second, position, what waits; and what is the matter with the feed."""
        words = status_text(status), trouble_text(status)
        if words != (self._right, self._trouble):
            self._right, self._trouble = words
            self._role = _TROUBLE.get(status.state, "warning")
            self._describe()

    def set_problems(self, problems: Sequence[str]) -> None:
        """Why the saved board file is not in use; none when it is."""
        self._problems = tuple(problems)
        self._describe()

    def leave_out(self, trouble: bool, problems: bool) -> None:
        """What stands in a banner is not painted here as well."""
        if (trouble, problems) != self._left_out:
            self._left_out = (trouble, problems)
            self.update()

    def say(self, words: str) -> None:
        """Before all else, until other words come; empty for nothing."""
        self._message = words
        self._describe()

    def _describe(self) -> None:
        wrong = (*self._problems, *filter(None, (self._trouble,)))
        set_tip(self, "\n".join(wrong))
        self.setAccessibleDescription(" · ".join((*filter(None, (self._message,)), *wrong, self._right)))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.setPen(QPen(self._theme.color("line"), 1))
            painter.drawLine(0, 0, self.width(), 0)
            font = self._theme.font("small")
            painter.setFont(font)
            row = QRect(_SIDE, 1, self.width() - 2 * _SIDE, self.height() - 1)
            painter.setPen(self._theme.color("dim"))
            painter.drawText(row, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, self._right)
            row.setRight(row.right() - QFontMetrics(font).horizontalAdvance(self._right) - 2 * _SIDE)
            self._paint_left(painter, row)

    def left(self) -> tuple[str, str]:
        """What stands at the left, and its role."""
        words, role = "F1 shows the keys", "faint"
        no_trouble, no_problems = self._left_out
        if self._problems and not no_problems:
            more = f" (and {len(self._problems) - 1} more)" if len(self._problems) > 1 else ""
            words, role = f"Board file not in use: {self._problems[0]}{more}", "critical"
        elif self._trouble and not no_trouble:
            words, role = self._trouble, self._role
        if not self._message:
            return words, role
        return (self._message, "dim") if role == "faint" else (f"{self._message} · {words}", role)

    def _paint_left(self, painter: QPainter, row: QRect) -> None:
        words, role = self.left()
        if role not in ("faint", "dim"):
            mark = icon("triangle-alert", self._theme.color(role), 14, self.devicePixelRatioF())
            painter.drawImage(row.left(), row.center().y() - 6, mark)
            row.setLeft(row.left() + 20)
        painter.setPen(self._theme.color(role))
        shown = painter.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, row.width())
        painter.drawText(row, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shown)


def trouble_text(status: Status) -> str:
    """Why the desk is cut off from its log, or what else is wrong; nothing where nothing is."""
    detail = status.detail if status.state in _TROUBLE else status.warning
    return detail[:1].upper() + detail[1:]


def status_text(status: Status) -> str:
    """"38 events/s · position 2 118 · synced"."""
    rate = f"{status.rate:,.0f}" if status.rate >= 10 or status.rate == 0 else f"{status.rate:.1f}"
    position = f"{status.position:,}"
    waits = to_go_text(status) or waiting_text(status.pending) or _IDLE.get(status.state, "synced")
    return f"{rate} events/s · position {position} · {waits}".replace(",", _THIN)
