"""The audit of a subscription: is what came all that the log holds, and is the consumer still as it was made?

Every `CHECK_S`, and soon after a doubt, stream and consumer are asked for by requests of our own. A consumer that was
changed, or is gone, is given up at once; so is a subscription that does not reach the stream's last message although
nothing has come for `GRACE_S`. Whoever blinds a desk is found out by one or the other, whatever heartbeats say.

On a slow line answers wait behind what was sent before, in both directions: while messages come, or a part of one, or
while what waits here has not been taken, nothing is overdue; nor before a line of 16 kB/s has carried what we sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from nats.errors import NoRespondersError

from dataflow.feeds.shared.subscription import Gap, Lost
from dataflow.nats import consumer

if TYPE_CHECKING:
    from dataflow.feeds.shared.empty_positions import EmptyPositions
    from dataflow.feeds.shared.subscription import Subscription
    from dataflow.feeds.shared.tampering import Tampering
    from dataflow.nats.connection import Connection

CHECK_S = 2.0
GRACE_S = 2.0
SOONEST_S = 0.5
"""Between two checks, however much there is to doubt."""
UNANSWERED_S = 8.0
LOOK_S = 0.2
FOREVER_S = 86_400.0
UNAVAILABLE = 503

T = TypeVar("T")


class Audit:
    """Of one subscription. `verify` gives the stream's last sequence; it raises where an answer about the stream is not
    of the log that the store mirrors up to the `cursor` of before. `sent_s` tells how many seconds what we sent needs
    on a slow line.
    """

    def __init__(
        self,
        connection: Connection,
        subscription: Subscription,
        stream: str,
        empty: EmptyPositions,
        cursor: Callable[[], int],
        verify: Callable[[Mapping[str, Any], int], int],
        tampering: Tampering,
        sent_s: Callable[[], float],
    ) -> None:
        self._connection, self._subscription, self._stream = connection, subscription, stream
        self._empty, self._cursor, self._verify = empty, cursor, verify
        self._tampering, self._sent_s = tampering, sent_s
        self._loop = asyncio.get_running_loop()
        self._reached, self._moved = 0, self._loop.time()

    async def run(self) -> None:
        """As long as the subscription, which is told what ends it, by `fail`."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._watch_stream())
                group.create_task(self._watch_consumer())
        except* Exception as errors:  # noqa: BLE001 - whatever it is, it ends the subscription, whose reader tells it
            self._subscription.fail(errors.exceptions[0])

    async def explain(self) -> None:
        """After a gap: was it somebody's doing? Raises `Gap` that says so."""
        await self._check_consumer(GRACE_S)

    async def _watch_stream(self) -> None:
        while True:
            cursor = self._cursor()
            last = self._verify(await self._stream_info(), cursor)
            self._subscription.goal = max(self._subscription.goal, last)
            await self._reach(last)
            await self._rest()

    async def _watch_consumer(self) -> None:
        while True:
            await self._check_consumer(consumer.ANSWER_S)
            await asyncio.sleep(CHECK_S)
            self._tampering.foreign(self._subscription.foreign)
            self._subscription.foreign = 0
            self._tampering.forget()

    async def _rest(self) -> None:
        await asyncio.sleep(SOONEST_S)
        with suppress(TimeoutError):
            async with asyncio.timeout(CHECK_S - SOONEST_S):
                await self._subscription.doubted.wait()
        self._subscription.doubted.clear()

    async def _stream_info(self) -> Mapping[str, Any]:
        """What the stream says of itself. While nobody can say it, as while a cluster chooses who may, ask again."""
        begin = self._loop.time()
        while True:
            answer = await self._answer(self._ask(f"STREAM.INFO.{self._stream}", FOREVER_S))
            if (answer.get("error") or {}).get("code") != UNAVAILABLE:
                return answer
            if self._loop.time() - begin > UNANSWERED_S:
                raise Lost("the server can't say now how far its log is")
            await asyncio.sleep(LOOK_S)

    async def _check_consumer(self, timeout: float) -> None:
        """An identity that may not ask goes without: what is missing is found out in any case."""
        try:
            answer = await self._ask(f"CONSUMER.INFO.{self._stream}.{self._subscription.name}", timeout)
        except TimeoutError:
            return
        if consumer.code(answer) == consumer.GONE:
            raise Gap("the server has no subscription of this desk any more")
        if not answer.get("error") and (changed := consumer.changes(self._subscription.consumer, answer)):
            self._tampering.changed(", ".join(changed))
            raise Gap(f"somebody changed this desk's subscription ({', '.join(changed)})")

    async def _reach(self, last: int) -> None:
        """Until all up to the stream's last message has come, or nothing comes any more."""
        self._moved = self._loop.time()
        while self._subscription.reached < last:
            if self._still_s() > GRACE_S:
                if not await self._answer(self._empty.find_held(self._subscription.reached + 1, last)):
                    self._subscription.end_here()
                    return
                if self._still_s() > GRACE_S:
                    await self._check_consumer(GRACE_S)
                    raise Gap("the log has more than the server delivers")
            await asyncio.sleep(LOOK_S)

    def _still_s(self) -> float:
        """For how long nothing has come, though nothing that came waits to be taken."""
        now, reached = self._loop.time(), self._subscription.reached
        if reached != self._reached or self._subscription.waiting:
            self._reached, self._moved = reached, now
        return now - max(self._moved, self._connection.heard_of_message)

    async def _ask(self, request: str, timeout: float) -> dict[str, Any]:
        try:
            return await consumer.ask(self._connection.client, request, None, timeout)
        except NoRespondersError:
            return {"error": {"code": UNAVAILABLE}}

    async def _answer(self, question: Coroutine[Any, Any, T]) -> T:
        """What is answered, for which it is waited as long as anything comes."""
        asked = self._loop.time()
        task = asyncio.create_task(question)
        try:
            while not (await asyncio.wait({task}, timeout=LOOK_S))[0]:
                waited = min(self._still_s(), self._loop.time() - asked)
                if waited > UNANSWERED_S + self._sent_s():
                    raise Lost("the server does not say how far its log is")
            return task.result()
        finally:
            task.cancel()
