"""The composition root of the window: one application, one event loop, one desk, one window on it."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, TypeVar
from zoneinfo import ZoneInfo

import msgspec
from PySide6.QtCore import QSettings, SignalInstance
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from dataflow.boards.file import LoadedBoard
from gui.panels.shut_panels import ShutPanels, shut_panels
from gui.reporting.crash_report import report_once
from gui.reporting.log_file import Logbook
from gui.reporting.notices import Notices
from gui.reporting.offline_notices import OfflineNotices
from gui.reporting.terminal import say
from gui.theme.theme import Theme
from gui.window.main_window import MainWindow, remembered_theme
from gui.window.picture import grab, tell_missing
from storage.private import tighten

if TYPE_CHECKING:
    from reactivex.abc import DisposableBase

    from dataflow.desk.desk import Desk, DeskBuilder
    from gui.binding.screen import Screen
    from gui.server_settings import Connection

T = TypeVar("T")

NAME = "Watchfloor"
SWITCH_S = 0.0005
"""How long a thread may keep the interpreter: the store's threads hold up no frame, and the window no commit."""

SIZE = (1600, 1000)


class Bug(Exception):
    """Something that asyncio tells in words only."""


class DemoOptions(msgspec.Struct, frozen=True):
    """A replay of the demo's recording: from a local time of day, so many times as fast as it was."""

    recording: Path
    start: str = "06:00"
    speed: float = 60.0


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What to open. `store` is None for the demo, which has a fresh one. `theme` None: the one used last.

    `connection` None: the store's own log.
    """

    board: LoadedBoard
    author: str
    store: Path | None = None
    theme: str | None = None
    demo: DemoOptions | None = None
    connection: Connection | None = None


class Shot(msgspec.Struct, frozen=True):
    """A picture to make: `now` is the board's time in µs; None with a store: that of its last event."""

    out: Path
    size: tuple[int, int] = SIZE
    now: int | None = None


def run(options: Options, on_painted: Callable[[], None] | None = None) -> int:
    """Open the window and stay until it is closed. `on_painted` is called when the first content is on the screen.

    Raises `storage.errors.StorageError` when the store cannot be opened.
    """
    app = application()
    with shut_panels(None if options.demo else options.store) as shut:
        window = _window(app, options, remembered(), shut)
        window.show()
        try:
            return in_loop(app, lambda: _until_closed(window, options, on_painted))
        finally:
            window.close()


def shot(options: Options, picture: Shot) -> int:
    """Draw the board as it is at one moment, on no display, into a PNG file.

    Says on stderr which panels are not in it, and why; 1 if that is all of them.
    """
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    app = application()
    with shut_panels(None if options.demo else options.store) as shut:
        window = _window(app, options, None, shut)
        window.setFixedSize(*picture.size)
        window.show()
        try:
            return in_loop(app, lambda: _draw(window, options, picture))
        finally:
            window.close()


def application() -> QApplication:
    """The process's one."""
    sys.setswitchinterval(SWITCH_S)
    existing = QApplication.instance()
    if isinstance(existing, QApplication):
        return existing
    QGuiApplication.setDesktopFileName(NAME.lower())
    app = QApplication(sys.argv[:1])
    app.setApplicationName(NAME)
    app.setQuitOnLastWindowClosed(False)
    return app


def remembered() -> QSettings:
    """What the window that was closed last has left."""
    settings = QSettings(NAME.lower(), NAME.lower())
    file = Path(settings.fileName())
    if file.parent.name == NAME.lower():
        tighten(file.parent)
    tighten(file)
    return settings


def _window(
    app: QApplication, options: Options, settings: QSettings | None, shut: ShutPanels | None
) -> MainWindow:
    theme = Theme.load(options.theme or (remembered_theme(settings) if settings else "dark"))
    theme.apply(app)
    window = MainWindow(theme, settings, shut=shut)
    window.show_board(options.board.board)
    return window


