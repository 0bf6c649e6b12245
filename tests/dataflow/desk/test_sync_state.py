"""What a desk on a shared log says of itself, on a real server: its delay, its outages, its progress, who is here."""

from __future__ import annotations

import asyncio
import sys
from contextlib import asynccontextmanager
from itertools import pairwise
from time import perf_counter

import nats
import pytest

from dataflow.boards.file import load
from dataflow.desk.desk import DeskBuilder
from dataflow.feeds.shared import presence
from dataflow.feeds.shared.producer import Producer
from dataflow.nats import streams, wire
from tests.dataflow.desks import BOARD, note, until
from tests.nats import make_server, server  # noqa: F401  fixtures

DESK = """
import asyncio, sys
from pathlib import Path
from dataflow.boards.file import load
from dataflow.desk.desk import DeskBuilder
from dataflow.feeds.shared import presence

async def main(board, store, url):
    presence.BEAT_S = 0.2
    desk = DeskBuilder(asyncio.get_running_loop(), "bob", None).shared(load(Path(board)), Path(store), [url])
    desk.pipeline.start()
    await asyncio.Event().wait()

asyncio.run(main(*sys.argv[1:]))
"""


@asynccontextmanager
async def log(folder, url):
    """A connection to a server that has the board's stream; the board is in `folder`."""
    (folder / "board.toml").write_text(BOARD)
    connection = await nats.connect(url, allow_reconnect=False)
    await streams.ensure(connection, "notes")
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def desk(folder, url, name="amy"):
    builder = DeskBuilder(asyncio.get_running_loop(), name, None)
    opened = builder.shared(load(folder / "board.toml"), folder / f"{name}.db", [url])
    opened.pipeline.start()
    try:
        yield opened
    finally:
        await opened.close()


async def says(desk, state):
    return await until(desk.pipeline.status, lambda status: status.state == state, 20)


async def enter(desk):
    entered = desk.pipeline.enter("note.made", {"place": "north"})
    await entered.durable
    return entered


def counts(desk):
    return {stage.stage: stage.count for stage in desk.pipeline.delays().all}


def test_an_entry_is_measured_by_stage_and_an_outage_is_no_delay(server, tmp_path):  # noqa: F811
    async def check():
        async with log(tmp_path, server.url), desk(tmp_path, server.url) as amy:
            await says(amy, "live")
            began = perf_counter()
            await asyncio.wait_for((await enter(amy)).confirmed, 10)
            took = (perf_counter() - began) * 1000
            once = dict.fromkeys(("total", "outbox commit", "publish and log", "store", "views"), 1)
            assert counts(amy) == once
            total, *stages = amy.pipeline.delays().all
            assert sum(stage.most_ms for stage in stages) == pytest.approx(total.most_ms)
            assert all(0 < stage.most_ms < took for stage in stages)
            server.kill()
            away = await says(amy, "offline")
            waiting = await enter(amy)
            assert away.delay_ms is None
            server.start()
            await asyncio.wait_for(waiting.confirmed, 20)
            await says(amy, "live")
            assert amy.pipeline.status.value.delay_ms is None
            assert counts(amy) == {**once, "waited": 1}
            await asyncio.wait_for((await enter(amy)).confirmed, 10)
            back = await says(amy, "live")
            assert 0 < back.delay_ms < 1000
            assert counts(amy) == {**dict.fromkeys(once, 2), "waited": 1}

    asyncio.run(check())


def test_offline_is_since_the_board_s_clock_says_and_stays_that_while_it_is_tried_again(server, tmp_path):  # noqa: F811
    async def check():
        async with log(tmp_path, server.url), desk(tmp_path, server.url) as amy:
            await says(amy, "live")
            before = amy.pipeline.status.value.now
            server.kill()
            first = await says(amy, "offline")
            assert before <= first.since <= first.now
            again = await until(amy.pipeline.status, lambda status: "no answer" in status.detail, 20)
            assert again.since == first.since

    asyncio.run(check())


def test_progress_rises_from_the_first_event_to_the_last(server, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setattr("dataflow.desk.pipeline.PROGRESS_S", 0.0)
    count = 15_000

    async def check():
        async with log(tmp_path, server.url) as other:
            await Producer(other, "notes", "bob").send([note("north", second=second) for second in range(count)])
            async with desk(tmp_path, server.url) as amy:
                told = []
                amy.pipeline.status.subscribe(told.append)
                await until(amy.pipeline.status, lambda status: status.position == count and status.state == "live", 60)
        going = [each for each in told if each.state == "catching up"]
        progress = [each.progress for each in going if each.progress is not None]
        assert all(one <= other for one, other in pairwise(progress))
        assert progress[0] < 0.1
        assert progress[-1] > 0.8
        assert len(set(progress)) > 5
        assert max(each.to_go for each in going) >= count - 500
        assert told[-1].progress is None

    asyncio.run(check())


def test_a_desk_that_is_killed_is_gone_soon(server, tmp_path, monkeypatch):  # noqa: F811
    """Within GONE_S and LOOK_S of its last beat: 11 seconds, unless told otherwise."""
    assert presence.GONE_S + presence.LOOK_S <= 11
    assert presence.GONE_S >= 3 * presence.BEAT_S
    monkeypatch.setattr(presence, "BEAT_S", 0.2)
    monkeypatch.setattr(presence, "GONE_S", 1.0)
    monkeypatch.setattr(presence, "LOOK_S", 0.1)

    async def check():
        async with log(tmp_path, server.url), desk(tmp_path, server.url) as amy:
            arguments = [str(tmp_path / "board.toml"), str(tmp_path / "bob.db"), server.url]
            bob = await asyncio.create_subprocess_exec(sys.executable, "-c", DESK, *arguments)
            try:
                names = [["amy", "bob"], ["amy"]]
                await until(amy.pipeline.presence, lambda present: [one.name for one in present] == names[0], 20)
            finally:
                bob.kill()
                await bob.wait()
            killed = perf_counter()
            await until(amy.pipeline.presence, lambda present: [one.name for one in present] == names[1], 20)
            assert perf_counter() - killed < 1.0 + 0.1 + 2.0     # two seconds for a machine that is busy

    asyncio.run(check())


def test_others_see_how_far_behind_the_views_of_a_desk_are(server, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setattr(presence, "BEAT_S", 0.1)
    monkeypatch.setattr(presence, "LOOK_S", 0.05)

    async def check():
        async with (
            log(tmp_path, server.url) as other,
            desk(tmp_path, server.url) as amy,
            desk(tmp_path, server.url, "bob") as bob,
        ):
            monkeypatch.setattr(bob.pipeline.views, "read_log", lambda *_: iter(()))      # its views stand still
            for second in range(12):
                message = wire.encode("notes", "eve", note("north", second=second))
                await other.publish(message.subject, message.body, headers=message.headers)

            def lag(present):
                return {one.name: (one.position, one.behind) for one in present}

            told = {"amy": (12, 0), "bob": (0, 12)}
            for seen_by in (amy, bob):
                await until(seen_by.pipeline.presence, lambda present: lag(present) == told, 20)

    asyncio.run(check())
