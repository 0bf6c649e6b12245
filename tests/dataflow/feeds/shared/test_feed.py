"""The NATS feed on a real server: what is written is in every store once, whatever happens on the way."""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import signal
import socket
from concurrent.futures import Future
from contextlib import asynccontextmanager

import msgspec
import nats
import pytest

from dataflow.feeds.shared import publisher, subscription
from dataflow.feeds.shared.producer import Producer
from dataflow.nats import streams, subjects, wire
from dataflow.server.config import User
from storage.database import Database
from storage.errors import StoreFull, TooLarge
from storage.event import without_position
from storage.mirror import Mirror
from tests.dataflow.desks import until
from tests.dataflow.feeds.shared.logs import BOARD, client, desk, entry, in_a_folder, write
from tests.dataflow.feeds.shared.proxy import proxy
from tests.nats import make_server, server  # noqa: F401 - fixtures
from tests.stories import within

story = within(in_a_folder, gives=2)


@asynccontextmanager
async def two_desks(server, folder):  # noqa: F811
    async with desk(server.url, folder / "a.db") as amy, desk(server.url, folder / "b.db", "bob") as bob:
        yield amy, bob


@story
async def test_an_entry_is_confirmed_and_is_on_every_desk(server, folder):  # noqa: F811
    async with client(server.url), two_desks(server, folder) as (amy, bob):
        mine = entry(1)
        await amy.enter(mine)
        await amy.reaches(1)
        await bob.reaches(1)
        assert amy.ids() == bob.ids() == [mine.id]
        assert amy.database.outbox.count() == 0
        assert bob.events()[0].authid == "amy"
        await amy.says("live")


@story
async def test_a_desk_starts_without_a_server_and_drains_when_one_comes(server, folder):  # noqa: F811
    async with client(server.url):
        server.kill()
    entries = [entry(n) for n in range(500)]
    async with desk(server.url, folder / "a.db", early=entries[:200]) as amy:
        await amy.enter(*entries[200:300])
        await amy.says("offline", "no answer from nats://127.0.0.1")
        await amy.enter(*entries[300:])
        server.start()
        await amy.reaches(500)
        assert amy.ids() == [each.id for each in entries]
        assert amy.database.outbox.count() == 0


@story
async def test_a_server_killed_while_entries_are_on_their_way_loses_and_doubles_nothing(server, folder):  # noqa: F811
    entries = [entry(n, f"UA{n % 7}") for n in range(1500)]
    async with client(server.url), two_desks(server, folder) as (amy, bob):
        await amy.enter(*entries)
        for position in (100, 500, 1000):
            await amy.reaches(position)
            server.kill()
            await amy.says("offline")
            server.start()
        await amy.reaches(1500)
        await bob.reaches(1500)
        assert amy.ids() == bob.ids() == [each.id for each in entries]
        assert amy.database.outbox.count() == 0
    async with client(server.url) as other:
        assert (await other.jetstream().stream_info("WF_b")).state.messages == 1500


@story
async def test_a_desk_goes_on_after_the_last_position_that_it_holds(server, folder):  # noqa: F811
    async with client(server.url) as other:
        async with desk(server.url, folder / "a.db") as amy:
            await write(other, entry(1))
            await write(other, entry(2))
            await amy.reaches(2)
        missed = [entry(n) for n in range(3, 1500)]
        await Producer(other, BOARD, "bob").send(missed)
        async with desk(server.url, folder / "a.db") as amy:
            await amy.reaches(1499)
            await amy.says("live")
            assert sorted(amy.ids()[2:]) == sorted(each.id for each in missed)
            assert [event.position for event in amy.events()] == list(range(1, 1500))


@story
async def test_an_id_that_comes_twice_is_in_the_log_once(server, folder):  # noqa: F811
    async with client(server.url) as other, desk(server.url, folder / "a.db") as amy:
        twice, last = entry(1), entry(2)
        await write(other, twice)
        await write(other, twice, headers={wire.MESSAGE_ID: "as after the server's window"})
        await write(other, last)
        await amy.reaches(3)
        assert [(event.id, event.position) for event in amy.events()] == [(twice.id, 1), (last.id, 3)]


