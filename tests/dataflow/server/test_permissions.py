"""Each role against a real server: who may enter what, and that everybody can read."""

from __future__ import annotations

import asyncio
import json
import socket

import pytest

from dataflow.feeds import paths, subjects
from dataflow.feeds.paths import Misread
from dataflow.server import streams
from dataflow.server.identities import new_seed, public_key
from dataflow.server.permissions import permitted
from tests.nats import make_server  # noqa: F401

BOARD = "ops-1"
STREAM = subjects.stream(BOARD)
NAMES = {"vee": "viewer", "O'Neil. *>": "operator", "boss": "admin"}
OPERATOR = "O'Neil. *>"
TIMEOUT = 5


class Desk:
    """A connection by a user's key, which hears of every violation."""

    def __init__(self, url: str, seed: str) -> None:
        self._url, self._seed = url, seed
        self.violations: asyncio.Queue[str] = asyncio.Queue()

    async def __aenter__(self) -> Desk:
        import nats

        async def hear(error: Exception) -> None:
            self.violations.put_nowait(str(error))

        self.nats = await nats.connect(self._url, nkeys_seed_str=self._seed, error_cb=hear)
        return self

    async def __aexit__(self, *_) -> None:
        await self.nats.close()

    async def publish(self, operator: str, *, entity: str = "UA1", type: str = "flight.held") -> int:
        subject = subjects.encode(BOARD, entity, operator, type)
        return (await self.nats.jetstream().publish(subject, b"{}", timeout=TIMEOUT)).seq

    async def forbidden(self, subject: str, body: bytes = b"", reply: str = "") -> None:
        await self.nats.publish(subject, body, reply=reply)
        said = await asyncio.wait_for(self.violations.get(), TIMEOUT)
        assert "permissions violation" in said
        assert subject.lower() in said.lower()

    async def read(self, count: int) -> list[str]:
        """By an ordered push consumer."""
        subscription = await self.nats.jetstream().subscribe(
            subjects.everything(BOARD), stream=STREAM, ordered_consumer=True
        )
        found = [(await subscription.next_msg(TIMEOUT)).subject for _ in range(count)]
        await subscription.unsubscribe()
        return found


@pytest.fixture
def as_users(make_server):  # noqa: F811
    """Run a coroutine function with a desk for each of its roles: `as_users(main)` calls main(vee, operator, boss)."""
    seeds = {name: new_seed() for name in NAMES}
    users = tuple(permitted(role, BOARD, name, public_key(seeds[name])) for name, role in NAMES.items())
    server = make_server(users=users).start()

    async def run(main):
        async with (Desk(server.url, seeds["vee"]) as vee, Desk(server.url, seeds[OPERATOR]) as operator,
                    Desk(server.url, seeds["boss"]) as boss):  # fmt: skip
            await streams.ensure(boss.nats, BOARD)
            await main(vee, operator, boss)

    return lambda main: asyncio.run(run(main))


def test_authorship_is_proved_by_the_server(as_users):
    async def main(vee, operator, boss):
        assert await operator.publish(OPERATOR) == 1
        assert await operator.publish(OPERATOR, entity="UA 1.*>", type="a.b.c") == 2
        assert await boss.publish("boss") == 3
        assert await operator.publish(OPERATOR, type="entry.withdrawn") == 4
        await operator.forbidden(subjects.encode(BOARD, "UA1", "boss", "entry.withdrawn"))
        await vee.forbidden(subjects.encode(BOARD, "UA1", "vee", "entry.withdrawn"))
        for desk in (vee, operator):
            for name in ("boss", "vee" if desk is operator else OPERATOR, "O", OPERATOR + "2", ""):
                await desk.forbidden(subjects.encode(BOARD, "UA1", name, "flight.held"))
            await desk.forbidden(subjects.encode("other", "UA1", OPERATOR, "flight.held"))
            await desk.forbidden(subjects.presence(BOARD, "boss"))
        await vee.forbidden(subjects.encode(BOARD, "UA1", "vee", "flight.held"))
        assert (await streams.find(boss.nats, BOARD)).last == 4
        assert vee.violations.empty()
        assert operator.violations.empty()

    as_users(main)


