"""The window as a whole: opened, painted and closed; and stores that cannot be opened, told in one line."""

from __future__ import annotations

import sqlite3

import pytest
from PySide6.QtCore import QSettings
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from dataflow.boards.file import board_path, load
from gui import app, cli
from gui.commands.display import recording
from storage.database import Database
from tests.dataflow.desks import BOARD, note


@pytest.fixture
def board(tmp_path, monkeypatch, qtbot):
    """A board of notes; settings and caches are the test's own."""
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    QSettings.setPath(QSettings.Format.NativeFormat, QSettings.Scope.UserScope, str(tmp_path))
    path = tmp_path / "notes.toml"
    path.write_text(BOARD)
    return path


def filled(path):
    """A store with one note in it."""
    with Database.open(path) as database:
        database.log.append([note("north")]).result(5)
    return path


def close_all():
    for widget in QApplication.topLevelWidgets():
        widget.close()


def test_the_window_opens_on_its_store_paints_and_closes(board, tmp_path):
    painted = []

    def on_painted():
        painted.append(True)
        close_all()

    options = app.Options(board=load(board), author="amy", store=filled(tmp_path / "notes.db"), theme="light")
    assert app.run(options, on_painted) == 0
    assert painted


def test_the_demo_paints_and_leaves_nothing(board, tmp_path):
    options = app.Options(board=load(board_path("demo")), author="amy", demo=app.DemoOptions(recording(), "14:30"))
    assert app.run(options, close_all) == 0


def test_the_theme_of_the_last_window_comes_back(board, tmp_path):
    store = filled(tmp_path / "notes.db")
    app.run(app.Options(board=load(board), author="amy", store=store, theme="light"), close_all)
    shown = []

    def look():
        shown.extend(w.theme.name.lower() for w in QApplication.topLevelWidgets() if hasattr(w, "theme"))
        close_all()

    app.run(app.Options(board=load(board), author="amy", store=store), look)
    assert "light" in shown


def test_the_same_input_gives_the_same_picture(board, tmp_path):
    store = filled(tmp_path / "notes.db")
    pictures = []
    for name in ("one.png", "two.png"):
        options = app.Options(board=load(board), author="amy", store=store, theme="dark")
        assert app.shot(options, app.Shot(tmp_path / name, (640, 480))) == 0
        pictures.append((tmp_path / name).read_bytes())
    assert pictures[0] == pictures[1]
    image = QImage(str(tmp_path / "one.png"))
    assert (image.width(), image.height()) == (640, 480)


def newer(path):
    with sqlite3.connect(filled(path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()


def noise(path):
    path.write_bytes(b"\xa5" * 20_000)


def damaged(path):
    with filled(path).open("r+b") as file:
        file.seek(4096 * 3)
        file.write(b"\xff" * 8192)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [(newer, "newer Watchfloor"), (noise, "not a Watchfloor store"), (damaged, "it was moved to")],
)
def test_a_store_that_cannot_be_opened_is_one_line(board, tmp_path, capsys, spoil, said):
    store = tmp_path / "bad.db"
    spoil(store)
    assert cli.run(["open", str(board), "--store", str(store)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
    assert store.exists() == (spoil is not damaged)


def test_a_picture_of_a_store_that_is_not_there_is_refused(board, tmp_path, capsys):
    out = tmp_path / "out.png"
    assert cli.run(["shot", str(board), str(out), "--store", str(tmp_path / "none.db")]) == 1
    assert "there is no such store" in capsys.readouterr().err
    assert not out.exists()