@story
async def test_what_looks_like_the_servers_own_word_is_set_apart(server, folder):  # noqa: F811
    """An empty message in the log, with the headers of an idle heartbeat."""
    async with client(server.url) as other, desk(server.url, folder / "a.db") as amy:
        await amy.says("live")
        headers = {"Status": "100", "Nats-Last-Consumer": "7"}
        await other.jetstream().publish(subjects.encode(BOARD, "e", "bob", "t"), b"", headers=headers)
        await write(other, entry(1))
        await amy.reaches(2)
        assert amy.database.quarantine.count() == 1


@story
async def test_garbage_is_set_apart_and_the_feed_goes_on(server, folder):  # noqa: F811
    good = entry(1)
    async with client(server.url) as other, desk(server.url, folder / "a.db") as amy:
        await write(other, entry(2), body=b"\x00garbage\xff")
        await write(other, entry(3), body=b"")
        await write(other, entry(4), body=b'{"data":' + b"[" * 100_000)
        await write(other, entry(5), subject="wf.b.UA2.bob.note.made")
        await write(other, entry(6), subject="wf.b.UA1")
        await write(other, entry(7), headers={"Content-Type": "application/cloudevents+avro"})
        await publish_raw(server, b"wf.b.\xff\xfe.o.t", b"NATS/1.0\r\n\xff: \xff\r\nce-id: \xfe\r\n\r\n", b"x")
        await publish_raw(server, b"wf.b.e.o.t", b"NATS/1.0 \xff\xfe\xfd \xff\r\n\r\n", b"x")
        await write(other, good)
        await amy.reaches(9)
        assert amy.ids() == [good.id]
        found = amy.database.quarantine.list()
        assert [item.origin for item in found] == [f"WF_b:{n}" for n in range(8, 0, -1)]
        assert all(item.reason and "\n" not in item.reason for item in found)
        await amy.says("live")


async def publish_raw(server, subject, headers, body):  # noqa: F811
    """What no library would send."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as raw:
        raw.sendall(b'CONNECT {"verbose":false,"headers":true,"no_responders":true}\r\n')
        raw.sendall(b"HPUB %b %d %d\r\n%b%b\r\nPING\r\n" % (subject, len(headers), len(headers + body), headers, body))
        said = b""
        while b"PONG" not in said:
            said += raw.recv(4096)
        assert b"-ERR" not in said


@story
async def test_who_wrote_it_is_who_the_subject_says(server, folder):  # noqa: F811
    async with client(server.url) as other, desk(server.url, folder / "a.db") as amy:
        await write(other, msgspec.structs.replace(entry(1), authid="amy"), operator="mallory")
        await amy.reaches(1)
        assert amy.events()[0].authid == "mallory"


@story
async def test_a_stale_guarded_entry_is_refused_and_a_fresh_one_taken(server, folder):  # noqa: F811
    async with client(server.url) as other, desk(server.url, folder / "a.db") as amy:
        await write(other, entry(1))
        await write(other, entry(2))
        await write(other, entry(3, "UA2"))
        await amy.reaches(3)
        stale, fresh = entry(4, expects=1), entry(5, expects=2)
        await amy.enter(stale)
        refusal = await amy.refused()
        assert (refusal.id, refusal.stale) == (stale.id, True)
        assert "UA1 has changed" in refusal.reason
        await amy.enter(fresh)
        await amy.reaches(4)
        assert amy.ids()[-1] == fresh.id


@story
async def test_own_entries_and_what_is_no_event_make_no_guarded_entry_stale(server, folder):  # noqa: F811
    async with client(server.url) as other, desk(server.url, folder / "a.db") as amy:
        await write(other, entry(1))
        await write(other, entry(2), body=b"garbage")
        await amy.reaches(1)
        first, second, third = entry(3, expects=1), entry(4, expects=1), entry(5, expects=1)
        await amy.enter(first, second, third)
        await amy.reaches(5)
        assert sorted(amy.ids()[1:]) == sorted([first.id, second.id, third.id])
        assert amy.refusals == []


@story
async def test_an_entry_sent_again_after_it_was_taken_is_no_refusal(server, folder):  # noqa: F811
    """The desk died between the server's answer and its own return."""
    async with client(server.url) as other:
        taken = entry(1, expects=0)
        await write(other, taken, operator="amy", headers={wire.MESSAGE_ID: "long ago"})
        async with desk(server.url, folder / "a.db", early=[taken]) as amy:
            await amy.reaches(1)
            await amy.enter(entry(2))
            await amy.reaches(2)
            assert (amy.refusals, amy.database.outbox.count()) == ([], 0)
        assert (await other.jetstream().stream_info("WF_b")).state.messages == 2


