"""Delays: what each stage took, what was an outage and no delay, and what outlives the desk."""

from __future__ import annotations

import asyncio
import logging
from itertools import pairwise
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflow.desk.delays import ARRIVALS, KEEP_S, KEY, PAINT_S, Delays, stored_report
from dataflow.desk.histogram import ERROR
from storage.database import Database
from tests.dataflow.desks import note, opened, until

LOCAL = ["outbox commit", "publish and log", "views"]
SHARED = ["outbox commit", "publish and log", "store", "views", "paint"]


class Kept:
    """The named values of a store."""

    def __init__(self):
        self.values, self.written = {}, 0

    def get(self, key):
        return self.values.get(key)

    def put(self, key, value):
        self.values[key] = value
        self.written += 1


class Desk:
    """Delays, and clocks that are set by hand."""

    def __init__(self, kept=None):
        self.kept, self.now, self.day = kept or Kept(), 5_000, 1
        self.delays = Delays(self.kept, lambda: self.now, lambda: self.day)
        self.delays.connected(True, lost=False)

    def enter(self, id="a", position=1, *, at=0.0, took=(0.001, 0.002, None, 0.0005)):
        """`took`: seconds until durable, received (None: the store is the log), stored, viewed."""
        durable, received, stored, viewed = took
        self.delays.submitted(id, at)
        at += durable
        self.delays.durable(id, at)
        at += received
        if stored is not None:
            self.delays.received(id, at)
            at += stored
        self.delays.stored(position, at)
        self.delays.confirmed(id, position, at + viewed)
        return at + viewed

    def means(self):
        """Milliseconds by stage, of as many entries as there are of one kind."""
        return {each.stage: round(each.most_ms, 3) for each in self.delays.report().all}

    def counts(self):
        return {each.stage: each.count for each in self.delays.report().all}


@pytest.fixture
def desk():
    return Desk()


def test_where_the_store_is_the_log_there_is_no_store_to_wait_for(desk):
    desk.enter()
    assert desk.means() == {"total": 3.5, "outbox commit": 1, "publish and log": 2, "views": 0.5}
    assert desk.delays.latest_ms == pytest.approx(3.5)


def test_on_a_shared_log_with_a_window_all_stages_make_up_the_total(desk):
    assert desk.delays.unpainted() == 0
    at = desk.enter(took=(0.001, 0.008, 0.002, 0.0005))
    assert (desk.delays.unpainted(), desk.counts()) == (1, {})
    desk.delays.painted(1, at + 0.004)
    assert desk.means() == {
        "total": 15.5, "outbox commit": 1, "publish and log": 8, "store": 2, "views": 0.5, "paint": 4,
    }  # fmt: skip
    assert desk.delays.unpainted() == 0


def test_a_frame_shows_all_that_came_before_it_and_nothing_that_came_after(desk):
    desk.delays.unpainted()
    for number in range(1, 4):
        desk.enter(str(number), number)
    assert desk.delays.unpainted() == 3
    desk.enter("4", 4)
    desk.delays.painted(3, 1.0)
    assert desk.counts()["paint"] == 3
    assert desk.delays.unpainted() == 4


def test_an_entry_that_no_frame_shows_is_measured_up_to_the_views(desk):
    desk.delays.unpainted()
    at = desk.enter()
    desk.delays.tick(at + PAINT_S / 2)
    assert desk.counts() == {}
    desk.delays.tick(at + PAINT_S * 1.1)
    assert desk.means() == {"total": 3.5, "outbox commit": 1, "publish and log": 2, "views": 0.5}


def test_an_outage_is_no_delay(desk):
    delays = desk.delays
    desk.enter("before")
    delays.submitted("on its way", 1.0)
    delays.connected(False, lost=True)
    assert delays.latest_ms is None
    delays.submitted("made offline", 2.0)
    delays.connected(False, lost=False)      # catching up
    delays.submitted("made while catching up", 90.0)
    delays.connected(True, lost=False)
    for position, id in enumerate(("on its way", "made offline", "made while catching up"), 2):
        delays.confirmed(id, position, 100.0)
    assert delays.latest_ms is None
    assert desk.counts() == {"total": 1, "outbox commit": 1, "publish and log": 1, "views": 1, "waited": 3}
    assert desk.means()["waited"] == 99_000
    desk.enter("after", 5, at=101.0)
    assert delays.latest_ms == pytest.approx(3.5)


def test_refused_entries_and_those_of_others_are_not_measured(desk):
    desk.delays.submitted("refused", 0.0)
    desk.delays.dropped("refused")
    for id in ("refused", "of somebody else"):
        desk.delays.durable(id, 1.0)
        desk.delays.received(id, 1.0)
        desk.delays.confirmed(id, 1, 1.0)
    assert desk.delays.report().since == 0
    assert desk.counts() == {}


