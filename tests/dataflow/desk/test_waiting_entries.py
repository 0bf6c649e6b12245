"""Entries that an earlier run left in the outbox: in the views in slices, each once, whatever happens meanwhile."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from time import perf_counter
from types import SimpleNamespace

import msgspec
import pytest

from dataflow.boards.file import load
from dataflow.clock import FixedClock
from dataflow.desk.delays import Delays
from dataflow.desk.desk import deliver_on
from dataflow.desk.entries import SLICE, Entries
from dataflow.engine.engine import Engine
from dataflow.events.schema import Schema
from dataflow.feeds.feed import Refusal
from dataflow.views.log_reader import Intake
from storage.database import Database
from tests.dataflow.desks import BOARD, QUERY, note, opened, shows
from tests.stories import within

ALL = "SELECT id, pending FROM events ORDER BY position"
COUNT = 3 * SLICE + 5


class Desk:
    """Entries and an intake on one store, with no loop that would call them."""

    def __init__(self, folder, database, left):
        (folder / "board.toml").write_text(BOARD)
        self.database, self.published, self.changes = database, [], 0
        database.outbox.add(left).result(5)
        feed = SimpleNamespace(publish=self.published.extend)
        loop = asyncio.get_running_loop()
        delays = Delays(database.meta, lambda: 0, lambda: 0)
        clock, deliver = FixedClock(0), deliver_on(loop)
        self.entries = Entries(database.outbox, feed, clock, "amy", loop, deliver, delays, self.changed)
        self.use(load(folder / "board.toml").board)

    def use(self, board):
        """A new floor, which has read the log."""
        self.schema = Schema(board)
        self.engine = Engine(self.schema.relations(), kinds=self.schema.kinds)
        self.live = self.engine.live(ALL)
        self.intake = Intake(self.database.log, self.schema, self.engine, lambda *_: None)
        self.read()
        self.entries.use(self.schema, self.engine, self.intake)

    def changed(self):
        self.changes += 1

    def read(self):
        while self.intake.step(self.database.log.last(), perf_counter() + 1):
            """To the end."""

    def show_all(self):
        while self.entries.show(perf_counter() + 1):
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
    desk.entries.resume()
    assert (len(desk.entries.pending), list(desk.live.rows())) == (COUNT, [])
    assert [each.id for each in desk.published] == [each.id for each in left]
    assert desk.entries.show(0)
    assert list(desk.live.rows()) == [(each.id, True) for each in left[:SLICE]]
    entered = desk.entries.enter("note.made", {"place": "south"}, seen=0, expects=lambda _: 0, causation=None)
    desk.show_all()
    assert list(desk.live.rows()) == [*((each.id, True) for each in left), (entered.id, True)]


@story
async def test_those_confirmed_or_refused_before_they_are_shown_are_not_shown(desk, left):
    desk.entries.resume()
    desk.entries.show(0)
    early, late, refused = left[0], left[-1], left[-2]
    desk.database.log.append([early, late]).result(5)
    changes = desk.changes
    desk.read()
    assert desk.changes == changes + 1
    desk.entries.refused(Refusal(refused.id, "no"))
    while refused.id in desk.entries.pending:
        await asyncio.sleep(0)
    desk.show_all()
    waiting = [(each.id, True) for each in left[1:-2]]
    assert list(desk.live.rows()) == [(early.id, False), (late.id, False), *waiting]
    assert list(desk.entries.pending) == [each.id for each in left[1:-2]]


@story
async def test_a_saved_board_has_them_again_but_for_those_that_do_not_fit_it(desk, left):
    desk.entries.resume()
    desk.entries.show(0)
    board = desk.schema.board
    event = board.events["note.made"]
    place = msgspec.structs.replace(event.fields["place"], type="int", choices=None)
    other = msgspec.structs.replace(event, fields={"place": place})
    desk.use(msgspec.structs.replace(board, events={"note.made": other}))
    desk.show_all()
    assert (list(desk.live.rows()), len(desk.entries.pending)) == ([], COUNT)
    desk.use(board)
    desk.show_all()
    assert list(desk.live.rows()) == [(each.id, True) for each in left]
    desk.database.log.append(left).result(5)
    desk.read()
    assert list(desk.live.rows()) == [(each.id, False) for each in left]
    assert desk.entries.pending == {}


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
