"""A desk whose machine's clock is an hour off: its entries carry that time, and the log's order is untouched by it."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from dataflow.feeds.shared import clock_skew
from tests.dataflow.desks import until
from tests.faults import board
from tests.faults.children import Other
from tests.faults.desks import desk, stream
from tests.faults.verdict import Verdict
from tests.nats import Server, make_server, server  # noqa: F401  fixtures

HOUR_S = 3600
HOUR_US = HOUR_S * 1_000_000


@pytest.mark.parametrize(("off_s", "words"), [(HOUR_S, "1 hour ahead of"), (-HOUR_S, "1 hour behind")])
def test_a_desk_with_a_clock_an_hour_off(server: Server, tmp_path: Path, off_s: int, words: str) -> None:  # noqa: F811
    asyncio.run(clock_off(server, tmp_path, off_s, words))


async def clock_off(server: Server, folder: Path, off_s: int, words: str) -> None:  # noqa: F811
    path = board.write(folder)
    await stream(server.url)
    other, mine = Other(server.url), []
    async with desk(folder, server.url, "amy", off_s=off_s) as amy, desk(folder, server.url, "bob") as bob:
        told = await amy.until(lambda status: words in status.warning)
        assert told.state in ("live", "catching up")
        for number in range(60):
            mine += [each.enter(number) for each in (amy, bob)]
            if number % 20 == 0:
                await other.send(20)
        await asyncio.gather(*(each.confirmed for each in mine))
        server.kill()
        offline = await amy.says("offline")
        assert abs(offline.now - offline.since) < HOUR_US / 2, "since when it is offline goes by the desk's own clock"
        mine += [each.enter(number) for number in range(60, 90) for each in (amy, bob)]
        await asyncio.gather(*(each.durable for each in mine))
        server.start()
        positions = await asyncio.wait_for(asyncio.gather(*(each.confirmed for each in mine)), 30)
        for each in (amy, bob):
            await until(each.pipeline.presence, lambda here: sorted(one.name for one in here) == ["amy", "bob"], 30)
        assert bob.pipeline.status.value.warning == ""
        verdict = await Verdict(folder, path, board.ID).read(server.url)
        verdict.acknowledged([*(each.id for each in mine), *other.acknowledged])
        verdict.confirmed({each.id: at for each, at in zip(mine, positions, strict=True)})
        await verdict.desks(amy, bob)
        times = {by: [event.time for event in events(bob, by)] for by in ("amy", "bob")}
        assert min(abs(one - off_s * 1_000_000 - two) for one, two in zip(*times.values(), strict=True)) < HOUR_US / 60


def events(desk, author):
    return [event for chunk in desk.desk.database.log.read() for event in chunk if event.authid == author]


@pytest.mark.parametrize(
    ("asked", "answered", "theirs", "off"), [(5, 9, 7, 0), (5, 9, 4, 1), (5, 9, 11, -2), (5, 5, 5, 0)]
)
def test_only_what_the_answers_way_does_not_explain_is_told(asked, answered, theirs, off):
    assert clock_skew.measure_skew(asked, answered, theirs) == off


@pytest.mark.parametrize(
    ("off", "words"),
    [(19_000_000, ""), (HOUR_US - 400_000, "is 1 hour ahead of the server's"), (-3 * HOUR_US // 2, "90 minutes behind"),
     (-30_000_000, "30 seconds behind"), (3 * 24 * HOUR_US, "3 days ahead")],
)  # fmt: skip
def test_it_is_told_in_words(off, words):
    assert words in clock_skew.describe_skew(off)
    assert bool(words) == bool(clock_skew.describe_skew(off))


def test_a_clock_that_is_set_right_is_told_no_more(server: Server, tmp_path: Path) -> None:  # noqa: F811
    async def check() -> None:
        board.write(tmp_path)
        await stream(server.url)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(clock_skew, "LOOK_S", 0.05)
            async with desk(tmp_path, server.url, "amy", off_s=HOUR_S) as amy:
                await amy.until(lambda status: status.warning)
                amy.pipeline._scheduler.set(0)
                await amy.until(lambda status: not status.warning)

    asyncio.run(check())


@pytest.mark.parametrize("off_s", [HOUR_S, -HOUR_S])
def test_a_clock_that_is_set_while_the_board_runs(server: Server, tmp_path: Path, off_s: int) -> None:  # noqa: F811
    """Set back or forth: what comes is shown as ever, and the views go by the new time."""

    async def check() -> None:
        path = board.write(tmp_path)
        await stream(server.url)
        other, mine = Other(server.url), []
        async with desk(tmp_path, server.url, "amy", off_s=off_s) as amy:
            mine += [amy.enter(number) for number in range(20)]
            await other.send(100)
            await amy.holds(120)
            amy.pipeline._scheduler.set(0)
            await other.send(100)
            await amy.holds(220, 10)
            await amy.until(lambda _: abs(amy.shown().now - time.time_ns() // 1000) < 2_000_000, 10)
            mine += [amy.enter(number) for number in range(20)]
            await amy.holds(240)
            verdict = await Verdict(tmp_path, path, board.ID).read(server.url)
            verdict.acknowledged([*(each.id for each in mine), *other.acknowledged])
            await verdict.desks(amy)

    asyncio.run(check())