@story
async def test_an_entry_that_no_server_takes_is_refused_and_the_next_one_goes(server, folder):  # noqa: F811
    async with client(server.url), desk(server.url, folder / "a.db") as amy:
        huge = msgspec.structs.replace(entry(1), data=b'{"x":"%b"}' % (b"x" * 2**20))
        await amy.enter(huge, entry(2))
        refusal = await amy.refused()
        assert (refusal.id, refusal.stale) == (huge.id, False)
        assert "bytes" in refusal.reason
        await amy.reaches(1)


@story
async def test_a_log_that_is_not_the_one_we_hold_is_refused_and_nothing_is_lost(server, folder):  # noqa: F811
    async with client(server.url) as other, desk(server.url, folder / "a.db") as amy:
        await write(other, entry(1))
        await write(other, entry(2))
        await amy.reaches(2)
        held = amy.ids()
        await other.jetstream().delete_stream("WF_b")
        await streams.ensure(other, BOARD)
        server.restart()
        said = await amy.says("refused", "made anew")
        assert "--fresh-store" in said.detail
        assert amy.ids() == held
    async with desk(server.url, folder / "fresh.db") as fresh:
        await fresh.says("live")


@pytest.mark.parametrize(
    ("changes", "purge", "words"),
    [({"metadata": {"watchfloor.board": "other", "watchfloor.log": "x"}}, 0, "'other'"),
     ({"metadata": {}}, 0, "not made by Watchfloor"), ({}, 5, "purged")],
)  # fmt: skip
def test_a_stream_that_does_not_fit_is_refused(server, tmp_path, changes, purge, words):  # noqa: F811
    async def told():
        connection = await nats.connect(server.url, allow_reconnect=False)
        js = connection.jetstream()
        plain = {"name": "WF_b", "subjects": ["wf.b.>"], "metadata": {"watchfloor.board": "b", "watchfloor.log": "x"}}
        await js.add_stream(**{**plain, **changes})
        if purge:
            async with desk(server.url, tmp_path / "a.db") as amy:
                await write(connection, entry(0))
                await amy.reaches(1)
        for n in range(1, 1 + purge):
            await write(connection, entry(n))
        if purge:
            await js.purge_stream("WF_b", seq=4)
        async with desk(server.url, tmp_path / "a.db") as amy:
            await amy.says("refused", words)
        await connection.close()

    asyncio.run(told())


@story
async def test_a_server_without_the_board_or_with_less_than_we_hold_is_refused(server, folder):  # noqa: F811
    async with client(server.url) as other:
        async with desk(server.url, folder / "a.db", board="nowhere") as lost:
            await lost.says("refused", "watchfloor serve")
        async with desk(server.url, folder / "a.db") as amy:
            await write(other, entry(1))
            await amy.reaches(1)
            await asyncio.wrap_future(Mirror(amy.database).receive([], [], 7))
        async with desk(server.url, folder / "a.db") as amy:
            await amy.says("refused", "lost events")