def test_each_entry_was_stored_when_the_store_first_held_its_position(desk):
    for id in "abc":
        desk.delays.submitted(id, 0.0)
        desk.delays.durable(id, 0.0)
        desk.delays.received(id, 0.0)
    for position, at in ((10, 0.001), (20, 0.002), (30, 0.004)):
        desk.delays.stored(position, at)
    for id, position in (("a", 10), ("b", 11), ("c", 21)):
        desk.delays.confirmed(id, position, 0.005)
    assert [(each.count, each.most_ms) for each in desk.delays.report().all if each.stage == "store"] == [(3, 4)]
    assert desk.means()["views"] == 4


def test_a_million_events_beside_an_entry_on_its_way_take_no_room(desk):
    desk.delays.submitted("a", 0.0)
    for position in range(10 * ARRIVALS):
        desk.delays.stored(position, position * 1e-6)
    assert len(desk.delays._arrivals) <= ARRIVALS
    desk.delays.confirmed("a", 10 * ARRIVALS - 1, 1.0)
    assert desk.delays._arrivals == []
    for position in range(100):
        desk.delays.stored(position, 2.0)
    assert desk.delays._arrivals == []


def test_what_was_measured_is_kept_now_and_then_and_at_the_end(desk):
    desk.delays.tick(KEEP_S)
    assert desk.kept.written == 0
    desk.enter("a")
    desk.delays.tick(1.5 * KEEP_S)
    assert desk.kept.written == 0
    desk.delays.tick(2 * KEEP_S)
    desk.delays.tick(3 * KEEP_S)
    assert desk.kept.written == 1
    desk.enter("b", 2)
    desk.delays.close()
    again = Desk(desk.kept)
    assert again.delays.report() == desk.delays.report()
    assert (again.counts()["total"], again.delays.report().since) == (2, 5_000)
    again.enter("c", 3)
    assert again.counts()["total"] == 3
    assert stored_report(desk.kept, 1) == desk.delays.report()


def test_today_begins_with_the_day(desk):
    for day, entries in ((1, 3), (2, 2)):
        desk.day = day
        for number in range(entries):
            desk.enter(str(number), number + 1)
        report = desk.delays.report()
        assert report.today[0].count == entries
    assert report.all[0].count == 5
    assert [(bar.count, bar.today) for bar in report.bars] == [(5, 2)]
    desk.day = 3
    assert desk.delays.report().today == ()


@given(st.lists(st.floats(1e-5, 3e3), min_size=1, max_size=50))
def test_bars_hold_every_entry_where_it_belongs_and_percentiles_keep_their_bound(seconds):
    desk = Desk()
    for number, took in enumerate(seconds):
        desk.enter(str(number), number + 1, took=(took / 2, took / 4, None, took / 4))
    report = desk.delays.report()
    assert sum(bar.count for bar in report.bars) == len(seconds)
    assert all(one.to_ms <= other.from_ms * (1 + 1e-9) for one, other in pairwise(report.bars))
    total = report.all[0]
    middle = sorted(seconds)[(len(seconds) + 1) // 2 - 1] * 1000
    assert total.p50_ms == pytest.approx(middle, rel=ERROR * 1.001)
    assert total.most_ms == pytest.approx(max(seconds) * 1000)


def test_what_cannot_be_read_any_more_is_begun_anew(caplog):
    kept = Kept()
    for damaged in (b"", b"[1]", b'{"since":"yesterday"}'):
        kept.values[KEY] = damaged
        with caplog.at_level(logging.WARNING):
            desk = Desk(kept)
        assert "cannot be read" in caplog.text
        desk.enter()
        assert desk.counts()["total"] == 1
        caplog.clear()


def test_a_desk_measures_its_entries_and_knows_them_when_it_is_opened_again(tmp_path):
    async def enter(desk, times):
        await until(desk.pipeline.status, lambda status: status.state == "live")
        began = perf_counter()
        for _ in range(times):
            await desk.pipeline.enter("note.made", {"place": "north"}).confirmed
        return desk.pipeline.delays(), (perf_counter() - began) * 1000

    async def main():
        async with opened(tmp_path) as desk:
            report, took = await enter(desk, 3)
            total, *stages = report.all
            assert [stage.stage for stage in stages] == LOCAL
            assert {each.count for each in report.all} == {3}
            assert 0 < total.p50_ms <= total.most_ms <= took
            assert max(stage.most_ms for stage in stages) <= total.most_ms
            assert report.since <= desk.pipeline.status.value.now
        with Database.open(tmp_path / "notes.db") as database:
            assert stored_report(database.meta, 0).all == report.all
        async with opened(tmp_path) as desk:
            again, _ = await enter(desk, 1)
            assert again.all[0].count == 4
            assert again.since == report.since

    asyncio.run(main())


def test_what_others_append_is_not_measured(tmp_path):
    async def main():
        async with opened(tmp_path) as desk:
            await asyncio.wrap_future(desk.database.log.append([note("north"), note("south")]))
            await until(desk.pipeline.status, lambda status: status.position == 2)
            assert desk.pipeline.delays().all == ()

    asyncio.run(main())
