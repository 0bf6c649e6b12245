"""What could not be taken is kept, newest first, and the same thing once."""

from __future__ import annotations

from storage.quarantine import LONGEST, Quarantined


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
    assert len(store.quarantine.list()[0].text) == LONGEST


def test_nothing_is_fine(store):
    store.quarantine.add([]).result()
    assert store.quarantine.count() == 0