@story
async def test_a_store_with_a_log_of_its_own_is_left_alone(server, folder):  # noqa: F811
    with Database.open(folder / "a.db") as database:
        database.log.append([entry(1)]).result(5)
    async with client(server.url), desk(server.url, folder / "a.db", early=[entry(2)]) as amy:
        await amy.says("refused", "a log of its own")
        assert amy.database.outbox.count() == 1


@story
async def test_messages_dropped_on_the_way_are_fetched_again(server, folder):  # noqa: F811
    """As when nats-py's own buffers overflow: it drops messages and says so to nobody who could help."""
    async with client(server.url) as other, desk(server.url, folder / "a.db") as amy:
        await write(other, entry(0))
        await amy.reaches(1)
        drop_one(amy.feed)
        for n in range(1, 40):
            await write(other, entry(n))
        await amy.reaches(40)
        assert [event.position for event in amy.events()] == list(range(1, 41))
        assert any("dropped" in said.detail for said in amy.states)


def drop_one(feed):
    """The next message never reaches the subscription."""
    frame = feed._task.get_coro()
    while frame.cr_frame is not None and "subscription" not in frame.cr_frame.f_locals:
        frame = frame.cr_await
    subscription = frame.cr_frame.f_locals["subscription"]
    add = subscription._add

    def deaf(*_):
        subscription._add = add

    subscription._add = deaf


@story
async def test_a_write_without_an_answer_is_sent_again_with_the_same_id(server, folder):  # noqa: F811
    """The stream is gone for a moment, so nobody answers."""
    async with client(server.url) as other, desk(server.url, folder / "a.db") as amy:
        await amy.says("live")
        info = await other.jetstream().stream_info("WF_b")
        await other.jetstream().update_stream(info.config.evolve(subjects=["elsewhere"]))
        entries = [entry(n) for n in range(3)]
        await amy.enter(*entries)
        await asyncio.wait_for(stumbled(amy.feed._publisher), 10)
        await other.jetstream().update_stream(info.config.evolve(subjects=["wf.b.>"]))
        await amy.reaches(3)
        assert amy.ids() == [each.id for each in entries]


async def stumbled(sender: publisher.Publisher):
    while sender._window.failures == 0:
        sender._wake.clear()
        await sender._wake.wait()


def test_wrong_credentials_and_a_role_that_may_not_write_are_told(make_server, tmp_path):  # noqa: F811
    from dataflow.nats.identity import new_seed
    from dataflow.server.identities import Identities
    from dataflow.server.permissions import everything

    identities = Identities(tmp_path / "who")
    files = {name: identities.add(name, role) for name, role in [("root", "admin"), ("amy", "viewer")]}
    keys = {each.name: each.key for each in identities.list()}
    amys = User(keys["amy"], ("$JS.API.>", "$JS.FC.>", "wfp.>", "_INBOX.>"), (">",))
    server = make_server(users=(everything(keys["root"]), amys)).start()  # noqa: F811
    stranger = tmp_path / "stranger.toml"
    stranger.write_text(f'name = "eve"\nrole = "admin"\nseed = "{new_seed()}"\n')
    stranger.chmod(0o600)

    async def told():
        root = await nats.connect(server.url, allow_reconnect=False, nkeys_seed_str=seed_of(files["root"]))
        await streams.ensure(root, BOARD)
        strangers = [(stranger, "does not admit"), (None, "does not admit"), (tmp_path / "none", "none")]
        for who, words in strangers:
            async with desk(server.url, tmp_path / "x.db", identity=who) as nobody:
                await nobody.says("refused", words)
        async with desk(server.url, tmp_path / "a.db", identity=files["amy"]) as amy:
            await write(root, entry(1))
            await amy.reaches(1)
            await amy.enter(entry(2))
            refusal = await amy.refused()
            assert "amy" in refusal.reason
            assert not refusal.stale
            await write(root, entry(3))
            await amy.reaches(2)
        await root.close()

    asyncio.run(told())


