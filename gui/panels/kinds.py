"""From a panel's section of the board file to its widget. Imported by need: charts cost a second."""

from __future__ import annotations

from importlib import import_module
from zoneinfo import ZoneInfo

from PySide6.QtWidgets import QWidget

from dataflow.board import (
    BarPanel,
    Board,
    FormPanel,
    LinePanel,
    LogPanel,
    PanelBase,
    TablePanel,
    ValuePanel,
)
from gui.panels.base import Panel
from gui.theme.theme import Theme

KINDS: dict[type[PanelBase], tuple[str, str]] = {
    ValuePanel: ("gui.panels.value", "Value"),
    TablePanel: ("gui.panels.table", "Table"),
    LinePanel: ("gui.panels.line", "Line"),
    BarPanel: ("gui.panels.bar", "Bar"),
    LogPanel: ("gui.panels.log", "Log"),
    FormPanel: ("gui.panels.form", "Form"),
}


def make(spec: PanelBase, board: Board, theme: Theme, parent: QWidget | None = None) -> Panel:
    """The widget for one panel of `board`."""
    module, name = KINDS[type(spec)]
    kind = getattr(import_module(module), name)
    zone = ZoneInfo(board.timezone)
    if isinstance(spec, FormPanel):
        panel: Panel = kind(spec, board.events, theme, zone, parent)
    else:
        panel = kind(spec, theme, zone, parent)
    return panel
