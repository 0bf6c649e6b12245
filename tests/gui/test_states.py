"""A window from state to state: what its panels are given, and when; nothing that is not final is ever shown."""

from __future__ import annotations

import asyncio

import pytest

from dataflow.feeds.feed import FeedStatus
from dataflow.views.views import Views
from gui.panels.form import Form
from gui.panels.table import Table
from gui.panels.value import Value
from gui.window.banner import Banner
from tests.dataflow.desk.test_views_clock import LOG, START, HandClock, HandFeed
from tests.dataflow.desks import BOARD, note, opened, until
from tests.gui.binding.test_screen import FORM, Desk
from tests.gui.window.test_toast import told

NUMBER = """
[[panels]]
kind = "value"
title = "All"
at = [1, 0, 1, 1]
sql = "SELECT count(*) AS value FROM events"
"""
NOTES = [note("north"), note("south"), note("south")]


@pytest.fixture
def on_hand(run, qtbot, tmp_path):
    """Run a function with a window's desk, its feed by hand, and the numbers that its number panel was given."""

    def on_hand(act, *, heard=START, events=(), board=BOARD + FORM + NUMBER):
        async def main():
            feeds, shown = [], []

            def feed(*given):
                feeds.append(HandFeed(*given, heard))
                return feeds[0]

            async with opened(tmp_path, board, start=False, feed=feed, clock=HandClock()) as on:
                if events:
                    await feeds[0].brings(*events)
                with pytest.MonkeyPatch.context() as patch:
                    take = Value.apply
                    patch.setattr(Value, "apply", lambda panel, name, splices, rows: (
                        shown.append(rows[0][0]), take(panel, name, splices, rows))[1])  # fmt: skip
                    desk = Desk(on, qtbot)
                    try:
                        await act(desk, feeds[0], shown)
                    finally:
                        desk.close()

        run(main())

    return on_hand


async def says(desk, feed, state, heard, behind=0, becomes=None):
    feed.status.on_next(FeedStatus(state, heard=heard, behind=behind, log=LOG))
    return await until(desk.pipeline.status, lambda status: status.freshness == becomes)


def number(desk):
    return desk.panel(Value)


def test_from_loading_to_live_there_is_no_number_before_the_last(on_hand):
    async def act(desk, feed, shown):
        assert number(desk).state.covered
        await says(desk, feed, "catching up", 0, 3, "loading")
        await feed.brings(NOTES[0])
        await feed.brings(NOTES[1])
        await until(desk.pipeline.status, lambda status: status.position == 2)
        assert (shown, number(desk).state.covered, number(desk).accessibleDescription()[:7]) == ([], True, "Loading")
        await feed.brings(NOTES[2])
        await says(desk, feed, "live", START, 0, "live")
        await desk.shows([["north", "1"], ["south", "2"]])
        assert (shown, number(desk).accessibleDescription()) == ([3], "3")
        assert not desk.panel(Table).state.covered

    on_hand(act, heard=0)


def test_live_cut_off_catching_up_live_again(on_hand):
    async def act(desk, feed, shown):
        await says(desk, feed, "live", START, 0, "live")
        await desk.shows([["north", "1"], ["south", "2"]])
        assert shown == [3]
        await says(desk, feed, "offline", START, 0, "as of")
        for panel in (number(desk), desk.panel(Table)):
            assert panel.state.mark.words.startswith("as of ")
            assert panel.theme.dimmed
        (banner,) = [each for each in desk.window.findChildren(Banner) if each.isVisible()]
        assert banner.accessibleName().startswith("Cut off since ")
        await says(desk, feed, "catching up", START, 2, "loading")
        await feed.brings(note("north"))
        await until(desk.pipeline.status, lambda status: status.position == 4)
        assert (shown, desk.shown()) == ([3], [["north", "1"], ["south", "2"]])
        assert number(desk).state.mark.words.startswith("loading ")
        await feed.brings(note("north"))
        await says(desk, feed, "live", START, 0, "live")
        await desk.shows([["north", "3"], ["south", "2"]])
        assert (shown, number(desk).state.text, number(desk).theme.dimmed) == ([3, 5], "", False)
        assert not banner.isVisible()

    on_hand(act, events=NOTES)


