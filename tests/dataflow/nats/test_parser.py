"""What comes over a connection, however it is cut into reads: every operation once, in order, as nats-py takes it."""

from __future__ import annotations

import asyncio
import random

import pytest
from nats.errors import ProtocolError
from nats.protocol import parser

from dataflow.feeds.shared.subscription import Gap, Subscription
from dataflow.nats import wire
from dataflow.nats.connection import Connection
from dataflow.nats.parser import Parser
from tests.dataflow.feeds.shared.logs import entry

SID = 7
NAME = "abc"
INBOX = "_INBOX.xyz"


def message(number: int, *, sid: int = SID, subject: str | None = None, headers=None, body=None) -> bytes:
    """As a server delivers the event `number` of a stream."""
    made = wire.encode("b", "amy", entry(number))
    body = made.body if body is None else body
    lines = [f"{name}: {value}\r\n".encode() for name, value in (made.headers if headers is None else headers).items()]
    head = b"NATS/1.0\r\n%b\r\n" % b"".join(lines) if lines else b""
    reply = f"$JS.ACK.WF_b.{NAME}.1.{number + 100}.{number}.1700000000123456789.{9 - number}"
    sizes = f"{len(head)} {len(head) + len(body)}" if lines else str(len(body))
    line = f"{'H' if lines else ''}MSG {subject or made.subject} {sid} {reply} {sizes}\r\n"
    return line.encode() + head + body + b"\r\n"


class Client:
    """What a parser tells of, in order."""

    def __init__(self) -> None:
        self.told: list[object] = []

    async def _process_msg(self, sid, subject, reply, data, headers):
        self.told.append((sid, subject, reply, data, headers))

    async def _process_err(self, text):
        self.told.append(text)

    async def _process_ping(self):
        self.told.append("ping")

    async def _process_pong(self):
        self.told.append("pong")

    async def _process_info(self, info):
        self.told.append(info)


OPERATIONS = [
    message(1), b"PING\r\n", message(2, headers={}), b"+OK\r\n", message(3, sid=8), b"PONG\r\n",
    message(4, body=b"\r\nPING\r\nHMSG x 7 1 1\r\n" * 9), b"-ERR 'Permissions Violation'\r\n",
    b'INFO {"server_id":"x"}\r\n', message(5, headers={"Status": "x"}, body=b""), message(6, subject="wf.b.%C3%A9._.x"),
]  # fmt: skip


def cut(data: bytes, seed: int) -> list[bytes]:
    chance = random.Random(seed)
    places = sorted(chance.sample(range(1, len(data)), chance.randrange(1, 40)))
    return [data[begin:end] for begin, end in zip([0, *places], [*places, len(data)], strict=True)]


@pytest.mark.parametrize("seed", range(30))
def test_it_tells_what_nats_own_parser_tells(seed):
    async def told(make) -> list[object]:
        client = Client()
        made = make(client)
        for part in cut(b"".join(OPERATIONS), seed):
            await made.parse(part)
        assert not getattr(made, "waits", False)
        return client.told

    assert asyncio.run(told(Parser)) == asyncio.run(told(parser.Parser))


@pytest.mark.parametrize("seed", range(30))
def test_a_subscription_gets_its_messages_in_order_by_the_short_way_and_the_long_one(seed):
    async def taken():
        subscription, client = fresh()
        for part in cut(b"".join(OPERATIONS[:2] + OPERATIONS[2:3] + [message(3), *OPERATIONS[6:]]), seed):
            await client._ps.parse(part)
        return await subscription.take(100)

    one, two, *others = asyncio.run(taken())
    assert [one.sequence, two.sequence, *(each.sequence for each in others)] == [101, 102, 103, 104, 105, 106]
    assert (one.time, one.behind, one.headers) == (1_700_000_000_123_456, 8, wire.STRUCTURED)
    assert (two.time, two.behind, two.headers) == (1_700_000_000_123_456, 7, None)
    assert wire.decode("b", one.subject, one.headers, one.body, 1) == wire.decode("b", one.subject, {}, one.body, 1)
    assert others[-1].subject == "wf.b.%C3%A9._.x"


def test_a_number_left_out_is_a_gap_and_nothing_after_it_is_taken():
    async def taken():
        subscription, client = fresh()
        await client._ps.parse(message(1) + message(3) + message(4))
        assert [each.sequence for each in await subscription.take(100)] == [101]
        with pytest.raises(Gap):
            await subscription.take(100)

    asyncio.run(taken())


def test_flow_control_is_answered_once_what_came_before_is_taken():
    async def told():
        subscription, client = fresh()
        answers = []

        async def publish(subject):
            answers.append(subject)

        client.publish = publish
        asked = b"HMSG %b %d $JS.FC.WF_b.abc.1 %d %d\r\nNATS/1.0 100 FlowControl Request\r\n\r\n\r\n"
        asked %= INBOX.encode(), SID, 36, 36
        await client._ps.parse(message(1) + message(2) + asked + message(3))
        await subscription.take(1)
        assert answers == []
        await subscription.take(1)
        assert answers == ["$JS.FC.WF_b.abc.1"]

    asyncio.run(told())


@pytest.mark.parametrize("reply", ["x", "$JS.ACK", "$JS.ACK.s.c.1.².1.1.1", f"$JS.ACK.s.c.1.{'9' * 5000}.1.1.1"])
def test_a_message_that_the_server_did_not_deliver_is_nothing(reply):
    async def taken():
        subscription, client = fresh()
        await client._ps.parse(b"MSG wf.b.x._.y %d %b 1\r\n1\r\n" % (SID, reply.encode()) + message(1))
        return [each.sequence for each in await subscription.take(9)]

    assert asyncio.run(taken()) == [101]


def fresh():
    """A subscription that is open already, and the client that it listens to."""
    connection = Connection(lambda: None, lambda _: None)
    subscription = Subscription(connection, "WF_b")
    subscription.name, subscription._place = NAME, INBOX
    subscription._receive(SID)
    connection.client._subs[SID] = connection.client._subs[8] = None

    async def nothing(*_):
        """A greeting, a ping or an error is not what this is about."""

    for name in ("_process_ping", "_process_pong", "_process_info", "_process_err"):
        setattr(connection.client, name, nothing)
    return subscription, connection.client


@pytest.mark.parametrize("line", [b"HMSG x 1 y z\r\n", b"MSG\r\n", b"what is this\r\n", b"HMSG a b 5 4\r\nNATS/\r\n"])
def test_what_is_no_operation_ends_reading(line):
    async def told():
        with pytest.raises(ProtocolError):
            await Parser(Client()).parse(line)

    asyncio.run(told())
