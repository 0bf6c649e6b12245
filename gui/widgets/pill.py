"""Pills: the small rounded labels of the header, with a dot or an icon. Some can be pressed, some tell more, to those
who point at them and to those who come with the keyboard.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QEnterEvent, QFocusEvent, QFontMetrics, QKeyEvent, QKeySequence, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QToolTip, QWidget

from gui.theme.icons import icon
from gui.theme.theme import Theme
from gui.widgets.focus import KEYBOARD
from gui.widgets.painting import Guarded
from gui.widgets.plain import set_tip_table, show_own_tip

HEIGHT = 26
_WIDEST = 420
_SIDE = 11
_DOT = 7
_ICON = 14
_GAP = 7


class Pill(Guarded, QAbstractButton):
    """A label with an outline. It takes no click until `set_pressable`, no focus before it has something to tell."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._role = "dim"
        self._dot: str | None = None
        self._icon: str | None = None
        self._pressable = False
        self._by_key = False
        self._least: int | None = None
        self._rows: tuple[tuple[str, ...], ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def set_pressable(self) -> None:
        """From now on it is a button."""
        self._pressable = True
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents, False)

    def set_yielding(self, least: int) -> None:
        """From now on it gives way where the row is too short: down to `least` pixels, its words cut."""
        self._least = least
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)

    def show_tip(self, tip: str) -> None:
        """What it tells those who point at it. `tip` is plain text: none of it is taken as markup."""
        self.show_table([[line] for line in tip.splitlines()])

    def show_table(self, rows: Sequence[Sequence[str]]) -> None:
        """The same, in rows of plain cells."""
        if (wanted := tuple(map(tuple, rows))) == self._rows:
            return
        self._rows = wanted
        set_tip_table(self, rows)
        self.setAccessibleDescription("\n".join(" · ".join(row) for row in rows))
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents, not (rows or self._pressable))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus if rows or self._pressable else Qt.FocusPolicy.NoFocus)

    def show_text(
        self, text: str, role: str = "dim", *, dot: str | None = None, icon: str | None = None
    ) -> None:
        """What it says: words in `role`, after a dot in the role `dot` or an icon."""
        wanted = (text, role, dot, icon)
        if wanted == (self.text(), self._role, self._dot, self._icon):
            return
        self._role, self._dot, self._icon = role, dot, icon
        self.setText(text)
        self.setShortcut(QKeySequence())    # no letter after an `&` is a key
        self.setAccessibleName(text)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        words = QFontMetrics(self._theme.font("label")).horizontalAdvance(self.text())
        mark = self._mark()
        return QSize(min(_WIDEST, 2 * _SIDE + words + mark + (_GAP if mark and words else 0)), HEIGHT)

    def minimumSizeHint(self) -> QSize:
        full = self.sizeHint()
        return full if self._least is None else QSize(min(self._least, full.width()), HEIGHT)

    def _mark(self) -> int:
        return _ICON if self._icon else _DOT if self._dot else 0

    def enterEvent(self, event: QEnterEvent) -> None:
        super().enterEvent(event)
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.update()

    def focusInEvent(self, event: QFocusEvent) -> None:
        self._by_key = event.reason() in KEYBOARD
        super().focusInEvent(event)
        if self._by_key:
            QTimer.singleShot(0, self, self._tell)  # what is shown at once, the end of this very change hides

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        QToolTip.hideText()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self._pressable and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        else:
            super().keyPressEvent(event)

    def _tell(self) -> None:
        if self.toolTip() and self.hasFocus():
            show_own_tip(self.mapToGlobal(QPoint(0, self.height())), self)

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            self._paint_outline(painter)
            left = _SIDE
            if mark := self._mark():
                self._paint_mark(painter, QPoint(left, self.height() // 2))
                left += mark + _GAP
            painter.setFont(self._theme.font("label"))
            painter.setPen(self._theme.color(self._role))
            box = QRect(left, 0, self.width() - left - _SIDE + 2, self.height())
            words = painter.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, box.width())
            painter.drawText(box, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, words)

    def _paint_outline(self, painter: QPainter) -> None:
        focused = self.hasFocus() and self._by_key
        painter.setPen(QPen(self._theme.color("accent" if focused else "line"), 1))
        painter.setBrush(self._theme.color("hover" if self._pressable and self.underMouse() else "card"))
        outline = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.drawRoundedRect(outline, outline.height() / 2, outline.height() / 2)

    def _paint_mark(self, painter: QPainter, left_middle: QPoint) -> None:
        if self._icon:
            picture = icon(self._icon, self._theme.color(self._role), _ICON, self.devicePixelRatioF())
            painter.drawImage(left_middle.x(), left_middle.y() - _ICON // 2, picture)
        elif self._dot:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._theme.color(self._dot))
            painter.drawEllipse(QRectF(left_middle.x(), left_middle.y() - _DOT / 2, _DOT, _DOT))
