"""The way out in the window, on a real server: the log does not fit, a new store is asked for, and the desk goes on."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from zoneinfo import ZoneInfo

import msgspec
import pytest
from PySide6.QtCore import QSettings, QTimer
from PySide6.QtWidgets import QApplication

from dataflow.boards.file import load
from dataflow.session import Status
from gui import app
from gui.server_settings import Connection, recall
from gui.widgets.pill import Pill
from gui.window.header import Header
from gui.window.main_window import MainWindow
from gui.window.new_store_dialog import Notice
from storage.database import Database
from storage.mirror import Mirror
from tests.dataflow.desks import BOARD, note
from tests.faults.desks import stream
from tests.nats import make_server, server  # noqa: F401  fixtures

REFUSED = Status(state="refused", detail="the log was made anew; open it with --fresh-store", unfit=True, now=1)


@pytest.fixture
def staying(qapp):
    """As in an application of our own: closing a desk takes longer than closing its window."""
    qapp.setQuitOnLastWindowClosed(False)
    yield
    qapp.setQuitOnLastWindowClosed(True)


@pytest.fixture
def options(tmp_path, monkeypatch, qtbot, staying, server):  # noqa: F811
    """A board whose store holds a log that the server does not have, with an entry that waits."""
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    QSettings.setPath(QSettings.Format.NativeFormat, QSettings.Scope.UserScope, str(tmp_path))
    path, store = tmp_path / "notes.toml", tmp_path / "notes.db"
    path.write_text(BOARD)
    asyncio.run(stream(server.url, "notes"))
    with Database.open(store) as database:
        mirror = Mirror(database)
        mirror.adopt("a log that is gone").result(5)
        mirror.receive([msgspec.structs.replace(note("north"), position=1, authid="amy")], [], 1).result(5)
        database.outbox.add([note("south")]).result(5)
    connection = Connection(urls=(server.url,), store=str(store), author="amy")
    return app.Options(board=load(path), author="amy", store=store, theme="dark", connection=connection)


class Operator:
    """Presses what there is to press; closes the window when `done`."""

    def __init__(self, done):
        self.told, self._done, self._timer = [], done, None

    def painted(self):
        if self._timer is None:
            self._timer = QTimer(interval=20)
            self._timer.timeout.connect(self._look)
            self._timer.start()

    def _look(self):
        shown = (each for each in QApplication.topLevelWidgets() if each.isVisible())
        window = next(each for each in shown if isinstance(each, MainWindow))
        notice = next((each for each in window.findChildren(Notice) if each.isVisible()), None)
        pills = [pill for pill in window.findChildren(Pill) if pill.accessibleName() == "New store…"]
        if notice is not None:
            self._answer(notice)
        elif self._done(self.told, window):
            self._timer.stop()
            window.close()
        elif pills and pills[0].isVisible():
            pills[0].click()

    def _answer(self, notice):
        self.told.append((notice.accessibleName(), notice.accessibleDescription()))
        if hasattr(notice, "act"):
            notice.act.click()
        else:
            notice.close()


def test_a_new_store_takes_the_desk_on(options):
    def live(told, window):
        return len(told) == 2 and "position 1 · synced" in window._footer.accessibleDescription().replace("\u202f", " ")

    operator = Operator(live)
    assert app.run(options, operator.painted) == 0
    offered, done = operator.told
    assert offered[1].startswith("The server's log is not the one that this store holds: it was made anew.\n\nOn a new")
    new = options.store.with_name("notes-2.db")
    assert done[0] == "On a new store"
    assert f"{new} follows the server" in done[1]
    assert "1 that wait, 0 that the server held" in done[1]
    assert recall("notes").store == str(new)
    with Database.open(new, create=False) as database:
        assert (database.log.count(), database.outbox.count()) == (1, 0)
    with Database.open(options.store, create=False) as database:
        assert (database.log.count(), database.outbox.count()) == (1, 1)


def test_where_there_can_be_none_the_window_says_so_and_goes_on(options, monkeypatch):
    from dataflow.feeds.shared import new_store

    async def fails(*_):
        raise new_store.NoAnswer("no answer from the tower")

    monkeypatch.setattr(new_store, "make_new_store", fails)
    operator = Operator(lambda told, _: len(told) == 2)
    assert app.run(options, operator.painted) == 0
    assert operator.told[1] == ("There is no new store", "no answer from the tower")
    assert recall("notes") is None


def test_only_where_it_is_of_use_is_it_offered(qtbot, theme):
    header = Header(theme)
    qtbot.addWidget(header)

    def offered():
        return [pill.accessibleName() for pill in header.findChildren(Pill) if not pill.isHidden()].count("New store…")

    header.set_status(REFUSED)
    assert not offered(), "nobody there who could make one"
    header.offer_new_stores(True)
    assert offered()
    header.set_status(msgspec.structs.replace(REFUSED, unfit=False))
    assert not offered()


def test_there_is_room_for_it_in_a_narrow_window(qtbot, theme):
    header = Header(theme)
    qtbot.addWidget(header)
    header.set_board("New York departures", ZoneInfo("America/New_York"))
    header.offer_new_stores(True)
    header.set_status(msgspec.structs.replace(REFUSED, detail="it is another log " * 9, pending=20_000, attention=9))
    header.resize(900, header.height())
    header.show()
    qtbot.waitExposed(header)
    boxes = sorted((p.geometry() for p in header.findChildren(Pill) if p.isVisible()), key=lambda box: box.x())
    assert all(left.right() < right.x() for left, right in pairwise(boxes))
    assert boxes[-1].right() < header.width()
    pill = next(pill for pill in header.findChildren(Pill) if pill.accessibleName() == "New store…")
    assert pill.width() >= pill.sizeHint().width()
