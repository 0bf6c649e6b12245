"""A subscription in virtual time: opened, taken from, fallen silent; what comes is handed to it by the test."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import msgspec
import pytest

from dataflow.feeds.shared.subscription import HEARTBEAT_S, SILENCE_S, Gap, Lost, Subscription
from dataflow.nats.errors import StreamRefused
from tests.virtual_loop import run


class Line:
    """A connection to a server that makes consumers; `change` is what it makes otherwise."""

    def __init__(self, pending=0, change=(), error=None):
        self.client, self.served, self.lost = self, None, False
        self.heard = self.heard_of_message = 0.0
        self.pending, self.change, self.error = pending, dict(change), error
        self.published, self.unsubscribed = [], 0
        self.subscription = Subscription(self, "WF_b")

    def new_inbox(self):
        return "_INBOX.x"

    async def subscribe(self, subject):
        self._id = 1
        return self

    async def unsubscribe(self):
        self.unsubscribed += 1

    def bring(self, sid, tray):
        assert (sid, tray) == (1, self.subscription)

    async def publish(self, subject, data=b""):
        self.published.append(subject)

    async def request(self, subject, body, timeout):
        config = msgspec.json.decode(body)["config"]
        answer = {"config": config | self.change, "created": "then", "num_pending": self.pending}
        return SimpleNamespace(data=msgspec.json.encode(self.error or answer))

    def deliver(self, sequence, number, behind=0):
        reply = f"$JS.ACK.WF_b.{self.subscription.name}.1.{sequence}.{number}.1000.{behind}"
        message = SimpleNamespace(subject="wf.b.a.b.c", reply=reply, headers=None, data=b"x")
        self.subscription.put(message)

    def control(self, reply="", **headers):
        message = SimpleNamespace(subject="_INBOX.x", reply=reply, headers={"Status": "100", **headers}, data=b"")
        self.subscription.put(message)


def story(function):
    """A coroutine function as a test."""

    def test():
        run(function())

    test.__name__ = function.__name__
    return test


@story
async def test_it_is_caught_up_once_all_up_to_the_goal_was_taken():
    line = Line(pending=3)
    await line.subscription.open(5, 7)
    assert (line.subscription.reached, line.subscription.behind, line.subscription.caught_up) == (4, 3, False)
    line.deliver(5, 1, behind=2)
    line.deliver(6, 2, behind=1)
    assert (line.subscription.waiting, line.subscription.reached) == (2, 6)
    (first,) = await line.subscription.take(1)
    assert (first.sequence, first.time, first.subject, first.body) == (5, 1, "wf.b.a.b.c", b"x")
    assert (line.subscription.behind, line.subscription.caught_up) == (2, False)
    line.deliver(7, 3)
    assert [each.sequence for each in await line.subscription.take(10)] == [6, 7]
    assert (line.subscription.behind, line.subscription.caught_up, line.subscription.reached) == (0, True, 7)
    await line.subscription.close()
    assert line.unsubscribed == 1


@story
async def test_what_is_behind_is_the_more_of_what_both_say():
    line = Line()
    await line.subscription.open(1, 9)
    line.deliver(1, 1, behind=20)
    await line.subscription.take(10)
    assert line.subscription.behind == 20
    line.deliver(2, 2, behind=3)
    await line.subscription.take(10)
    assert line.subscription.behind == 7
    await line.subscription.close()


@story
async def test_nothing_to_come_is_caught_up_at_once():
    line = Line()
    await line.subscription.open(8, 7)
    assert line.subscription.caught_up
    await line.subscription.close()
    one = Line()
    await one.subscription.open(7, 7)
    assert not one.subscription.caught_up, "the last one is still to come"
    await one.subscription.close()


@story
async def test_a_stream_that_ends_in_holes_is_caught_up_when_that_is_found():
    line = Line()
    await line.subscription.open(1, 7)
    line.subscription.end_here()
    assert await line.subscription.take(5) == []
    assert (line.subscription.caught_up, line.subscription.behind) == (True, 0)
    await line.subscription.close()


@story
async def test_a_server_that_makes_another_or_none_is_no_subscription():
    with pytest.raises(Gap, match=r"another subscription than was asked for \(headers_only\)"):
        await Line(change={"headers_only": True}).subscription.open(1, 1)
    with pytest.raises(StreamRefused, match="makes no subscription: too many"):
        await Line(error={"error": {"description": "too many"}}).subscription.open(1, 1)
    with pytest.raises(StreamRefused, match="no reason given"):
        await Line(error={"error": {"code": 1}}).subscription.open(1, 1)


@story
async def test_a_number_left_out_is_a_gap_after_what_came_before():
    line = Line()
    await line.subscription.open(1, 9)
    line.deliver(1, 1)
    line.deliver(3, 3)
    line.deliver(2, 2)
    assert [each.sequence for each in await line.subscription.take(9)] == [1]
    with pytest.raises(Gap, match="dropped on the way"):
        await line.subscription.take(9)
    await line.subscription.close()


@pytest.mark.parametrize(("anything", "failure"), [(False, Lost), (True, Gap)])
def test_silence_is_found_out(anything, failure):
    """The whole line is silent, or only this subscription."""

    async def main():
        line = Line()
        loop = asyncio.get_running_loop()
        await line.subscription.open(1, 9)
        began = loop.time()
        talking = asyncio.create_task(talk(line)) if anything else None
        with pytest.raises(failure):
            await line.subscription.take(9)
        assert SILENCE_S <= loop.time() - began <= SILENCE_S + 2 * HEARTBEAT_S
        await line.subscription.close()
        if talking:
            talking.cancel()

    run(main())


async def talk(line):
    while True:
        line.heard = asyncio.get_running_loop().time()
        await asyncio.sleep(1)


@pytest.mark.parametrize("sign", ["message", "heartbeat", "part of a message"])
def test_whatever_comes_is_a_sign_of_life(sign):
    async def main():
        line = Line()
        await line.subscription.open(1, 99)
        for number in range(1, 20):
            await asyncio.sleep(SILENCE_S - 1)
            if sign == "message":
                line.deliver(number, number)
            elif sign == "heartbeat":
                line.control(**{"Nats-Last-Consumer": "0"})
            else:
                line.heard_of_message = asyncio.get_running_loop().time()
        assert line.subscription._failure is None
        assert not line.subscription.doubted.is_set()
        await line.subscription.close()

    run(main())


@story
async def test_a_heartbeat_that_names_more_than_came_is_a_doubt():
    line = Line()
    await line.subscription.open(1, 99)
    line.deliver(1, 1)
    line.control(**{"Nats-Last-Consumer": "1"})
    assert not line.subscription.doubted.is_set()
    line.control(**{"Nats-Last-Consumer": "2"})
    assert line.subscription.doubted.is_set()
    await line.subscription.close()


@story
async def test_flow_control_is_answered_when_what_came_before_was_taken_and_only_where_it_belongs():
    line = Line()
    await line.subscription.open(1, 99)
    own = f"$JS.FC.WF_b.{line.subscription.name}.1"
    line.deliver(1, 1)
    line.control(reply=own)
    line.control(reply="$JS.FC.WF_b.other.1")
    line.control(**{"Nats-Consumer-Stalled": "anywhere"})
    assert (line.published, line.subscription.foreign) == ([], 2)
    await line.subscription.take(9)
    assert line.published == [own]
    line.deliver(2, 2)
    line.control(reply=own + "2")
    await line.subscription.take(9)
    assert line.published == [own, own + "2"]
    await line.subscription.close()


@story
async def test_what_the_server_did_not_deliver_is_foreign():
    line = Line()
    await line.subscription.open(1, 99)
    for reply in ("", "$JS.ACK.WF_b.other.1.1.1.1.1", "$JS.ACK.WF_c.x.1.1.1.1.1", "$JS.ACK.WF_b"):
        message = SimpleNamespace(subject="wf.b.a.b.c", reply=reply, headers=None, data=b"x")
        line.subscription.put(message)
    assert (line.subscription.foreign, line.subscription.waiting) == (4, 0)
    longer = f"$JS.ACK.domain.account.WF_b.{line.subscription.name}.1.4.1.9000.5.token"
    line.subscription.put(SimpleNamespace(subject="wf.b.a.b.c", reply=longer, headers=None, data=b"x"))
    (one,) = await line.subscription.take(9)
    assert (one.sequence, one.time, one.behind) == (4, 9, 5)
    await line.subscription.close()


@story
async def test_what_fails_first_is_what_is_raised_and_what_is_left_out_is_not_given():
    line = Line()
    await line.subscription.open(1, 99)
    line.deliver(1, 1)
    line.subscription.leave_out("the server left out 2")
    line.subscription.fail(Lost("later"))
    with pytest.raises(Gap, match="left out 2"):
        await line.subscription.take(9)
    line.lost = True
    with pytest.raises(Lost):
        await line.subscription.take(9)
    await line.subscription.close()
    assert line.unsubscribed == 0, "nobody hears it"
