"""Withdrawing on a desk: gone at once, back where it is refused; what still waits; restarts, saved boards, others."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from contextlib import asynccontextmanager
from math import inf

import msgspec
import pytest
from reactivex.subject import Subject

from dataflow.feeds.feed import Refusal
from dataflow.feeds.local import LocalFeed
from dataflow.session import EntryRefused, EntryRejected
from storage.errors import StoreFull
from storage.event import WITHDRAWN
from tests.dataflow.desks import BOARD, note, opened, until
from tests.dataflow.events.test_withdrawals import ADMINS, by, withdrawal
from tests.stories import within

NOTES = "SELECT place, weight, pending FROM \"note.made\" ORDER BY position"
COUNTS = "SELECT count(*) AS n, sum(weight) AS weight FROM events"
UNDONE = f"SELECT subject, causationid, authid, pending FROM events WHERE type = '{WITHDRAWN}' ORDER BY position"


class Holding(LocalFeed):
    """Keeps what is published until it is let go, or refuses it."""

    def __init__(self, *given):
        super().__init__(*given)
        self.held, self.refusals, self.free = [], Subject(), False

    def publish(self, entries):
        if self.free:
            super().publish(entries)
        else:
            self.held += entries

    def let_go(self):
        self.free, held, self.held = True, self.held, []
        self.publish(held)

    def refuse(self, id):
        self.refusals.on_next(Refusal(id, "the log does not want it"))


def story(board=ADMINS, feed=LocalFeed):
    """A coroutine function as a test, with a running desk of amy's."""

    @asynccontextmanager
    async def running(tmp_path):
        async with opened(tmp_path, board, feed=feed) as desk:
            await live(desk)
            yield desk

    return within(running)


async def live(desk):
    await until(desk.pipeline.status, lambda status: status.state == "live")


def feed_of(desk):
    return desk.pipeline._feed


async def settled(desk, position):
    """Until the views hold the log up to there, and nothing waits."""
    await until(desk.pipeline.status, lambda status: status.position == position and not status.pending)


def shown(desk, *queries):
    """What queries that come now say."""
    found = []
    for sql in queries:
        live = desk.pipeline.live(sql)
        while desk.pipeline.views.work(inf):
            """Until it has read history."""
        found.append(list(live.rows()))
        live.close()
    return found


@story()
async def test_it_is_gone_at_once_and_the_withdrawal_is_an_event(desk):
    notes, counts = desk.pipeline.live(NOTES), desk.pipeline.live(COUNTS)
    first = desk.pipeline.enter("note.made", {"place": "north", "weight": 3})
    await desk.pipeline.enter("note.made", {"place": "south", "weight": 4}).confirmed
    undone = desk.pipeline.withdraw(first.id, reason="typo")
    assert list(notes.rows()) == [("south", 4, False)]
    assert list(counts.rows()) == [(2, 4)]
    assert shown(desk, UNDONE) == [[("north", first.id, "amy", True)]]
    assert await undone.confirmed == 3
    assert list(notes.rows()) == [("south", 4, False)]
    assert list(counts.rows()) == [(2, 4)]
    assert shown(desk, UNDONE, NOTES, COUNTS) == [
        [("north", first.id, "amy", False)], [("south", 4, False)], [(2, 4)],
    ]  # fmt: skip
    (events,) = desk.database.log.read()
    assert [event.type for event in events] == ["note.made", "note.made", WITHDRAWN]
    assert events[2].data == b'{"id":"%s","reason":"typo"}' % first.id.encode()


@story()
async def test_what_cannot_be_withdrawn_is_refused_at_once(desk):
    theirs = by("bob", note("north"))
    desk.database.log.append([theirs]).result(5)
    await settled(desk, 1)
    mine = desk.pipeline.enter("note.made", {"place": "north"})
    undone = desk.pipeline.withdraw(mine.id)
    for id, why in (
        ("none", "there is no event `none` here"),
        (theirs.id, "only bob, who entered it, or an administrator"),
        (mine.id, "it is withdrawn already"),
        (undone.id, "a withdrawal cannot be withdrawn"),
    ):
        with pytest.raises(EntryRefused, match=why):
            desk.pipeline.withdraw(id)
    await undone.confirmed
    with pytest.raises(EntryRefused, match="it is withdrawn already"):
        desk.pipeline.withdraw(mine.id)
    assert desk.database.log.last() == 3


@story(ADMINS.replace('"eve"', '"amy"'))
async def test_an_administrator_withdraws_what_others_entered(desk):
    theirs = by("bob", note("north"))
    desk.database.log.append([theirs]).result(5)
    await settled(desk, 1)
    await desk.pipeline.withdraw(theirs.id).confirmed
    assert shown(desk, NOTES) == [[]]


