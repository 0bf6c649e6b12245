"""The header: which board, whether you see now or then, who else is here, how late, and what of yours waits."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from dataflow.session import CUT_OFF, Present, Status
from gui.text.freshness import view_of
from gui.text.status_text import (
    clock_text,
    delay_text,
    presence_row,
    presence_text,
    reason_text,
    state_text,
    waiting_text,
)
from gui.text.values import one_line
from gui.theme.theme import Theme
from gui.widgets.painting import Guarded
from gui.widgets.pill import Pill
from gui.widgets.plain import set_tip

HEIGHT = 48
_DOTS = {
    "live": "ok", "replaying": "ok", "paused": "warning", "catching up": "accent", "offline": "warning",
    "ended": "dim", "failed": "critical", "refused": "critical",
}  # fmt: skip
_NO_DELAY = CUT_OFF | {"catching up"}
_HINT = "Press for how long entries take (F9)"


class Header(Guarded, QWidget):
    """Takes a Status; says by signals what was pressed."""

    pause_wanted = Signal(bool)
    attention_wanted = Signal()
    delays_wanted = Signal()
    new_store_wanted = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._zone = ZoneInfo("UTC")
        self._paused = False
        self._status = Status()
        self._present: tuple[Present, ...] = ()
        self._title = Title(theme, self)
        self._state, self._clock, self._pause = Pill(theme, self), Pill(theme, self), Pill(theme, self)
        self._delay, self._waiting, self._attention = Pill(theme, self), Pill(theme, self), Pill(theme, self)
        self._here, self._new_store = Pill(theme, self), Pill(theme, self)
        self._renewable = False
        self._delay.show_tip(f"From your last entry to the screen that shows it confirmed\n{_HINT}")
        for pill in (self._state, self._delay):
            pill.set_pressable()
            pill.clicked.connect(self.delays_wanted)
        self._state.set_yielding(140)
        self._here.set_yielding(80)
        self._pause.set_pressable()
        self._pause.clicked.connect(self.toggle_pause)
        self._attention.set_pressable()
        self._attention.clicked.connect(self.attention_wanted)
        set_tip(self._attention, "Show what was refused or could not be taken (F8)")
        self._new_store.set_pressable()
        self._new_store.clicked.connect(self.new_store_wanted)
        set_tip(self._new_store, "Follow the server on a new store; nothing is lost")
        self.setFixedHeight(HEIGHT)
        self.setAccessibleName("Board")
        self._arrange()
        for pill in self.findChildren(Pill):
            pill.hide()

    def _arrange(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 0, 12, 0)
        row.setSpacing(8)
        row.addWidget(self._title)
        row.addSpacing(4)
        for pill in (self._state, self._new_store, self._clock, self._pause):
            row.addWidget(pill)
        row.addStretch(1)
        for pill in (self._here, self._delay, self._waiting, self._attention):
            row.addWidget(pill)

    def set_board(self, title: str, zone: ZoneInfo) -> None:
        """The board's name, and the zone in which its times are shown."""
        self._title.show_text(title)
        self._zone = zone

    def set_status(self, status: Status) -> None:
        """Bring every pill up to date; those that have nothing to say are not there."""
        self._status = status
        self._show(self._state, state_text(status, self._zone), "text", _DOTS[status.state])
        self._state.show_tip("\n".join(filter(None, (reason_text(status), _HINT))))
        self._show_new_store()
        self._show_clock(status)
        self._show_pause(status)
        late = "" if status.state in _NO_DELAY or status.delay_ms is None else delay_text(status.delay_ms)
        waits = waiting_text(status.pending) if status.state != "offline" else ""
        self._show(self._delay, late, "dim", "ok" if (status.delay_ms or 0) < 1000 else "warning")
        self._show(self._waiting, waits, "pending", "pending")
        self._show_attention(status.attention)
        self._show_presence()

    def offer_new_stores(self, offered: bool) -> None:
        """Whether a new store can be asked for where the log does not fit the one that there is."""
        self._renewable = offered
        self._show_new_store()

    def set_presence(self, present: Sequence[Present]) -> None:
        """Who is on this board now."""
        self._present = tuple(present)
        self._show_presence()

    def can_pause(self) -> bool:
        """Whether the board is a replay, which can be held."""
        return not self._pause.isHidden()

    def toggle_pause(self) -> None:
        """Ask for the replay to be held, or to go on."""
        if self.can_pause():
            self.pause_wanted.emit(not self._paused)

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.setPen(QPen(self._theme.color("line"), 1))
            painter.drawLine(0, self.height() - 1, self.width(), self.height() - 1)

    def _show(self, pill: Pill, text: str, role: str = "dim", dot: str | None = None) -> None:
        if text:
            pill.show_text(text, role, dot=dot)
        _set_shown(pill, bool(text))

    def _show_pause(self, status: Status) -> None:
        self._paused = status.state == "paused"
        name = "Resume" if self._paused else "Pause"
        if self._pause.accessibleName() != name:
            self._pause.show_text("", "text", icon="play" if self._paused else "pause")
            self._pause.setAccessibleName(name)
            set_tip(self._pause, f"{name} the replay (Space)")
        _set_shown(self._pause, status.state in {"paused", "replaying"})

    def _show_clock(self, status: Status) -> None:
        """Whose time the numbers are; nothing while there are none, or none that are final."""
        kind = status.freshness
        text = "" if kind in ("never", "loading") or not status.as_of else clock_text(status.as_of, self._zone)
        if kind == "as of" and text:
            self._show(self._clock, f"As of {text}", "warning")
        else:
            self._show(self._clock, text)
        words = view_of(status, self._zone).text or "Live"
        if words != self.accessibleDescription():
            self.setAccessibleDescription(words)

    def _show_new_store(self) -> None:
        self._show(self._new_store, "New store…" if self._status.unfit and self._renewable else "", "warning")

    def _show_presence(self) -> None:
        """Nobody is known to be here while this desk is cut off."""
        present = () if self._status.state in CUT_OFF else self._present
        self._show(self._here, presence_text(present), "text")
        self._here.show_table([presence_row(one, self._status, self._zone) for one in present])

    def _show_attention(self, count: int) -> None:
        words = f"{count:,} {'needs' if count == 1 else 'need'} attention"
        self._attention.show_text(words, "warning", icon="triangle-alert")
        _set_shown(self._attention, count > 0)


def _set_shown(pill: Pill, shown: bool) -> None:
    """Only where it makes a difference: Qt takes 5 µs to find that it makes none, and each status asks six times."""
    if pill.isHidden() == shown:
        pill.setVisible(shown)


class Title(Guarded, QWidget):
    """The board's name; gives way to the pills when the window is narrow."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._text = ""
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)

    def show_text(self, text: str) -> None:
        """Show another name."""
        self._text = one_line(text)
        self.setAccessibleName(self._text)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(QFontMetrics(self._theme.font("heading")).horizontalAdvance(self._text) + 2, HEIGHT - 2)

    def minimumSizeHint(self) -> QSize:
        return QSize(60, HEIGHT - 2)

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            font = self._theme.font("heading")
            painter.setFont(font)
            painter.setPen(self._theme.color("text"))
            words = QFontMetrics(font).elidedText(self._text, Qt.TextElideMode.ElideRight, self.width())
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, words)

