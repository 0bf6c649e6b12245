"""One suite for all feeds: what the pipeline relies on holds for each of them."""

from __future__ import annotations

import asyncio
import threading
from queue import SimpleQueue

import pytest
from reactivex.scheduler.eventloop import AsyncIOScheduler
from reactivex.testing import TestScheduler

from dataflow.clock import ReplayClock
from dataflow.desk.desk import deliver_on
from dataflow.events.withdrawals import withdrawal_data as withdrawing
from dataflow.feeds.feed import Refusal
from dataflow.feeds.local import LocalFeed
from dataflow.feeds.replay import ReplayFeed
from dataflow.feeds.shared.feed import NatsFeed
from storage.database import Database
from storage.event import WITHDRAWN, Event
from storage.ids import uuid7
from tests.dataflow.feeds.shared import logs
from tests.nats import make_server, server  # noqa: F401 - fixtures

START = 1_360_000_000_000_000
SECOND = 1_000_000


def event(second: int, type: str = "note.made", **given) -> Event:
    time = START + second * SECOND
    return Event(id=uuid7(time), source="/test", type=type, time=time, **given)


class Desk:
    """A feed on a real store. What other threads deliver is run here, by the test, when it asks for it."""

    def __init__(self, path, recording=()):
        self.database = Database.open(path)
        self.scheduler = TestScheduler()
        self.delivered = SimpleQueue()
        self.thread = threading.get_ident()
        self.positions: list[int] = []
        self.states: list[str] = []
        self.refusals: list[Refusal] = []
        self.recording = list(recording)

    def deliver(self, function, *arguments):
        self.delivered.put((function, arguments))

    def begin(self, feed):
        self.feed = feed
        self.told = [
            feed.arrivals.subscribe(self.positions.append),
            feed.status.subscribe(lambda status: self.states.append(status.state)),
            feed.refusals.subscribe(self.refusals.append),
        ]
        feed.start()
        return self

    def run_until(self, done):
        while not done():
            function, arguments = self.delivered.get(timeout=5)
            function(*arguments)

    def run_rest(self):
        """What was delivered and did not run yet."""
        while not self.delivered.empty():
            function, arguments = self.delivered.get()
            function(*arguments)

    def write_elsewhere(self, event):
        """As another writer of the same log."""
        with Database.open(self.database.path) as other:
            other.log.append([event]).result(5)

    def ids(self):
        return [event.id for chunk in self.database.log.read() for event in chunk]

    def close(self):
        self.feed.close()
        self.database.close()
        for told in self.told:
            told.dispose()


class SharedDesk(Desk):
    """A NATS feed, on an event loop that runs while the test waits for something."""

    def __init__(self, path, server):  # noqa: F811
        super().__init__(path)
        self.server = server
        self.loop = asyncio.new_event_loop()
        self.changed = asyncio.Event()
        self.loop.run_until_complete(self.make_stream())

    async def make_stream(self):
        async with logs.client(self.server.url):
            """It is there now."""

    def begin_shared(self):
        scheduler, deliver = AsyncIOScheduler(self.loop), deliver_on(self.loop)
        feed = NatsFeed([self.server.url], logs.BOARD, "amy", self.database, scheduler, deliver, self.loop)
        desk = self.begin(feed)
        for said in (feed.arrivals, feed.refusals):
            self.told.append(said.subscribe(lambda _: self.changed.set()))
        return desk

    def run_until(self, done):
        async def wait():
            while not done():
                self.changed.clear()
                await asyncio.wait_for(self.changed.wait(), 5)

        self.loop.run_until_complete(wait())

    def run_rest(self):
        self.loop.run_until_complete(self.feed.closed())

    def write_elsewhere(self, event):
        async def write():
            async with logs.client(self.server.url) as other:
                await logs.write(other, event)

        self.loop.run_until_complete(write())

    def close(self):
        self.feed.close()
        self.run_rest()
        self.loop.close()
        super().close()


