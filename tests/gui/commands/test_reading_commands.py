"""Commands that only read: no store is made, none is moved, whatever state it is in."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from gui import cli
from gui.paths import store_of
from gui.server_settings import Connection, keep
from storage.database import Database
from storage.outbox import Outbox
from tests.gui.test_hostile import BOARD, run
from tests.storage.test_migrations import first_version
from tests.storage.test_read_only import KILLED, state

READING = (
    ("query", "SELECT count(*) AS n FROM events"), ("export", "out.csv"), ("export", "out.ndjson"), ("explain", "held"),
    ("delays",), ("shot", "out.png", "--size", "400x300"), ("check",),
)  # fmt: skip


def outcome(name: str, *rest: str) -> tuple[int, str]:
    code, _, err = run(name, "ops.toml", *rest)
    return code, err


@pytest.fixture
def home(account, monkeypatch):
    monkeypatch.setenv("LOGNAME", "ann")
    monkeypatch.chdir(account)
    Path("ops.toml").write_text(BOARD)
    return account


@pytest.fixture
def store(home):
    run("emit", "ops.toml", "job.held", "job=J1")
    return store_of("ops")


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """The folder of a store whose process was killed."""
    folder = tmp_path_factory.mktemp("killed")
    subprocess.run([sys.executable, "-c", KILLED, str(folder / "ops.db")], check=False)
    return folder


@pytest.mark.parametrize("command", READING, ids=lambda command: command[0])
class TestNothingMoves:
    def test_a_store_at_rest(self, store, command):
        before = state(store.parent)
        assert outcome(*command)[0] == 0
        assert state(store.parent) == before

    def test_an_older_store(self, home, command):
        store = store_of("ops")
        store.parent.mkdir(parents=True)
        first_version(store)
        before = state(store.parent)
        assert outcome(*command)[0] == 0
        assert state(store.parent) == before

    def test_a_store_whose_desk_was_killed(self, home, killed, command):
        path = store_of("ops")
        shutil.copytree(killed, path.parent)
        before = state(path.parent)
        assert path.with_name("ops.db-wal").stat().st_size > 0
        assert outcome(*command)[0] == 0
        assert state(path.parent) == before

    def test_entries_that_wait_still_wait(self, store, command):
        entry = next(iter(self._events(store)))
        with Database.open(store) as database:
            Outbox(database).add([entry]).result()
        before = state(store.parent)
        assert outcome(*command)[0] == 0
        assert state(store.parent) == before

    def _events(self, store):
        with Database.open_read_only(store) as database:
            for chunk in database.log.read():
                yield from (msgspec.structs.replace(event, id="waits", position=None) for event in chunk)

    def test_where_there_is_no_store_none_is_made(self, home, command):
        code, err = outcome(*command)
        assert (code, err.count("\n")) == ((0, 1) if command[0] == "explain" else (0, 0) if command[0] == "check"
                                           else (1, 1))
        assert ("no store yet" in err) == (command[0] != "check")
        assert not (home / "XDG_DATA_HOME").exists()


@pytest.mark.parametrize("command", [each for each in READING if each[0] != "check"], ids=lambda command: command[0])
def test_a_file_of_another_kind_is_left(home, command):
    (home / "folder").mkdir()
    (home / "folder" / "notes.db").write_text("my notes, not a store at all\n" * 40)
    before = state(home / "folder")
    code, err = outcome(*command, "--store", "folder/notes.db")
    assert (code, err.count("\n")) == (1, 1)
    assert state(home / "folder") == before


def test_a_desk_that_is_open_is_read_and_not_disturbed(home, store):
    with Database.open(store) as desk:
        for number in range(3):
            assert run("query", "ops.toml", READING[0][1], "--format", "csv")[1] == f"n\n{number + 1}\n"
            desk.log.append([_numbered(desk, number)]).result()


def _numbered(desk, number):
    [first, *_] = next(iter(desk.log.read()))
    return msgspec.structs.replace(first, id=f"more {number}", position=None)


@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX's")
class TestPrivate:
    """What commands make of this account's own is for nobody else; what people ask for is as their umask says."""

    @pytest.fixture(autouse=True)
    def open_umask(self):
        before = os.umask(0o022)
        yield
        os.umask(before)

    def test_all_that_is_kept(self, home, monkeypatch):
        run("emit", "ops.toml", "job.held", "job=J1")
        run("query", "ops.toml", "SELECT 1")
        run("user", "add", "amy", "--role", "viewer")
        monkeypatch.setattr("gui.commands.query.load_board", lambda _: 1 / 0)
        run("query", "ops.toml", "SELECT 1")
        keep("ops", Connection(urls=("nats://x:4222",), store="x.db"))
        made = [path for name in ("DATA", "CACHE", "STATE", "CONFIG")
                for path in (home / f"XDG_{name}_HOME").rglob("*")]
        names = {path.name for path in made}
        assert {"ops.db", "amy.toml", "amy.json", "plans.key", "ops.json"} <= names
        assert any(name.endswith(".plan") for name in names)
        assert any(name.startswith("bug-") for name in names)
        assert {path for path in made if path.stat().st_mode & 0o077} == set()

    def test_what_is_exported_follows_the_umask(self, store):
        assert cli.run(["export", "ops.toml", "out.csv"]) == 0
        assert Path("out.csv").stat().st_mode & 0o777 == 0o644
