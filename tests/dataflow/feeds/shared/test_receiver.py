"""What a subscription delivers becomes the same store, however it is cut; what is no event is set apart."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dataflow.devices.sources import Sourced
from dataflow.feeds.shared import receiver
from dataflow.feeds.shared.empty_positions import EmptyPositions
from dataflow.feeds.shared.log_match import LogMismatch
from dataflow.feeds.shared.receiver import Receiver
from dataflow.feeds.shared.subscription import Delivered
from dataflow.nats import wire
from storage.database import Database
from storage.errors import PositionTaken, StoreClosed, StoreFull, TooLarge
from storage.mirror import Mirror
from tests.dataflow.feeds.shared.logs import BOARD, START, entry
from tests.virtual_loop import run


def delivered(sequence, event=None, body=None, behind=0):
    message = wire.encode(BOARD, "bob", event or entry(sequence))
    body = message.body if body is None else body
    return Delivered(sequence, START + sequence, behind, message.subject, message.headers, body, 1.0)


class Source:
    """A subscription that brings these batches, one with each `take`."""

    def __init__(self, *batches, behind=0, caught_up=True):
        self.batches, self.behind, self.caught_up = list(batches), behind, caught_up
        self.left_out = []

    async def take(self, most):
        return self.batches.pop(0)

    def leave_out(self, why):
        self.left_out.append(why)


def positions(*deleted, first=1):
    async def describe():
        return {"state": {"first_seq": first, "deleted": list(deleted)}}

    return EmptyPositions(describe, lambda _: None)


@pytest.fixture
def database():
    with Database.open(None) as database:
        yield database


def receive_into(database, failed=lambda _: None):
    return Receiver(BOARD, Mirror(database), failed, Sourced())


async def take_all(taker, source, gaps=None):
    """Until the source is empty; what was received."""
    received = []
    while source.batches:
        received.append(await taker.take(source, gaps or positions()))
        if received[-1].batch:
            await taker.write(received[-1])
    return received


def content(database):
    """All that was kept: events with positions, what was set apart, and how far."""
    events = [event for chunk in database.log.read() for event in chunk]
    apart = sorted((item.origin, item.reason, item.text) for item in database.quarantine.list())
    return [(event.position, event.id, event.authid) for event in events], apart, Mirror(database).cursor


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(["event", "garbage", "again", "hole"]), max_size=30), st.data())
def test_any_split_of_a_stream_gives_the_same_store(kinds, data):
    """Events, what is none, an id that comes again, and sequences that the stream has deleted."""
    stream, deleted, last = [], [], entry(0)
    for sequence, kind in enumerate(kinds, 1):
        if kind == "hole":
            deleted.append(sequence)
            continue
        last = last if kind == "again" else entry(sequence)
        stream.append(delivered(sequence, last, b"garbage %d" % sequence if kind == "garbage" else None))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    parts = [stream[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    stores = []
    for batches in ([stream], [part for part in parts if part], [[each] for each in stream]):
        with Database.open(None) as database:
            taker = receive_into(database)
            asyncio.run(take_all(taker, Source(*batches), positions(*deleted)))
            stores.append((*content(database), taker.cursor))
    assert stores[0] == stores[1] == stores[2]
    events, apart, cursor, known = stores[0]
    assert cursor == known == (stream[-1].sequence if stream else 0)
    assert [origin for origin, _, _ in apart] == sorted(
        f"WF_b:{sequence}" for sequence, kind in enumerate(kinds, 1) if kind == "garbage"
    )
    assert len(events) == len({id for _, id, _ in events})


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sets(st.integers(1, 12)), st.sets(st.integers(1, 12)))
def test_what_the_store_can_not_hold_is_set_apart_alone(large, garbage):
    """Whatever else is in the batch: it is halved until each of those is by itself, and nothing else is lost."""
    stream = [delivered(n, body=b"garbage %d" % n if n in garbage else None) for n in range(1, 13)]
    with Database.open(None) as database:
        taker = receive_into(database)
        taker._mirror = Picky(taker._mirror, large - garbage)
        run(take_all(taker, Source(stream)))
        events, apart, cursor = content(database)
    kept = [n for n in range(1, 13) if n not in large | garbage]
    assert ([position for position, *_ in events], cursor) == (kept, 12)
    assert {origin for origin, _, _ in apart} == {f"WF_b:{n}" for n in large | garbage}
    reasons = {int(origin.removeprefix("WF_b:")): reason for origin, reason, _ in apart}
    assert all(reasons[n].startswith("the store can't hold it: ") == (n not in garbage) for n in reasons)


class Picky:
    """A store that can't hold the events at some positions."""

    def __init__(self, mirror, large):
        self._mirror, self._large = mirror, large

    def receive(self, events, refused, cursor, origin):
        if any(event.position in self._large for event in events):
            return failed(TooLarge(None, "too big"))
        return self._mirror.receive(events, refused, cursor, origin)

    def id_at(self, position):
        return self._mirror.id_at(position)


def failed(error):
    future = Future()
    future.set_exception(error)
    return future


