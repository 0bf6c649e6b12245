"""A server that is not what it was: it lost acknowledged events, was made anew, or others wrote in their place.

The desk sees it, says so, and touches neither its store nor the log; on a new store, with its operator's entries, it
follows the server again.
"""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import nats
import pytest

from dataflow.feeds.shared.log_match import WAY_OUT
from dataflow.feeds.shared.new_store import NoAnswer, make_new_store
from dataflow.session import EntryRejected
from storage.database import Database
from tests.faults import board
from tests.faults.children import Other
from tests.faults.desks import SharedDesk, desk, stream
from tests.faults.verdict import Verdict
from tests.nats import Server, make_server, server  # noqa: F401  fixtures

FAR = 30


class Restored:
    """A server whose store is set back to an older copy."""

    def __init__(self, server: Server) -> None:  # noqa: F811
        self._server, self._copy = server, server.folder / "copy"

    def keep(self) -> None:
        self._server.stop()
        shutil.copytree(self._server.folder / "jetstream", self._copy)
        self._server.start()

    def restore(self) -> None:
        self._server.stop()
        shutil.rmtree(self._server.folder / "jetstream")
        shutil.copytree(self._copy, self._server.folder / "jetstream")
        self._server.start()


async def entered(desk: SharedDesk, *numbers: int) -> list[str]:
    mine = [desk.enter(number) for number in numbers]
    await asyncio.wait_for(asyncio.gather(*(each.confirmed for each in mine)), FAR)
    return [each.id for each in mine]


async def waiting(desk: SharedDesk, *numbers: int) -> list[str]:
    mine = [desk.enter(number) for number in numbers]
    await asyncio.wait_for(asyncio.gather(*(each.durable for each in mine)), FAR)
    return [each.id for each in mine]


async def anew(url: str, name: str, old: Path) -> Path:
    new, _ = await make_new_store([url], board.ID, name, old)
    return new


def untouched(store: Path) -> tuple[int, int]:
    with Database.open(store, create=False) as database:
        return database.log.count(), database.outbox.count()


@pytest.mark.parametrize("written", [0, 10, 200], ids=["less", "other events", "more and other events"])
def test_a_server_set_back_to_an_older_copy(server: Server, tmp_path: Path, written: int) -> None:  # noqa: F811
    """What both operators entered is in the log once, whether the server had lost it or not."""

    async def check() -> None:
        path = board.write(tmp_path)
        await stream(server.url)
        other, restored = Other(server.url), Restored(server)
        await other.send(100)
        stores = {name: tmp_path / f"{name}.db" for name in ("amy", "bob")}
        async with desk(tmp_path, server.url, "amy") as amy, desk(tmp_path, server.url, "bob") as bob:
            mine = [*await entered(amy, *range(20)), *await entered(bob, *range(10))]
            restored.keep()
            mine += [*await entered(amy, *range(20, 50)), *await entered(bob, *range(10, 40))]
            last = 100 + len(mine)
            for each in (amy, bob):
                await each.holds(last)
            restored.restore()
            if written:
                await other.send(written)
            for each in (amy, bob):
                said = await each.says("refused", WAY_OUT)
                assert ("ends at" if written < 60 else "another event") in said.detail
            mine += await waiting(amy, *range(50, 57))
        held = untouched(stores["amy"])
        for name, store in list(stores.items()):
            stores[name] = await anew(server.url, name, store)
        assert untouched(tmp_path / "amy.db") == held == (last, 7)
        async with (
            desk(tmp_path, server.url, "amy", stores["amy"]) as amy,
            desk(tmp_path, server.url, "bob", stores["bob"]) as bob,
        ):
            for each in (amy, bob):
                await each.until(lambda status: status.state == "live" and not status.pending)
            verdict = await Verdict(tmp_path, path, board.ID).read(server.url)
            verdict.acknowledged([*mine, *other.acknowledged])
            await verdict.desks(amy, bob)
            assert len(verdict.log.seen) == 100 + written + len(mine)

    asyncio.run(check())


