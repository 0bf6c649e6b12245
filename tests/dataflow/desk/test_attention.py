"""What needs attention: refused entries with what happened meanwhile, entered again or dismissed; misfits; restarts."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from contextlib import asynccontextmanager

import msgspec
import pytest

from dataflow.desk import attention, sender
from dataflow.session import EntryRefused, EntryRejected
from storage.database import Database
from storage.errors import AlreadySettled, StoreFull
from tests.dataflow.desks import BOARD, note, opened, until
from tests.stories import within

GUARDED = BOARD.replace("entry = true", 'entry = true\nguard = true\nlabel = "Make a note"')


@asynccontextmanager
async def guarded(tmp_path):
    """A running desk whose notes are guarded."""
    async with opened(tmp_path, GUARDED) as desk:
        await until(desk.pipeline.status, lambda status: status.state == "live")
        yield desk


story = within(guarded)


def elsewhere(desk, place="north", weight=5, author="bob"):
    """Somebody else adds to the log; this desk has not heard of it yet."""
    event = msgspec.structs.replace(note(place, weight), authid=author)
    desk.database.log.append([event]).result(5)
    return event


async def refused(desk, place="north", weight=7):
    """An entry that is stale; its item. The desk has read what made it so."""
    elsewhere(desk, place)
    with pytest.raises(EntryRejected) as rejected:
        await desk.pipeline.enter("note.made", {"place": place, "weight": weight}).confirmed
    assert rejected.value.stale
    last = desk.database.log.last()
    await until(desk.pipeline.status, lambda status: status.position == last)
    assert desk.pipeline.status.value.attention == 1
    (item,) = desk.pipeline.attention()
    return item


def count(desk):
    return desk.pipeline.status.value.attention


def last_event(desk):
    return [event for chunk in desk.database.log.read() for event in chunk][-1]


@story
async def test_a_stale_entry_tells_what_it_said_and_what_happened_meanwhile(desk):
    item = await refused(desk)
    assert (item.kind, item.stale, item.origin) == ("entry", True, "outbox")
    assert "north has changed" in item.reason
    assert (item.entry.type, item.entry.subject, item.entry.author) == ("note.made", "north", "amy")
    assert item.entry.fields == {"place": "north", "weight": 7}
    elsewhere(desk, "south")
    elsewhere(desk, "north", 6, "eve")
    await until(desk.pipeline.status, lambda status: status.position == 3)
    meanwhile = await desk.pipeline.meanwhile(item.key)
    assert (meanwhile.until, meanwhile.earlier) == (3, 0)
    assert [(told.author, told.fields["weight"], told.position) for told in meanwhile.events] == [
        ("bob", 5, 1), ("eve", 6, 3),
    ]  # fmt: skip
    assert desk.database.outbox.count() == 0


@story
async def test_entered_again_it_has_seen_what_is_there_now(desk):
    item = await refused(desk)
    looked = threading.Event()
    desk.database.write(lambda _: looked.wait(10))  # nothing is durable before
    entered = desk.pipeline.enter_again(item.key)
    assert [each.key for each in desk.pipeline.attention()] == [item.key]
    looked.set()
    await entered.durable
    assert desk.pipeline.attention() == []
    assert await entered.confirmed == 2
    assert count(desk) == 0
    event = last_event(desk)
    assert (event.id, event.causationid, event.expects, event.seen) == (entered.id, item.entry.id, 1, 1)
    assert event.data == b'{"place":"north","weight":7}'


@story
async def test_entered_again_with_other_fields(desk):
    item = await refused(desk)
    with pytest.raises(EntryRefused) as wrong:
        desk.pipeline.enter_again(item.key, {"place": "north", "weight": -1})
    assert [problem.field for problem in wrong.value.problems] == ["weight"]
    assert count(desk) == 1
    entered = desk.pipeline.enter_again(item.key, {"place": "south", "weight": "12"})
    assert await entered.confirmed == 2
    event = last_event(desk)
    assert (event.subject, event.causationid, event.data) == ("south", item.entry.id, b'{"place":"south","weight":12}')


@story
async def test_what_the_operator_has_not_been_shown_makes_it_stale_once_more(desk):
    item = await refused(desk)
    shown = await desk.pipeline.meanwhile(item.key)
    elsewhere(desk, "north", 6, "eve")
    await until(desk.pipeline.status, lambda status: status.position == 2)
    with pytest.raises(EntryRejected):
        await desk.pipeline.enter_again(item.key, seen=shown.until).confirmed
    (again,) = desk.pipeline.attention()
    assert again.key != item.key
    meanwhile = await desk.pipeline.meanwhile(again.key)
    assert [told.author for told in meanwhile.events] == ["eve"]
    assert await desk.pipeline.enter_again(again.key, seen=meanwhile.until).confirmed == 3
    assert count(desk) == 0


@story
async def test_a_refused_entry_is_entered_again_once(desk):
    item = await refused(desk)
    gate = threading.Event()
    desk.database.write(lambda _: gate.wait(5))  # what is written waits, so that the second one finds the item, too
    first, second = desk.pipeline.enter_again(item.key), desk.pipeline.enter_again(item.key)
    gate.set()
    await first.durable
    with pytest.raises(AlreadySettled):
        await second.durable
    assert await first.confirmed == 2
    with pytest.raises(EntryRefused, match="dealt with already"):
        desk.pipeline.enter_again(item.key)
    assert desk.database.log.last() == 2
    assert (await desk.pipeline.meanwhile(item.key)).events == ()


@story
async def test_what_is_dismissed_is_gone_at_once_and_can_be_restored(desk):
    item = await refused(desk)
    elsewhere(desk, "south", '"heavy"')
    await until(desk.pipeline.status, lambda status: status.attention == 2)
    misfit = desk.pipeline.attention()[1]
    assert (misfit.kind, misfit.origin) == ("misfit", "position 2")
    keys = [item.key, misfit.key]
    assert [desk.pipeline.raw(key) for key in (*keys, 99, -99)] == [item.text, misfit.text, "", ""]
    await desk.pipeline.dismiss(keys)
    assert (count(desk), desk.pipeline.attention()) == (0, [])
    await desk.pipeline.restore(keys)
    assert count(desk) == 2
    assert [each.key for each in desk.pipeline.attention()] == keys


def test_after_a_restart_all_is_as_it_was(tmp_path):
    async def run():
        async with opened(tmp_path, GUARDED) as desk:
            await until(desk.pipeline.status, lambda status: status.state == "live")
            item = await refused(desk)
            elsewhere(desk, "south", '"heavy"')
            elsewhere(desk, "south", '"light"')
            await until(desk.pipeline.status, lambda status: status.attention == 3)
            await desk.pipeline.dismiss([desk.pipeline.attention()[1].key])
        async with opened(tmp_path, GUARDED) as desk:
            await until(desk.pipeline.status, lambda status: status.attention == 2)
            kept, misfit = desk.pipeline.attention()
            assert kept == item
            assert '"heavy"' in misfit.text
            assert [told.author for told in (await desk.pipeline.meanwhile(item.key)).events] == ["bob"]
            await desk.pipeline.enter_again(item.key).confirmed
        async with opened(tmp_path, GUARDED) as desk:
            await until(desk.pipeline.status, lambda status: status.attention == 1)

    asyncio.run(run())


@story
async def test_of_much_that_happened_meanwhile_the_newest_is_told(desk):
    item = await refused(desk)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(attention, "SLICE", 7)
        patch.setattr(attention, "MEANWHILE", 20)
        notes = [note(("north", "south")[n % 2], n) for n in range(100)]
        desk.database.log.append(notes).result(5)
        await until(desk.pipeline.status, lambda status: status.position == 101)
        meanwhile = await desk.pipeline.meanwhile(item.key)
    assert (len(meanwhile.events), meanwhile.earlier) == (20, 31)
    assert meanwhile.events[-1].fields == {"place": "north", "weight": 98}


@story
async def test_the_story_begins_after_what_the_operator_had_seen_of_the_whole_log(desk):
    """`expects` is the entity's own last position; `seen`, that of the views, may be far beyond it, or before it."""
    for weight in range(4):
        elsewhere(desk, "north", weight)
    await until(desk.pipeline.status, lambda status: status.position == 4)
    for expects, seen, told in ((1, 3, [3]), (3, 1, [3]), (None, 2, [2, 3]), (2, None, [2, 3]), (0, 0, [0, 1, 2, 3])):
        stale = msgspec.structs.replace(note("north", 9), authid="amy", expects=expects, seen=seen)
        await asyncio.wrap_future(desk.database.outbox.add([stale]))
        await asyncio.wrap_future(desk.database.outbox.reject(stale.id, "north has changed", stale=True))
        item = next(each for each in desk.pipeline.attention() if each.entry.id == stale.id)
        meanwhile = await desk.pipeline.meanwhile(item.key)
        assert [event.fields["weight"] for event in meanwhile.events] == told


