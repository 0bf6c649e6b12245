"""The log's laws: idempotent, ordered, whole or not at all, and kept."""

from __future__ import annotations

import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage.database import Database
from storage.errors import PositionTaken, TooLarge
from storage.event import WITHDRAWN, at_position
from storage.log import Appended
from tests.storage.samples import event, events, ids


def test_append_gives_positions_in_order(store):
    appended = store.log.append(events(1, 3)).result()
    assert appended.positions == [1, 2, 3]
    assert appended.new == [True, True, True]
    assert (store.log.last(), store.log.count()) == (3, 3)


def test_every_attribute_comes_back(store):
    full = event(
        1,
        data='{"name":"Zoë \\u0000","deep":[1,{"a":null}]}'.encode(),
        authid="ana",
        causationid="id-0",
        seen=7,
        expects=2**62,
        extensions=b'{"traceparent":"00-ab"}',
    )
    bare = event(2, subject=None, time=-1)
    odd = event(3, id="nul\0l", subject="日本 \"quoted\" \\ \n")
    store.log.append([full, bare, odd]).result()
    (read,) = store.log.read()
    assert read == [at_position(e, n) for n, e in enumerate([full, bare, odd], 1)]


def test_a_known_id_keeps_its_old_position(store):
    store.log.append(events(1, 3)).result()
    again = store.log.append([event(9), event(2), event(9), event(1)]).result()
    assert again.positions == [4, 2, 4, 1]
    assert again.new == [True, False, False, False]
    assert ids(store.log) == ["id-1", "id-2", "id-3", "id-9"]


def test_a_feed_gives_positions(store):
    first = store.log.append([event(1, position=10), event(2, position=14), event(3)]).result()
    assert first.positions == [10, 14, 15]
    again = store.log.append([event(2, position=14), event(4, position=16)]).result()
    assert (again.positions, again.new) == ([14, 16], [False, True])
    with pytest.raises(PositionTaken, match=r"log\.position"):
        store.log.append([event(5), event(6, position=14)]).result()
    assert ids(store.log) == ["id-1", "id-2", "id-3", "id-4"]


def test_append_takes_its_ids_out_of_the_outbox(store):
    store.outbox.add(events(1, 3)).result()
    store.log.append([event(2), event(9)]).result()
    assert [e.id for e in store.outbox.pending()] == ["id-1", "id-3"]
    store.outbox.add([event(9)]).result()
    store.log.append([event(9), event(3, position=7)]).result()
    assert [e.id for e in store.outbox.pending()] == ["id-1"]


@pytest.mark.parametrize("count", [1, 2, 3, 511, 512, 513, 1100])
def test_batches_of_any_size(store, count):
    store.log.append([event(0)]).result()
    assert store.log.append(events(1, count)).result().positions == list(range(2, count + 2))
    again = store.log.append(events(0, count + 1)).result()
    assert again.positions == list(range(1, count + 3))
    assert again.new == [False] * (count + 1) + [True]
    assert ids(store.log) == [f"id-{n}" for n in range(count + 2)]


@pytest.mark.parametrize("count", [1, 2, 511, 512, 513, 1100])
def test_a_feed_gives_positions_and_may_bring_again_what_is_there(store, count):
    told = [event(n, position=3 * n) for n in range(1, count + 1)]
    store.outbox.add([event(count)]).result()
    assert store.log.append(told).result() == Appended([each.position for each in told], [True] * count)
    assert store.outbox.pending() == []
    more = event(count + 1, position=3 * count + 3)
    again = store.log.append([*told, more, told[0]]).result()
    assert again.positions == [*(each.position for each in told), more.position, 3]
    assert again.new == [*([False] * count), True, False]
    assert [each.position for chunk in store.log.read() for each in chunk] == list(range(3, 3 * count + 4, 3))


def test_a_position_is_taken_once(store):
    store.log.append([event(1, position=5), event(2, position=6)]).result()
    with pytest.raises(PositionTaken):
        store.log.append([event(3, position=4), event(4, position=6)]).result()
    moved = store.log.append([event(1, position=6), event(5, position=8), event(2, position=5)]).result()
    assert (moved.positions, moved.new) == ([5, 8, 6], [False, True, False])
    assert ids(store.log) == ["id-1", "id-2", "id-5"]


def test_read_is_bounded_on_both_sides_and_chunked(store):
    store.log.append(events(1, 10)).result()
    chunks = [[e.position for e in chunk] for chunk in store.log.read(after=2, until=9, chunk=3)]
    assert chunks == [[3, 4, 5], [6, 7, 8], [9]]
    assert list(store.log.read(after=10)) == []


def test_read_ends_at_the_end_that_was_there(store):
    store.log.append(events(1, 4)).result()
    reading = store.log.read(chunk=2)
    seen = next(reading)
    store.log.append(events(5, 6)).result()
    seen += [e for chunk in reading for e in chunk]
    assert [e.position for e in seen] == [1, 2, 3, 4]


