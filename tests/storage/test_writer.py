"""Group commit: one transaction for all that waits, a bad job fails alone, a lost transaction is tried job by job."""

from __future__ import annotations

import threading

import pytest

from storage.errors import StoreFailed, StoreFull
from tests.storage.samples import event, ids

NOTE = "INSERT INTO meta (key, value) VALUES (?, 'x')"


def note(key: str):
    return lambda connection: connection.exec_driver_sql(NOTE, (key,))


class Held:
    """Keeps the writer busy while jobs gather behind it, so that they are one group."""

    def __init__(self, store) -> None:
        self._store = store
        self._go = threading.Event()

    def __enter__(self) -> None:
        began = threading.Event()
        self._store.write(lambda _: (began.set(), self._go.wait()))
        began.wait()

    def __exit__(self, *_: object) -> None:
        self._go.set()


def commits(store) -> int:
    """The log's end in the WAL moves by whole transactions; SQLite counts them for a second connection."""
    return store.rows("PRAGMA data_version")[0][0]


def test_all_that_waits_is_one_transaction(store):
    store.log.append([event(0)]).result()
    before = commits(store)
    with Held(store):
        futures = [store.log.append([event(n)]) for n in range(1, 101)]
    assert [future.result().positions for future in futures] == [[n + 1] for n in range(1, 101)]
    assert commits(store) - before <= 2


def test_a_bad_job_fails_alone(store):
    with Held(store):
        before = store.log.append([event(1)])
        bad = store.write(note(None))
        worse = store.write(lambda _: {}["key"])
        after = store.log.append([event(2)])
    with pytest.raises(StoreFailed, match="NOT NULL"):
        bad.result()
    with pytest.raises(KeyError):
        worse.result()
    assert before.result().positions + after.result().positions == [1, 2]
    assert ids(store.log) == ["id-1", "id-2"]


def test_a_bad_job_leaves_nothing_behind(store):
    def half(connection) -> None:
        note("half")(connection)
        raise ValueError

    with Held(store):
        futures = [store.write(note("a")), store.write(half), store.write(note("b"))]
    assert [type(future.exception()) for future in futures] == [type(None), ValueError, type(None)]
    assert store.write(half).exception() is not None
    assert store.rows("SELECT key FROM meta ORDER BY key") == [("a",), ("b",)]


def test_a_lost_transaction_is_tried_job_by_job(store):
    """As when SQLite rolls back all of it, which it may do when the disk is full."""

    def lose(connection) -> None:
        connection.exec_driver_sql("ROLLBACK")
        note(None)(connection)

    with Held(store):
        futures = [store.log.append([event(1)]), store.write(lose), store.log.append([event(2)])]
    assert isinstance(futures[1].exception(), StoreFailed)
    assert [futures[0].result().positions, futures[2].result().positions] == [[1], [2]]


def test_when_the_disk_is_full_small_jobs_may_still_fit(store):
    pages = store.rows("PRAGMA page_count")[0][0] + 4
    store.write(lambda c: c.exec_driver_sql(f"PRAGMA max_page_count = {pages}").scalar()).result()
    with Held(store):
        small = store.log.append([event(1)])
        big = store.log.append([event(2, data=b'{"x":"%s"}' % (b"x" * 100_000))])
        last = store.log.append([event(3)])
    assert isinstance(big.exception(), StoreFull)
    assert small.result().positions + last.result().positions == [1, 2]


def test_a_cancelled_job_does_not_run(store):
    with Held(store):
        future = store.log.append([event(1)])
        assert future.cancel()
        kept = store.log.append([event(2)])
    assert kept.result().positions == [1]
