"""Entries wait in order, once each, and leave only for the log or for quarantine."""

from __future__ import annotations

import msgspec

from storage.cloudevents import decode
from tests.storage.samples import event, events


def test_entries_wait_in_order_once_each(store):
    store.outbox.add([event(3), event(1)]).result()
    store.outbox.add([event(2), event(3)]).result()
    assert store.outbox.pending() == [event(3), event(1), event(2)]
    assert store.outbox.count() == 3


def test_a_refused_entry_goes_to_quarantine_with_the_reason(store):
    store.outbox.add(events(1, 2)).result()
    store.outbox.reject("id-1", "the gate is taken").result()
    store.outbox.reject("id-1", "the gate is taken").result()
    assert store.outbox.pending() == [event(2)]
    (kept,) = store.quarantine.list(10)
    assert (kept.reason, kept.origin) == ("the gate is taken", "outbox")
    assert decode(kept.text) == event(1)


def test_more_entries_than_one_value_may_hold_wait_in_order(store, monkeypatch):
    monkeypatch.setattr("storage.outbox.PART", 64)
    large = [msgspec.structs.replace(event(n), data=b'{"x":"%b"}' % (b"x" * 2**20)) for n in range(70)]
    small = [event(n) for n in range(70, 200)]
    added = [store.outbox.add([each]) for each in (*large, *small)]
    assert [each.result() for each in added] == [None] * 200
    assert [each.id for each in store.outbox.pending()] == [each.id for each in (*large, *small)]


def test_an_empty_outbox(store):
    assert store.outbox.pending() == []
    assert store.outbox.count() == 0