def test_a_log_made_anew_takes_what_waits_and_nothing_of_the_old_one(server: Server, tmp_path: Path) -> None:  # noqa: F811
    async def check() -> None:
        path = board.write(tmp_path)
        await stream(server.url)
        async with desk(tmp_path, server.url, "amy") as amy:
            await entered(amy, *range(20))
            server.stop()
            mine = await waiting(amy, *range(20, 25))
            shutil.rmtree(server.folder / "jetstream")
            server.start()
            await stream(server.url)
            await amy.says("refused", "made anew")
        store = await anew(server.url, "amy", tmp_path / "amy.db")
        async with desk(tmp_path, server.url, "amy", store) as amy:
            await amy.holds(5)
            verdict = await Verdict(tmp_path, path, board.ID).read(server.url)
            verdict.acknowledged(mine)
            await verdict.desks(amy)
            assert len(verdict.log.seen) == 5
        assert untouched(tmp_path / "amy.db") == (20, 5)

    asyncio.run(check())


def test_what_was_purged_from_the_beginning_is_not_sent_again(server: Server, tmp_path: Path) -> None:  # noqa: F811
    async def check() -> None:
        path = board.write(tmp_path)
        await stream(server.url, deny_purge=False)
        other = Other(server.url)
        async with desk(tmp_path, server.url, "amy") as amy:
            await entered(amy, *range(20))
        await other.send(30)
        client = await nats.connect(server.url, allow_reconnect=False)
        await client.jetstream().purge_stream(f"WF_{board.ID}", seq=41)
        await client.close()
        async with desk(tmp_path, server.url, "amy") as amy:
            await amy.says("refused", "purged")
            mine = await waiting(amy, 20, 21)
        store = await anew(server.url, "amy", tmp_path / "amy.db")
        async with desk(tmp_path, server.url, "amy", store) as amy:
            await amy.holds(52)
            verdict = await Verdict(tmp_path, path, board.ID).read(server.url)
            verdict.acknowledged([*mine, *other.acknowledged[20:]])
            await verdict.desks(amy)
            assert [at for at, _ in verdict.log.seen] == list(range(41, 53))

    asyncio.run(check())


def test_garbage_at_the_end_hides_no_other_log(server: Server, tmp_path: Path) -> None:  # noqa: F811
    """The store ends with a message that is no event: the last event is compared, not the last message."""

    async def check() -> None:
        board.write(tmp_path)
        await stream(server.url)
        other, restored = Other(server.url), Restored(server)
        await other.send(5)
        restored.keep()
        async with desk(tmp_path, server.url, "amy") as amy:
            await other.send(5)
            await garbage(server.url)
            await amy.until(lambda status: status.attention == 1)
            restored.restore()
            await other.send(5)
            await garbage(server.url)
            await amy.says("refused", "another event at position 10")

    asyncio.run(check())


async def garbage(url: str) -> None:
    client = await nats.connect(url, allow_reconnect=False)
    await client.jetstream().publish(f"wf.{board.ID}.x.y.z", b"garbage")
    await client.close()


def test_entries_that_need_attention_go_along(server: Server, tmp_path: Path) -> None:  # noqa: F811
    async def check() -> None:
        board.write(tmp_path)
        await stream(server.url)
        async with desk(tmp_path, server.url, "amy") as amy:
            huge = amy.pipeline.enter("job.opened", {"job": "J1", "place": "x" * 2_000_000})
            with pytest.raises(EntryRejected):
                await asyncio.wait_for(huge.confirmed, FAR)
            await amy.until(lambda status: status.attention == 1)
        with Database.open(await anew(server.url, "amy", tmp_path / "amy.db"), create=False) as database:
            (item,) = database.quarantine.list()
            assert huge.id in item.text.decode()
            assert database.outbox.count() == 0

    asyncio.run(check())


def test_without_an_answer_nothing_is_made(server: Server, tmp_path: Path) -> None:  # noqa: F811
    async def check() -> None:
        board.write(tmp_path)
        await stream(server.url)
        async with desk(tmp_path, server.url, "amy") as amy:
            await amy.says("live")
            server.kill()
        with pytest.raises(NoAnswer, match="no answer from"):
            await anew(server.url, "amy", tmp_path / "amy.db")
        assert not (tmp_path / "amy-2.db").exists()

    asyncio.run(check())