@story(feed=Holding)
async def test_it_comes_back_where_the_log_refuses_the_withdrawal(desk):
    lives = [desk.pipeline.live(sql) for sql in (NOTES, COUNTS)]
    theirs = by("amy", note("north", 3))
    desk.database.log.append([theirs, by("bob", note("south", 4))]).result(5)
    await settled(desk, 2)
    before = [list(live.rows()) for live in lives]
    undone = desk.pipeline.withdraw(theirs.id, reason="typo")
    await undone.durable
    assert list(lives[0].rows()) == [("south", 4, False)]
    feed_of(desk).refuse(undone.id)
    with pytest.raises(EntryRejected):
        await undone.confirmed
    assert [list(live.rows()) for live in lives] == before == shown(desk, NOTES, COUNTS)
    (item,) = desk.pipeline.attention()
    assert (item.kind, item.entry.type, item.entry.fields) == ("entry", WITHDRAWN, {"id": theirs.id, "reason": "typo"})
    feed_of(desk).let_go()
    again = desk.pipeline.enter_again(item.key)
    assert list(lives[0].rows()) == [("south", 4, False)]
    await again.confirmed
    assert desk.pipeline.attention() == []
    ((event,),) = desk.database.log.withdrawals(0, 3)
    assert event.data == b'{"id":"%s","reason":"typo"}' % theirs.id.encode()
    assert shown(desk, NOTES) == [[("south", 4, False)]]


@story()
async def test_it_comes_back_where_the_disk_refuses_the_withdrawal(desk):
    notes = desk.pipeline.live(NOTES)
    entered = desk.pipeline.enter("note.made", {"place": "north", "weight": 3})
    await entered.confirmed
    assert list(notes.rows()) == [("north", 3, False)]
    with pytest.MonkeyPatch.context() as patch:
        full: Future = Future()
        full.set_exception(StoreFull(desk.database.path))
        patch.setattr(desk.database.outbox, "add", lambda _: full)
        undone = desk.pipeline.withdraw(entered.id)
        assert list(notes.rows()) == []
        with pytest.raises(StoreFull):
            await undone.durable
    assert list(notes.rows()) == [("north", 3, False)]
    await desk.pipeline.withdraw(entered.id).confirmed
    assert list(notes.rows()) == []


@story(feed=Holding)
async def test_an_entry_that_waits_is_withdrawn_when_it_is_confirmed(desk):
    notes, counts = desk.pipeline.live(NOTES), desk.pipeline.live(COUNTS)
    entered = desk.pipeline.enter("note.made", {"place": "north", "weight": 3})
    undone = desk.pipeline.withdraw(entered.id)
    assert (list(notes.rows()), list(counts.rows())) == ([], [(1, None)])
    await asyncio.gather(entered.durable, undone.durable)
    assert [event.id for event in feed_of(desk).held] == [entered.id]
    feed_of(desk).let_go()
    assert await entered.confirmed == 1
    assert (list(notes.rows()), list(counts.rows())) == ([], [(1, None)])
    assert await undone.confirmed == 2
    assert (list(notes.rows()), list(counts.rows())) == ([], [(1, None)])
    assert shown(desk, NOTES, COUNTS) == [[], [(1, None)]]


@story(feed=Holding)
async def test_an_entry_that_waits_comes_back_where_the_disk_refuses_its_withdrawal(desk):
    notes = desk.pipeline.live(NOTES)
    entered = desk.pipeline.enter("note.made", {"place": "north", "weight": 3})
    with pytest.MonkeyPatch.context() as patch:
        full: Future = Future()
        full.set_exception(StoreFull(desk.database.path))
        patch.setattr(desk.database.outbox, "add", lambda _: full)
        with pytest.raises(StoreFull):
            await desk.pipeline.withdraw(entered.id).durable
    assert list(notes.rows()) == [("north", 3, True)]
    feed_of(desk).let_go()
    await entered.confirmed
    assert list(notes.rows()) == [("north", 3, False)]


@story(feed=Holding)
async def test_where_the_entry_is_refused_so_is_its_withdrawal(desk):
    notes, counts = desk.pipeline.live(NOTES), desk.pipeline.live(COUNTS)
    entered = desk.pipeline.enter("note.made", {"place": "north", "weight": 3})
    undone = desk.pipeline.withdraw(entered.id)
    await asyncio.gather(entered.durable, undone.durable)
    feed_of(desk).refuse(entered.id)
    for each in (entered, undone):
        with pytest.raises(EntryRejected):
            await each.confirmed
    assert (list(notes.rows()), list(counts.rows())) == ([], [(0, None)])
    assert [item.entry.type for item in desk.pipeline.attention()] == [WITHDRAWN, "note.made"]
    assert desk.database.outbox.count() == 0


