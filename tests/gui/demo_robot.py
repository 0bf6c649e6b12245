"""A desk of the demo with a robot at it, which says what it does and sees, a line each. See test_demo_desks.py.

amy opens an incident by the keyboard as soon as her desk is painted, and everybody says when they see it. `ROBOT` may
name an operator whose desk crashes instead; then the others close their windows when they have seen it.
"""

from __future__ import annotations

import os

from gui.demo import desk_process

TITLE = "Runway 4/22 closed"


def main(seat: str) -> int:
    return desk_process.main(seat, painted)


def say(*words) -> None:
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


def painted() -> None:
    from PySide6.QtWidgets import QApplication

    (window,) = [widget for widget in QApplication.topLevelWidgets() if widget.isVisible()]
    operator = window.windowTitle().split(" · ")[0]
    if os.environ.get("ROBOT") == operator:
        os._exit(7)
    state = window._header._state.text()
    say("painted", operator, os.getpid(), window.geometry().x(), window.geometry().width(), state)
    if operator == "amy":
        enter(window)
    look(window, operator)


def enter(window) -> None:
    from PySide6.QtCore import Qt
    from PySide6.QtTest import QTest

    from gui.panels.form import Form

    window.activateWindow()
    form = next(panel for panel in window.panels if isinstance(panel, Form))
    form.fill("incident.opened", {"title": TITLE})
    QTest.keyClick(window.focusWidget(), Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)


def look(window, operator) -> None:
    """Until the incident is in its table, and the log has confirmed it."""
    from PySide6.QtCore import QTimer

    incidents = next(panel for panel in window.panels if panel.spec.title == "Open incidents")
    shown = [(row[1], row[-1]) for row in incidents.model.store.rows]
    if shown != [(TITLE, False)]:
        QTimer.singleShot(20, window, lambda: look(window, operator))
        return
    say("sees", operator, *shown[0])
    if os.environ.get("ROBOT"):
        window.close()
