"""A desk that died of a panel opens with it shut, says so, and can try again: with processes that really die."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import QSettings, Qt
from PySide6.QtWidgets import QApplication

from dataflow.boards.file import load
from gui import app
from gui.panels.bar import Bar
from gui.panels.shut import Shut
from gui.panels.shut_panels import Death, ShutPanels, digest
from gui.panels.table import Table
from storage.database import Database
from tests.dataflow.desks import BOARD, note

BARS = """
[[panels]]
kind = "bar"
title = "Bars"
at = [1, 0, 1, 1]
sql = "SELECT place AS label, count(*) AS value FROM by_place GROUP BY place"
"""
DYING = """
    import os, signal, sys
    from pathlib import Path
    from dataflow.boards.file import load
    from gui import app
    from gui.panels import bar

    def die(*_):
        os.kill(os.getpid(), signal.{signal})

    bar.{method} = die
    board, store = map(Path, sys.argv[1:])
    options = app.Options(board=load(board), author="amy", store=store, theme="dark")
    app.run(options)
"""


@pytest.fixture
def board(account, qtbot):
    """A board with a table and bars; a store with a note in it."""
    QSettings.setPath(QSettings.Format.NativeFormat, QSettings.Scope.UserScope, str(account))
    path = account / "notes.toml"
    path.write_text(BOARD + BARS)
    with Database.open(account / "notes.db") as database:
        database.log.append([note("north")]).result(5)
    return path


@pytest.fixture
def store(account):
    return account / "notes.db"


def die(board, store, signal_name="SIGSEGV", method="Chart._paint_bar"):
    """A window in a process of its own that ends by a signal while it draws the bars."""
    code = textwrap.dedent(DYING).format(signal=signal_name, method=method)
    ended = subprocess.run([sys.executable, "-c", code, str(board), str(store)], check=False, timeout=60)
    assert ended.returncode == -getattr(signal, signal_name)


def the_bars(board):
    return next(panel for panel in load(board).board.panels if panel.title == "Bars")


def note_death(board, store):
    """As if a process had died of the bars."""
    store.with_name("notes.db.shut").write_bytes(msgspec.json.encode({digest(the_bars(board)).hex(): Death(1)}))


def options(board, store):
    return app.Options(board=load(board), author="amy", store=store, theme="dark")


def look(board, store, act=lambda window: None):
    """Open the window in this process, do something with it, close it. Its panels' kinds, before and after."""
    seen = []

    def painted():
        window = next(each for each in QApplication.topLevelWidgets() if hasattr(each, "panels") and each.isVisible())
        seen.append({panel.spec.title: type(panel) for panel in window.panels})
        try:
            act(window)
            QApplication.processEvents()
            seen.append({panel.spec.title: type(panel) for panel in window.panels})
        finally:
            window.close()

    assert app.run(options(board, store), painted) == 0
    return seen


def shown(window, title):
    return next(panel for panel in window.panels if panel.spec.title == title)


def left(store):
    """The files that a desk keeps beside its store of its panels."""
    return sorted(path.name for kind in ("drawing-*", "shut") for path in store.parent.glob(f"notes.db.{kind}"))


def test_the_panel_that_it_died_of_is_shut_until_somebody_tries_again(board, store, qtbot):
    die(board, store)
    said, values = [], []

    def leave(window):
        said.append(shown(window, "Bars").accessibleDescription())
        assert shown(window, "Notes").model.store.rows == [("north", 1, False)]

    assert look(board, store, leave)[0] == {"Notes": Table, "Bars": Shut}
    assert said[0].startswith("Watchfloor ended while it drew this panel, so it is shut.\nThe report is in ")
    assert "in die" in Path(said[0].rpartition(" in ")[2]).read_text()
    assert left(store) == ["notes.db.shut"]

    def try_again(window):
        shown(window, "Bars").focus()
        qtbot.keyClick(window.focusWidget(), Qt.Key.Key_Return)
        qtbot.waitUntil(lambda: bool(shown(window, "Bars").chart.entries))
        values.extend(entry.label for entry in shown(window, "Bars").chart.entries)

    before, after = look(board, store, try_again)
    assert (before["Bars"], after["Bars"]) == (Shut, Bar)
    assert values == ["north"]
    assert left(store) == []


def test_it_may_die_before_the_first_frame_and_without_a_word(board, store):
    die(board, store, "SIGKILL", "Bar.__init__")
    kept = ShutPanels(store)
    bars = the_bars(board)
    assert kept.death_of(bars).words() == "Watchfloor ended while it drew this panel, so it is shut."
    kept.close()


def test_a_panel_whose_section_is_another_one_is_tried(board, store):
    bars = the_bars(board)
    note_death(board, store)
    kept = ShutPanels(store)
    assert kept.death_of(bars) == Death(1)
    assert kept.death_of(msgspec.structs.replace(bars, title="Others")) is None
    kept.forget(bars)
    kept.close()
    assert left(store) == []


def test_a_picture_is_made_without_it_and_says_so(board, store, account, capsys):
    out = account / "out.png"
    note_death(board, store)
    assert app.shot(options(board, store), app.Shot(out, (640, 480))) == 0
    assert "The panel “Bars” is shut: Watchfloor ended while it drew this panel" in capsys.readouterr().err
    assert out.exists()


def test_a_picture_in_which_nothing_could_be_drawn_has_failed(board, store, account, capsys, monkeypatch):
    def fails(*_):
        raise ZeroDivisionError("float division by zero")

    monkeypatch.setattr("gui.panels.bar.Chart._paint_bar", fails)
    assert app.shot(options(board, store), app.Shot(account / "out.png", (640, 480))) == 0
    said = capsys.readouterr().err
    assert "The panel “Bars” can't be drawn: this is a bug in Watchfloor: ZeroDivisionError" in said
    monkeypatch.setattr("gui.panels.rows_view.RowsView._spans", fails)
    assert app.shot(options(board, store), app.Shot(account / "out.png", (640, 480))) == 1
    assert (account / "out.png").exists()


# What is kept


def test_what_a_living_process_draws_is_not_shut(board, store):
    spec = load(board).board.panels[0]
    first = ShutPanels(store)
    first.set(digest(spec))
    second = ShutPanels(store)
    assert second.death_of(spec) is None
    second.close()
    first.close()
    assert left(store) == []


def test_nested_drawing_comes_back_to_what_was_drawn(store):
    kept = ShutPanels(store)
    assert kept.set(b"a" * 16) == bytes(16)
    assert kept.set(b"b" * 16) == b"a" * 16
    assert kept.set(bytes(16)) == b"b" * 16
    kept.close()


def test_a_damaged_note_and_a_folder_that_takes_no_files_cost_nothing(board, store, account):
    spec = load(board).board.panels[0]
    store.with_name("notes.db.shut").write_text("{")
    kept = ShutPanels(store)
    assert kept.death_of(spec) is None
    kept.close()
    kept = ShutPanels(account / "nowhere" / "notes.db")
    kept.set(digest(spec))
    assert kept.death_of(spec) is None
    kept.close()


def test_any_name_of_a_store_will_do(account):
    for name in ("[ab]*.db", "x" * 5_000, "ü \n.db"):
        kept = ShutPanels(account / name)
        kept.set(b"a" * 16)
        kept.close()
    assert not list(account.rglob("*drawing*"))


def test_what_a_shut_panel_says():
    assert Death(1).words() == "Watchfloor ended while it drew this panel, so it is shut."
    assert Death(1, "/tmp/crash-1.txt").words().endswith("\nThe report is in /tmp/crash-1.txt")
