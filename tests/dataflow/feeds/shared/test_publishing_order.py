"""The publisher against a log in memory, in virtual time: what is sent is in the log once, in its order.

Whatever the log answers, and whenever: it refuses, says nothing, nobody answers for it, the line is cut, others write.
"""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dataflow.feeds.shared import publisher
from dataflow.feeds.shared.connection_tasks import cancel_all
from dataflow.nats import subjects, wire
from tests.dataflow.feeds.shared.fake_log import BOARD, Connection, FakeLog, Trouble, own
from tests.dataflow.feeds.shared.logs import entry
from tests.virtual_loop import run


async def send(log: FakeLog, connection: Connection, *, batches: bool = True, has_others: bool = False, until=None):
    """Publish over a connection until `until` (by default: nothing waits), or it ends by itself."""
    caught_up = asyncio.Event()
    caught_up.set()
    task = asyncio.create_task(log.publisher.run(connection, caught_up, batches, has_others))
    done = until or (lambda: log.publisher.idle)
    while not done() and not task.done():
        await asyncio.sleep(0.05)
    connection.cut()
    await task


def test_an_entry_that_was_disputed_goes_before_those_behind_it():
    """The log has a message about the entity that is no event: the entry is not stale, and goes again first."""

    async def main():
        log = FakeLog()
        log.write("bob", entry(100), body=b"garbage")
        entries = [entry(1, expects=0), entry(2), entry(3, "UA2")]
        log.publisher.add(entries)
        connection = Connection(log)
        await send(log, connection)
        assert own(log) == [each.id for each in entries]
        assert [message.headers[wire.EXPECTED] for message in connection.sent[:2]] == ["0", "1"]
        assert log.refusals == []

    run(main())


def test_an_entry_of_this_operator_at_another_desk_makes_a_guarded_one_stale():
    async def main():
        log = FakeLog()
        has_others, mine, other = entry(100), entry(1, expects=0), entry(2, "UA2")
        log.write("amy", has_others)
        log.publisher.add([mine, other])
        await send(log, Connection(log))
        assert [(refusal.id, refusal.stale) for refusal in log.refusals] == [(mine.id, True)]
        assert own(log) == [has_others.id, other.id]

    run(main())


def test_a_batch_that_is_refused_keeps_its_order_message_by_message():
    async def main():
        log = FakeLog()
        entries = [entry(n, f"UA{n % 3}") for n in range(30)]
        log.write("amy", entries[4])
        log.too_large = {subjects.encode(BOARD, "huge", "amy", "note.made")}
        huge = entry(100, "huge")
        log.publisher.add([*entries[:20], huge, *entries[20:]])
        await send(log, Connection(log))
        assert own(log) == [each.id for each in (entries[4], *entries[:4], *entries[5:])]
        assert [(refusal.id, refusal.reason) for refusal in log.refusals] == [
            (huge.id, "the log does not take it: message size exceeds maximum allowed")
        ]

    run(main())


def test_a_subject_that_is_not_permitted_takes_nothing_else_with_it():
    async def main():
        log = FakeLog()
        entries = [entry(n, "UA1" if n % 2 else "ua2") for n in range(21)]
        log.denied = {subjects.encode(BOARD, "UA1", "amy", "note.made")}
        log.publisher.add(entries)
        await send(log, Connection(log))
        assert own(log) == [each.id for each in entries[::2]]
        assert sorted(refusal.id for refusal in log.refusals) == sorted(each.id for each in entries[1::2])
        assert all(not refusal.stale and "amy" in refusal.reason for refusal in log.refusals)

    run(main())


def test_a_log_that_refuses_is_told_of_once_and_again_when_it_takes():
    async def main():
        now = asyncio.get_running_loop().time()
        log = FakeLog(troubles=[Trouble("refuse", now, now + 30)])
        entries = [entry(n) for n in range(5)]
        log.publisher.add(entries)
        connection = Connection(log)
        await send(log, connection)
        assert log.notices == ["the server does not take entries: maximum messages exceeded", ""]
        assert own(log) == [each.id for each in entries]
        assert 5 <= len(connection.sent) < 30, "the pauses become longer"

    run(main())


@pytest.mark.parametrize("has_others", [True, False])
def test_a_server_that_answers_nothing_is_left_for_another_where_there_is_one(has_others):
    async def main():
        loop = asyncio.get_running_loop()
        began = loop.time()
        log = FakeLog(troubles=[Trouble("nobody", began, began + 3600)])
        log.publisher.add([entry(1)])
        connection = Connection(log)
        await send(log, connection, has_others=has_others, until=lambda: loop.time() > began + 600)
        left = connection.last_error is not None
        assert left == has_others
        assert (loop.time() - began < 60) == has_others
        assert log.notices == ["the server does not answer for the log"]

    run(main())


def test_an_answer_that_never_comes_is_waited_for_as_long_as_the_line_may_need():
    async def main():
        loop = asyncio.get_running_loop()
        began = loop.time()
        log = FakeLog(return_s=1e5, troubles=[Trouble("mute", began, began + 1000)])
        large = msgspec.structs.replace(entry(1), data=b'{"x":"%b"}' % (b"x" * 320 * 1024))
        log.publisher.add([large])
        await send(log, Connection(log), until=lambda: bool(log.notices))
        assert log.notices == ["the server does not say whether it takes entries; is its disk full?"]
        assert 24 <= loop.time() - began < 28, "5 s, and 20 s for 320 KiB at 16 KiB/s"

    run(main())


