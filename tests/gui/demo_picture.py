"""The README's picture of two desks: amy assigns a gate and opens an incident, bob holds a flight, by the keyboard.

    uv run python -m tests.gui.demo_picture assets/screenshots/two-desks-dark.png [--theme light]

Real desks on a real server, as `watchfloor demo --desks 2` runs them, on Qt's offscreen platform. Each draws itself
when it shows what both have entered, and the two halves are put side by side.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

SIZE = 1200, 1040
GAP, EDGE = 22, 0xFF2B313C
STEP_MS, AT_REST_MS = 300, 700
FOLDER = "WATCHFLOOR_PICTURE"
ACTS = {
    "amy": [("AA1853", "G", "B22"), ("UA1641", "I", "Runway 4/22 closed\t\t3")],
    "bob": [("EV4158", "H", "")],
}


def desk(seat: str) -> int:
    """One of them, in its own process."""
    from gui.demo import desk_process

    return desk_process.main(seat, act)


def act() -> None:
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication

    (window,) = [widget for widget in QApplication.topLevelWidgets() if widget.isVisible()]
    window.setFixedSize(*SIZE)
    operator = window.windowTitle().split(" · ")[0]
    for number, (flight, key, text) in enumerate(ACTS[operator], 1):
        QTimer.singleShot(number * STEP_MS, window, lambda given=(flight, key, text): enter(window, *given))
    await_all(window, Path(os.environ[FOLDER]) / f"{operator}.png")


def enter(window, flight: str, key: str, text: str) -> None:
    """Pick a row, press a key, fill in the form from where the keyboard is (a digit chooses in a list), press Enter."""
    from PySide6.QtCore import Qt
    from PySide6.QtTest import QTest
    from PySide6.QtWidgets import QComboBox

    window.activateWindow()
    view = panel(window, "Departures").view
    at = next(at for at, row in enumerate(view.rows.store.rows) if row[1] == flight)
    view.setFocus()
    view.select([at], at)
    QTest.keyClick(view, getattr(Qt.Key, f"Key_{key}"))
    for letter in text:
        field = window.focusWidget()
        if letter == "\t":
            QTest.keyClick(field, Qt.Key.Key_Tab)
        elif isinstance(field, QComboBox):
            field.setCurrentIndex(int(letter) - 1)
        else:
            QTest.keyClicks(field, letter)
    QTest.keyClick(window.focusWidget(), Qt.Key.Key_Return)


def await_all(window, out: Path) -> None:
    """Until what both enter is on the board, confirmed."""
    from PySide6.QtCore import QTimer

    incidents = panel(window, "Open incidents").model.store.rows
    held = [row for row in panel(window, "Departures").model.store.rows if "Held" in str(row[8])]
    if not (incidents and held and not incidents[0][-1] and not held[0][-1]):
        QTimer.singleShot(20, window, lambda: await_all(window, out))
    else:
        QTimer.singleShot(AT_REST_MS, window, lambda: (window.grab().save(str(out)), window.close()))


def panel(window, title: str):
    return next(panel for panel in window.panels if panel.spec.title.startswith(title))


def join(folder: Path, out: Path) -> None:
    from PySide6.QtCore import Qt
    from PySide6.QtGui import QColor, QImage, QPainter

    wide, tall = SIZE
    image = QImage(2 * (wide + 2) + GAP, tall + 2, QImage.Format.Format_ARGB32)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    for left, name in ((0, "amy"), (wide + 2 + GAP, "bob")):
        painter.fillRect(left, 0, wide + 2, tall + 2, QColor.fromRgba(EDGE))
        painter.drawImage(left + 1, 1, QImage(str(folder / f"{name}.png")))
    painter.end()
    image.save(str(out))


def main() -> None:
    from gui.commands import demo_desks

    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("out", type=Path)
    arguments.add_argument("--theme", default="dark")
    given = arguments.parse_args()
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    demo_desks.DESK = "from tests.gui.demo_picture import desk as main"
    with tempfile.TemporaryDirectory() as folder:
        os.environ[FOLDER] = folder
        demo_desks.run(2, "14:29", 60, given.theme)
        join(Path(folder), given.out)


if __name__ == "__main__":
    main()