def test_after_a_restart_what_waits_is_withdrawn_still(tmp_path):
    async def run():
        async with opened(tmp_path, ADMINS, feed=Holding) as desk:
            await live(desk)
            confirmed = by("amy", note("south", 4))
            desk.database.log.append([confirmed]).result(5)
            await settled(desk, 1)
            entered = desk.pipeline.enter("note.made", {"place": "north", "weight": 3})
            for id in (entered.id, confirmed.id):
                await desk.pipeline.withdraw(id).durable
        async with opened(tmp_path, ADMINS, feed=Holding) as desk:
            await until(desk.pipeline.status, lambda status: status.position == 1 and status.pending == 3)
            assert shown(desk, NOTES, COUNTS) == [[], [(2, None)]]
            assert [event.type for event in feed_of(desk).held] == ["note.made", WITHDRAWN]
            feed_of(desk).let_go()
            await settled(desk, 4)
            assert shown(desk, NOTES, COUNTS) == [[], [(2, None)]]
            assert desk.pipeline.attention() == []

    asyncio.run(run())


def saved(desk, text):
    """The board file is another one from now on."""
    (desk.database.path.parent / "board.toml").write_text(text.replace('title = "Notes"', 'title = "Saved"', 1))
    return until(desk.pipeline.boards, lambda board: board.title == "Saved")


@story(feed=Holding)
async def test_a_saved_board_knows_what_is_withdrawn_and_what_waits_to_be(desk):
    first, second = by("amy", note("north", 1)), by("amy", note("south", 2))
    desk.database.log.append([first, second, withdrawal(first.id)]).result(5)
    await settled(desk, 3)
    third = desk.pipeline.enter("note.made", {"place": "north", "weight": 3})
    undone = [desk.pipeline.withdraw(id) for id in (second.id, third.id)]
    await saved(desk, ADMINS)
    await until(desk.pipeline.status, lambda _: len(shown(desk, UNDONE)[0]) == 3)
    assert shown(desk, NOTES, COUNTS) == [[], [(3, None)]]
    feed_of(desk).let_go()
    await asyncio.gather(*(each.confirmed for each in undone))
    assert shown(desk, NOTES, COUNTS) == [[], [(3, None)]]


@story(BOARD)
async def test_others_are_told_and_a_board_with_other_administrators_judges_anew(desk):
    mine, theirs = by("amy", note("north", 1)), by("bob", note("south", 2))
    refused = withdrawal(mine.id, "eve")
    desk.database.log.append([mine, theirs, refused, withdrawal(theirs.id, "bob")]).result(5)
    await settled(desk, 4)
    assert shown(desk, NOTES, COUNTS) == [[("north", 1, False)], [(3, 1)]]
    (item,) = desk.pipeline.attention()
    assert (item.kind, item.origin) == ("misfit", "position 3")
    assert item.reason == (
        "withdraws nothing: only amy, who entered it, or an administrator of the board may withdraw it"
    )
    await saved(desk, ADMINS)
    assert shown(desk, NOTES, COUNTS) == [[], [(2, None)]]
    assert desk.pipeline.attention() == []


@story()
async def test_what_does_not_fit_and_is_withdrawn_needs_no_attention(desk):
    wrong = by("amy", note("north", '"heavy"'))
    desk.database.log.append([wrong]).result(5)
    await until(desk.pipeline.status, lambda status: status.attention == 1)
    await desk.pipeline.withdraw(wrong.id).confirmed
    assert desk.pipeline.attention() == []


@story(ADMINS.replace("entry = true", "entry = true\nguard = true"))
async def test_a_withdrawal_by_another_makes_a_guarded_entry_stale(desk):
    theirs = by("bob", note("north"))
    desk.database.log.append([theirs]).result(5)
    await settled(desk, 1)
    undone = msgspec.structs.replace(withdrawal(theirs.id, "bob"), subject="north")
    desk.database.log.append([undone]).result(5)
    with pytest.raises(EntryRejected) as rejected:
        await desk.pipeline.enter("note.made", {"place": "north", "weight": 3}).confirmed
    assert rejected.value.stale
    (item,) = desk.pipeline.attention()
    meanwhile = await desk.pipeline.meanwhile(item.key)
    assert [(told.type, told.fields) for told in meanwhile.events] == [(WITHDRAWN, {"id": theirs.id})]
    await desk.pipeline.enter_again(item.key).confirmed
    assert shown(desk, NOTES) == [[("north", 3, False)]]


@story()
async def test_own_entries_are_not_stale_by_an_own_withdrawal(desk):
    entered = desk.pipeline.enter("note.made", {"place": "north", "weight": 1})
    desk.pipeline.withdraw(entered.id)
    assert await desk.pipeline.enter("note.made", {"place": "north", "weight": 2}).confirmed in (2, 3)
    await settled(desk, 3)
    assert shown(desk, NOTES) == [[("north", 2, False)]]
