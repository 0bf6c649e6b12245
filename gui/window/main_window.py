"""The window: header, the board's panels on a grid, foot; and the keys. It composes, it does not compute.

It knows no session: `show_board`, `set_status`, `set_presence` and `set_problems` tell it what to show;
signals tell what the operator wants. `panels` are to be bound to live queries by whoever called
`show_board`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from zoneinfo import ZoneInfo

from PySide6.QtCore import QEvent, QSettings, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QVBoxLayout, QWidget

from dataflow.board import Board
from dataflow.session import Present, Status
from gui.panels.base import Panel
from gui.panels.shut_panels import ShutPanels
from gui.text.advice import board_advice, feed_advice
from gui.text.freshness import View, view_of
from gui.theme.theme import Theme
from gui.widgets.painting import Guarded
from gui.window import keys
from gui.window.banner import Banner
from gui.window.field_undo import FieldKeys
from gui.window.footer import Footer
from gui.window.header import Header
from gui.window.new_store_dialog import Notice, offer
from gui.window.panel_area import PanelArea
from gui.window.toast import Toast

_SIZE = QSize(1600, 1000)
TOAST_MS = 50
"""The frame that shows an entry comes before the toast that tells of it."""
_GEOMETRY, _THEME = "window/geometry", "window/theme"


def remembered_theme(settings: QSettings) -> str:
    """The theme of the window that was closed last; dark where it is not known."""
    theme = settings.value(_THEME)
    return theme if theme in ("dark", "light") else "dark"


class MainWindow(Guarded, QWidget):
    """One board. `settings` remembers place, size and theme; without it nothing is remembered.

    `operator`: whose desk it is, where several are on one screen. `shut`: which panels are not to be drawn.
    """

    pause_wanted = Signal(bool)
    attention_wanted = Signal()
    delays_wanted = Signal()
    retry_wanted = Signal()
    undo_wanted = Signal()
    redo_wanted = Signal()
    new_store_wanted = Signal()
    panel_opened = Signal(object)       # a Panel in the place of one that was shut: to be bound
    closed = Signal()
    painted = Signal()      # a frame has been handed to the screen

    def __init__(
        self, theme: Theme, settings: QSettings | None = None, operator: str = "", shut: ShutPanels | None = None
    ) -> None:
        super().__init__()
        self.shut = shut
        self._operator = operator
        self.theme = theme
        self._ageing: list[Panel] = []
        self._board = Board(id="", title="")
        self._settings = settings
        self._header = Header(theme, self)
        self._area = PanelArea(theme, shut, self)
        self._footer = Footer(theme, self)
        self._banner, self._board_banner = Banner(theme, self), Banner(theme, self)
        self._toast = Toast(theme, self)
        self._offered: tuple[str, str] = ("", "")
        self._offering = QTimer(self, singleShot=True, interval=TOAST_MS)
        self._offering.timeout.connect(lambda: self._toast.offer(*self._offered))
        self._status = Status()
        self._view: View | None = None
        self._header.pause_wanted.connect(self.pause_wanted)
        self._header.attention_wanted.connect(self.attention_wanted)
        self._header.delays_wanted.connect(self.delays_wanted)
        self._header.new_store_wanted.connect(self._offer_new_store)
        self._banner.details_wanted.connect(self.delays_wanted)
        self._banner.new_store_wanted.connect(self._offer_new_store)
        self._toast.undo_wanted.connect(self.undo_wanted)
        self._toast.redo_wanted.connect(self.redo_wanted)
        self._area.opened.connect(self._show_opened)
        self._area.left.connect(self.setFocus)
        for banner in (self._banner, self._board_banner):
            banner.left.connect(self.setFocus)
            banner.dismissed.connect(self._spare_footer)
        self.setMinimumSize(900, 560)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self._arrange()
        self._bind_keys()
        FieldKeys(self)
        self._restore()

    def _arrange(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._header)
        column.addWidget(self._banner)
        column.addWidget(self._board_banner)
        column.addWidget(self._area, 1)
        column.addWidget(self._footer)

    # What it is told

    def show_board(self, board: Board, *, anew: bool = False) -> list[Panel]:
        """Show this board from now on, and return its panels, to be bound. Those that it does not change are the same
        as before, with all that was arranged in them, unless all are wanted `anew`; drafts are kept.
        """
        self._board = board
        title = f"{self._operator} · {board.title}" if self._operator else board.title
        self.setWindowTitle(f"{title} · Watchfloor")
        self._header.set_board(title, ZoneInfo(board.timezone))
        panels = self._area.show_board(board, anew=anew)
        self._view_anew()
        return panels

    @property
    def panels(self) -> list[Panel]:
        """The board's panels by place; then the form of entries that only row actions make, if there is one."""
        return self._area.panels

    def _show_opened(self, panel: Panel) -> None:
        self.panel_opened.emit(panel)
        self._view_anew()

    def set_status(self, status: Status) -> None:
        """How the pipeline stands; also the board's clock."""
        self._status = status
        self._header.set_status(status)
        self._footer.set_status(status)
        self._banner.show_advice(feed_advice(status, ZoneInfo(self._board.timezone)))
        self._pause_key.setEnabled(self._header.can_pause())
        for panel in self.panels:
            panel.take_now(status.now)
        self._show_views()
        self._spare_footer()

    def _spare_footer(self) -> None:
        self._footer.leave_out(not self._banner.isHidden(), not self._board_banner.isHidden())

    def _view_anew(self) -> None:
        """There are other panels: each is told how things stand."""
        self._view = None
        self._ageing = [panel for panel in self.panels if panel.ages]
        self._show_views()

    def _show_views(self) -> None:
        """What its values are is for each panel to show; how old its newest row is, for those that tell."""
        view = view_of(self._status, ZoneInfo(self._board.timezone))
        if view != self._view:
            self._view = view
            for panel in self.panels:
                panel.show_view(view)
        for panel in self._ageing:
            panel.set_views_time(self._status.as_of)

    def offer_new_stores(self) -> None:
        """`new_store_wanted` may be said from now on, once."""
        self._header.offer_new_stores(True)

    def tell(self, heading: str, words: str) -> None:
        """Something that people should read."""
        Notice(heading, words, self.theme, self).open()

    def set_presence(self, present: Sequence[Present]) -> None:
        """Who is on this board now."""
        self._header.set_presence(present)

    def set_problems(self, problems: Sequence[str]) -> None:
        """Why the board file as it was saved last is not in use."""
        self._footer.set_problems(problems)
        self._board_banner.show_advice(board_advice(problems))
        self._spare_footer()

    def offer(self, words: str, action: str) -> None:
        """What was done, for some seconds, with the way back: "undo", "redo" or ""; empty words for nothing."""
        self._offered = words, action
        if words:
            self._offering.start()
        else:
            self._offering.stop()
            self._toast.offer("", "")

    def say(self, words: str) -> None:
        """What became of a key, in the foot, until it is told something else; empty for nothing."""
        self._footer.say(words)

    def _offer_new_store(self) -> None:
        self._header.offer_new_stores(False)
        dialog = offer(self._status.detail, self.theme, self)
        dialog.accepted.connect(self.new_store_wanted)
        dialog.rejected.connect(self.offer_new_stores)
        dialog.open()

    # What the operator does

    def toggle_theme(self) -> None:
        """Dark to light, light to dark."""
        app = QApplication.instance()
        if isinstance(app, QApplication):
            self.theme.become(Theme.load("light" if self.theme.dark else "dark"), app)

    def toggle_full_screen(self) -> None:
        """The whole screen, or back."""
        self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)

    def show_keys(self) -> None:
        """The overview of keys."""
        keys.KeysDialog((*keys.WINDOW_KEYS, *keys.row_keys(self._board)), self.theme, self).open()

    def focus_form(self) -> None:
        """Put the keyboard into the first entry form."""
        if form := next((form for form in self._area.forms() if form.isVisible()), None):
            form.focus()

    def focus_panel(self, number: int) -> None:
        """Put the keyboard on panel `number`, counted from 1 by place."""
        if number <= len(self.panels):
            self.panels[number - 1].focus()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self.focusWidget() is None:
            self.setFocus(Qt.FocusReason.OtherFocusReason)

    def event(self, event: QEvent) -> bool:
        done = super().event(event)
        if event.type() == QEvent.Type.UpdateRequest:
            self.painted.emit()
        return done

    def closeEvent(self, event: QCloseEvent) -> None:
        if self._settings is not None:
            self._settings.setValue(_GEOMETRY, self.saveGeometry())
            self._settings.setValue(_THEME, self.theme.name.lower())
        super().closeEvent(event)
        self.closed.emit()

    def _bind_keys(self) -> None:
        self._pause_key = self._key("Space", self._space)
        self._pause_key.setEnabled(False)
        for number in range(1, 10):
            self._key(f"Ctrl+{number}", partial(self.focus_panel, number))
        for sequence, slot in (
            ("F11", self.toggle_full_screen), ("Ctrl+Q", self.close), ("Ctrl+T", self.toggle_theme),
            ("F9", self.delays_wanted.emit), ("F5", self.retry_wanted.emit),
            ("Ctrl+N", self.focus_form), ("E", self.focus_form), ("F1", self.show_keys), ("?", self.show_keys),
            ("F8", self.attention_wanted.emit), ("Ctrl+Z", self.undo_wanted.emit),
            ("Ctrl+Shift+Z", self.redo_wanted.emit),
        ):  # fmt: skip
            self._key(sequence, slot)

    def _key(self, sequence: str, slot: Callable[[], object]) -> QShortcut:
        shortcut = QShortcut(QKeySequence(sequence), self)
        shortcut.activated.connect(slot)
        return shortcut

    def _space(self) -> None:
        focus = self.focusWidget()
        if isinstance(focus, QAbstractButton):
            focus.click()
        elif isinstance(focus, QComboBox):
            focus.showPopup()
        else:
            self._header.toggle_pause()

    def _restore(self) -> None:
        geometry = self._settings.value(_GEOMETRY) if self._settings is not None else None
        if geometry is None or not self.restoreGeometry(geometry):
            self.resize(_SIZE.boundedTo(self.screen().availableSize()))
