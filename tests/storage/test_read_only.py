"""A store that is only read: nothing of it moves, whatever state it is in and whoever has it open."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from storage import read_only, schema
from storage.database import Database
from storage.errors import NotAStore, StoreBusy, StoreDamaged, StoreMissing, StoreNewer, StoreReadOnly, StoreUnreadable
from storage.read_only import Way, choose_way
from tests.storage.nobody import run_as_nobody
from tests.storage.samples import event, events, ids
from tests.storage.test_migrations import first_version

KILLED = """
import os, sys
from pathlib import Path
from storage.database import Database
from tests.storage.samples import events
store = Database.open(Path(sys.argv[1]))
store.log.append(events(1, 100)).result()
os._exit(9)
"""
COUNT = """
with database.Database.open_read_only(Path("board.db")) as store:
    print(store.log.count())
"""


@pytest.fixture
def public():
    """A folder that other accounts reach by its whole name: pytest's own are private, and so may be `TMPDIR`."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        yield Path(name)
        Path(name).chmod(0o755)


def state(folder):
    """Names, times of change, modes and bytes of all that is in a folder."""
    return {
        path.name: (path.stat().st_mtime_ns, path.stat().st_mode, path.read_bytes())
        for path in sorted(folder.iterdir())
    }


def made(path, count: int = 100):
    with Database.open(path) as store:
        store.log.append(events(1, count)).result()
    return path


@pytest.fixture
def killed(tmp_path):
    """A store whose process was killed: its events stand in the write-ahead log alone."""
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "board.db")], check=False)
    assert (tmp_path / "board.db-wal").stat().st_size > 0
    return tmp_path / "board.db"


def count(path) -> int:
    with Database.open_read_only(path) as store:
        return store.log.count()


def test_a_store_at_rest_is_read_and_stays(tmp_path):
    path = made(tmp_path / "board.db")
    before = state(tmp_path)
    assert choose_way(path) is Way.AT_REST
    assert count(path) == 100
    assert state(tmp_path) == before


def test_a_killed_store_is_read_with_its_write_ahead_log_and_stays(killed):
    before = state(killed.parent)
    assert choose_way(killed) is Way.IN_USE
    assert count(killed) == 100
    assert state(killed.parent) == before


def test_a_copy_without_the_shared_memory_is_read_and_stays(killed):
    killed.with_name("board.db-shm").unlink()
    before = state(killed.parent)
    assert choose_way(killed) is Way.COPIED
    assert count(killed) == 100
    assert state(killed.parent) == before


def test_what_another_process_writes_meanwhile_is_read(tmp_path):
    with Database.open(tmp_path / "board.db") as writer:
        writer.log.append(events(1, 3)).result()
        with Database.open_read_only(tmp_path / "board.db") as reader:
            assert len(ids(reader.log)) == 3
            writer.log.append([event(4)]).result()
            assert len(ids(reader.log)) == 4


def test_a_store_that_is_opened_and_closed_while_it_is_read_alone_is_read_again(tmp_path):
    path = made(tmp_path / "board.db", 3)
    with Database.open_read_only(path) as reader:
        assert reader.log.last() == 3
        with Database.open(path) as writer:
            writer.log.append(events(4, 2000)).result()
        assert reader.log.last() == 2000
        with Database.open(path) as writer:
            writer.log.append([event(5000)]).result()
            assert reader.log.last() == 2000
        assert reader.log.last() == 2001


def test_a_store_that_never_stands_still_is_said_to_be_busy(tmp_path, monkeypatch):
    path = made(tmp_path / "board.db", 3)
    ticks = iter(range(1000))
    with Database.open_read_only(path) as reader:
        monkeypatch.setattr(read_only, "_stamp", lambda _: next(ticks))
        with pytest.raises(StoreBusy):
            reader.log.last()


def test_writing_is_refused(tmp_path):
    with (
        Database.open_read_only(made(tmp_path / "board.db")) as store,
        pytest.raises(StoreReadOnly, match="reading only"),
    ):
        store.log.append([event(101)]).result()


def test_an_older_schema_is_read_from_a_copy_and_stays(tmp_path):
    path = tmp_path / "board.db"
    first_version(path)
    before = state(tmp_path)
    assert count(path) == 2
    assert state(tmp_path) == before
    with Database.open(path):
        pass
    assert state(tmp_path) != before


def test_an_empty_file_is_an_empty_log_and_stays_empty(tmp_path):
    (tmp_path / "board.db").touch()
    assert count(tmp_path / "board.db") == 0
    assert (tmp_path / "board.db").stat().st_size == 0


def test_what_cannot_be_read_is_said_and_left(tmp_path):
    for kind, content in ((NotAStore, b"notes\n" * 50), (StoreDamaged, bytes(5000))):
        (tmp_path / "board.db").write_bytes(content)
        before = state(tmp_path)
        with pytest.raises(kind) as caught:
            Database.open_read_only(tmp_path / "board.db")
        assert "\n" not in str(caught.value)
        assert state(tmp_path) == before
    with pytest.raises(StoreMissing):
        Database.open_read_only(tmp_path / "none.db")
    with pytest.raises(StoreUnreadable):
        Database.open_read_only(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["board.db"]


@pytest.mark.parametrize("without_memory", [False, True])
def test_a_damaged_store_is_not_set_aside(tmp_path, without_memory):
    path = made(tmp_path / "board.db", 500)
    content = bytearray(path.read_bytes())
    content[4096:12000] = b"\xa5" * (12000 - 4096)
    path.write_bytes(content)
    if without_memory:
        path.with_name("board.db-wal").write_bytes(b"left over")
    before = state(tmp_path)
    with pytest.raises(StoreDamaged) as caught:
        Database.open_read_only(path)
    assert caught.value.aside is None
    assert str(path) in str(caught.value)
    assert state(tmp_path) == before


def test_a_newer_store_is_refused_and_left(tmp_path):
    path = made(tmp_path / "board.db")
    with sqlite3.connect(path) as raw:
        raw.execute("UPDATE alembic_version SET version_num = '0917'")
    raw.close()
    before = state(tmp_path)
    with pytest.raises(StoreNewer) as caught:
        Database.open_read_only(path)
    assert (caught.value.found, caught.value.known) == ("0917", schema.HEAD)
    assert state(tmp_path) == before


@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX's")
@pytest.mark.parametrize("rest", ["at rest", "killed"])
def test_a_store_in_a_folder_that_cannot_be_written_is_read(tmp_path, killed, public, rest):
    folder = public
    source = made(tmp_path / "other.db") if rest == "at rest" else killed
    for suffix in ("", "-wal", "-shm"):
        part = source.with_name(source.name + suffix)
        if part.exists():
            shutil.copy(part, folder / f"board.db{suffix}")
            (folder / f"board.db{suffix}").chmod(0o444)
    folder.chmod(0o555)
    done = run_as_nobody(COUNT, folder)
    assert (done.stdout, done.stderr) == ("100\n", "")
    assert len(list(folder.iterdir())) == (1 if rest == "at rest" else 3)