@pytest.fixture(params=["local", "replay", "nats"])
def desk(request, tmp_path):
    if request.param == "nats":
        desk = SharedDesk(tmp_path / "desk.db", request.getfixturevalue("server")).begin_shared()
        yield desk
        desk.close()
        return
    desk = Desk(tmp_path / "desk.db")
    if request.param == "local":
        feed = LocalFeed(desk.database.log, desk.scheduler, desk.deliver)
    else:
        clock = ReplayClock(desk.scheduler, START, START + 100 * SECOND, 60)
        feed = ReplayFeed(desk.recording, clock, desk.database.log, desk.scheduler, desk.deliver)
    yield desk.begin(feed)
    desk.close()


def enter(desk, *entries):
    desk.database.outbox.add(entries).result(5)
    desk.feed.publish(entries)


def test_a_published_entry_comes_back_with_a_position_and_leaves_the_outbox(desk):
    entry = event(1)
    enter(desk, entry)
    desk.run_until(lambda: desk.positions[-1] == 1)
    assert desk.ids() == [entry.id]
    assert desk.database.outbox.pending() == []


def test_entries_keep_their_order(desk):
    entries = [event(second) for second in range(20)]
    enter(desk, *entries[:7])
    enter(desk, *entries[7:])
    desk.run_until(lambda: desk.positions[-1] == 20)
    assert desk.ids() == [entry.id for entry in entries]


def test_publishing_again_adds_nothing(desk):
    entry = event(1)
    enter(desk, entry)
    desk.run_until(lambda: desk.positions[-1] == 1)
    desk.feed.publish([entry])
    other = event(2)
    enter(desk, other)
    desk.run_until(lambda: desk.positions[-1] == 2)
    assert desk.ids() == [entry.id, other.id]


def test_positions_only_advance(desk):
    for second in range(5):
        enter(desk, event(second))
    desk.run_until(lambda: desk.positions[-1] == 5)
    assert desk.positions == sorted(set(desk.positions))


def test_what_another_writer_appends_arrives(desk):
    desk.write_elsewhere(event(3))
    desk.run_until(lambda: desk.positions[-1] == 1)


def test_nothing_is_delivered_after_close(desk):
    desk.feed.close()
    before = list(desk.positions)
    desk.write_elsewhere(event(4))
    desk.run_rest()
    assert desk.positions == before


def about(second, entity="UA1", **given):
    return event(second, subject=entity, **given)


def test_a_guarded_entry_is_refused_where_others_have_added_to_its_entity(desk):
    desk.write_elsewhere(about(1))
    desk.write_elsewhere(about(2, "UA2"))
    desk.run_until(lambda: desk.positions[-1] == 2)
    stale, fresh, other = about(3, expects=0), about(4, expects=1), about(5, "UA3", expects=0)
    enter(desk, stale, fresh, other)
    desk.run_until(lambda: desk.positions[-1] == 4 and desk.refusals)
    assert [(refusal.id, refusal.stale) for refusal in desk.refusals] == [(stale.id, True)]
    assert "UA1 has changed" in desk.refusals[0].reason
    assert sorted(desk.ids()[2:]) == sorted([fresh.id, other.id])
    assert [entry.id for entry in desk.database.outbox.pending()] == [stale.id]


def test_the_desks_own_entries_make_no_guarded_entry_stale(desk):
    desk.write_elsewhere(about(1))
    desk.run_until(lambda: desk.positions[-1] == 1)
    first, second, third = (about(second, expects=1, seen=1) for second in (2, 3, 4))
    enter(desk, first)
    enter(desk, second, third)
    desk.run_until(lambda: desk.positions[-1] == 4)
    enter(desk, about(5, expects=1, seen=1))
    desk.run_until(lambda: desk.positions[-1] == 5)
    assert desk.refusals == []


