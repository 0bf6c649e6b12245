"""The picture that `watchfloor shot` makes of a window, and what is not in it."""

from __future__ import annotations

from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QApplication

from gui.panels.shut import Shut
from gui.reporting.terminal import say
from gui.widgets.painting import failures_in
from gui.window.main_window import MainWindow


def grab(window: MainWindow) -> QPixmap:
    """The window's picture; once more where cards have something to say about what could not be drawn in the first."""
    picture = window.grab()
    if any(failures_in(window)):
        QApplication.processEvents()
        picture = window.grab()
    return picture


def tell_missing(window: MainWindow) -> int:
    """Say which panels are shut (of those that failed the guard has told); the exit code: 1 if no panel is there."""
    for panel in window.panels:
        if isinstance(panel, Shut):
            why = " ".join(panel.reason.split())
            say(f"The panel “{panel.spec.title}” is shut: {why} `watchfloor open` can try again", err=True)
    return 1 if window.panels and all(panel.trouble() for panel in window.panels) else 0
