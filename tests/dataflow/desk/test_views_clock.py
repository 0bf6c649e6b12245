"""The views' clock goes no further than to what was last heard: by a clock and a feed that are set by hand."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

from dataflow.feeds.feed import FeedStatus
from dataflow.feeds.local import LocalFeed, StillFeed
from tests.dataflow.desks import BOARD, note, opened, shows, until

MINUTE = 60_000_000
START = 1_700_000_000_000_000
LOG = "nats://tower:4222"
LATE = "SELECT place FROM events WHERE NOT pending AND time < now() - INTERVAL '5 minutes' ORDER BY place"
RECENT = "SELECT place, pending FROM events WHERE time BETWEEN now() - INTERVAL '1 hour' AND now() ORDER BY place"


class HandClock:
    def __init__(self, now=START):
        self.time = now

    def now(self):
        return self.time


class HandFeed(StillFeed):
    """Says what it is told to say. What is entered stays pending."""

    def __init__(self, log, scheduler, deliver, heard):
        super().__init__(log, scheduler, deliver, FeedStatus("catching up", heard=heard, log=LOG))

    def says(self, state, heard, behind=0):
        self.status.on_next(FeedStatus(state, heard=heard, behind=behind, log=LOG))

    async def brings(self, *events):
        await asyncio.wrap_future(self._log.append(events))
        self.arrived(self._log.last())


@asynccontextmanager
async def desk(folder, heard=START, events=()):
    """A desk by hand: its pipeline, feed and clock."""
    clock, made = HandClock(), []

    def feed(*given):
        made.append(HandFeed(*given, heard))
        return made[0]

    async with opened(folder, BOARD, start=False, feed=feed, clock=clock) as on:
        if events:
            await asyncio.wrap_future(on.database.log.append(events))
            made[0].arrived(on.database.log.last())
        on.pipeline.start()
        yield on.pipeline, made[0], clock


async def ticks(pipeline, clock, to):
    """The clock is set, and the pipeline has ticked since."""
    clock.time = to
    await until(pipeline.status, lambda status: status.now == to)
    await until(pipeline.status, lambda status: status.now == to)


def test_a_waiting_row_is_not_late_while_nobody_knows(tmp_path):
    async def main():
        async with desk(tmp_path) as (pipeline, feed, clock):
            feed.says("live", START)
            await until(pipeline.status, lambda status: status.state == "live")
            late = pipeline.live(LATE)
            await feed.brings(note("north"))
            clock.time = START + 4 * MINUTE
            feed.says("live", clock.time)
            feed.says("offline", clock.time)
            await ticks(pipeline, clock, START + 30 * MINUTE)
            assert list(late.rows()) == []
            status = pipeline.status.value
            assert (status.freshness, status.as_of, status.now) == ("as of", START + 4 * MINUTE, clock.time)
            feed.says("catching up", START + 4 * MINUTE, behind=3)
            await ticks(pipeline, clock, START + 31 * MINUTE)
            assert (list(late.rows()), pipeline.status.value.freshness) == ([], "loading")
            feed.says("live", clock.time)
            await shows(late, [("north",)])
            assert pipeline.status.value.freshness == "live"

    asyncio.run(main())


def test_live_the_clock_goes_to_what_was_heard_and_no_further(tmp_path):
    async def main():
        async with desk(tmp_path) as (pipeline, feed, clock):
            feed.says("live", START)
            await until(pipeline.status, lambda status: status.state == "live")
            views = pipeline.views
            await ticks(pipeline, clock, START + 3 * MINUTE)
            assert views.now == START
            feed.says("live", START + 2 * MINUTE)
            await ticks(pipeline, clock, START + 3 * MINUTE + 1)
            assert views.now == START + 2 * MINUTE

    asyncio.run(main())


def test_an_own_entry_made_offline_is_pending_at_once_and_turns_nothing(tmp_path):
    async def main():
        async with desk(tmp_path) as (pipeline, feed, clock):
            feed.says("live", START)
            await until(pipeline.status, lambda status: status.state == "live")
            recent, late = pipeline.live(RECENT), pipeline.live(LATE)
            await feed.brings(note("north"), note("south", second=600))
            await shows(recent, [("north", False)])
            feed.says("offline", START)
            clock.time = START + 30 * MINUTE
            pipeline.enter("note.made", {"place": "south"})
            assert list(recent.rows()) == [("north", False), ("south", True)]
            assert list(late.rows()) == []
            again = pipeline.live(RECENT + " -- late")
            await shows(again, [("north", False), ("south", True)])

    asyncio.run(main())


def test_a_desk_that_starts_without_its_server_stands_where_it_last_heard_of_it(tmp_path):
    async def main():
        events = [note("north"), note("south", second=3)]
        async with desk(tmp_path, START + MINUTE, events) as (pipeline, feed, clock):
            clock.time = START + 600 * MINUTE
            feed.says("offline", START + MINUTE)
            status = await until(pipeline.status, lambda status: status.state == "offline")
            assert (status.freshness, status.as_of) == ("as of", START + MINUTE)
            recent = pipeline.live(RECENT)
            await shows(recent, [("north", False), ("south", False)])

    asyncio.run(main())


def test_a_server_that_does_not_answer_yet_shows_what_the_store_holds_as_of_then(tmp_path, monkeypatch):
    monkeypatch.setattr("dataflow.desk.pipeline.SILENCE_US", 0)

    async def main():
        async with desk(tmp_path, START, [note("north")]) as (pipeline, _, __):
            status = await until(pipeline.status, lambda status: status.position == 1 and status.connecting)
            assert (status.state, status.freshness, status.as_of) == ("catching up", "as of", START)

    asyncio.run(main())


def test_never_heard_is_no_time_and_no_number(tmp_path):
    async def main():
        async with desk(tmp_path, 0) as (pipeline, feed, _):
            assert pipeline.status.value.freshness == "loading"
            feed.says("offline", 0)
            status = await until(pipeline.status, lambda status: status.state == "offline")
            assert (status.freshness, status.log) == ("never", LOG)

    asyncio.run(main())


def test_cut_off_in_its_first_load_a_desk_turns_its_clock_back_before_it_shows_anything(tmp_path):
    """It began by its own clock, so that old rows leave as they are read; what it holds is of three days ago."""

    async def main():
        then = START - 3 * 1440 * MINUTE
        old = note("north", second=-3 * 86_400)
        async with desk(tmp_path, 0) as (pipeline, feed, _):
            feed.says("catching up", 0, behind=10)
            await feed.brings(old)
            feed.says("offline", then + MINUTE)
            status = await until(pipeline.status, lambda status: status.state == "offline")
            assert (status.freshness, status.as_of) == ("as of", then + MINUTE)
            assert pipeline.views.now == then + MINUTE
            again = pipeline.live(RECENT)
            await shows(again, [("north", False)])

    asyncio.run(main())


def test_a_log_of_its_own_is_live_once_read_and_stands_where_its_disk_refuses(tmp_path):
    async def main():
        clock = HandClock()
        async with opened(tmp_path, clock=clock) as on:
            status = await until(on.pipeline.status, lambda status: status.state == "live")
            assert (status.freshness, status.heard) == ("live", None)
            feed = on.pipeline._feed
            assert isinstance(feed, LocalFeed)
            feed.status.on_next(FeedStatus("offline", "the disk is full"))
            await ticks(on.pipeline, clock, START + 9 * MINUTE)
            status = on.pipeline.status.value
            assert (status.freshness, status.as_of) == ("as of", START)
            assert on.pipeline.views.now == START

    asyncio.run(main())
