"""The window that `tests.fuzz.window` attacks: a real desk, offscreen, a robot at its keys, a watch on its loop.

`python -m tests.fuzz.window_desk BOARD STORE SEED [URL]` says one JSON object a line: `{"alive": position, "state": …}`
each half second, and `{"gap": ms, "own": ms, "at": time}` for each time that the loop did not answer for a quarter of
a second; `own` is what the thread itself computed meanwhile, `where` the places in the code at which it was seen. It
ends when its standard input is closed.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import traceback
from pathlib import Path
from random import Random
from time import perf_counter, sleep, thread_time, time

os.environ["QT_QPA_PLATFORM"] = "offscreen"

GAP_S = 0.25
BEAT_MS = 20
ALIVE_S = 0.5
ROBOT_MS = 150
PLACES = 12
"""Of one gap, at most so many places are noted."""


def say(**what: object) -> None:
    os.write(1, (json.dumps(what) + "\n").encode())


def main() -> int:
    from dataflow.boards.file import load
    from gui.app import Options, run
    from gui.server_settings import Connection

    board, store, seed = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    url = sys.argv[4] if len(sys.argv) > 4 else None
    connection = Connection(urls=(url,), store=str(store)) if url else None
    return run(Options(board=load(board), author="desk", store=store, connection=connection), lambda: watch(seed))


def watch(seed: int) -> None:
    """Begins when the first content is on the screen."""
    from PySide6.QtCore import Qt, QTimer
    from PySide6.QtWidgets import QApplication

    from gui.window.main_window import MainWindow

    (window,) = [each for each in QApplication.topLevelWidgets() if isinstance(each, MainWindow)]
    beat = Beat(window)
    timer = QTimer(window, timerType=Qt.TimerType.PreciseTimer)
    timer.timeout.connect(beat.beat)
    timer.start(BEAT_MS)
    robot = QTimer(window)
    hand = Robot(window, Random(seed))
    robot.timeout.connect(hand.act)
    robot.start(ROBOT_MS)
    window.kept = beat, hand  # Qt keeps no object alive for its methods
    threading.Thread(target=end_with, args=(window,), daemon=True).start()
    say(painted=True)


def end_with(window: object) -> None:
    """Close the window when nobody reads any more."""
    from PySide6.QtCore import QMetaObject, Qt

    sys.stdin.read()
    QMetaObject.invokeMethod(window, "close", Qt.ConnectionType.QueuedConnection)


class Beat:
    def __init__(self, window: object) -> None:
        self.window = window
        self.at, self.own, self.said = perf_counter(), thread_time(), 0.0
        self.where: list[str] = []
        threading.Thread(target=self._look, args=(threading.get_ident(),), daemon=True).start()

    def beat(self) -> None:
        now, own = perf_counter(), thread_time()
        if now - self.at > GAP_S:
            say(gap=round((now - self.at) * 1000), own=round((own - self.own) * 1000), at=time(), where=self.where)
        self.where = []
        if now - self.said > ALIVE_S:
            self.said = now
            say(alive=round(now, 1), panels=len(self.window.panels))
        self.at, self.own = now, own

    def _look(self, thread: int) -> None:
        """Note where the window is while it does not answer."""
        while True:
            sleep(BEAT_MS / 1000)
            if perf_counter() - self.at > GAP_S / 2 and len(self.where) < PLACES:
                stack = traceback.extract_stack(sys._current_frames()[thread])
                self.where.append(" < ".join(f"{Path(f.filename).name}:{f.lineno}" for f in reversed(stack[-8:])))


class Robot:
    """Presses keys and clicks at random; never those that quit."""

    def __init__(self, window: object, random: Random) -> None:
        from PySide6.QtCore import Qt

        self.window, self.random = window, random
        key, ctrl, shift = Qt.Key, Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
        none = Qt.KeyboardModifier.NoModifier
        plain = "Tab Down Up PageDown Home End Return Escape Slash F8 F9 F1 Space H C A"
        self.keys = [
            *((getattr(key, f"Key_{name}"), none) for name in plain.split()),
            *((getattr(key, f"Key_{name}"), ctrl) for name in ["N", "T", "F", "Z", "C", "A", "1", "2", "3", "Return"]),
            (key.Key_Z, ctrl | shift),
            (key.Key_Backtab, shift),
        ]

    def act(self) -> None:
        from PySide6.QtCore import QEvent, QPoint, Qt
        from PySide6.QtGui import QKeyEvent
        from PySide6.QtTest import QTest
        from PySide6.QtWidgets import QApplication, QWidget

        from tests.fuzz import hostile

        random = self.random
        target = QApplication.activeModalWidget() or QApplication.focusWidget() or self.window
        chance = random.random()
        if chance < 0.5:
            key, modifiers = random.choice(self.keys)
            QTest.keyClick(target, key, modifiers)
        elif chance < 0.65:
            for letter in hostile.text(random, 600)[:30]:
                for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
                    QApplication.sendEvent(target, QKeyEvent(kind, 0, Qt.KeyboardModifier.NoModifier, letter))
        elif chance < 0.9:
            widgets = [
                w for w in (QApplication.activeModalWidget() or self.window).findChildren(QWidget) if w.isVisible()
            ]
            if widgets:
                widget = random.choice(widgets)
                at = QPoint(random.randrange(max(1, widget.width())), random.randrange(max(1, widget.height())))
                QTest.mouseClick(widget, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at)
        elif chance < 0.95:
            self.window.resize(random.choice([400, 900, 1280, 1600]), random.choice([300, 560, 800, 1000]))


if __name__ == "__main__":
    sys.exit(main())