@story
async def test_an_entry_is_pending_until_its_refusal_is_on_disk(desk):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sender, "RETRY_S", 0.01)
        reject, asked = desk.database.outbox.reject, []

        def full(*given, **more):
            asked.append(desk.pipeline.status.value.pending)
            if len(asked) > 2:
                return reject(*given, **more)
            future = Future()
            future.set_exception(StoreFull(desk.database.path))
            return future

        patch.setattr(desk.database.outbox, "reject", full)
        elsewhere(desk)
        entered = desk.pipeline.enter("note.made", {"place": "north"})
        with pytest.raises(EntryRejected):
            await entered.confirmed
    assert asked == [1, 1, 1]
    assert (desk.pipeline.status.value.pending, count(desk)) == (0, 1)


def test_a_board_that_knows_the_type_no_more_still_tells_it(tmp_path):
    async def run():
        async with opened(tmp_path, GUARDED) as desk:
            await until(desk.pipeline.status, lambda status: status.state == "live")
            item = await refused(desk)
        other = GUARDED.replace("note.made", "note.taken").replace("weight =", "mass =")
        async with opened(tmp_path, other) as desk:
            (kept,) = desk.pipeline.attention()
            assert kept.entry.fields == item.entry.fields
            with pytest.raises(EntryRefused, match="not an event type"):
                desk.pipeline.enter_again(item.key)
            assert len(desk.pipeline.attention()) == 1

    asyncio.run(run())


def test_what_the_operator_entered_before_the_desk_ended_makes_none_of_the_rest_stale(tmp_path):
    async def run():
        async with opened(tmp_path, GUARDED) as desk:
            await until(desk.pipeline.status, lambda status: status.state == "live")
            await desk.pipeline.enter("note.made", {"place": "north"}).confirmed
            left = msgspec.structs.replace(note("north"), authid="amy", expects=0, seen=0)
            await asyncio.wrap_future(desk.database.outbox.add([left]))
        async with opened(tmp_path, GUARDED) as desk:
            await until(desk.pipeline.status, lambda status: status.position == 2 and status.pending == 0)
            assert (count(desk), last_event(desk).id) == (0, left.id)

    asyncio.run(run())


def test_a_refused_entry_that_a_tick_has_counted_before_it_is_told_counts_once(tmp_path):
    with Database.open(tmp_path / "a.db") as database:
        listed, told = attention.AttentionList(database, lambda: told.append(listed.count(()))), []
        refused = note("north")
        database.outbox.add([refused]).result(5)
        database.outbox.reject(refused.id, "no").result(5)
        listed.recount()
        listed.note_added()
        assert told == [1]
