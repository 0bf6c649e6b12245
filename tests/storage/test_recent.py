"""The log's end in memory: what is read there is what is on the disk."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage.database import Database
from storage.mirror import Mirror
from storage.quarantine import Quarantined
from storage.recent import Recent, Stretch
from tests.storage.samples import event


def told(numbers) -> list:
    return [event(n, position=n) for n in numbers]


def positions(events) -> list[int]:
    return [each.position for each in events]


def test_it_gives_what_it_holds_and_nothing_else():
    kept = Recent()
    kept.add(Stretch(10, 14, told([11, 13])))
    kept.add(Stretch(14, 15, told([15])))
    kept.add(Stretch(20, 22, told([21, 22])))
    assert kept.chunk(9, 22, 9) == []
    assert positions(kept.chunk(10, 22, 9)) == [11, 13, 15]
    assert positions(kept.chunk(11, 22, 2)) == [13, 15]
    assert positions(kept.chunk(13, 14, 9)) == []
    assert positions(kept.chunk(14, 15, 9)) == [15]
    assert kept.chunk(15, 22, 9) == []
    assert positions(kept.chunk(20, 21, 9)) == [21]
    assert kept.chunk(22, 30, 9) == []


def test_it_keeps_the_newest():
    kept = Recent()
    for n in range(0, 40, 2):
        kept.add(Stretch(n, n + 2, told([n + 1, n + 2])))
    assert kept.chunk(22, 40, 99) == []
    assert positions(kept.chunk(24, 40, 99)) == list(range(25, 41))


def test_large_events_are_left_on_the_disk():
    kept = Recent()
    kept.add(Stretch(0, 1, told([1])))
    kept.add(Stretch(1, 3, [event(n, position=n, data=b'{"x":"%s"}' % (b"x" * 2**21)) for n in (2, 3)]))
    assert positions(kept.chunk(0, 3, 9)) == [1]
    assert kept.chunk(1, 3, 9) == []


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    batches=st.lists(st.lists(st.sampled_from(["new", "known", "gap", "odd"]), min_size=1, max_size=6), max_size=6),
    reads=st.lists(st.tuples(st.integers(0, 30), st.integers(0, 40), st.integers(1, 7)), max_size=12),
)
def test_a_mirror_is_read_as_it_is_on_disk(tmp_path_factory, batches, reads):
    folder = tmp_path_factory.mktemp("mirror")
    with Database.open(folder / "a.db") as store:
        at = 0
        for batch in batches:
            events, refused = [], []
            for kind in batch:
                at += 1
                if kind == "new":
                    events.append(event(at, position=at))
                elif kind == "known":
                    events.append(event(max(1, at - 2), position=at))
                elif kind == "odd":
                    refused.append(Quarantined(reason="odd", text=b"", time=at, origin=f"x:{at}"))
            Mirror(store).receive(events, refused, at).result()
        with Database.open(folder / "a.db") as other:
            for after, until, chunk in [(0, at, 3), *reads]:
                seen = list(store.log.read(after, until, chunk))
                assert [e for part in seen for e in part] == [
                    e for part in other.log.read(after, until, chunk) for e in part
                ]
                assert all(len(part) <= chunk for part in seen)


def test_what_was_not_written_is_not_at_hand(tmp_path):
    with Database.open(tmp_path / "a.db") as store:
        Mirror(store).receive(told([1, 2]), [], 2).result()
        assert positions(store.log.recent.chunk(0, 2, 9)) == [1, 2]
        clash = [event(8, position=3), event(9, position=2)]
        assert Mirror(store).receive(clash, [], 3).exception() is not None
        assert store.log.recent.chunk(2, 3, 9) == []
