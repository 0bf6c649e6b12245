"""Entries that an earlier run left in the outbox: in the views in slices, each once, whatever happens meanwhile."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from time import perf_counter
from types import SimpleNamespace

import pytest

from dataflow.boards.file import load
from dataflow.clock import FixedClock
from dataflow.desk.composer import Composer
from dataflow.desk.delays import Delays
from dataflow.desk.desk import deliver_on
from dataflow.desk.entries import Entries
from dataflow.desk.sender import Sender
from dataflow.feeds.feed import Refusal
from dataflow.views.current_views import CurrentViews
from dataflow.views.views import SLICE
from storage.database import Database
from tests.dataflow.desks import BOARD, QUERY, note, opened, shows
from tests.stories import within

ALL = "SELECT id, pending FROM events ORDER BY position"
COUNT = 3 * SLICE + 5


class Desk:
    """Entries and views on one store, with no loop that would call them."""

    def __init__(self, folder, database, left):
        (folder / "board.toml").write_text(BOARD)
        self.path, self.database, self.published, self.changes = folder / "board.toml", database, [], 0
        database.outbox.add(left).result(5)
        feed = SimpleNamespace(publish=self.published.extend)
        loop = asyncio.get_running_loop()
        delays = Delays(database.meta, lambda: 0, lambda: 0)
        self.current = CurrentViews(load(self.path), database.log, None)
        self.sender = Sender(
            self.current, database.outbox, feed, loop, deliver_on(loop), delays, self.changed, self.changed
        )
        self.entries = Entries(self.current, Composer("amy", FixedClock(0)), self.sender, database.outbox)
        self.views.show()
        self.live = self.views.live(ALL)

    @property
    def views(self):
        return self.current.views

    def save(self, board):
        """Other views take over, which have read the log."""
        self.path.write_text(board)
        assert not self.current.take_board(load(self.path))
        while not self.current.prepare(0, 0):
            """To the end."""

    def changed(self):
        self.changes += 1

    def read(self):
        for _ in self.views.read_log(self.database.log.last(), perf_counter() + 1):
            self.sender.confirm(self.views.take_confirmed())

    def show_all(self):
        while self.views.show_waiting(perf_counter() + 1):
            """To the end."""


@asynccontextmanager
async def waiting(tmp_path):
    """A desk on which entries wait, and they."""
    left = [note("north", n) for n in range(COUNT)]
    with Database.open(tmp_path / "a.db") as database:
        yield Desk(tmp_path, database, left), left


story = within(waiting, gives=2)


@story
async def test_they_come_a_slice_at_a_time_in_their_order(desk, left):
    desk.sender.resume()
    assert (desk.views.pending, list(desk.live.rows())) == (COUNT, [])
    assert [each.id for each in desk.published] == [each.id for each in left]
    assert desk.views.show_waiting(0)
    assert list(desk.live.rows()) == [(each.id, True) for each in left[:SLICE]]
    entered = desk.entries.enter("note.made", {"place": "south"})
    desk.show_all()
    assert list(desk.live.rows()) == [*((each.id, True) for each in left), (entered.id, True)]


@story
async def test_those_confirmed_or_refused_before_they_are_shown_are_not_shown(desk, left):
    desk.sender.resume()
    desk.views.show_waiting(0)
    early, late, refused = left[0], left[-1], left[-2]
    desk.database.log.append([early, late]).result(5)
    changes = desk.changes
    desk.read()
    assert desk.changes == changes + 1
    desk.sender.refuse(Refusal(refused.id, "no"))
    while desk.views.waits(refused.id):
        await asyncio.sleep(0)
    desk.show_all()
    waiting = [(each.id, True) for each in left[1:-2]]
    assert list(desk.live.rows()) == [(early.id, False), (late.id, False), *waiting]
    assert [each.id for each in desk.views.waiting()] == [each.id for each in left[1:-2]]


@story
async def test_a_saved_board_has_them_again_but_for_those_that_do_not_fit_it(desk, left):
    desk.sender.resume()
    desk.views.show_waiting(0)
    desk.save(BOARD.replace('place = { required = true, choices = ["north", "south"] }', 'place = { type = "int" }'))
    desk.show_all()
    assert (list(desk.live.rows()), desk.views.pending, desk.views.shown) == ([], COUNT, 0)
    desk.save(BOARD)
    desk.show_all()
    assert list(desk.live.rows()) == [(each.id, True) for each in left]
    desk.database.log.append(left).result(5)
    desk.read()
    assert list(desk.live.rows()) == [(each.id, False) for each in left]
    assert desk.views.pending == 0


@pytest.mark.parametrize("count", [COUNT])
def test_a_desk_that_starts_shows_them_all_before_its_first_content(tmp_path, count):
    async def run():
        with Database.open(tmp_path / "notes.db") as database:
            database.outbox.add([note("north", n) for n in range(count)]).result(5)
        async with opened(tmp_path, feed=mute_feed) as desk:
            live, seen = desk.pipeline.live(QUERY), []
            live.splices.subscribe(seen.append)
            await shows(live, [("north", count, True)])
            assert len(seen) == 1
            live.close()

    asyncio.run(run())


def mute_feed(log, scheduler, deliver):
    """The local log, which takes no entry."""
    from dataflow.feeds.local import LocalFeed

    feed = LocalFeed(log, scheduler, deliver)
    feed.publish = lambda entries: None
    return feed