def seed_of(path):
    return path.read_text().partition('seed = "')[2].partition('"')[0]


@story
async def test_nothing_is_told_after_close(server, folder):  # noqa: F811
    async with client(server.url) as other, desk(server.url, folder / "a.db") as amy:
        await amy.says("live")
        amy.feed.close()
        states = list(amy.states)
        await write(other, entry(1))
        await amy.feed.closed()
        assert (amy.states, amy.feed.arrivals.value) == (states, 0)


@story
async def test_who_is_there_is_seen_and_who_leaves_is_gone(server, folder):  # noqa: F811
    def names(present):
        return [(one.name, one.role) for one in present]

    async with client(server.url) as other, desk(server.url, folder / "a.db") as amy:
        await write(other, entry(1))
        for text in (b"", b"garbage", b"[" * 10_000, b'{"desk":1}', b'{"desk":"x","role":"r","position":-1,"since":0}'):
            await other.publish("wfp.b.eve", text)
        await until(amy.feed.presence, lambda present: names(present) == [("amy", "operator")])
        async with desk(server.url, folder / "b.db", "bob") as bob:
            both = [("amy", "operator"), ("bob", "operator")]
            await until(amy.feed.presence, lambda present: names(present) == both)
            await until(bob.feed.presence, lambda present: names(present) == both and present[0].position == 1)
        await until(amy.feed.presence, lambda present: names(present) == both[:1])
        server.kill()
        await until(amy.feed.presence, lambda present: not present)


@story
async def test_a_server_that_falls_silent_is_noticed_and_nothing_is_lost(server, folder):  # noqa: F811
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subscription, "HEARTBEAT_S", 0.2)
        patch.setattr(subscription, "SILENCE_S", 0.5)
        patch.setattr(subscription, "OPEN_S", 0.5)
        patch.setattr(publisher, "ANSWER_S", 0.5)
        async with client(server.url), desk(server.url, folder / "a.db") as amy:
            await amy.enter(entry(0))
            await amy.reaches(1)
            os.kill(server.pid, signal.SIGSTOP)
            entries = [entry(n) for n in range(1, 200)]
            await amy.enter(*entries)
            await amy.says("offline")
            os.kill(server.pid, signal.SIGCONT)
            await amy.reaches(200)
            assert amy.ids()[1:] == [each.id for each in entries]


@pytest.mark.parametrize("rounds", [250, pytest.param(25_000, marks=[pytest.mark.long, pytest.mark.timeout(600)])])
def test_hostile_messages_are_set_apart_and_the_feed_goes_on(server, tmp_path, rounds):  # noqa: F811
    asyncio.run(hostile(server, tmp_path, rounds))


async def hostile(server, folder, rounds):  # noqa: F811
    """Four messages a round."""
    chance = random.Random(rounds)
    bodies = [chance.randbytes(chance.randrange(60)) for _ in range(rounds)]
    good = [wire.encode(BOARD, "bob", entry(n)) for n in range(rounds)]
    async with client(server.url) as other, desk(server.url, folder / "a.db") as amy:
        for n, (body, message) in enumerate(zip(bodies, good, strict=True)):
            cut = chance.randrange(len(message.body))
            await other.publish(message.subject, message.body[:cut] + body + message.body[cut:], headers={"ce-id": "x"})
            await other.publish("wf.b." + "e" * chance.randrange(1, 3900) + ".o.t", body)
            await other.publish("wf.b.%41.*.t".replace("*", chance.choice(["_", "%", "%5F", "é"])), body)
            send = other.jetstream(timeout=60).publish if n % 100 == 99 else other.publish  # not faster than the server
            await send(message.subject, message.body, headers={"Content-Type": body.hex()})
        last = entry(rounds)
        await write(other, last)
        await amy.reaches(4 * rounds + 1, 300)
        assert amy.ids()[-1] == last.id
        assert amy.database.quarantine.count() >= 2.9 * rounds
        assert amy.database.log.count() >= rounds


