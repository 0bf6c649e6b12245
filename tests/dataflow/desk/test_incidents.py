"""No value stops the pipeline: what a query fails on is told, the others go on, and a saved board tries it again."""

from __future__ import annotations

import asyncio

import pytest

from dataflow.desk.incidents import Incidents
from dataflow.engine.engine import Engine
from dataflow.notice import Notice
from dataflow.sql.codegen import assemble
from tests.dataflow.desks import BOARD, QUERY, note, opened, shows, until

SHOUTED = 'SELECT upper(place) AS place, count(*) AS n FROM "note.made" GROUP BY 1'
PANEL = f"""
[[panels]]
kind = "table"
title = "Shouted"
at = [0, 1, 1, 1]
sql = '''{SHOUTED}'''
"""


@pytest.fixture
def upper(monkeypatch):
    """What `upper` does on a value."""
    odd = {}

    def call(text):
        if text in odd:
            raise odd[text]
        return text.upper()

    monkeypatch.setitem(assemble.NAMESPACE, "upper", call)
    return odd


@pytest.mark.parametrize("error", [ValueError("odd"), RecursionError("deep"), MemoryError(), KeyError("gone")])
def test_a_query_that_fails_on_a_value_is_set_aside_and_the_board_goes_on(tmp_path, upper, error):
    async def main():
        async with opened(tmp_path, BOARD + PANEL) as desk:
            pipeline, reasons, notices = desk.pipeline, [], []
            pipeline.notices.subscribe(notices.append)
            await until(pipeline.status, lambda status: status.state == "live")
            sound, failing = pipeline.live(QUERY), pipeline.live(SHOUTED)
            failing.failures.subscribe(reasons.append)
            upper["south"] = error
            desk.database.log.append([note("north")]).result()
            await shows(sound, [("north", 1, False)])
            entered = pipeline.enter("note.made", {"place": "south"})
            assert await entered.confirmed == 2
            desk.database.log.append([note("north", second=at) for at in range(1, 5)]).result()
            await shows(sound, [("north", 5, False), ("south", 1, False)])
            (reason,), (notice,) = reasons, notices
            assert f"failed ({type(error).__name__}" in reason
            assert notice.text == f"Shouted: {reason}"
            assert notice.error is error
            assert (await until(pipeline.status, lambda status: status.warning)).warning == notice.text

    asyncio.run(main())


def test_what_was_set_aside_is_tried_again_by_command_and_by_a_saved_board(tmp_path, upper):
    async def main():
        async with opened(tmp_path, BOARD + PANEL) as desk:
            pipeline = desk.pipeline
            upper["south"] = ValueError("odd")
            desk.database.log.append([note("south"), note("north")]).result()
            await until(pipeline.status, lambda status: status.warning and status.state == "live")
            boards = []
            pipeline.boards.subscribe(boards.append)
            pipeline.retry()
            await until(pipeline.boards, lambda _: len(boards) == 2)
            assert "Shouted: Set aside" in pipeline.status.value.warning
            upper.clear()
            pipeline.retry()
            await until(pipeline.boards, lambda _: len(boards) == 3)
            await until(pipeline.status, lambda status: not status.warning)
            again = pipeline.live(SHOUTED)
            await shows(again, [("NORTH", 1), ("SOUTH", 1)])

    asyncio.run(main())


def test_a_step_that_nobody_foresaw_is_told_and_the_views_are_built_anew(tmp_path, monkeypatch):
    async def main():
        async with opened(tmp_path) as desk:
            pipeline, notices = desk.pipeline, []
            pipeline.notices.subscribe(notices.append)
            live = pipeline.live(QUERY)
            await until(pipeline.status, lambda status: status.state == "live")
            boards = []
            pipeline.boards.subscribe(boards.append)
            push, armed = Engine.push, [True]

            def broken(*given):
                if armed:
                    armed.clear()
                    raise ValueError("a row is retracted that is not there")
                push(*given)

            monkeypatch.setattr(Engine, "push", broken)
            desk.database.log.append([note("north"), note("south")]).result()
            await until(pipeline.boards, lambda _: len(boards) == 2)
            assert [notice.error.args for notice in notices] == [("a row is retracted that is not there",)]
            await shows(pipeline.live(QUERY), [("north", 1, False), ("south", 1, False)])
            assert list(live.rows()) == [("north", 1, False), ("south", 1, False)]
            live.close()

    asyncio.run(main())


def test_the_foot_says_what_is_set_aside_and_for_a_minute_what_was_slow():
    now = [0]
    incidents = Incidents(lambda: now[0])
    told = []
    incidents.notices.subscribe(told.append)
    assert incidents.line("", []) == ""
    incidents.take(Notice("Flights: its result took 300 ms"))
    incidents.take(Notice("Gates: Set aside", aside=True))
    assert incidents.line("the clock is off", ["A: Set aside", "Gates: Set aside"]) == (
        "the clock is off · Gates: Set aside (and 1 more) · Flights: its result took 300 ms"
    )
    now[0] = 60_000_000
    assert incidents.line("", ["Gates: Set aside"]) == "Gates: Set aside"
    assert [notice.aside for notice in told] == [False, True]
