"""One of several desks of the demo: a process of its own, with a window in its place on the screen.

It is told by its parent: who it is by the command line, then by a line on its standard input that the log is there, and
by the end of that input to end. So it also ends when its parent does, however that came about.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from PySide6.QtCore import QRect
from PySide6.QtWidgets import QApplication

from dataflow.boards.file import LoadedBoard, board_path, load
from gui import app
from gui.demo.messages import Begin, Seat
from gui.demo.tiling import tile
from gui.reporting.failures import say_failure
from gui.reporting.terminal import guarded
from gui.theme.theme import Theme
from gui.window.main_window import MainWindow, remembered_theme

ENDING_S = 10.0
"""After so many seconds a desk that was told to end, and hangs, is no more."""


def main(seat: str, on_painted: Callable[[], None] | None = None) -> int:
    """`seat` is a Seat as JSON. The process's exit code."""
    with guarded():
        try:
            return _run(msgspec.json.decode(seat, type=Seat), on_painted)
        except Exception as error:  # noqa: BLE001  the top-level guard
            return say_failure(error, [seat])


def _run(seat: Seat, on_painted: Callable[[], None] | None) -> int:
    loaded = load(board_path("demo"))
    application = app.application()
    window = _window(application, seat, loaded)
    window.show()
    try:
        return app.in_loop(application, lambda: _sit(window, seat, loaded, on_painted))
    finally:
        window.close()


def _window(application: QApplication, seat: Seat, loaded: LoadedBoard) -> MainWindow:
    """Its place is not remembered: that of the one window that people have otherwise stays."""
    theme = Theme.load(seat.theme or remembered_theme(app.remembered()))
    theme.apply(application)
    window = MainWindow(theme, operator=seat.operator)
    window.show_board(loaded.board)
    window.setGeometry(_room(window, seat))
    return window


def _room(window: MainWindow, seat: Seat) -> QRect:
    return tile(window.screen().availableGeometry(), seat.number, seat.of, window.minimumSize())


def _fit(window: MainWindow, room: QRect) -> None:
    """Let the window's frame, whose size is known once it is on the screen, lie in the room too."""
    outer, inner = window.frameGeometry(), window.geometry()
    if outer != inner:
        window.resize(room.width() + inner.width() - outer.width(), room.height() + inner.height() - outer.height())
        window.move(room.topLeft())


async def _sit(
    window: MainWindow, seat: Seat, loaded: LoadedBoard, on_painted: Callable[[], None] | None
) -> int:
    closed, begun = app.closing(window), _await_begin(window)
    QApplication.processEvents()
    from dataflow.desk.desk import DeskBuilder
    from dataflow.engine.plan_cache import default_cache

    def painted() -> None:
        _fit(window, _room(window, seat))
        if on_painted is not None:
            on_painted()

    first: set[asyncio.Future[Any]] = {closed, begun}
    await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
    if not closed.done():
        builder = DeskBuilder(asyncio.get_running_loop(), seat.operator, default_cache())
        log = begun.result()
        desk = builder.shared_replay(loaded, Path(seat.store), [log.url], log.replay)
        await app.attend(window, desk, closed, painted)
    return 0


def _await_begin(window: MainWindow) -> asyncio.Future[Begin]:
    """Done when the parent says that the log is there. When the parent says no more, the window is closed."""
    loop = asyncio.get_running_loop()
    begun: asyncio.Future[Begin] = loop.create_future()

    def listen() -> None:
        said = b""
        while heard := os.read(0, 4096):
            said += heard
            if said.endswith(b"\n"):
                loop.call_soon_threadsafe(begun.set_result, msgspec.json.decode(said, type=Begin))
        loop.call_soon_threadsafe(window.close)
        time.sleep(ENDING_S)
        os._exit(1)

    threading.Thread(target=listen, name="parent", daemon=True).start()
    return begun
