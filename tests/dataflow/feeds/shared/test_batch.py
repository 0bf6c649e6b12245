"""Batches: what is sent at once, up to which size, and what is left out with a reason."""

from __future__ import annotations

from collections import deque
from itertools import pairwise
from types import SimpleNamespace

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflow.feeds.shared import batch
from dataflow.feeds.shared.batch import Batch, Packer, read_answer
from dataflow.feeds.shared.producer import Answer, size
from dataflow.nats import wire
from tests.dataflow.feeds.shared.logs import BOARD, entry

LIMIT = 2**20


class Desk:
    """A packer, what waits, and what was dropped and why."""

    def __init__(self, entries, expected=lambda entry: entry.expects):
        self.waiting = {each.id: each for each in entries}
        self.queue = deque(entries)
        self.dropped, self.attempts = [], {}
        self.packer = Packer(BOARD, "amy", self.waiting, expected, self.drop, self.attempts)

    def drop(self, id, reason, *, stale=False):
        del self.waiting[id]
        self.dropped.append((id, reason))

    def batches(self, limit=LIMIT, alone=()):
        """Until the queue is empty; an entry that goes alone is sent by itself."""
        found = []
        while self.queue:
            packed = self.packer.pack_many(self.queue, limit, alone)
            if not packed.entries and self.queue:
                packed = self.packer.pack_one(self.queue.popleft(), limit)
            if packed is not None and packed.entries:
                found.append(packed)
        return found


def sized(n, bytes, **given):
    return msgspec.structs.replace(entry(n, **given), data=b'{"x":"%b"}' % (b"x" * (bytes - 8)))


def whole(packed):
    """Bytes of all its messages, as the server counts them."""
    return sum(map(size, packed.messages))


def test_a_batch_is_no_larger_than_it_may_be():
    entries = [sized(n, 8 * 1024) for n in range(40)]
    batches = Desk(entries).batches()
    assert [each.id for packed in batches for each in packed.entries] == [each.id for each in entries]
    assert [len(packed.entries) for packed in batches] == [15, 15, 10]
    assert all(whole(packed) <= packed.size <= batch.LARGEST for packed in batches)


@settings(deadline=None)
@given(st.lists(st.integers(8, 60_000), max_size=40), st.sampled_from([LIMIT, 50_000, 3000]))
def test_whatever_the_sizes_all_goes_in_order_and_no_batch_is_too_large(sizes, limit):
    entries = [sized(n, bytes, subject=f"UA{n % 3}") for n, bytes in enumerate(sizes)]
    desk = Desk(entries)
    batches = desk.batches(limit)
    assert all(whole(packed) <= limit and (whole(packed) <= batch.LARGEST) for packed in batches)
    taken = [each.id for packed in batches for each in packed.entries]
    assert taken == [each.id for each in entries if each.id in desk.waiting]
    assert all(f"larger than the {limit:,} bytes" in reason for _, reason in desk.dropped)
    small = [each.id for each in entries if size(wire.encode(BOARD, "amy", each)) <= limit]
    assert taken == small
    for packed, following in pairwise(batches):
        if entries.index(packed.entries[-1]) + 1 != entries.index(following.entries[0]):
            continue  # one between them was dropped
        assert packed.size + size(following.messages[0]) + batch._HEADERS > min(batch.LARGEST, limit), "filled up"


def test_a_batch_has_so_many_entries_at_the_most():
    entries = [entry(n) for n in range(2 * batch.MOST + 1)]
    assert [len(packed.entries) for packed in Desk(entries).batches()] == [batch.MOST, batch.MOST, 1]


def test_only_a_batch_is_marked_as_one_and_its_last_message_commits_it():
    desk = Desk([entry(n) for n in range(4)])
    first, single = desk.batches(alone={list(desk.waiting)[3]})
    assert (first.is_joint, first.may_resend, single.is_joint, single.may_resend) == (True, True, False, False)
    numbers = [message.headers["Nats-Batch-Sequence"] for message in first.messages]
    assert numbers == ["1", "2", "3"]
    assert len({message.headers["Nats-Batch-Id"] for message in first.messages}) == 1
    assert ["Nats-Batch-Commit" in message.headers for message in first.messages] == [False, False, True]
    assert "Nats-Batch-Id" not in single.messages[0].headers
    assert single.size == size(single.messages[0])


