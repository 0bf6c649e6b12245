"""When a desk last heard its shared log: on a real server, in the store, and in the picture of a store."""

from __future__ import annotations

import asyncio
import time

from msgspec import structs

from dataflow.boards.file import load
from dataflow.desk.desk import DeskBuilder
from dataflow.feeds.shared import status_report
from storage.database import Database
from storage.mirror import Mirror
from tests.dataflow.desks import BOARD, until
from tests.dataflow.feeds.shared.logs import client, desk, entry, write
from tests.nats import make_server, server  # noqa: F401  fixtures

NOWHERE = "nats://127.0.0.1:9"


def now():
    return time.time_ns() // 1000


def test_what_is_heard_goes_on_with_the_time_and_is_kept(server, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setattr(status_report, "KEEP_US", 0)
    store = tmp_path / "a.db"

    async def main():
        began = now()
        async with client(server.url) as other, desk(server.url, store) as amy:
            assert (amy.feed.status.value.heard, amy.feed.status.value.log) == (0, server.url)
            first = await amy.says("live")
            assert began < first.heard <= now()
            await write(other, entry(1))
            await until(amy.feed.status, lambda said: said.heard > first.heard, 15)
            server.kill()
            lost = await amy.says("offline")
            assert first.heard < lost.heard <= now()
            assert all(said.heard <= lost.heard for said in amy.states)
            return lost.heard

    heard = asyncio.run(main())
    with Database.open(store) as database:
        assert (Mirror(database).heard, Mirror(database).shared_log) == (heard, server.url)


def test_a_desk_that_is_behind_has_heard_as_much_as_it_holds(server, tmp_path):  # noqa: F811
    async def main():
        async with client(server.url) as other, desk(server.url, tmp_path / "a.db") as amy:
            await amy.says("live")
            feed = amy.feed
            feed._report.set_state("catching up", behind=5)
            before = feed.status.value.heard
            feed._report.hear(now() + 60_000_000)
            assert feed.status.value.heard == before
            await write(other, entry(1))
            await amy.reaches(1)
            assert before <= feed.status.value.heard <= now()

    asyncio.run(main())


def shown(store, folder):
    """How a store stands, as the picture of it says."""
    path = folder / "board.toml"
    path.write_text(BOARD)

    async def main():
        still = DeskBuilder(asyncio.get_running_loop(), "amy", None).still(load(path), store, None)
        still.pipeline.start()
        try:
            return await until(still.pipeline.status, lambda status: status.freshness != "loading")
        finally:
            await still.close()

    return asyncio.run(main())


def test_a_store_of_a_log_that_never_answered_is_one_that_never_heard(tmp_path):
    store = tmp_path / "a.db"

    async def main():
        async with desk(NOWHERE, store) as amy:
            await amy.says("offline")

    asyncio.run(main())
    status = shown(store, tmp_path)
    assert (status.freshness, status.log) == ("never", NOWHERE)


def test_a_picture_of_a_mirror_is_as_of_what_it_heard_and_sends_nothing(tmp_path):
    store = tmp_path / "a.db"
    with Database.open(store) as database:
        mirror = Mirror(database)
        mirror.adopt("x").result()
        mirror.follow(NOWHERE).result()
        mirror.receive([structs.replace(entry(1), position=1)], [], 1).result()
        mirror.hear(entry(9).time).result()
        database.outbox.add([entry(2)]).result()
    status = shown(store, tmp_path)
    assert (status.freshness, status.as_of, status.now, status.pending) == ("as of", entry(9).time, entry(9).time, 1)
    with Database.open(store) as database:
        assert (database.log.last(), database.outbox.count()) == (1, 1)


def test_a_mirror_of_before_has_heard_its_last_event_and_a_local_log_is_live(tmp_path):
    store = tmp_path / "a.db"
    with Database.open(store) as database:
        database.log.append([entry(3)]).result()
    assert shown(store, tmp_path).freshness == "live"
    with Database.open(store) as database:
        Mirror(database).adopt("x").result()
        assert Mirror(database).heard == entry(3).time
    assert shown(store, tmp_path).as_of == entry(3).time


def test_a_store_that_is_opened_on_its_own_log_is_for_no_shared_one(tmp_path):
    store = tmp_path / "a.db"
    (tmp_path / "board.toml").write_text(BOARD)
    with Database.open(store) as database:
        Mirror(database).follow(NOWHERE).result()

    async def main():
        local = DeskBuilder(asyncio.get_running_loop(), "amy", None).live(load(tmp_path / "board.toml"), store)
        await local.close()

    asyncio.run(main())
    assert shown(store, tmp_path).freshness == "live"