def test_a_desk_that_never_heard_shows_nothing_but_takes_entries(on_hand):
    async def act(desk, feed, shown):
        await says(desk, feed, "offline", 0, 0, "never")
        desk.enter("north")
        await until(desk.pipeline.status, lambda status: status.pending == 1)
        desk.screen.bridge.settle()
        for panel in (number(desk), desk.panel(Table)):
            assert (panel.state.covered, panel.accessibleDescription()) == (True, f"Never synced with {LOG}")
        assert desk.panel(Form).state.mark.words == "entries wait"
        await told(desk.window._toast, "Entered: note.made · north")

    on_hand(act, heard=0)


def test_an_own_entry_is_shown_pending_while_cut_off(on_hand):
    async def act(desk, feed, shown):
        await says(desk, feed, "offline", START, 0, "as of")
        await desk.shows([["north", "1"], ["south", "2"]])
        desk.enter("north")
        await desk.shows([["north", "2"], ["south", "2"]])
        assert desk.panel(Table).theme.dimmed

    on_hand(act, events=NOTES)


def test_an_empty_log_of_its_own_says_so_and_no_word_more(run, qtbot, tmp_path):
    async def main():
        async with opened(tmp_path, BOARD + NUMBER, start=False) as on:
            desk = Desk(on, qtbot)
            try:
                assert number(desk).state.covered
                await desk.screen.settled()
                await until(on.pipeline.status, lambda status: status.freshness == "live")
                assert (number(desk).accessibleDescription(), number(desk).state.covered) == ("0", False)
                assert desk.panel(Table).accessibleDescription() == "No rows yet"
            finally:
                desk.close()

    run(main())


def test_a_query_that_reads_history_is_marked_and_what_there_was_stands(on_hand, monkeypatch):
    async def act(desk, feed, shown):
        await says(desk, feed, "live", START, 0, "live")
        await desk.shows([["north", "1"], ["south", "2"]])
        table = desk.panel(Table)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Views, "work", lambda *_: True)
            table.sort_by(1)
            table.sort_by(1)
            assert (table.state.view.kind, table.accessibleDescription()) == ("loading", "Loading")
            assert (desk.shown(), table.shows_body) == ([["north", "1"], ["south", "2"]], True)
            while not table.theme.dimmed:
                await asyncio.sleep(0.01)
            assert table.state.mark.words == "loading"
        await desk.shows([["south", "2"], ["north", "1"]])
        assert (table.state.text, table.theme.dimmed) == ("", False)

    on_hand(act, events=NOTES)


def test_what_is_built_anew_is_marked_until_it_is(on_hand):
    """A withdrawn event can't be subtracted from a fold: the query reads history again."""

    async def act(desk, feed, shown):
        await says(desk, feed, "live", START, 0, "live")
        await desk.shows([["north", "1"], ["south", "2"]])
        (live,) = [binding for binding in desk.screen.bridge._bindings.values() if binding._panel is number(desk)]
        live._live._query.wait()
        while number(desk).state.view.kind != "loading":
            await asyncio.sleep(0.01)
        live._live._query.ready = True
        while number(desk).state.view.kind != "live":
            await asyncio.sleep(0.01)

    on_hand(act, events=NOTES)


def test_a_broken_board_file_is_told_over_the_board(on_hand, tmp_path):
    async def act(desk, feed, shown):
        await says(desk, feed, "live", START, 0, "live")
        (tmp_path / "board.toml").write_text(BOARD.replace('title = "Notes"', "title = 7", 1))
        await until(desk.pipeline.problems, bool)
        (banner,) = [each for each in desk.window.findChildren(Banner) if each.isVisible()]
        assert banner.accessibleName() == "Saved board not in use"
        assert "board.toml" in banner.accessibleDescription()

    on_hand(act)