def test_everybody_reads_and_tells_that_they_are_there(as_users):
    async def main(vee, operator, boss):
        written = [await operator.publish(OPERATOR, entity=str(number)) for number in range(20)]
        there = await vee.nats.subscribe(subjects.everybody(BOARD))
        await vee.nats.flush()
        for desk, name in ((vee, "vee"), (operator, OPERATOR), (boss, "boss")):
            assert len(await desk.read(20)) == len(written)
            assert (await streams.find(desk.nats, BOARD)).last == 20
            await desk.nats.publish(subjects.presence(BOARD, name))
            assert subjects.operator_of(BOARD, (await there.next_msg(TIMEOUT)).subject) == name
            assert desk.violations.empty()

    as_users(main)


def test_nobody_but_an_admin_changes_the_log(as_users):
    async def main(vee, operator, boss):
        await operator.publish(OPERATOR)
        for desk in (vee, operator):
            for request in ("STREAM.DELETE", "STREAM.UPDATE", "STREAM.PURGE", "STREAM.MSG.DELETE", "STREAM.CREATE"):
                await desk.forbidden(f"$JS.API.{request}.{STREAM}")
            await desk.forbidden("$SYS.REQ.SERVER.PING")
        assert (await streams.find(boss.nats, BOARD)).last == 1

    as_users(main)


def test_no_event_is_copied_under_another_name(as_users):
    """The server sends stored messages to subjects that the asker names: those ways are closed."""

    async def main(vee, operator, boss):
        await operator.publish(OPERATOR)
        victim = subjects.encode(BOARD, "UA1", "boss", "flight.held")
        for desk in (vee, operator):
            await desk.forbidden(f"$JS.API.CONSUMER.MSG.NEXT.{STREAM}.c", b"1", reply=victim)
            await desk.forbidden(f"$JS.API.DIRECT.GET.{STREAM}", b'{"seq":1}', reply=victim)
            await desk.forbidden(f"$JS.ACK.{STREAM}.c.1.1.1.1.0", b"+NXT", reply=victim)
            config = {"name": "c", "ack_policy": "none", "deliver_policy": "all", "deliver_subject": victim}
            answer = await desk.nats.request(
                f"$JS.API.CONSUMER.CREATE.{STREAM}.c", json.dumps({"stream_name": STREAM, "config": config}).encode(),
                timeout=TIMEOUT,
            )  # fmt: skip
            assert "cycle" in json.loads(answer.data)["error"]["description"]
        assert (await streams.find(boss.nats, BOARD)).last == 1

    as_users(main)


def test_nobody_but_an_admin_speaks_as_a_device_and_everybody_hears_it(as_users):
    async def main(vee, operator, boss):
        await streams.ensure(boss.nats, BOARD, sources=("tele.*.SENSOR",))
        for desk in (vee, operator):
            await desk.forbidden("tele.kitchen.SENSOR", b"{}")
        await operator.nats.publish(f"$JS.API.STREAM.INFO.{STREAM}", reply="tele.kitchen.SENSOR")
        async with asyncio.timeout(TIMEOUT):  # the server answers when it comes to it
            while not (await boss.nats.jetstream().stream_info(STREAM)).state.messages:
                await asyncio.sleep(0)
        assert (await boss.nats.jetstream().publish("tele.kitchen.SENSOR", b"{}", timeout=TIMEOUT)).seq == 2
        for desk in (vee, operator):
            heard = await desk.nats.jetstream().subscribe("tele.>", stream=STREAM, ordered_consumer=True)
            answer, message = [await heard.next_msg(TIMEOUT) for _ in range(2)]
            assert message.data == b"{}"
            with pytest.raises(Misread, match="an answer of the server's"):
                paths.message(answer.data)

    as_users(main)


@pytest.mark.parametrize(
    "who", [{}, {"nkey": public_key(new_seed()), "sig": "A" * 86}, {"user": "vee", "pass": "x"}, {"auth_token": "x"}]
)
def test_without_a_key_nobody_gets_in(make_server, who):  # noqa: F811
    server = make_server(users=(permitted("viewer", BOARD, "vee", public_key(new_seed())),)).start()
    with socket.create_connection(("127.0.0.1", server.port), TIMEOUT) as connection:
        connection.sendall(b"CONNECT " + json.dumps({"verbose": False} | who).encode() + b"\r\nPING\r\n")
        lines = connection.makefile("rb").readlines()
    assert lines[0].startswith(b"INFO ")
    assert lines[1:] == [b"-ERR 'Authorization Violation'\r\n"]
