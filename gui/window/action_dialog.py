"""The action dialog: the entry forms that row actions need and no panel of the board has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from PySide6.QtWidgets import QDialog, QVBoxLayout, QWidget

from dataflow.board import Action, Board, EventType, FormPanel, TablePanel
from gui.panels.form import Form
from gui.theme.theme import Theme

_WIDTH, _CHROME, _FIELD = 380, 120, 62


class ActionDialog(QDialog):
    """Closes when the entry is accepted. Its form is a panel like any other."""

    def __init__(self, spec: FormPanel, board: Board, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.form = Form(spec, board.events, theme, ZoneInfo(board.timezone), self)
        self.form.hide_choice()
        self.form.done.connect(self.accept)
        self.form.left.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.form)

    def show_for(self, action: Action, event: EventType, values: Mapping[str, Any]) -> None:
        """Open with the form of the action's event, filled in."""
        self.setWindowTitle(action.label)
        self.form.set_title(event.label or action.label)
        self.resize(_WIDTH, _CHROME + _FIELD * len(event.fields))
        self.open()
        self.form.fill(action.event, values)


def orphans(board: Board) -> list[str]:
    """The event types that row actions enter and no form panel does."""
    formed = {event for panel in board.panels if isinstance(panel, FormPanel) for event in panel.events}
    wanted = (
        action.event for panel in board.panels if isinstance(panel, TablePanel) for action in panel.actions
    )
    return [event for event in dict.fromkeys(wanted) if event not in formed and event in board.events]
