"""The panel area: a board's panels on the grid, and the dialog for the entries that only row actions make.

A saved board keeps the widgets of the panels that it did not change, with all that the operator has arranged in them:
scroll, selection, sort, filter, drafts, the keyboard.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from itertools import pairwise
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from dataflow.board import Action, Board, FormPanel
from dataflow.board import Panel as Spec
from gui.panels import making
from gui.panels.base import Panel
from gui.panels.card import Card
from gui.panels.form import Form
from gui.panels.shut import Shut
from gui.panels.shut_panels import ShutPanels
from gui.theme.theme import Theme
from gui.window.action_dialog import ActionDialog, orphans
from gui.window.grid import Grid
from gui.window.kept_panels import kept_panels, same_form, successor

_NO_PANELS = (
    "This board has no panels yet.\nAdd a [[panels]] section to its file: it is read again when you save it."
)


class PanelArea(Grid):
    """`panels` has those on the grid by place, then the dialog's form, if there is one."""

    opened = Signal(object)     # a Panel in the place of one that was shut
    left = Signal()             # Esc in a form with nothing to clear

    def __init__(self, theme: Theme, shut: ShutPanels | None, parent: QWidget) -> None:
        super().__init__(parent)
        self.panels: list[Panel] = []
        self._theme = theme
        self._shut = shut
        self._board = Board(id="", title="")
        self._dialog: ActionDialog | None = None

    def show_board(self, board: Board, *, anew: bool = False) -> list[Panel]:
        """Show this board's panels, and return them. `anew`: keep no widget."""
        before, self._board, old = self._board, board, self.panels
        specs = sorted(board.panels, key=lambda spec: spec.at[:2])
        kept = {} if anew else kept_panels(self._placed(), before, specs, board)
        for spec in specs:
            if spec.id in kept:
                making.keep(kept[spec.id], spec, self._shut)
        self.panels = [kept.get(spec.id) or self._make(spec) for spec in specs]
        self._renew_dialog(before, anew)
        self._place()
        self._hand_over([panel for panel in old if panel not in self.panels])
        self._drop_others()
        if kept:
            self._order_tabs()
        return self.panels

    def forms(self) -> list[Form]:
        """The entry forms, the dialog's last."""
        return [panel for panel in self.panels if isinstance(panel, Form)]

    def open_form(self, action: Action, values: Mapping[str, Any]) -> None:
        """Open the form that a row action wants, filled in."""
        form = next((form for form in self.forms() if action.event in form.events()), None)
        if form is None:
            return
        if self._dialog is not None and form is self._dialog.form:
            self._dialog.show_for(action, self._board.events[action.event], values)
        else:
            form.fill(action.event, values)

    def _placed(self) -> list[Panel]:
        """The panels on the grid."""
        return [panel for panel in self.panels if self._dialog is None or panel is not self._dialog.form]

    def _make(self, spec: Spec) -> Panel:
        panel = making.make(spec, self._board, self._theme, self._shut)
        panel.action.connect(self.open_form)
        if isinstance(panel, Form):
            panel.left.connect(self.left)
        if isinstance(panel, Shut):
            panel.again.connect(partial(self._reopen, panel))
        return panel

    def _renew_dialog(self, before: Board, anew: bool) -> None:
        """Keep the dialog where it would be the same, else make another, or none."""
        events = orphans(self._board)
        spec = FormPanel(id="", title="Entry", at=(0, 0, 1, 1), events=events)
        old, self._dialog = self._dialog, None
        if old is not None and not anew and events and same_form(old.form.spec, before, spec, self._board):
            self._dialog = old
        elif events:
            self._dialog = ActionDialog(spec, self._board, self._theme, self.window())
        if old is not None and old is not self._dialog:
            _delete(old)
        if self._dialog is not None:
            self.panels.append(self._dialog.form)

    def _place(self) -> None:
        shown = [(panel, panel.spec.at) for panel in self._placed()]
        self.set_places(shown or [(self._empty_card(), (0, 0, 1, 1))])

    def _empty_card(self) -> Card:
        card = Card("Panels", self._theme, self)
        card.say(_NO_PANELS)
        return card

    def _hand_over(self, gone: Iterable[Panel]) -> None:
        """Bring drafts and the keyboard from panels that go to those that came for them."""
        focused = self.window().focusWidget()
        for panel in gone:
            if isinstance(panel, Form):
                self._put_drafts(panel.drafts())
            if focused is not None and (panel is focused or panel.isAncestorOf(focused)):
                heir = successor(panel, self._placed())
                if heir is not None:
                    heir.focus()

    def _put_drafts(self, drafts: Mapping[str, Mapping[str, str]]) -> None:
        for form in self.forms():
            own = form.drafts()
            form.put({type: draft for type, draft in drafts.items() if type not in own})

    def _drop_others(self) -> None:
        """Delete what lies on the grid and has no place there any more."""
        placed = set(self.widgets())
        for child in self.children():
            if isinstance(child, QWidget) and child not in placed:
                _delete(child)

    def _order_tabs(self) -> None:
        """Lead the Tab key through the panels by place, as if all of them were new."""
        chains: dict[QWidget, list[QWidget]] = {panel: [] for panel in self._placed()}
        widget = self.window().nextInFocusChain()
        while widget is not None and widget is not self.window():
            panel = self._panel_of(widget)
            if panel is not None and panel in chains and widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
                chains[panel].append(widget)
            widget = widget.nextInFocusChain()
        for one, next_ in pairwise([widget for chain in chains.values() for widget in chain]):
            QWidget.setTabOrder(one, next_)

    def _panel_of(self, widget: QWidget) -> QWidget | None:
        """The child of the grid that a widget is or lies in; None where there is none."""
        place: QWidget | None = widget
        while place is not None and place.parentWidget() is not self:
            place = place.parentWidget()
        return place

    def _reopen(self, old: Shut) -> None:
        """Build a panel that was shut, in its place."""
        if self._shut is not None:
            self._shut.forget(old.spec)
        panel = self._make(old.spec)
        self.panels[self.panels.index(old)] = panel
        self._place()
        self._drop_others()
        self.opened.emit(panel)
        panel.take_now(old.now)
        panel.focus()


def _delete(widget: QWidget) -> None:
    widget.hide()
    widget.deleteLater()
