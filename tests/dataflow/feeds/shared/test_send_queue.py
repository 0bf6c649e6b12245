"""The entries that wait: whatever is sent and goes again, their order stays."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from dataflow.feeds.shared.batch import FEW, Batch
from dataflow.feeds.shared.producer import SLOWEST
from dataflow.feeds.shared.send_queue import SendQueue
from dataflow.nats import wire
from tests.dataflow.feeds.shared.logs import BOARD, entry


def batch(*entries, size=0):
    return Batch(list(entries), [wire.encode(BOARD, "amy", each) for each in entries], size)


def ids(entries):
    return [each.id for each in entries]


STEPS = ["send", "send 3", "split first", "split last", "split all", "take", "drop"]


@settings(deadline=None)
@given(st.lists(st.sampled_from(STEPS), max_size=40))
def test_what_is_on_its_way_and_what_is_to_go_are_all_that_waits_in_order(steps):
    """As long as what is split was not overtaken: the publisher sees to that."""
    queue, entries = SendQueue(), [entry(n) for n in range(12)]
    queue.add(entries, queued=True)
    for step in steps:
        if step.startswith("send") and queue.queue:
            count = min(len(queue.queue), int(step[5:] or 1))
            queue.start_sending(batch(*(queue.queue.popleft() for _ in range(count))))
        elif step == "split last" and queue.sent:
            queue.split(max(queue.sent))
        elif step == "split all" or (step == "split first" and len(queue.sent) == 1):
            queue.split_all()
        elif step == "take" and queue.sent:
            for each in queue.sent[min(queue.sent)].entries:
                queue.remove(each.id)
            assert queue.drop_answered() >= 1
        elif step == "drop" and queue.queue:
            queue.remove(queue.queue.popleft().id)
        sent = [each for number in sorted(queue.sent) for each in queue.sent[number].entries]
        assert ids([*sent, *queue.queue]) == list(queue.waiting)
    queue.restart()
    assert (ids(queue.queue), queue.sent, queue.alone) == (list(queue.waiting), {}, set())


def test_what_is_split_goes_alone_and_what_waits_no_more_does_not_go():
    queue, entries = SendQueue(), [entry(n) for n in range(FEW + 3)]
    assert queue.add(entries, queued=False) == entries
    assert not queue.queue
    queue.restart()
    assert queue.has_many
    number = queue.start_sending(batch(*(queue.queue.popleft() for _ in range(3))))
    assert queue.has_many
    queue.remove(entries[1].id)
    assert queue.split(number)
    assert ids(queue.queue) == ids([entries[0], *entries[2:]])
    assert queue.alone == {entries[0].id, entries[2].id}
    assert not queue.has_many
    assert not queue.split(number)
    queue.remove(entries[0].id)
    queue.remove(entries[2].id)
    assert queue.alone == set()


def test_an_entry_waits_once():
    queue, one = SendQueue(), entry(1)
    assert queue.add([one], queued=True) == [one]
    assert queue.add([one], queued=True) == []
    assert list(queue.queue) == [one]
    assert queue.remove(one.id) == one
    assert queue.remove(one.id) is None


def test_enough_for_a_batch():
    queue = SendQueue()
    queue.add([entry(n) for n in range(FEW - 1)], queued=True)
    assert not queue.has_many
    queue.add([entry(FEW)], queued=True)
    assert queue.has_many


def test_the_line_needs_its_time_for_all_that_is_on_its_way():
    queue = SendQueue()
    queue.start_sending(batch(entry(1), size=SLOWEST))
    queue.start_sending(batch(entry(2), size=3 * SLOWEST))
    assert queue.sending_s == 4
    assert not queue.may_resend
    queue.start_sending(batch(entry(3), entry(4)))
    assert queue.may_resend


def test_messages_on_a_subject_are_found_whatever_its_case():
    queue = SendQueue()
    entries = [entry(1, "UA1"), entry(2, "ua1"), entry(3, "UA2"), entry(4, "UA3")]
    queue.start_sending(batch(*entries[:3]))
    queue.start_sending(batch(entries[3]))
    assert list(queue.find_subject("wf.b.ua1.amy.note.made")) == [(1, ids(entries[:2]))]
    assert list(queue.find_subject("wf.b.UA1.amy.note.made")) == []
