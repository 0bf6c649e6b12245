"""Building a board's panels: those that a process died of, and those that cannot be built, are shut."""

from __future__ import annotations

import sys
from zoneinfo import ZoneInfo

from dataflow import board
from gui.panels import kinds
from gui.panels.base import Panel
from gui.panels.shut import Shut
from gui.panels.shut_panels import ShutPanels, digest
from gui.reporting.crash_report import report_once
from gui.theme.theme import Theme
from gui.widgets.painting import run_marked


def make(spec: board.Panel, of: board.Board, theme: Theme, shut: ShutPanels | None) -> Panel:
    """The widget for one panel of a board, with no parent yet."""
    death = shut.death_of(spec) if shut is not None else None
    if death is not None:
        return Shut(death.words(), spec, theme, ZoneInfo(of.timezone))
    mark = (shut, digest(spec)) if shut is not None else None
    try:
        panel: Panel = run_marked(mark, kinds.make, spec, of, theme)
    except Exception as error:  # noqa: BLE001  the other panels go on
        line, _ = report_once(error, sys.argv[1:], spec.title)
        return Shut(f"This panel can't be drawn: {line}", spec, theme, ZoneInfo(of.timezone))
    panel.mark = mark
    return panel


def keep(panel: Panel, spec: board.Panel, shut: ShutPanels | None) -> None:
    """Let a widget stay for a section that says the same, but for its id, place and title."""
    panel.adopt(spec)
    panel.mark = (shut, digest(spec)) if shut is not None else None
