"""The pipeline: entries from submission to confirmation, what others append, saved boards, disks that refuse."""

from __future__ import annotations

import asyncio

import pytest
from msgspec import structs
from reactivex.scheduler.eventloop import AsyncIOScheduler
from reactivex.subject import Subject

from dataflow.desk.pipeline import FRAME_S
from dataflow.feeds.feed import Refusal
from dataflow.feeds.local import LocalFeed
from dataflow.session import EntryRefused, EntryRejected
from storage.errors import StoreFull
from tests.dataflow.desks import BOARD, QUERY, note, opened, shows, until


def run(coroutine):
    return asyncio.run(coroutine)


def test_an_entry_is_pending_at_once_and_then_confirmed(tmp_path):
    async def main():
        async with opened(tmp_path) as desk:
            live = desk.pipeline.live(QUERY)
            await until(desk.pipeline.status, lambda status: status.state == "live")
            entered = desk.pipeline.enter("note.made", {"place": "north", "weight": "3"})
            assert list(live.rows()) == [("north", 1, True)]
            assert desk.pipeline.status.value.pending == 1
            await entered.durable
            assert await entered.confirmed == 1
            assert list(live.rows()) == [("north", 1, False)]
            status = desk.pipeline.status.value
            assert (status.pending, status.position) == (0, 1)
            assert status.delay_ms > 0
            (event,) = next(desk.database.log.read())
            assert (event.authid, event.seen, event.data) == ("amy", 0, b'{"place":"north","weight":3}')

    run(main())


def test_a_view_never_counts_an_entry_twice_or_not_at_all(tmp_path):
    async def main():
        async with opened(tmp_path) as desk:
            live = desk.pipeline.live("SELECT count(*) AS n FROM events")
            counts = []
            await until(desk.pipeline.status, lambda status: status.state == "live")
            live.splices.subscribe(lambda _: counts.append(live.rows()[0][0]))
            entered = [desk.pipeline.enter("note.made", {"place": "south"}) for _ in range(30)]
            await asyncio.gather(*(entry.confirmed for entry in entered))
            assert counts == sorted(counts)
            assert counts[-1] == 30

    run(main())


def test_entries_confirm_in_the_order_in_which_they_were_made(tmp_path):
    async def main():
        async with opened(tmp_path) as desk:
            entered = [desk.pipeline.enter("note.made", {"place": "south"}) for _ in range(20)]
            assert [await entry.confirmed for entry in entered] == list(range(1, 21))

    run(main())


def test_an_entry_that_does_not_fit_is_refused_and_not_written(tmp_path):
    async def main():
        async with opened(tmp_path) as desk:
            with pytest.raises(EntryRefused) as refused:
                desk.pipeline.enter("note.made", {"place": "west", "weight": -1})
            assert {problem.field for problem in refused.value.problems} == {"place", "weight"}
            assert desk.database.outbox.count() == 0

    run(main())


def test_what_an_earlier_run_left_in_the_outbox_is_confirmed(tmp_path):
    async def main():
        async with opened(tmp_path, start=False) as desk:
            await asyncio.wrap_future(desk.database.outbox.add([note("north"), note("south")]))
        async with opened(tmp_path) as desk:
            await shows(desk.pipeline.live(QUERY), [("north", 1, False), ("south", 1, False)])
            assert desk.database.outbox.count() == 0

    run(main())


def test_history_and_what_others_append_are_shown(tmp_path):
    async def main():
        async with opened(tmp_path, start=False) as desk:
            await asyncio.wrap_future(desk.database.log.append([note("north", second=s) for s in range(2500)]))
        async with opened(tmp_path) as desk:
            live = desk.pipeline.live(QUERY)
            await shows(live, [("north", 2500, False)])
            await asyncio.wrap_future(desk.database.log.append([note("south")]))
            await shows(live, [("north", 2500, False), ("south", 1, False)])

    run(main())


def test_a_query_that_comes_late_reads_history_and_misses_nothing_meanwhile(tmp_path):
    async def main():
        async with opened(tmp_path) as desk:
            notes = [note("north", second % 7, second) for second in range(3000)]
            await asyncio.wrap_future(desk.database.log.append(notes))
            await until(desk.pipeline.status, lambda status: status.position == 3000)
            late = desk.pipeline.live("SELECT weight, count(*) AS n FROM events GROUP BY weight ORDER BY weight")
            entered = desk.pipeline.enter("note.made", {"place": "south", "weight": 6})
            await shows(late, [(w, 429 if w < 4 else 428 + (w == 6)) for w in range(7)])
            await entered.confirmed
            assert sum(row[1] for row in late.rows()) == 3001
            late.close()

    run(main())


def test_an_event_that_does_not_fit_is_set_apart_and_the_rest_goes_on(tmp_path):
    async def main():
        async with opened(tmp_path) as desk:
            events = [note("north"), note("south", '"heavy"'), note("south")]
            await asyncio.wrap_future(desk.database.log.append(events))
            await shows(desk.pipeline.live(QUERY), [("north", 1, False), ("south", 1, False)])
            (item,) = desk.pipeline.attention()
            assert "weight" in item.reason
            await until(desk.pipeline.status, lambda status: status.attention == 1)

    run(main())