@story
async def test_lost_answers_double_nothing(server, folder):  # noqa: F811
    entries = [entry(n) for n in range(90)]
    async with client(server.url) as other, proxy(server.port) as line, desk(line.url, folder / "a.db") as amy:
        await amy.says("live")
        for first in (0, 30, 60):
            line.muted = True
            await amy.enter(*entries[first : first + 30])
            while (await other.jetstream().stream_info("WF_b")).state.messages < first + 30:
                """Each look is a round trip."""
            line.cut()
            line.muted = False
            await amy.reaches(first + 30)
        assert amy.ids() == [each.id for each in entries]
        assert (await other.jetstream().stream_info("WF_b")).state.messages == 90
        assert amy.database.outbox.count() == 0


@story
async def test_a_disk_that_is_full_is_told_and_asked_again(server, folder):  # noqa: F811
    async with client(server.url) as other, desk(server.url, folder / "a.db") as amy:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("dataflow.feeds.shared.receiver.DISK_S", 0.01)
            patch.setattr(amy.feed._mirror, "receive", failing(StoreFull(folder)))
            await write(other, entry(1))
            await amy.says("failed", "full")
            assert amy.feed.arrivals.value == 0
        await amy.reaches(1)
        await amy.says("live")


@story
async def test_an_event_that_the_store_can_not_hold_is_set_apart_alone(server, folder):  # noqa: F811
    entries = [entry(n) for n in range(20)]
    async with client(server.url) as other:
        for each in entries:
            await write(other, each)
        async with desk(server.url, folder / "a.db") as amy:
            receive = amy.feed._mirror.receive

            def picky(events, refused, cursor, origin):
                if entries[13] in [msgspec.structs.replace(without_position(each), authid="amy") for each in events]:
                    return failing(TooLarge(folder, "too big"))()
                return receive(events, refused, cursor, origin)

            amy.feed._mirror.receive = picky
            await amy.reaches(20)
            assert [event.position for event in amy.events()] == [n for n in range(1, 21) if n != 14]
            assert [item.origin for item in amy.database.quarantine.list()] == ["WF_b:14"]


@story
async def test_a_desk_far_behind_takes_everything_once_though_the_disk_fails_and_it_is_closed(server, folder):  # noqa: F811
    """Then batches are decoded while others are written."""
    entries = [entry(n, f"UA{n % 9}") for n in range(12_000)]
    async with client(server.url) as other:
        await Producer(other, BOARD, "bob").send(entries[:7000])
        await write(other, entry(0), body=b"garbage")
        await Producer(other, BOARD, "bob").send(entries[7000:])
        told = []
        for stop in (1, 2000, 6000, 12_001):
            async with desk(server.url, folder / "a.db") as amy:
                with pytest.MonkeyPatch.context() as patch:
                    mirror = amy.feed._mirror
                    patch.setattr("dataflow.feeds.shared.receiver.DISK_S", 0)
                    patch.setattr(mirror, "receive", now_and_then(StoreFull(folder), mirror.receive))
                    await amy.reaches(stop)
                told += amy.states
        assert any(said.state == "failed" for said in told)
        with Database.open(folder / "a.db") as store:
            events = [event for chunk in store.log.read() for event in chunk]
            assert [event.id for event in events] == [each.id for each in entries]
            assert [event.position for event in events] == [*range(1, 7001), *range(7002, 12_002)]
            assert [item.origin for item in store.quarantine.list()] == ["WF_b:7001"]


def now_and_then(error, receive):
    """Every third write fails."""
    turns = itertools.cycle((False, True, False))
    return lambda *given: failing(error)() if next(turns) else receive(*given)


def failing(error):
    """A write that the store refuses."""

    def fail(*_):
        future = Future()
        future.set_exception(error)
        return future

    return fail
