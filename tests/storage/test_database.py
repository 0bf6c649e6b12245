"""Opening a store: what is refused, what is set aside, what is left alone; and a disk that is full."""

from __future__ import annotations

import sqlite3

import pytest

from storage import schema
from storage.database import Database
from storage.errors import (
    NotAStore,
    StorageError,
    StoreClosed,
    StoreDamaged,
    StoreFull,
    StoreMissing,
    StoreNewer,
    StoreReadOnly,
    StoreUnreadable,
)
from tests.storage.nobody import run_as_nobody
from tests.storage.samples import event, events, ids


def made(path, count: int = 100):
    with Database.open(path) as store:
        store.log.append(events(1, count)).result()
    return path


def refused(kind: type[StorageError], path, **given: object) -> StorageError:
    with pytest.raises(kind) as caught:
        Database.open(path, **given)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    return caught.value


def test_it_is_durable_by_setting(store):
    (mode,) = store.rows("PRAGMA journal_mode")
    synchronous = store.write(lambda c: c.exec_driver_sql("PRAGMA synchronous").scalar()).result()
    assert (mode[0], synchronous) == ("wal", 2)


def test_a_private_store_goes_when_closed():
    with Database.open(None) as store:
        store.log.append(events(1, 3)).result()
        path = store.path
        assert path.exists()
    assert not path.parent.exists()


def test_meta_keeps_values(tmp_path):
    with Database.open(tmp_path / "board.db") as store:
        assert store.meta.get("board") is None
        store.meta.put("board", b"nyc").result()
        store.meta.put("board", b"lon").result()
        assert store.meta.get("board") == b"lon"


def test_a_missing_store(tmp_path):
    assert "no such store" in str(refused(StoreMissing, tmp_path / "none.db", create=False))
    assert "no such directory" in str(refused(StoreMissing, tmp_path / "none" / "board.db"))
    assert list(tmp_path.iterdir()) == []


def test_a_directory_is_no_store(tmp_path):
    refused(StoreUnreadable, tmp_path)


@pytest.mark.parametrize("content", [b"id = 'nyc'\n", b"x" * 5000])
def test_a_file_of_another_kind_is_left_as_it_is(tmp_path, content):
    path = tmp_path / "board.toml"
    path.write_bytes(content)
    refused(NotAStore, path)
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


def test_another_programs_database_is_left_as_it_is(tmp_path):
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE t (a)")
    other.close()
    before = path.read_bytes()
    refused(NotAStore, path)
    assert path.read_bytes() == before


def test_an_empty_file_becomes_a_store(tmp_path):
    path = tmp_path / "board.db"
    path.touch()
    with Database.open(path) as store:
        assert store.log.last() == 0


def test_a_newer_store_is_refused_and_left(tmp_path):
    path = made(tmp_path / "board.db")
    with sqlite3.connect(path) as raw:
        raw.execute("UPDATE alembic_version SET version_num = '0917'")
    raw.close()
    before = path.read_bytes()
    error = refused(StoreNewer, path)
    assert (error.found, error.known) == ("0917", schema.HEAD)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("start", "junk"),
    [(0, bytes(100)), (28, b"\xff" * 60), (4096, b"\xa5" * 4096), (9000, b"\xa5" * 9000)],
    ids=["no header", "bad header", "one page", "pages"],
)
def test_a_damaged_store_is_set_aside(tmp_path, start, junk):
    path = made(tmp_path / "board.db")
    damaged = bytearray(path.read_bytes())
    damaged[start : start + len(junk)] = junk
    path.write_bytes(damaged)
    error = refused(StoreDamaged, path)
    assert error.aside.read_bytes() == damaged
    assert str(error.aside) in str(error)
    assert not path.exists()
    made(path, 1)
    assert error.aside.exists()


def test_a_store_cut_short_is_set_aside_with_its_wal(tmp_path):
    path = made(tmp_path / "board.db", 500)
    path.write_bytes(path.read_bytes()[:20_000])
    path.with_name("board.db-wal").write_bytes(b"left over")
    error = refused(StoreDamaged, path)
    assert error.aside.stat().st_size == 20_000
    assert not path.with_name("board.db-wal").exists()


def test_damage_that_shows_later_stops_the_writing_and_is_set_aside_at_the_end(tmp_path, monkeypatch):
    path = made(tmp_path / "board.db", 500)
    damaged = bytearray(path.read_bytes())
    damaged[-40_000:] = b"\xa5" * 40_000
    path.write_bytes(damaged)
    monkeypatch.setattr("storage.opening.CHECKED_BYTES", 0)
    with Database.open(path) as store:
        with pytest.raises(StoreDamaged):
            list(store.log.read())
        with pytest.raises(StoreDamaged, match="sets it aside"):
            store.log.append([event(1000)]).result()
    assert not path.exists()
    (aside,) = tmp_path.glob("board.db.damaged-*")
    assert aside.stat().st_size == len(damaged)


OPEN = """
try:
    database.Database.open(Path("board.db")).close()
except errors.StorageError as error:
    print(type(error).__name__)
"""


@pytest.mark.parametrize(
    ("mode", "of_folder", "kind"),
    [(0o000, 0o755, StoreUnreadable), (0o444, 0o777, StoreReadOnly), (0o666, 0o555, StoreReadOnly)],
    ids=["unreadable", "read-only", "in a read-only folder"],
)
def test_permissions(tmp_path, mode, of_folder, kind):
    folder = tmp_path / "everybody's"
    folder.mkdir()
    made(folder / "board.db").chmod(mode)
    folder.chmod(of_folder)
    done = run_as_nobody(OPEN, folder)
    folder.chmod(0o755)
    assert (done.stdout.strip(), done.stderr) == (kind.__name__, "")


def test_a_full_disk_fails_the_write_and_the_store_goes_on(tmp_path):
    path = tmp_path / "board.db"
    with Database.open(path) as store:
        store.log.append(events(1, 10)).result()
        pages = store.rows("PRAGMA page_count")[0][0]
        limit = store.write(lambda c: c.exec_driver_sql(f"PRAGMA max_page_count = {pages + 4}").scalar())
        assert limit.result() == pages + 4
        big = [event(n, data=b'{"x":"%s"}' % (b"x" * 3000)) for n in range(11, 40)]
        with pytest.raises(StoreFull, match="make room"):
            store.log.append(big).result()
        assert store.log.count() == 10
        assert store.log.append([event(11)]).result().positions == [11]
        store.write(lambda c: c.exec_driver_sql("PRAGMA max_page_count = 1000000").scalar()).result()
        assert store.log.append(big).result().new == [False] + [True] * 28
    with Database.open(path) as store:
        assert store.log.count() == 39


def test_a_closed_store_says_so(tmp_path):
    store = Database.open(tmp_path / "board.db")
    last = store.log.append([event(1)])
    store.close()
    store.close()
    assert last.result().positions == [1]
    with pytest.raises(StoreClosed):
        store.log.append([event(2)]).result()
    with pytest.raises(StoreClosed):
        store.log.last()


def test_a_locked_store_waits_for_the_other_process(store):
    other = sqlite3.connect(store.path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    waiting = store.log.append([event(1)])
    assert not waiting.done()
    assert ids(store.log) == []
    other.execute("ROLLBACK")
    other.close()
    assert waiting.result(timeout=5).positions == [1]
