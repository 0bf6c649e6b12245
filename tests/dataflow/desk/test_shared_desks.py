"""Two desks on one shared log, with a real server: what one enters the other sees; cut off, both go on, and agree."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager

import nats
import pytest

from dataflow.boards.file import load
from dataflow.desk.desk import DeskBuilder
from dataflow.nats import streams
from dataflow.session import EntryRefused
from gui import cli
from storage.errors import StoreMirrors
from tests.dataflow.desks import BOARD, QUERY, shows, until
from tests.dataflow.desks import note as an_event
from tests.nats import make_server, server  # noqa: F401  fixtures

ALL = "SELECT id, place, weight, authid, pending FROM events ORDER BY position"


@asynccontextmanager
async def desks(folder, url, *names):
    """A running desk for each name, each on a store of its own; the board's stream is there."""
    path = folder / "board.toml"
    path.write_text(BOARD)
    connection = await nats.connect(url)
    await streams.ensure(connection, "notes")
    await connection.close()
    async with AsyncExitStack() as stack:
        opened = []
        for name in names:
            desk = shared(folder, path, url, name)
            stack.push_async_callback(desk.close)
            desk.pipeline.start()
            opened.append(desk)
        yield opened


def shared(folder, path, url, name):
    return DeskBuilder(asyncio.get_running_loop(), name, None).shared(load(path), folder / f"{name}.db", [url])


async def state(desk, state):
    return await until(desk.pipeline.status, lambda status: status.state == state, 10)


async def note(desk, place, weight=1):
    entered = desk.pipeline.enter("note.made", {"place": place, "weight": weight})
    await entered.durable
    return entered


def test_what_one_desk_enters_is_on_the_other(server, tmp_path):  # noqa: F811
    async def check():
        async with desks(tmp_path, server.url, "amy", "bob") as (amy, bob):
            await state(bob, "live")
            live = bob.pipeline.live(ALL)
            entered = await note(amy, "north", 3)
            assert await asyncio.wait_for(entered.confirmed, 10) == 1
            await shows(live, [(entered.id, "north", 3, "amy", False)], 10)
            live.close()

    asyncio.run(check())


def test_cut_off_both_go_on_and_agree_when_the_server_is_back(server, tmp_path):  # noqa: F811
    async def check():
        async with desks(tmp_path, server.url, "amy", "bob") as (amy, bob):
            await asyncio.wait_for((await note(amy, "north")).confirmed, 10)
            server.kill()
            for desk in (amy, bob):
                await state(desk, "offline")
            entered = [await note(desk, place) for desk, place in ((amy, "north"), (amy, "south"), (bob, "south"))]
            live = amy.pipeline.live(QUERY)
            await shows(live, [("north", 2, True), ("south", 1, True)], 10)
            cut_off = await state(amy, "offline")
            assert (cut_off.pending, cut_off.since > 0) == (2, True)
            server.start()
            positions = [await asyncio.wait_for(each.confirmed, 20) for each in entered]
            assert sorted(positions) == [2, 3, 4]
            await shows(live, [("north", 2, False), ("south", 2, False)], 10)
            await equal(amy, bob, 4)
            live.close()

    asyncio.run(check())


def test_a_desk_opens_without_a_server_and_sends_when_there_is_one(make_server, tmp_path):  # noqa: F811
    server = make_server().start()  # noqa: F811

    async def check():
        async with desks(tmp_path, server.url) as _:
            server.kill()
            amy = shared(tmp_path, tmp_path / "board.toml", server.url, "amy")
            amy.pipeline.start()
            await state(amy, "offline")
            entered = await note(amy, "south")
            await amy.close()
            again = shared(tmp_path, tmp_path / "board.toml", server.url, "amy")
            again.pipeline.start()
            live = again.pipeline.live(ALL)
            await shows(live, [(entered.id, "south", 1, "amy", True)], 10)
            server.start()
            await shows(live, [(entered.id, "south", 1, "amy", False)], 20)
            live.close()
            await again.close()

    asyncio.run(check())


