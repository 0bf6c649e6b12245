"""Pictures of how a board may stand, and of delays, in both themes, for eyes.

    QT_QPA_PLATFORM=offscreen python -m tests.gui.standing_gallery OUT_FOLDER
"""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path
from zoneinfo import ZoneInfo

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget

from dataflow.desk.delays import Delays
from dataflow.session import DelayReport, Present, Status
from gui.delays.dialog import DelayDialog
from gui.theme.theme import Theme
from gui.window.footer import Footer
from gui.window.header import Header

NOW = 1_360_351_920_000_000     # 8 February 2013, 14:32 in New York
MINUTE = 60_000_000
ZONE = ZoneInfo("America/New_York")
HERE = (Present("amy", "operator", 2118, NOW - 90 * MINUTE), Present("bob", "viewer", 2106, NOW - 20 * MINUTE, 12))
WHY = ("the shared log at nats://tower:4222 is not the one that this desk holds: it was made anew on 7 February; "
       "open the board with --store FILE to begin a new copy, and the old one stays as it is")  # fmt: skip

STATES = {
    "live": Status(state="live", now=NOW, since=NOW, position=2118, rate=38.2, delay_ms=12.3),
    "no delay yet": Status(state="live", now=NOW, since=NOW, position=2118, rate=38.2),
    "slow": Status(state="live", now=NOW, since=NOW, position=2118, rate=0.4, delay_ms=3400, pending=2),
    "replaying": Status(state="replaying", detail="replaying at 60×", now=NOW, position=2118, rate=38.2, delay_ms=7.9),
    "reading": Status(state="catching up", now=NOW, position=1),
    "catching up": Status(state="catching up", now=NOW, position=570_000, rate=31_000, progress=0.43, to_go=430_000,
                          left_s=13.9, pending=1),
    "offline": Status(state="offline", detail="no answer from nats://tower:4222 (connection refused)", now=NOW,
                      since=NOW - 9 * MINUTE, position=2118, pending=3),
    "offline since yesterday": Status(state="offline", detail="no answer", now=NOW, since=NOW - 1000 * MINUTE),
    "refused": Status(state="refused", detail=WHY, now=NOW, position=2118, pending=3, attention=1),
    "failed": Status(state="failed", detail="the disk is full: /home/amy/.local/share/watchfloor/nyc.db", now=NOW),
}  # fmt: skip


class Nowhere:
    """A store that keeps nothing."""

    def get(self, key: str) -> None:
        """Nothing."""

    def put(self, key: str, value: bytes) -> None:
        """Gone."""


def report(entries: int = 640, today: int = 90, slow: float = 0.02) -> DelayReport:
    """Delays as they might be on a shared log with a window."""
    chance, day = random.Random(7), 1
    delays = Delays(Nowhere(), lambda: NOW - 5 * 1440 * MINUTE, lambda: day)
    delays.connected(True, lost=False)
    delays.unpainted()
    for number in range(1, entries + 1):
        day = 2 if number > entries - today else 1
        at, id = number * 10.0, str(number)
        delays.submitted(id, at)
        for tell, middle in ((delays.durable, 0.0009), (delays.received, 0.0021)):
            at += chance.lognormvariate(0, 0.35) * middle * (40 if chance.random() < slow else 1)
            tell(id, at)
        at += chance.lognormvariate(0, 0.4) * 0.0012
        delays.stored(number, at)
        at += chance.uniform(0.0004, 0.003)
        delays.confirmed(id, number, at)
        delays.painted(number, at + chance.uniform(0.002, 0.012))
    delays.connected(False, lost=True)
    for number in range(3):
        delays.submitted(f"offline {number}", 0.0)
        delays.confirmed(f"offline {number}", entries, 340.0 + number)
    return delays.report()


def headers(theme: Theme, width: int) -> QWidget:
    """A header and a foot for each state."""
    sheet = QWidget()
    column = QVBoxLayout(sheet)
    column.setSpacing(0)
    for status in STATES.values():
        header, foot = Header(theme, sheet), Footer(theme, sheet)
        header.set_board("New York departures", ZONE)
        header.set_presence(HERE)
        header.set_status(status)
        foot.set_status(status)
        column.addWidget(header)
        column.addWidget(foot)
    sheet.setFixedWidth(width)
    return sheet


def dialogs(theme: Theme) -> dict[str, DelayDialog]:
    """The dialog with many entries, with few, with none, and cut off."""
    parent = QWidget()
    wanted = {
        "many": (report(), "live"), "few": (report(3, 3, 0), "catching up"), "none": (DelayReport(), "refused"),
        "none-today": (report(200, 0, 0.2), "offline"),
    }  # fmt: skip
    made = {}
    for name, (measured, state) in wanted.items():
        made[name] = DelayDialog(theme, ZONE, parent)
        made[name].show_delays(measured, STATES[state])
    dialogs.keep = parent
    return made


def save(widget: QWidget, path: Path) -> None:
    widget.show()
    for _ in range(5):
        QApplication.processEvents()
    widget.grab().save(str(path))
    widget.close()


def main(folder: Path) -> None:
    app = QApplication([])
    for name in ("dark", "light"):
        theme = Theme.load(name)
        theme.apply(app)
        for width in (1600, 900):
            save(headers(theme, width), folder / f"states-{name}-{width}.png")
        for what, dialog in dialogs(theme).items():
            save(dialog, folder / f"delays-{name}-{what}.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