def test_no_trouble_is_told_of_when_nothing_waits():
    """The answer is lost, and the entry comes back in the pause before it is sent again."""

    async def main():
        now = asyncio.get_running_loop().time()
        log = FakeLog(return_s=5.6, troubles=[Trouble("refuse", now, now + 12), Trouble("mute", now + 12, now + 22)])
        log.publisher.add([entry(1)])
        connection = Connection(log)
        await send(log, connection)
        assert log.notices[-2:] == ["the server does not say whether it takes entries; is its disk full?", ""]
        assert len(log.messages) == 1

    run(main())


def test_what_the_server_only_says_to_have_goes_again_and_is_given_up_in_the_end():
    """Somebody else's message bears its message id, whatever id it is given."""

    async def main():
        log = FakeLog()
        mine, other = entry(1), entry(2)
        for attempt in range(publisher.MOST_ATTEMPTS):
            taken = wire.message_id("amy", mine, attempt)
            log.write("bob", entry(10 + attempt))
            log._known[taken] = log.last
        log.publisher.add([mine, other])
        connection = Connection(log)
        await send(log, connection)
        assert [refusal.id for refusal in log.refusals] == [mine.id]
        assert own(log) == [other.id]
        ids = [msg.headers[wire.MESSAGE_ID] for msg in connection.sent if mine.id.encode() in msg.body]
        assert ids == [wire.message_id("amy", mine, attempt) for attempt in range(publisher.MOST_ATTEMPTS)]

    run(main())


troubles = st.lists(
    st.tuples(st.sampled_from(["mute", "refuse", "nobody"]), st.floats(0, 2), st.floats(0.5, 12)), max_size=4
)
waits = st.floats(0, 1)


@st.composite
def stories(draw):
    """Entries with the pauses before them, others' writes, troubles that follow one another, and cuts of the line."""
    count = draw(st.integers(1, 60))
    entities = draw(st.integers(1, 5))
    entries = [
        entry(n, f"UA{draw(st.integers(1, entities))}", expects=draw(st.sampled_from([None, 0])), seen=0)
        for n in range(count)
    ]
    pauses = draw(st.lists(st.tuples(st.integers(0, count), waits), max_size=4))
    others = draw(st.lists(st.tuples(st.floats(0, 3), st.integers(1, entities)), max_size=4))
    cuts = draw(st.lists(st.floats(0.01, 6), max_size=2))
    return entries, pauses, others, draw(troubles), cuts, draw(st.sampled_from([0.001, 0.1, 7.0])), draw(st.booleans())


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(stories())
def test_every_entry_is_in_the_log_once_and_in_order_or_refused_for_a_reason(story):
    entries, pauses, others, spans, cuts, return_s, batches = story

    async def main():
        loop = asyncio.get_running_loop()
        log = FakeLog(return_s=return_s, troubles=_spans(spans, loop.time()))
        for number, (after, entity) in enumerate(others):
            loop.call_later(after, log.write, "bob", entry(1000 + number, f"UA{entity}"))
        adding = asyncio.create_task(_add(log, entries, pauses))
        for cut in [*cuts, None]:
            end = None if cut is None else loop.time() + cut
            await _one_connection(log, end, batches, adding)
        judge(log, entries)
        assert log.notices[-1:] in ([], [""]), "all is well in the end"

    run(main())


async def _add(log, entries, pauses):
    """In order, in parts, with pauses between them."""
    at = 0
    for end, pause in sorted(pauses):
        log.publisher.add(entries[at:end])
        at = max(at, end)
        await asyncio.sleep(pause)
    log.publisher.add(entries[at:])


async def _one_connection(log, end, batches, adding):
    loop = asyncio.get_running_loop()
    connection, caught_up = Connection(log), asyncio.Event()
    task = asyncio.create_task(log.publisher.run(connection, caught_up, batches))
    reached = log.last
    while not (adding.done() and log.publisher.idle) and (end is None or loop.time() < end):
        if log.returned >= reached:
            caught_up.set()
        await asyncio.sleep(0.05)
    connection.cut()
    await cancel_all([task])


def _spans(spans, begin):
    found = []
    for kind, pause, length in spans:
        found.append(Trouble(kind, begin + pause, begin + pause + length))
        begin += pause + length
    return found


def judge(log, entries):
    """A guarded entry is refused exactly if others wrote about its entity before; all else is there, in order."""
    refused = {refusal.id for refusal in log.refusals}
    assert len(refused) == len(log.refusals)
    assert all(refusal.stale for refusal in log.refusals)
    assert own(log) == [each.id for each in entries if each.id not in refused]
    guarded = {each.id for each in entries if each.expects is not None}
    touched = set()
    for event in log.events():
        if event.authid != "amy":
            touched.add(event.subject)
        assert not (event.id in guarded and event.subject in touched), "it was taken though others were first"
    assert refused <= {each.id for each in entries if each.subject in touched and each.id in guarded}
