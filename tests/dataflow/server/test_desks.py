"""What `serve` does for desks: whose consumer it makes, how many, and whose presence it passes on; without a server."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import msgspec
import pytest
from nats.errors import TimeoutError

from dataflow.nats import consumer
from dataflow.nats.consumer import Wanted
from dataflow.server import desks
from dataflow.server.desks import Desks
from tests.virtual_loop import run

ASKS, HERE, OWN = "wfu.b.amy.feed", "wfu.b.amy.here", "wfs.b.feed"


class Log:
    """A connection to the account of the log: what it is asked and what is published, and who listens."""

    def __init__(self):
        self.asked, self.published, self.listening = [], [], {}
        self.bound: dict[str, bool] = {}
        self.failure = None

    async def subscribe(self, subject, cb):
        self.listening[subject] = cb

    async def flush(self):
        """All is told."""

    async def publish(self, subject, data):
        self.published.append((subject, data))

    async def request(self, subject, payload, timeout):
        self.asked.append((subject.removeprefix("$JS.API."), msgspec.json.decode(payload) if payload else None))
        if self.failure is not None:
            raise self.failure
        name = subject.rpartition(".")[2]
        if ".CONSUMER.INFO." in subject:
            bound = b"true" if self.bound.get(name) else b"false"
            return SimpleNamespace(data=b'{"push_bound":%b}' % bound)
        self.bound[name] = True
        return SimpleNamespace(data=b'{"made":1}')

    async def hear(self, subject, data=b"", reply="_INBOX.x"):
        pattern = next(each for each in self.listening if fits(each, subject))
        await self.listening[pattern](SimpleNamespace(subject=subject, data=data, reply=reply))
        await asyncio.sleep(0.01)

    def answers(self):
        return [msgspec.json.decode(data) for subject, data in self.published if subject == "_INBOX.x"]


def fits(pattern, subject):
    both = list(zip(pattern.split("."), subject.split("."), strict=False))
    return pattern.count(".") == subject.count(".") and all(one in ("*", other) for one, other in both)


def story(function):
    """A coroutine function as a test, with a log that is served to desks."""

    def test():
        async def main():
            log, served = Log(), Desks("b")
            await served.begin(log)
            await function(log, served)
            await served.end()

        run(main())

    test.__name__ = function.__name__
    return test


def wanted(number, start=1, heartbeat_s=2.0):
    return msgspec.json.encode(Wanted(f"{number:022}", start, heartbeat_s))


@story
async def test_a_users_consumer_delivers_to_the_user_and_is_configured_here(log, served):
    await log.hear(ASKS, wanted(7, start=42, heartbeat_s=3.0))
    name = f"{7:022}"
    config = consumer.configuration(name, f"wfu.b.amy.to.{name}", 42, 3.0, 30.0)
    asked = {"stream_name": "WF_b", "config": config, "action": "create"}
    assert log.asked == [(f"CONSUMER.CREATE.WF_b.{name}", asked)]
    assert log.answers() == [{"made": 1}]
    assert served.made == {name}


@story
async def test_who_is_in_the_account_of_the_log_has_the_plain_way(log, served):
    await log.hear(OWN, wanted(7))
    assert log.asked[0][1]["config"]["deliver_subject"] == f"wfs.b.to.{7:022}"


@story
async def test_nobody_gets_at_a_consumer_that_there_is(log, served):
    await log.hear(ASKS, wanted(7))
    await log.hear("wfu.b.eve.feed", wanted(7))
    assert log.answers()[1]["error"]["description"] == "there is a consumer of this name"
    assert len(log.asked) == 1


@pytest.mark.parametrize("wrong", [
    b"", b"garbage", b"[]", b'{"name":"short","start":1,"heartbeat_s":2}', wanted(1, start=0), wanted(1, start=2**63),
    wanted(1, heartbeat_s=0.09), wanted(1, heartbeat_s=60.1),
    msgspec.json.encode(Wanted("a" * 15, 1, 2.0)), msgspec.json.encode(Wanted("a" * 65, 1, 2.0)),
    msgspec.json.encode(Wanted("a" * 20 + "*", 1, 2.0)),
])  # fmt: skip
def test_a_wish_that_is_none_is_refused(wrong):
    @story
    async def check(log, served):
        await log.hear(ASKS, wrong)
        assert log.answers() == [{"error": {"code": 400, "description": "not a request for a consumer"}}]
        assert (log.asked, served.made) == ([], set())

    check()


@pytest.mark.parametrize("right", [
    wanted(1, start=2**63 - 1), wanted(1, heartbeat_s=0.1), wanted(1, heartbeat_s=60),
    msgspec.json.encode(Wanted("a" * 16, 1, 2.0)), msgspec.json.encode(Wanted("Z" * 64, 1, 2.0)),
])  # fmt: skip
def test_a_wish_at_the_edge_is_granted(right):
    @story
    async def check(log, served):
        await log.hear(ASKS, right)
        assert log.answers() == [{"made": 1}]

    check()


@story
async def test_what_wants_no_answer_gets_none(log, served):
    await log.hear(ASKS, wanted(1), reply="")
    assert (log.asked, log.published) == ([], [])


@story
async def test_one_user_has_so_many_and_those_that_nobody_listens_to_are_forgotten(log, served):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(desks, "MOST", 3)
        for number in range(3):
            await log.hear(ASKS, wanted(number))
        await log.hear(ASKS, wanted(3))
        assert log.answers()[-1]["error"]["description"] == "too many desks of this user at once"
        await log.hear("wfu.b.eve.feed", wanted(4))
        assert log.answers()[-1] == {"made": 1}, "each user has as many"
        log.bound[f"{1:022}"] = False
        await log.hear(ASKS, wanted(5))
        assert log.answers()[-1] == {"made": 1}
        assert served.made == {f"{number:022}" for number in (0, 2, 4, 5)}
        await log.hear(ASKS, wanted(6))
        assert "error" in log.answers()[-1]


@story
async def test_a_server_that_does_not_answer_is_told_to_who_asked(log, served):
    log.failure = TimeoutError()
    await log.hear(ASKS, wanted(1))
    assert "timeout" in log.answers()[0]["error"]["description"]


@story
async def test_presence_is_passed_on_under_ones_own_name_as_long_as_it_is_no_flood(log, served):
    await log.hear(HERE, b"x" * 1024)
    assert log.published == [("wfp.b.amy", b"x" * 1024)]
    await log.hear(HERE, b"x" * 1025)
    assert len(log.published) == 1
    for _ in range(300):
        await log.listening["wfu.b.*.here"](SimpleNamespace(subject=HERE, data=b"y", reply=""))
    assert 195 <= len(log.published) <= 205, "so many at once"
    before = len(log.published)
    await asyncio.sleep(1)
    for _ in range(100):
        await log.listening["wfu.b.*.here"](SimpleNamespace(subject=HERE, data=b"y", reply=""))
    assert 45 <= len(log.published) - before <= 55, "and so many a second"
    await log.hear("wfu.b.eve.here", b"z")
    assert log.published[-1] == ("wfp.b.eve", b"z")


def test_what_is_being_done_ends_with_the_connection():
    async def main():
        log, served = Log(), Desks("b")
        waits = asyncio.Event()

        async def never(*_, **__):
            await waits.wait()

        log.request = never
        await served.begin(log)
        await log.hear(ASKS, wanted(1))
        await asyncio.wait_for(served.end(), 1)
        assert log.published == []

    run(main())