def test_one_entry_left_over_is_no_batch():
    (packed,) = Desk([entry(1)]).batches()
    assert not packed.is_joint
    assert "Nats-Batch-Id" not in packed.messages[0].headers


def test_the_first_message_about_an_entity_is_checked_for_all_of_them():
    about = [("A", None), ("B", 3), ("A", 5), ("B", 4), (None, None)]
    entries = [entry(n, entity, expects=expects) for n, (entity, expects) in enumerate(about)]
    (packed,) = Desk(entries).batches()
    found = [(message.headers.get(wire.EXPECTED), message.headers.get(wire.EXPECTED_OF)) for message in packed.messages]
    assert found == [("5", "wf.b.A.>"), ("4", "wf.b.B.>"), (None, None), (None, None), (None, None)]


def test_what_waits_no_more_is_left_out_and_a_stale_one_too():
    entries = [entry(0), entry(1), entry(2, expects=1), entry(3, expects=0)]
    desk = Desk(entries, lambda each: None if each.expects == 1 else 7)
    del desk.waiting[entries[1].id]
    (packed,) = desk.batches()
    assert [each.id for each in packed.entries] == [entries[0].id, entries[3].id]
    assert packed.messages[0].headers[wire.EXPECTED] == "7", "where the server is to find the last one"
    assert desk.packer.pack_one(entries[1], LIMIT) is None


def test_a_guarded_entry_alone_may_have_to_go_again():
    desk = Desk([entry(1, expects=0)])
    packed = desk.packer.pack_one(desk.queue[0], LIMIT)
    assert (packed.is_joint, packed.may_resend) == (False, True)
    assert packed.messages[0].headers[wire.EXPECTED] == "0"


@pytest.mark.parametrize("attempt", [0, 1, 4])
def test_another_attempt_is_another_message(attempt):
    mine = entry(1)
    desk = Desk([mine])
    desk.attempts[mine.id] = attempt
    packed = desk.packer.pack_one(mine, LIMIT)
    assert packed.messages[0].headers[wire.MESSAGE_ID] == wire.message_id("amy", mine, attempt)


def test_a_message_is_as_large_as_the_server_takes_and_a_subject_as_long():
    mine = sized(1, 500)
    exact = size(wire.encode(BOARD, "amy", mine))
    assert Desk([mine]).packer.pack_one(mine, exact) is not None
    desk = Desk([mine])
    assert desk.packer.pack_one(mine, exact - 1) is None
    assert desk.dropped == [(mine.id, f"larger than the {exact - 1:,} bytes that the server takes")]
    rest = len(wire.encode(BOARD, "amy", entry(1, "")).subject) - 1
    longest, longer = entry(2, "s" * (batch.LONGEST - rest)), entry(3, "s" * (batch.LONGEST - rest + 1))
    desk = Desk([longest, longer])
    (packed,) = desk.batches()
    assert packed.entries == [longest]
    assert desk.dropped == [(longer.id, "its names are longer than the 3,900 characters that the server takes")]


def test_what_is_no_text_is_dropped_with_the_reason():
    bad = entry(1, "\ud800")
    desk = Desk([bad, entry(2)])
    assert len(desk.batches()) == 1
    assert desk.dropped[0][0] == bad.id
    assert desk.dropped[0][1].startswith("can't be put into a message: ")


@pytest.mark.parametrize(
    ("data", "answer"),
    [
        (b'{"seq":7,"stream":"WF_b"}', Answer(7)), (b"", Answer()), (b"[]", Answer()), (b"garbage", Answer()),
        (b'{"error":{"err_code":1}}', Answer(0, {"err_code": 1})),
    ],
)
def test_an_answer_says_to_what_by_its_subject(data, answer):
    number, told = read_answer(SimpleNamespace(subject="_INBOX.abc.42", data=data))
    assert (number, told.seq, told.error) == (42, answer.seq, answer.error)


def test_a_parcel_of_nothing_takes_no_room():
    assert Batch([], []).size == 0