async def say_nothing(reader, writer):
    await reader.read()
    writer.close()


def test_what_waits_is_shown_while_a_server_says_nothing(make_server, tmp_path):  # noqa: F811
    server = make_server().start()  # noqa: F811

    async def check():
        async with desks(tmp_path, server.url):
            server.kill()
        silent = await asyncio.start_server(say_nothing, "127.0.0.1", server.port)
        amy = shared(tmp_path, tmp_path / "board.toml", server.url, "amy")
        await asyncio.wrap_future(amy.database.outbox.add([an_event("south")]))
        amy.pipeline.start()
        live = amy.pipeline.live(QUERY)
        await shows(live, [("south", 1, True)], 2)
        assert amy.pipeline.status.value.state == "catching up"
        live.close()
        await amy.close()
        silent.close()
        await silent.wait_closed()

    asyncio.run(check())


def test_each_desk_knows_who_is_here_until_they_leave(server, tmp_path):  # noqa: F811
    async def check():
        async with desks(tmp_path, server.url, "amy", "bob") as (amy, bob):
            for desk in (amy, bob):
                here = await until(desk.pipeline.presence, lambda present: len(present) == 2, 10)
                assert sorted((one.name, one.role) for one in here) == [("amy", "operator"), ("bob", "operator")]
            await bob.close()
            await until(amy.pipeline.presence, lambda present: [one.name for one in present] == ["amy"], 10)

    asyncio.run(check())


def test_the_copy_of_a_shared_log_takes_no_events_but_the_servers(server, tmp_path, capsys):  # noqa: F811
    async def check():
        async with desks(tmp_path, server.url, "amy") as (amy,):
            await state(amy, "live")
        with pytest.raises(StoreMirrors, match="holds a copy of a shared log"):
            DeskBuilder(asyncio.get_running_loop(), "amy", None).live(load(tmp_path / "board.toml"), store)

    store = tmp_path / "amy.db"
    asyncio.run(check())
    emit = ["emit", str(tmp_path / "board.toml"), "note.made", "place=north", "--store", str(store)]
    withdraw = ["withdraw", str(tmp_path / "board.toml"), "x", "--store", str(store)]
    for command in (emit, withdraw):
        assert cli.run(command) == 1
        assert "holds a copy of a shared log" in capsys.readouterr().err


def test_what_one_withdraws_is_gone_on_the_other_also_when_it_was_cut_off(server, tmp_path):  # noqa: F811
    async def check():
        async with desks(tmp_path, server.url, "amy", "bob") as (amy, bob):
            await state(bob, "live")
            entered = await note(amy, "north")
            lives = [desk.pipeline.live(QUERY) for desk in (amy, bob)]
            await shows(lives[1], [("north", 1, False)], 10)
            with pytest.raises(EntryRefused, match="only amy, who entered it"):
                bob.pipeline.withdraw(entered.id)
            server.kill()
            await state(amy, "offline")
            waiting = await note(amy, "south")
            undone = [amy.pipeline.withdraw(id) for id in (entered.id, waiting.id)]
            await shows(lives[0], [(None, 2, True)])
            server.start()
            assert sorted([await asyncio.wait_for(each.confirmed, 20) for each in (waiting, *undone)]) == [2, 3, 4]
            for live in lives:
                await shows(live, [(None, 2, False)], 10)
                live.close()
            await equal(amy, bob, 4)

    asyncio.run(check())


async def equal(one, other, last):
    """Both logs hold the same events at the same positions."""
    for desk in (one, other):
        await until(desk.pipeline.status, lambda status: status.position == last, 10)
    logs = [
        [(event.position, event.id, event.authid) for chunk in desk.database.log.read() for event in chunk]
        for desk in (one, other)
    ]
    assert logs[0] == logs[1]
    assert len({id for _, id, _ in logs[0]}) == last
    assert [desk.database.outbox.count() for desk in (one, other)] == [0, 0]
