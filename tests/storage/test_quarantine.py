"""What could not be taken is kept, newest first, and the same thing once."""

from __future__ import annotations

import pytest

from storage.database import Database
from storage.errors import AlreadySettled
from storage.quarantine import LISTED, LONGEST, Quarantined
from tests.storage.samples import event, ids


def item(n: int, **given: object) -> Quarantined:
    usual = {"reason": "not JSON", "text": b"\xff", "time": n, "origin": f"a.ndjson:{n}"}
    return Quarantined(**{**usual, **given})


def test_newest_first(store):
    store.quarantine.add([item(1), item(2)]).result()
    store.quarantine.add([item(3)]).result()
    assert [kept.origin for kept in store.quarantine.list(2)] == ["a.ndjson:3", "a.ndjson:2"]
    assert store.quarantine.count() == 3
    assert store.quarantine.list(1)[0] == item(3, key=3)


def test_the_same_thing_is_kept_once(store):
    store.quarantine.add([item(1), item(1, time=9), item(1, reason="too long")]).result()
    kept = [(each.time, each.reason) for each in store.quarantine.list()]
    assert kept == [(1, "too long"), (1, "not JSON")]


def test_a_long_text_is_cut(store):
    store.quarantine.add([item(1, text=b"x" * (LONGEST + 1))]).result()
    assert store.quarantine.list()[0].text == b"x" * LISTED
    assert store.quarantine.text(1) == b"x" * LONGEST
    assert store.quarantine.text(2) == b""


def test_nothing_is_fine(store):
    store.quarantine.add([]).result()
    assert store.quarantine.count() == 0


def test_a_refused_entry_is_kept_whole_and_comes_first(store):
    store.quarantine.add([item(1, kind="entry", stale=True, text=b"x" * (LONGEST + 1)), item(2)]).result()
    first, second = store.quarantine.list()
    assert (first.kind, first.stale, len(first.text)) == ("entry", True, LONGEST + 1)
    assert (second.kind, second.stale) == ("message", False)


def test_what_is_dismissed_is_listed_no_more_until_it_is_restored(store):
    store.quarantine.add([item(n) for n in (1, 2, 3)]).result()
    store.quarantine.dismiss([1, 3, 99]).result()
    assert [kept.key for kept in store.quarantine.list()] == [2]
    assert store.quarantine.count() == 1
    store.quarantine.restore([3, 2]).result()
    assert [kept.key for kept in store.quarantine.list()] == [3, 2]
    assert store.quarantine.count() == 2


def test_settled_items_survive_and_the_same_thing_does_not_come_back(store):
    store.quarantine.add([item(1)]).result()
    store.quarantine.dismiss([1]).result()
    with Database.open(store.path) as other:
        other.quarantine.add([item(1)]).result()
        assert other.quarantine.list() == []
        assert other.rows("SELECT reason, outcome FROM quarantine") == [("not JSON", "dismissed")]


def test_an_entry_takes_the_place_of_a_refused_one_once(store):
    store.outbox.add([event(1)]).result()
    store.outbox.reject("id-1", "it has changed", stale=True).result()
    (refused,) = store.quarantine.list()
    assert (refused.kind, refused.stale) == ("entry", True)
    store.outbox.replace(refused.key, event(2)).result()
    with pytest.raises(AlreadySettled):
        store.outbox.replace(refused.key, event(3)).result()
    assert store.outbox.pending() == [event(2)]
    assert store.quarantine.count() == 0
    store.quarantine.dismiss([refused.key]).result()
    store.quarantine.restore([refused.key]).result()
    assert store.quarantine.count() == 0
    assert store.rows("SELECT outcome FROM quarantine") == [("id-2",)]


def test_events_of_the_log_are_dismissed_by_their_position(store):
    store.log.append([event(1), event(2)]).result()
    store.quarantine.dismiss_positions([2, 1]).result()
    store.quarantine.dismiss_positions([2]).result()
    assert store.quarantine.dismissed_positions() == {1, 2}
    store.quarantine.restore_positions([1]).result()
    assert store.quarantine.dismissed_positions() == {2}
    assert ids(store.log) == ["id-1", "id-2"]