def test_a_chunk_of_large_events_is_read_in_smaller_ones(store):
    large = [event(n, data=b'{"x":"%s"}' % (b"x" * 2**20)) for n in range(1, 81)]
    store.log.append(large).result()
    chunks = list(store.log.read())
    assert [e.position for chunk in chunks for e in chunk] == list(range(1, 81))
    assert chunks[0][0].data == large[0].data
    with pytest.raises(TooLarge):
        store.log.append([event(99, data=b'{"x":"%s"}' % (b"x" * 2**26))]).result()


def test_an_empty_append_is_nothing(store):
    assert store.log.append([]).result().positions == []
    assert list(store.log.read()) == []


def test_a_restart_keeps_everything(tmp_path):
    path = tmp_path / "board.db"
    with Database.open(path) as store:
        store.log.append(events(1, 5)).result()
        store.outbox.add([event(6)]).result()
    with Database.open(path, create=False) as store:
        assert ids(store.log) == [f"id-{n}" for n in range(1, 6)]
        assert store.log.append([event(7)]).result().positions == [6]
        assert store.outbox.pending() == [event(6)]


def test_many_threads_append_and_read(store):
    def work(start: int) -> None:
        for n in range(start, start + 50):
            store.log.append([event(n), event(n - start)]).result()

    threads = [threading.Thread(target=work, args=(1000 * k,)) for k in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    read = [e for chunk in store.log.read(chunk=7) for e in chunk]
    assert [e.position for e in read] == list(range(1, 251))
    assert len({e.id for e in read}) == 250


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(st.lists(st.integers(0, 12), max_size=9), max_size=6))
def test_the_log_is_what_a_dictionary_would_be(tmp_path_factory, batches):
    """Against a model: an ordered dictionary of first arrivals."""
    model: dict[str, int] = {}
    with Database.open(tmp_path_factory.mktemp("log") / "board.db") as store:
        for batch in batches:
            appended = store.log.append([event(n) for n in batch]).result()
            for n, position, new in zip(batch, appended.positions, appended.new, strict=True):
                assert new == (f"id-{n}" not in model)
                assert position == model.setdefault(f"id-{n}", len(model) + 1)
        assert ids(store.log) == list(model)


def test_a_guarded_entry_is_judged_as_it_is_appended(store):
    store.log.append([event(1, subject="A"), event(2, subject="B"), event(3, subject=None)]).result()
    stale, about_nothing = event(4, subject="A", expects=0), event(5, subject=None, expects=2)
    seen, known, new = (
        event(6, subject="A", expects=0, seen=1), event(7, subject="B", expects=2), event(8, subject="C", expects=0)
    )  # fmt: skip
    judged = store.log.append_guarded([stale, seen, known, new, event(9, subject="A")], own=()).result()
    assert (judged.last, judged.stale) == (7, [stale])
    judged = store.log.append_guarded([about_nothing], own=()).result()
    assert (judged.last, judged.stale) == (0, [about_nothing])
    earlier = event(11, subject="C", expects=0, authid="amy")
    for held, authid, stale in ((7, "bob", [earlier]), (7, "amy", []), (6, "amy", [earlier])):
        with Database.open(store.path.with_name(f"{authid}{held}.db")) as other:
            other.log.append([event(n, subject="C", authid=authid) for n in range(1, 8)]).result()
            assert other.log.append_guarded([earlier], own=(), started_at=held).result().stale == stale
    again = store.log.append_guarded([seen, event(10, subject="A", expects=1)], own={"id-6", "id-9"}).result()
    assert (again.last, again.stale) == (8, [])


def test_events_are_found_by_id_in_order(store):
    store.log.append(events(1, 5)).result()
    assert [e.position for e in store.log.find(["id-4", "none", "id-2"])] == [2, 4]
    assert store.log.find([]) == []


def test_events_that_are_large_are_found_too(store, monkeypatch):
    store.log.append([event(n, data=b'"%s"' % (b"x" * 1000)) for n in range(1, 6)]).result()
    whole = store.rows

    def limited(sql, parameters=()):
        found = whole(sql, parameters)
        if len(found[0][1] or b"") > 2500:
            raise TooLarge(store.path, "too big")
        return found

    monkeypatch.setattr(store, "rows", limited)
    assert [e.id for e in store.log.find([f"id-{n}" for n in (5, 1, 3, 2, 4)])] == [f"id-{n}" for n in range(1, 6)]


def test_withdrawals_are_read_without_the_rest_of_the_log(store):
    store.log.append([event(n, type=WITHDRAWN if n % 4 == 0 else "job.held") for n in range(1, 21)]).result()
    chunks = [[e.position for e in chunk] for chunk in store.log.withdrawals(4, 16, chunk=2)]
    assert chunks == [[8, 12], [16]]
    assert list(store.log.withdrawals(16, 19)) == []
    sql = f"SELECT id FROM log WHERE type = '{WITHDRAWN}' AND position > ? AND position <= ? ORDER BY position LIMIT ?"
    ((*_, plan),) = store.rows(f"EXPLAIN QUERY PLAN {sql}", (0, 20, 10))
    assert "USING INDEX withdrawals" in plan
