"""A new store in the place of one that the log no longer fits: what goes along, in which order, and what does not."""

from __future__ import annotations

import msgspec
import pytest

from storage.database import Database
from storage.quarantine import Quarantined
from storage.renewal import Renewed, free_path, renew
from tests.storage.samples import event

OWN = 2500


@pytest.fixture
def old(tmp_path):
    """Amy's and bob's events in turn, from position 11 on; three entries of amy's that wait; one was refused."""
    path = tmp_path / "old.db"
    with Database.open(path) as store:
        log = [
            msgspec.structs.replace(event(n), position=11 + n, authid=("amy", "bob", None)[n % 3])
            for n in range(3 * OWN)
        ]
        store.log.append(log).result(10)
        store.outbox.add([event(10_000 + n) for n in range(3)]).result(5)
        refused = Quarantined(reason="stale", text=b"{}", time=1, origin="outbox", kind="entry", stale=True)
        store.quarantine.add([refused, Quarantined(reason="no event", text=b"x", time=2, origin="WF_b:3")]).result(5)
    return path


def ids(path):
    with Database.open(path, create=False) as store:
        assert (store.log.count(), store.meta.get("stream"), store.meta.get("cursor")) == (0, None, None)
        pending = store.outbox.pending()
        assert [(item.reason, item.stale) for item in store.quarantine.list()] == [("stale", True)]
    assert all(entry.position is None for entry in pending)
    return [entry.id for entry in pending]


def test_of_the_same_log_all_own_entries_go_along_before_those_that_wait(old, tmp_path):
    assert renew(old, tmp_path / "new.db", "amy", 1) == Renewed(waiting=3, confirmed=OWN, refused=1)
    own = [event(n).id for n in range(0, 3 * OWN, 3)]
    assert ids(tmp_path / "new.db") == [*own, *(event(10_000 + n).id for n in range(3))]


def test_what_was_taken_out_of_the_log_at_its_beginning_does_not(old, tmp_path):
    assert renew(old, tmp_path / "new.db", "bob", 11 + 3 * OWN - 6).confirmed == 2
    assert ids(tmp_path / "new.db")[:2] == [event(3 * OWN - 5).id, event(3 * OWN - 2).id]


def test_of_another_log_only_what_waits_goes_along(old, tmp_path):
    before = old.read_bytes()
    assert renew(old, tmp_path / "new.db", "amy", None) == Renewed(waiting=3, confirmed=0, refused=1)
    assert ids(tmp_path / "new.db") == [event(10_000 + n).id for n in range(3)]
    assert old.read_bytes() == before


def test_the_next_free_name_is_taken(tmp_path):
    for name, found in (("nyc@a_1.db", "nyc@a_1-2.db"), ("nyc@a_1-2.db", "nyc@a_1-3.db"), ("x.db", "x-2.db")):
        assert free_path(tmp_path / name) == tmp_path / found
    (tmp_path / "x-2.db").touch()
    assert free_path(tmp_path / "x.db") == tmp_path / "x-3.db"
    (tmp_path / "x-3.db").touch()
    assert free_path(tmp_path / "x.db") == tmp_path / "x-4.db"