def in_loop(app: QApplication, main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine on a loop that is Qt's and asyncio's."""
    from qasync import QEventLoop

    loop = QEventLoop(app)
    loop.set_exception_handler(lambda _, context: _unforeseen(context.get("exception") or Bug(context["message"])))
    before, sys.excepthook = sys.excepthook, lambda _, error, __: _unforeseen(error)
    asyncio.set_event_loop(loop)
    try:
        with loop:
            result: T = loop.run_until_complete(main())
            return result
    finally:
        sys.excepthook = before
        asyncio.set_event_loop(None)


def _unforeseen(error: BaseException) -> None:
    """Something failed in a slot or a task: a line and a report, the first time; the window goes on."""
    line, new = report_once(error, sys.argv[1:], "")
    if new:
        say(line, err=True)


def _builder(options: Options) -> DeskBuilder:
    from dataflow.desk.desk import DeskBuilder
    from dataflow.engine.plan_cache import default_cache

    return DeskBuilder(asyncio.get_running_loop(), options.author, default_cache())


def _open(options: Options) -> Desk:
    builder, demo = _builder(options), options.demo
    if demo is not None:
        return builder.demo(options.board, demo.recording, _moment(options, demo.start), demo.speed)
    if options.store is None:
        raise ValueError("a live board needs a store")
    if options.connection is not None:
        files = options.connection.identity, options.connection.ca
        identity, ca = (Path(file) if file else None for file in files)
        return builder.shared(options.board, options.store, options.connection.urls, identity, ca)
    return builder.live(options.board, options.store)


def _open_still(options: Options, now: int | None) -> Desk:
    builder, demo = _builder(options), options.demo
    if demo is not None:
        start = _moment(options, demo.start) if now is None else now
        return builder.demo(options.board, demo.recording, start, demo.speed, held=True)
    if options.store is None:
        raise ValueError("a picture needs a store")
    return builder.still(options.board, options.store, now)


def _moment(options: Options, start: str) -> int:
    from dataflow.feeds.shared_clock import moment

    return moment(start, ZoneInfo(options.board.board.timezone))


def _screen(window: MainWindow, desk: Desk) -> Screen:
    from gui.binding.screen import Screen

    return Screen(window, desk.pipeline)


async def _until_closed(window: MainWindow, options: Options, on_painted: Callable[[], None] | None) -> int:
    closed = closing(window)
    QApplication.processEvents()
    while not closed.done():
        if options.connection is not None:
            window.offer_new_stores()
        await attend(window, _open(options), _first(closed, window.new_store_wanted), on_painted)
        if not closed.done():
            options = await _on_new_store(window, options)
            if window.shut is not None and options.store is not None:
                window.shut.move_to(options.store)
            window.show_board(options.board.board, anew=True)
    return 0


def _first(closed: asyncio.Future[None], wanted: SignalInstance) -> asyncio.Future[None]:
    """Done when the window is closed, or when something else is wanted than what it shows."""
    found: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def done(*_: object) -> None:
        if not found.done():
            wanted.disconnect(done)
            found.set_result(None)

    wanted.connect(done)
    closed.add_done_callback(done)
    return found


async def _on_new_store(window: MainWindow, options: Options) -> Options:
    """The same board on a new store, where the server's log does not fit the old one; as it was, where that fails."""
    from dataflow.feeds.shared.new_store import NoAnswer, make_new_store
    from dataflow.nats.errors import ServerError
    from gui.server_settings import renewed, renewed_text
    from storage.errors import StorageError

    connection, old = options.connection, options.store
    if connection is None or old is None:
        return options
    id = options.board.board.id
    identity, ca = (Path(file) if file else None for file in (connection.identity, connection.ca))
    try:
        new, along = await make_new_store(connection.urls, id, options.author, old, identity, ca)
        kept = renewed(id, connection, new)
    except (NoAnswer, ServerError, StorageError, OSError) as error:
        window.tell("There is no new store", str(error))
        return options
    window.tell("On a new store", renewed_text(old, new, along))
    return msgspec.structs.replace(options, store=new, connection=kept)


def closing(window: MainWindow) -> asyncio.Future[None]:
    """Done when the window is closed."""
    closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    window.closed.connect(lambda: None if closed.done() else closed.set_result(None))
    return closed


def _complaints(desk: Desk) -> DisposableBase:
    """Tell on stderr and in the log file how the desk stands, and what goes wrong."""
    from reactivex.disposable import CompositeDisposable

    def tell(line: str) -> None:
        say(line, err=True)

    log, pipeline = Logbook(desk.pipeline.board.id), desk.pipeline
    return CompositeDisposable(
        pipeline.status.subscribe(OfflineNotices(tell)), pipeline.status.subscribe(log.follow_status),
        pipeline.notices.subscribe(Notices(log, tell, sys.argv[1:])),
    )  # fmt: skip


async def attend(
    window: MainWindow, desk: Desk, closed: asyncio.Future[None], on_painted: Callable[[], None] | None = None
) -> None:
    """Show a desk in its window until that is closed; then close the desk."""
    screen = _screen(window, desk)
    if on_painted is not None:
        screen.painted.connect(on_painted)
    screen.painted.connect(_import_compiler)
    complaints = _complaints(desk)
    desk.pipeline.start()
    try:
        await closed
    finally:
        complaints.dispose()
        screen.close()
        await desk.close()


def _import_compiler() -> None:
    """Import the compiler beside the window, which would stand still for half a second when a query is first sorted."""
    Thread(target=import_module, args=("dataflow.sql.compile",), name="import", daemon=True).start()


async def _draw(window: MainWindow, options: Options, picture: Shot) -> int:
    desk = _open_still(options, picture.now)
    screen = _screen(window, desk)
    desk.pipeline.start()
    try:
        await screen.settled()
        if not grab(window).save(str(picture.out), "PNG"):
            raise OSError(f"{picture.out}: the picture cannot be written")
        return tell_missing(window)
    finally:
        screen.close()
        await desk.close()
