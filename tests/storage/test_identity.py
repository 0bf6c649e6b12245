"""Which events are one: by id, source and author; and that what is left out is told where it says something else."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage import cloudevents
from storage.database import Database
from storage.identity import identity, says_same
from storage.log import OTHER
from storage.mirror import Mirror
from tests.storage.samples import event


def told(store):
    return [(each.position, *identity(each)) for chunk in store.log.read() for each in chunk]


def one(source="/a", author=None, **given):
    return event(1, source=source, authid=author, **given)


def test_an_id_is_anothers_with_another_source_or_author(store):
    twins = [one(), one("/b"), one(author="amy"), one(author="bob"), one("/b", "bob")]
    appended = store.log.append([*twins, event(2), twins[1]]).result()
    assert (appended.positions, appended.new) == ([1, 2, 3, 4, 5, 6, 2], [True] * 6 + [False])
    assert [found[1:] for found in told(store)] == [*map(identity, twins), identity(event(2))]
    again = store.log.append([twins[4], one("/c"), twins[0]]).result()
    assert (again.positions, again.new, again.others) == ([5, 7, 1], [False, True, False], 0)
    assert [found.position for found in store.log.find(["id-1"])] == [1, 2, 3, 4, 5, 7]
    assert store.quarantine.count() == 0


def test_the_order_of_an_append_is_kept_where_some_are_twins(store):
    store.log.append([one()]).result()
    appended = store.log.append([event(5), one("/b"), event(6), one("/c"), event(7)]).result()
    assert appended.positions == [2, 3, 4, 5, 6]


@pytest.mark.parametrize("count", [2, 511, 512, 513, 1100])
def test_many_twins_at_once(store, count):
    store.log.append([event(n) for n in range(count)]).result()
    twins = [event(n, authid="amy") for n in range(count)]
    assert store.log.append(twins).result().new == [True] * count
    again = store.log.append(twins).result()
    assert (again.new, again.positions) == ([False] * count, list(range(count + 1, 2 * count + 1)))


def test_what_says_something_else_is_set_apart(store):
    store.log.append([one(data=b'{"n":1}'), event(2)]).result()
    other = one(data=b'{"n":2}')
    appended = store.log.append([other, event(2), other, event(3)], "a.ndjson").result()
    assert (appended.positions, appended.new, appended.others) == ([1, 2, 1, 3], [False, False, False, True], 2)
    (item,) = store.quarantine.list()
    assert (item.reason, item.origin) == (f"{OTHER}: see position 1", "a.ndjson")
    assert cloudevents.decode(item.text) == other
    assert store.log.find(["id-1"])[0].data == b'{"n":1}'


def test_a_feed_brings_other_content(store):
    mirror = Mirror(store)
    mirror.receive([one(position=4), event(2, position=5)], [], 5).result(5)
    mirror.receive([one("/b", position=7), one(position=8, time=1)], [], 9, "WF_b").result(5)
    assert [(position, source) for position, _, source, _ in told(store)] == [(4, "/a"), (5, "/test"), (7, "/b")]
    assert [item.origin for item in store.quarantine.list()] == ["WF_b:8"]
    assert mirror.cursor == 9


@pytest.mark.parametrize(
    ("change", "equal"),
    [
        ({"data": b'{ "n" : 1, "a": [ 1 ] }'}, True), ({"data": b'{"a":[1],"n":1}'}, True), ({"position": 9}, True),
        ({"data": b'{"n":1,"a":[2]}'}, False), ({"data": b"{"}, False), ({"type": "x"}, False), ({"time": 1}, False),
        ({"subject": None}, False), ({"seen": 3}, False), ({"expects": 3}, False), ({"causationid": "x"}, False),
        ({"extensions": b'{"a":1}'}, False),
    ],
)  # fmt: skip
def test_what_is_the_same(change, equal):
    held = one(data=b'{"n":1,"a":[1]}')
    changed = msgspec.structs.replace(held, **change)
    assert says_same(held, changed) is says_same(changed, held) is equal


def test_large_events_that_come_again_are_compared_in_parts(tmp_path):
    with Database.open(tmp_path / "a.db") as store:
        large = [event(n, data=b'{"x":"%s"}' % (b"x" * 3 * 2**20)) for n in range(30)]
        store.log.append(large[:15]).result()
        store.log.append(large[15:]).result()
        changed = msgspec.structs.replace(large[20], time=1)
        appended = store.log.append([*large, changed]).result()
        assert (any(appended.new), appended.others) == (False, 1)


def test_only_its_own_event_takes_an_entry_out_of_the_outbox(store):
    store.outbox.add([one("/desk", "amy"), event(2, authid=None)]).result()
    store.log.append([one("/desk", "eve"), one("/b", "amy"), event(2, source="/other", authid="amy")]).result()
    assert store.outbox.count() == 2
    store.log.append([one("/desk", "amy"), event(2, authid="amy")]).result()
    assert store.outbox.count() == 0
    store.outbox.add([one("/desk", "amy"), one("/elsewhere", "amy", id="id-7")]).result()
    store.log.append([one("/desk", "amy")]).result()
    assert [each.id for each in store.outbox.pending()] == ["id-7"]


def test_what_another_name_left_is_signed_anew(store):
    store.outbox.add([one("/desk", "amy"), event(2, authid="bob")]).result()
    store.outbox.sign("bob")
    assert [each.authid for each in store.outbox.pending()] == ["bob", "bob"]


SOME = st.lists(
    st.builds(
        lambda n, source, author, time: event(n, source=source, authid=author, time=time),
        st.integers(0, 3), st.sampled_from(["/a", "/b"]), st.sampled_from([None, "amy", "bob"]), st.integers(0, 1),
    ),
    max_size=12,
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(SOME, max_size=5))
def test_each_identity_is_there_once_in_the_order_of_coming(tmp_path_factory, batches):
    """Whatever the batches: the first of each identity, and every other one with other content is set apart."""
    with Database.open(tmp_path_factory.mktemp("law") / "a.db") as store:
        first, others = {}, set()
        for batch in batches:
            appended = store.log.append(batch).result()
            for each, position, new in zip(batch, appended.positions, appended.new, strict=True):
                assert new == (identity(each) not in first)
                at, held = first.setdefault(identity(each), (position, each))
                assert at == position
                if not says_same(each, held):
                    others.add(msgspec.json.encode(each))
        found = [each for chunk in store.log.read() for each in chunk]
        assert [(each.position, identity(each), each.time) for each in found] == [
            (position, key, each.time) for key, (position, each) in first.items()
        ]
        assert store.quarantine.count() == len(others)