def test_garbage_and_what_is_too_large_in_one_batch_are_both_set_apart(database):
    taker = receive_into(database)
    taker._mirror = Picky(taker._mirror, {2})
    run(take_all(taker, Source([delivered(1), delivered(2), delivered(3, body=b"garbage"), delivered(4)])))
    events, apart, cursor = content(database)
    assert ([position for position, *_ in events], cursor) == ([1, 4], 4)
    assert [origin for origin, _, _ in apart] == ["WF_b:2", "WF_b:3"]
    assert apart[0][1].startswith("the store can't hold it: ")
    assert apart[0][2] == b'{"n":2}'
    assert apart[1][2] == b"garbage"


def test_a_disk_that_fails_is_told_and_asked_again(database):
    told, taker = [], None
    taker = receive_into(database, told.append)
    mirror, fails = taker._mirror, [StoreFull(None), StoreFull(None)]

    class Failing(Picky):
        def receive(self, *given):
            return failed(fails.pop()) if fails else mirror.receive(*given)

    taker._mirror = Failing(mirror, ())

    async def main():
        begin = asyncio.get_running_loop().time()
        await take_all(taker, Source([delivered(1)]))
        return asyncio.get_running_loop().time() - begin

    assert run(main()) >= 2 * receiver.DISK_S
    assert told == [str(StoreFull(None))] * 2
    assert content(database)[2] == 1


@pytest.mark.parametrize("error", [StoreClosed(None), PositionTaken(None)])
def test_what_will_never_be_on_disk_is_raised(database, error):
    taker = receive_into(database)
    taker._mirror = Picky(taker._mirror, ())
    taker._mirror.receive = lambda *_: failed(error)
    with pytest.raises(type(error)):
        run(take_all(taker, Source([delivered(1)])))
    assert taker.cursor == 0


def test_what_no_event_explains_is_raised(database):
    """Too large, and there is no event in it: garbage that can't be kept is an error of ours."""
    taker = receive_into(database)
    taker._mirror = Picky(taker._mirror, ())
    taker._mirror.receive = lambda *_: failed(TooLarge(None, "too big"))
    with pytest.raises(TooLarge):
        run(take_all(taker, Source([delivered(1, body=b"garbage")])))


@pytest.mark.parametrize(
    ("sequences", "deleted", "taken"),
    [
        ([1, 2, 3], (), 3), ([1, 3, 4], (), 1), ([1, 3, 4], (2,), 3), ([2, 3], (), 0), ([2, 3], (1,), 2),
        ([1, 4, 5], (2,), 1), ([1, 2, 2, 3], (), 2), ([1, 3, 2], (2,), 2), ([3, 2, 1], (1, 2), 1),
    ],
)
def test_only_what_follows_without_a_gap_is_taken(database, sequences, deleted, taken):
    taker = receive_into(database)
    source = Source([delivered(n) for n in sequences], behind=7)
    received = asyncio.run(taker.take(source, positions(*deleted)))
    assert [each.sequence for each in received.batch] == sequences[:taken]
    whole = taken == len(sequences)
    assert received.caught_up == whole
    assert received.behind == 7 + len(sequences) - taken
    last = max([0, *sequences[:taken]])
    assert source.left_out == ([] if whole else [f"the server left out what follows position {last:,}"])


def test_a_new_subscription_begins_with_the_last_one_that_is_held(database):
    taker = receive_into(database)
    first = [delivered(n) for n in range(1, 6)]
    asyncio.run(take_all(taker, Source(first)))
    taker.begin()
    received = asyncio.run(take_all(taker, Source([first[4], delivered(6)], [delivered(7)])))
    assert [len(each.events) for each in received] == [2, 1]
    assert [position for position, *_ in content(database)[0]] == list(range(1, 8))
    taker.begin()
    source = Source([delivered(9)])
    assert asyncio.run(taker.take(source, positions())).batch == []
    assert source.left_out == ["the server left out what follows position 7"]


def test_another_event_in_the_place_of_the_last_one_is_another_log(database):
    taker = receive_into(database)
    asyncio.run(take_all(taker, Source([delivered(1), delivered(2)])))
    taker.begin()
    with pytest.raises(LogMismatch, match="another event at position 2 "):
        asyncio.run(take_all(taker, Source([delivered(2), delivered(3)])))
    assert taker.cursor == 2


def test_a_beginning_that_was_taken_away_fits_no_more(database):
    with pytest.raises(LogMismatch, match="purged"):
        asyncio.run(receive_into(database).take(Source([delivered(4)]), positions(first=4)))


def test_a_long_batch_is_decoded_with_the_loop_having_its_turn(database):
    async def main():
        turns = 0

        async def count():
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        other = asyncio.create_task(count())
        stream = [delivered(n) for n in range(1, 3 * receiver.SLICE + 2)]
        received = await receive_into(database).take(Source(stream), positions())
        other.cancel()
        return turns, [event.position for event in received.events]

    turns, found = asyncio.run(main())
    assert found == list(range(1, 3 * receiver.SLICE + 2))
    assert turns == 3


def test_what_is_set_apart_is_kept_with_its_time_and_origin(database):
    asyncio.run(take_all(receive_into(database), Source([delivered(1, body=b"garbage")])))
    (item,) = database.quarantine.list()
    assert (item.origin, item.text, item.time) == ("WF_b:1", b"garbage", START + 1)


def test_an_authors_name_is_the_subjects(database):
    event = msgspec.structs.replace(entry(1), authid="eve")
    asyncio.run(take_all(receive_into(database), Source([delivered(1, event)])))
    assert content(database)[0][0][2] == "bob"
