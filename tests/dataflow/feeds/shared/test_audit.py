"""The audit in virtual time: what a stream and a consumer say, and when a subscription is given up."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest
from nats.errors import NoRespondersError

from dataflow.feeds.shared import audit
from dataflow.feeds.shared.audit import CHECK_S, GRACE_S, LOOK_S, SOONEST_S, UNANSWERED_S, Audit
from dataflow.feeds.shared.empty_positions import EmptyPositions
from dataflow.feeds.shared.subscription import Gap, Lost
from dataflow.feeds.shared.tampering import Tampering
from dataflow.nats import consumer
from tests.virtual_loop import run

CONFIG = {"name": "me", "deliver_subject": "x"}


class Stage:
    """A subscription that has reached a sequence, a stream that ends at one, and a consumer; what the audit asks."""

    def __init__(self, monkeypatch):
        self.loop = asyncio.get_running_loop()
        self.began = self.loop.time()
        self.subscription = SimpleNamespace(
            goal=0, foreign=0, reached=5, waiting=0, name="me", doubted=asyncio.Event(), failure=None, ended=False,
            consumer=consumer.Made(CONFIG, "then", 0), fail=self.fail, end_here=self.end_here,
        )  # fmt: skip
        self.connection = SimpleNamespace(client=object(), heard_of_message=0.0)
        self.last, self.silent, self.unavailable = 5, False, 0
        self.consumer = {"config": CONFIG, "created": "then"}
        self.deleted, self.asked, self.told, self.sent_s = [], [], [], 0.0
        self.failed_after = None
        monkeypatch.setattr(consumer, "ask", self.ask)
        empty = EmptyPositions(self.describe, lambda _: None)
        self.audit = Audit(
            self.connection, self.subscription, "WF_b", empty, lambda: 5, lambda answer, cursor: self.last,
            Tampering(self.told.append, self.loop.time), lambda: self.sent_s,
        )  # fmt: skip

    def fail(self, failure):
        if self.subscription.failure is None:
            self.subscription.failure, self.failed_after = failure, self.loop.time() - self.began

    def end_here(self):
        self.subscription.ended = True
        self.subscription.reached = self.last

    async def describe(self):
        return {"state": {"first_seq": 1, "deleted": self.deleted}}

    async def ask(self, client, request, body=None, timeout=0.0):
        self.asked.append((round(self.loop.time() - self.began, 3), request))
        if self.silent:
            async with asyncio.timeout(timeout):
                await asyncio.sleep(timeout + 1)
        if self.unavailable:
            self.unavailable -= 1
            if self.unavailable % 2:
                raise NoRespondersError
            return {"error": {"code": 503}}
        return self.consumer if request.startswith("CONSUMER") else {"state": {}}

    async def runs(self, seconds):
        task = asyncio.create_task(self.audit.run())
        await asyncio.sleep(seconds)
        task.cancel()
        await asyncio.wait([task])
        return self.subscription.failure

    def times(self, request):
        return [at for at, each in self.asked if each == request]


def story(function):
    """A coroutine function as a test with a stage."""

    def test(monkeypatch):
        async def main():
            await function(Stage(monkeypatch))

        run(main())

    test.__name__ = function.__name__
    return test


@story
async def test_all_is_well_and_is_asked_for_now_and_then(stage):
    assert await stage.runs(4 * CHECK_S + 0.1) is None
    assert stage.times("STREAM.INFO.WF_b") == [0, 2, 4, 6, 8]
    assert stage.times("CONSUMER.INFO.WF_b.me") == [0, 2, 4, 6, 8]
    assert stage.subscription.goal == 5
    assert stage.told == []


@story
async def test_a_doubt_is_looked_at_soon_but_not_without_end(stage):
    async def doubt():
        while True:
            stage.subscription.doubted.set()
            await asyncio.sleep(0.01)

    doubting = asyncio.create_task(doubt())
    await stage.runs(3.0)
    doubting.cancel()
    times = stage.times("STREAM.INFO.WF_b")
    assert 5 <= len(times) <= 3.0 / SOONEST_S + 1


@story
async def test_a_doubt_is_looked_at_once(stage):
    stage.subscription.doubted.set()
    await stage.runs(5)
    assert stage.times("STREAM.INFO.WF_b") == [0, SOONEST_S, SOONEST_S + CHECK_S, SOONEST_S + 2 * CHECK_S]


@story
async def test_a_log_that_has_more_than_comes_is_a_gap_after_some_grace(stage):
    stage.last = 9
    failure = await stage.runs(20)
    assert isinstance(failure, Gap)
    assert str(failure) == "the log has more than the server delivers"
    assert GRACE_S <= stage.failed_after <= GRACE_S + 3 * LOOK_S


@story
async def test_while_something_comes_or_waits_to_be_taken_nothing_is_overdue(stage):
    stage.last = 100
    task = asyncio.create_task(stage.runs(60))
    for _ in range(10):
        await asyncio.sleep(GRACE_S - 0.5)
        stage.subscription.reached += 1
    stage.subscription.waiting = 3
    await asyncio.sleep(10)
    stage.subscription.waiting = 0
    for _ in range(10):
        await asyncio.sleep(GRACE_S - 0.5)
        stage.connection.heard_of_message = stage.loop.time()
    stage.subscription.reached = 100
    assert await task is None


@story
async def test_what_the_stream_has_deleted_is_not_waited_for(stage):
    stage.last, stage.deleted = 8, [6, 7, 8]
    assert await stage.runs(20) is None
    assert stage.subscription.ended
    stage.subscription.ended = False


@story
async def test_what_was_deleted_in_between_does_not_hide_what_comes_after(stage):
    stage.last, stage.deleted = 8, [6, 7]
    assert isinstance(await stage.runs(20), Gap)
    assert not stage.subscription.ended


@pytest.mark.parametrize(
    ("change", "words", "told"),
    [
        ({"config": CONFIG | {"paused": 1}}, "somebody changed this desk's subscription (paused)", True),
        ({"created": "later"}, "somebody changed this desk's subscription (made anew)", True),
        ({"error": {"err_code": consumer.GONE}}, "the server has no subscription of this desk any more", False),
    ],
)
def test_a_consumer_that_is_not_as_it_was_made_is_given_up(monkeypatch, change, words, told):
    async def main():
        stage = Stage(monkeypatch)
        stage.consumer |= change
        failure = await stage.runs(1)
        assert (type(failure), str(failure)) == (Gap, words)
        assert bool(stage.told) == told
        with pytest.raises(Gap):
            await stage.audit.explain()

    run(main())


@story
async def test_an_identity_that_may_not_ask_goes_without(stage):
    stage.consumer = {"error": {"err_code": 1, "description": "not for you"}}
    assert await stage.runs(9) is None


@story
async def test_messages_that_are_not_the_logs_are_told(stage):
    stage.subscription.foreign = 3
    assert await stage.runs(CHECK_S + 0.1) is None
    assert stage.told == ["somebody sent 3 messages to this desk as if from the log; dropped"]
    assert stage.subscription.foreign == 0


@pytest.mark.parametrize("sent_s", [0.0, 30.0])
def test_a_server_that_does_not_answer_is_lost_when_the_line_has_had_its_time(monkeypatch, sent_s):
    async def main():
        stage = Stage(monkeypatch)
        stage.silent, stage.sent_s = True, sent_s
        failure = await stage.runs(100)
        assert (type(failure), str(failure)) == (Lost, "the server does not say how far its log is")
        assert UNANSWERED_S + sent_s <= stage.failed_after <= UNANSWERED_S + sent_s + 3 * LOOK_S

    run(main())


@story
async def test_while_messages_come_an_answer_may_be_late(stage):
    stage.silent = True
    task = asyncio.create_task(stage.runs(40))
    for _ in range(10):
        await asyncio.sleep(4)
        stage.subscription.reached += 1
    assert await task is None


@story
async def test_while_nobody_answers_for_the_stream_it_is_asked_again_for_a_time(stage):
    stage.unavailable = 10
    assert await stage.runs(10) is None
    stage.unavailable = 10**6
    stage.began = stage.loop.time()
    failure = await stage.runs(30)
    assert (type(failure), str(failure)) == (Lost, "the server can't say now how far its log is")
    assert UNANSWERED_S <= stage.failed_after <= UNANSWERED_S + 1


@story
async def test_an_answer_that_is_of_another_log_ends_the_subscription(stage):
    def verify(answer, cursor):
        raise ValueError(f"another log than at {cursor}")

    stage.audit._verify = verify
    assert str(await stage.runs(1)) == "another log than at 5"
    assert audit.UNAVAILABLE == 503