def test_a_full_disk_takes_the_pending_row_back_and_tells_the_entry(tmp_path, monkeypatch):
    async def main():
        async with opened(tmp_path) as desk:
            live = desk.pipeline.live(QUERY)
            await until(desk.pipeline.status, lambda status: status.state == "live")
            full = StoreFull(desk.database.path)

            def refuse(entries):
                future = asyncio.futures.concurrent.futures.Future()
                future.set_exception(full)
                return future

            monkeypatch.setattr(desk.database.outbox, "add", refuse)
            entered = desk.pipeline.enter("note.made", {"place": "north"})
            assert list(live.rows()) == [("north", 1, True)]
            with pytest.raises(StoreFull):
                await entered.durable
            assert list(live.rows()) == []
            assert desk.pipeline.status.value.pending == 0
            monkeypatch.undo()
            assert await desk.pipeline.enter("note.made", {"place": "north"}).confirmed == 1

    run(main())


class Refusing(LocalFeed):
    """A log that takes nothing."""

    def __init__(self, *given):
        super().__init__(*given)
        self.refusals = Subject()

    def publish(self, entries):
        for entry in entries:
            self.refusals.on_next(Refusal(entry.id, "north has changed meanwhile", stale=True))


def test_a_refused_entry_leaves_the_views_and_needs_attention(tmp_path):
    async def main():
        async with opened(tmp_path, feed=Refusing) as desk:
            live = desk.pipeline.live(QUERY)
            await until(desk.pipeline.status, lambda status: status.state == "live")
            entered = desk.pipeline.enter("note.made", {"place": "north"})
            assert list(live.rows()) == [("north", 1, True)]
            with pytest.raises(EntryRejected) as rejected:
                await entered.confirmed
            assert rejected.value.stale
            assert list(live.rows()) == []
            await until(desk.pipeline.status, lambda status: status.attention == 1)
            (item,) = desk.pipeline.attention()
            assert item.reason == "north has changed meanwhile"
            assert entered.id in item.text
            assert desk.database.outbox.count() == 0

    run(main())


def test_a_guarded_entry_says_what_the_operator_had_seen(tmp_path):
    guarded = BOARD.replace("entry = true", "entry = true\nguard = true")

    async def main():
        async with opened(tmp_path, guarded) as desk:
            await desk.pipeline.enter("note.made", {"place": "north"}).confirmed
            await desk.pipeline.enter("note.made", {"place": "south"}).confirmed
            await desk.pipeline.enter("note.made", {"place": "north"}).confirmed
            (events,) = desk.database.log.read()
            assert [event.expects for event in events] == [0, 0, 1]

    run(main())


def test_a_saved_board_is_taken_up_with_its_history(tmp_path):
    async def main():
        async with opened(tmp_path) as desk:
            await desk.pipeline.enter("note.made", {"place": "north"}).confirmed
            (tmp_path / "board.toml").write_text(BOARD.replace('title = "Notes"', 'title = "More notes"', 1))
            await until(desk.pipeline.boards, lambda board: board.title == "More notes")
            await shows(desk.pipeline.live(QUERY), [("north", 1, False)])
            await desk.pipeline.enter("note.made", {"place": "north"}).confirmed
            await shows(desk.pipeline.live(QUERY), [("north", 2, False)])

    run(main())


def test_a_broken_board_file_changes_nothing_but_says_why(tmp_path):
    async def main():
        async with opened(tmp_path) as desk:
            (tmp_path / "board.toml").write_text(BOARD.replace("title =", "tilte =", 1))
            problems = await until(desk.pipeline.problems, bool)
            assert any("board.toml:3" in problem and "tilte" in problem for problem in problems)
            await desk.pipeline.enter("note.made", {"place": "north"}).confirmed
            (tmp_path / "board.toml").write_text(BOARD)
            await until(desk.pipeline.problems, lambda problems: not problems)

    run(main())


def test_what_comes_after_a_step_that_found_nothing_does_not_wait_for_a_frame(tmp_path, monkeypatch):
    waits = []
    schedule = AsyncIOScheduler.schedule_relative

    def noted(self, duetime, action, state=None):
        if duetime < FRAME_S:
            waits.append(duetime)
        return schedule(self, duetime, action, state)

    async def main():
        async with opened(tmp_path) as desk:
            live = desk.pipeline.live(QUERY)
            await until(desk.pipeline.status, lambda status: status.state == "live")
            await asyncio.wrap_future(desk.database.log.append([note("north")]))
            await shows(live, [("north", 1, False)])
            await asyncio.sleep(2 * FRAME_S)
            monkeypatch.setattr(AsyncIOScheduler, "schedule_relative", noted)
            feeds[0].status.on_next(structs.replace(feeds[0].status.value, heard=1))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            feeds[0].arrivals.on_next(1)
            assert waits == [0.0, 0.0]

    feeds = []
    start = LocalFeed.start
    monkeypatch.setattr(LocalFeed, "start", lambda self, *given: (feeds.append(self), start(self, *given))[1])
    run(main())
