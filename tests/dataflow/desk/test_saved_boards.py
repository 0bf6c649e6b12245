"""Saved boards: queries go on, whatever is saved; what differs in looks only builds no second views."""

from __future__ import annotations

import asyncio

from dataflow.views.current_views import CurrentViews
from tests.dataflow.desks import BOARD, QUERY, note, opened, shows, until

LOOKS = BOARD.replace('title = "Notes"', 'title = "All notes"').replace("at = [0, 0, 1, 1]", "at = [0, 0, 2, 3]")
OTHER = BOARD.replace("FROM events GROUP", "FROM events WHERE place = 'north' GROUP")


def followed(live):
    """The rows as the updates of a live query say, and what else it says."""
    rows, failures = [], []

    def take(update):
        for at, removed, added in update.changes:
            rows[at : at + removed] = added

    live.updates.subscribe(take)
    live.failures.subscribe(failures.append)
    return rows, failures


async def begin(desk, *notes):
    await asyncio.wrap_future(desk.database.log.append(list(notes)))
    await until(desk.pipeline.status, lambda status: (status.state, status.position) == ("live", len(notes)))


def boards_of(desk):
    boards = []
    desk.pipeline.boards.subscribe(boards.append)
    return boards


async def save(desk, folder, board):
    boards = boards_of(desk)
    (folder / "board.toml").write_text(board)
    await until(desk.pipeline.boards, lambda _: len(boards) == 2)


def test_a_save_of_looks_keeps_the_views_and_shows_the_board(tmp_path):
    async def main():
        async with opened(tmp_path) as desk:
            await begin(desk, note("north"))
            live, views = desk.pipeline.live(QUERY, "a watcher"), desk.pipeline.views
            rows, _ = followed(live)
            await save(desk, tmp_path, LOOKS)
            assert desk.pipeline.views is views
            assert (desk.pipeline.board.title, desk.pipeline.board.panels[0].at) == ("All notes", (0, 0, 2, 3))
            assert (live.ready, live.reader, rows) == (True, "a watcher", [("north", 1, False)])
            assert await desk.pipeline.enter("note.made", {"place": "north"}).confirmed == 2
            assert rows == list(live.rows()) == [("north", 2, False)]

    asyncio.run(main())


def test_a_save_of_anything_else_brings_other_views_where_its_readers_go_on(tmp_path):
    async def main():
        async with opened(tmp_path) as desk:
            await begin(desk, note("north"), note("south"))
            live, views = desk.pipeline.live(QUERY), desk.pipeline.views
            rows, failures = followed(live)
            entered = desk.pipeline.enter("note.made", {"place": "north"})
            await save(desk, tmp_path, OTHER)
            assert desk.pipeline.views is not views
            await entered.confirmed
            assert rows == list(live.rows()) == [("north", 2, False)]
            await desk.pipeline.enter("note.made", {"place": "south"}).confirmed
            await desk.pipeline.enter("note.made", {"place": "north"}).confirmed
            assert rows == [("north", 3, False)]
            await save(desk, tmp_path, OTHER.replace("by_place", "by_no_place"))
            assert (live.ready, len(failures)) == (False, 1)
            await save(desk, tmp_path, BOARD)
            assert failures[1:] == [""]
            assert rows == [("north", 3, False), ("south", 2, False)]

    asyncio.run(main())


def test_a_query_that_waits_for_history_when_a_board_is_saved_comes_all_the_same(tmp_path):
    async def main():
        async with opened(tmp_path) as desk:
            await begin(desk, *(note("north", n) for n in range(2000)))
            boards = boards_of(desk)
            (tmp_path / "board.toml").write_text(OTHER)
            late = desk.pipeline.live("SELECT count(*) AS n, max(weight) AS w FROM events")
            rows, _ = followed(late)
            await until(desk.pipeline.boards, lambda _: len(boards) == 2)
            await shows(late, [(2000, 1999)])
            assert rows == [(2000, 1999)]

    asyncio.run(main())


def test_a_saved_board_that_is_saved_again_or_read_anew_while_it_is_prepared_is_not_lost(tmp_path, monkeypatch):
    async def main():
        async with opened(tmp_path) as desk:
            await begin(desk, *(note("north", n) for n in range(200)), note("south"))
            pipeline, boards, taken = desk.pipeline, boards_of(desk), []
            pipeline.problems.subscribe(taken.append)
            prepare, held = CurrentViews.prepare, [True]
            monkeypatch.setattr(CurrentViews, "prepare", lambda *given: False if held else prepare(*given))
            (tmp_path / "board.toml").write_text(OTHER)
            await until(pipeline.problems, lambda _: len(taken) == 2)
            pipeline.retry()
            (tmp_path / "board.toml").write_text(OTHER.replace('title = "Notes"', 'title = "Other"', 1))
            await until(pipeline.problems, lambda _: len(taken) == 3)
            assert len(boards) == 1
            held.clear()
            await until(pipeline.boards, lambda _: len(boards) == 2)
            assert boards[-1].title == "Other"
            await shows(pipeline.live(QUERY), [("north", 200, False)])

    asyncio.run(main())


def test_a_broken_save_takes_nobody_anything(tmp_path):
    async def main():
        async with opened(tmp_path) as desk:
            await begin(desk, note("north"))
            live, views = desk.pipeline.live(QUERY), desk.pipeline.views
            rows, failures = followed(live)
            (tmp_path / "board.toml").write_text(BOARD.replace("title =", "tilte =", 1))
            await until(desk.pipeline.problems, bool)
            assert (desk.pipeline.views is views, rows, failures) == (True, [("north", 1, False)], [])

    asyncio.run(main())