def test_of_two_guarded_entries_that_race_one_is_refused(desk):
    """The other one is in the log before this desk has heard of it."""
    desk.write_elsewhere(about(1))
    desk.run_until(lambda: desk.positions[-1] == 1)
    desk.write_elsewhere(about(2))
    mine = about(3, expects=1)
    enter(desk, mine)
    desk.run_until(lambda: desk.positions[-1] == 2 and desk.refusals)
    assert [refusal.id for refusal in desk.refusals] == [mine.id]
    assert mine.id not in desk.ids()


def test_a_guarded_entry_that_the_log_has_already_is_not_refused(desk):
    mine = about(1, expects=0)
    enter(desk, mine)
    desk.run_until(lambda: desk.positions[-1] == 1)
    desk.write_elsewhere(about(2))
    desk.run_until(lambda: desk.positions[-1] == 2)
    enter(desk, mine, event(3))
    desk.run_until(lambda: desk.positions[-1] == 3)
    assert desk.refusals == []
    assert desk.ids().count(mine.id) == 1


def test_a_withdrawal_is_an_event_about_its_entity(desk):
    """It comes back like any entry, and makes guarded entries of others stale."""
    told = {"type": WITHDRAWN, "data": withdrawing("x"), "authid": "amy"}
    enter(desk, event(1, **told), about(2, **told))
    desk.run_until(lambda: desk.positions[-1] == 2)
    (found,) = desk.database.log.withdrawals(0, 2)
    assert [(event.subject, event.authid, event.data) for event in found] == [
        (None, "amy", withdrawing("x")), ("UA1", "amy", withdrawing("x")),
    ]  # fmt: skip
    desk.write_elsewhere(about(3, type=WITHDRAWN, data=withdrawing("y")))
    desk.run_until(lambda: desk.positions[-1] == 3)
    stale = about(4, expects=2, seen=2)
    enter(desk, stale)
    desk.run_until(lambda: desk.refusals)
    assert [(refusal.id, refusal.stale) for refusal in desk.refusals] == [(stale.id, True)]


@pytest.fixture
def replay(tmp_path):
    recording = [event(second) for second in (0, 5, 10, 60, 90)]
    desk = Desk(tmp_path / "replay.db", recording)
    clock = ReplayClock(desk.scheduler, START + 10 * SECOND, START + 90 * SECOND, 10)
    desk.clock = clock
    yield desk.begin(ReplayFeed(recording, clock, desk.database.log, desk.scheduler, desk.deliver))
    desk.close()


def test_history_is_there_before_the_replay_begins(replay):
    replay.run_until(lambda: "replaying" in replay.states)
    assert replay.ids() == [event.id for event in replay.recording[:3]]
    assert replay.positions[-1] == 3
    assert replay.states == ["catching up", "replaying"]


def test_events_arrive_at_their_time(replay):
    replay.run_until(lambda: "replaying" in replay.states)
    replay.scheduler.advance_by(4.9)
    replay.database.outbox.add([]).result(5)  # what was to be written before this is written
    assert replay.database.log.count() == 3
    replay.scheduler.advance_by(0.2)
    replay.run_until(lambda: replay.positions[-1] == 4)
    assert replay.clock.now() >= replay.recording[3].time


def test_a_paused_replay_stands_still(replay):
    replay.run_until(lambda: "replaying" in replay.states)
    replay.feed.pause(True)
    stood = replay.clock.now()
    replay.scheduler.advance_by(100)
    assert (replay.clock.now(), replay.states[-1]) == (stood, "paused")
    replay.feed.pause(False)
    replay.scheduler.advance_by(1)
    assert replay.clock.now() == stood + 10 * SECOND


def test_a_replay_ends(replay):
    replay.run_until(lambda: "replaying" in replay.states)
    while replay.states[-1] != "ended":
        replay.scheduler.advance_by(1)
        while not replay.delivered.empty():
            function, arguments = replay.delivered.get()
            function(*arguments)
        if replay.positions[-1] == 4:
            replay.scheduler.advance_by(10)
            replay.run_until(lambda: replay.positions[-1] == 5)
    assert replay.ids() == [event.id for event in replay.recording]
