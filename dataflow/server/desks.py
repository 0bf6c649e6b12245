"""What `serve` does for desks: makes the consumers that bring them the log, and passes on who is there.

Who asks is told by the subject, `wfu.<board>.<name>.feed`, on which the user's account alone is let publish. The
configuration is ours: a desk says from where on, and how its consumer is called. Names are random, and "create" never
changes one that there is, so nobody gets at another's. On `wfs.<board>.feed`
those ask who are in the account of the log itself: admins, and everybody where there are no users.
"""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

import msgspec

from dataflow.nats import consumer, subjects
from dataflow.nats.consumer import Wanted
from dataflow.nats.tasks import cancel_until_done
from dataflow.server.quotas import Bucket

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.aio.msg import Msg

MOST = 64
"""Consumers of one user at the same time."""
_UNNAMED = "_"
_UNNAMED_MOST = 1024
_ASKING = 256
"""Requests that are dealt with at the same time."""
_ANSWER_S = 5.0
_BEAT = 1024
"""Bytes of what a desk says of itself."""
_BEATS, _BURST = 50, 200
_NAME = re.compile(r"[A-Za-z0-9]{16,64}", re.ASCII)
_UNHEARD_S = 30.0
"""A consumer goes when nobody has listened to it for so long."""
_wanted = msgspec.json.Decoder(Wanted)


class Desks:
    """Serves one connection to the account of the log after the other, from `begin` to `end`; `made` are the names of
    the consumers that it has made.
    """

    _client: Client

    def __init__(self, board: str) -> None:
        self.made: set[str] = set()
        self._board = board
        self._stream, self._token = subjects.stream(board), subjects.escaped(board)
        self._of: defaultdict[str, list[str]] = defaultdict(list)
        self._beats: defaultdict[str, Bucket] = defaultdict(lambda: Bucket(_BEATS, _BURST))
        self._tasks: set[asyncio.Task[None]] = set()

    async def begin(self, client: Client) -> None:
        """Listen. Raises nats' errors."""
        self._client = client
        await self._client.subscribe(f"wfu.{self._token}.*.feed", cb=self._asked)
        await self._client.subscribe(subjects.feed(self._board), cb=self._asked)
        await self._client.subscribe(f"wfu.{self._token}.*.here", cb=self._pass_on)
        await self._client.flush()

    async def end(self) -> None:
        await cancel_until_done(self._tasks)

    async def _asked(self, message: Msg) -> None:
        if message.reply and len(self._tasks) < _ASKING:
            self._spawn(self._answer(message))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, message: Msg) -> None:
        from nats.errors import Error

        try:
            answer = await self._consumer(message)
        except Error as error:
            answer = _refusal(str(error) or "no answer")
        await self._client.publish(message.reply, answer)

    async def _consumer(self, message: Msg) -> bytes:
        user = self._user(message.subject)
        try:
            wanted = _wanted.decode(message.data)
        except msgspec.DecodeError:
            return _refusal("not a request for a consumer")
        if not _NAME.fullmatch(wanted.name) or not 0 < wanted.start < 2**63 or not 0.1 <= wanted.heartbeat_s <= 60:
            return _refusal("not a request for a consumer")
        if await self._too_many(user):
            return _refusal("too many desks of this user at once")
        return await self._make(user, wanted)

    async def _make(self, user: str, wanted: Wanted) -> bytes:
        name, deliver = wanted.name, self._delivery(user, wanted.name)
        if name in self.made:
            return _refusal("there is a consumer of this name")
        self.made.add(name)
        self._of[user].append(name)
        config = consumer.configuration(name, deliver, wanted.start, wanted.heartbeat_s, _UNHEARD_S)
        asked = {"stream_name": self._stream, "config": config, "action": "create"}
        return await self._ask(f"CONSUMER.CREATE.{self._stream}.{name}", asked)

    def _delivery(self, user: str, name: str) -> str:
        if user == _UNNAMED:
            return subjects.delivery(self._board, name)
        return f"wfu.{self._token}.{user}.to.{name}"

    async def _too_many(self, user: str) -> bool:
        """Those that nobody listens to go by themselves, and are forgotten here when it matters."""
        most = _UNNAMED_MOST if user == _UNNAMED else MOST
        if len(self._of[user]) < most:
            return False
        names = list(self._of[user])
        answers = await asyncio.gather(*(self._ask(f"CONSUMER.INFO.{self._stream}.{name}") for name in names))
        gone = {name for name, answer in zip(names, answers, strict=True) if b'"push_bound":true' not in answer}
        self._of[user] = [name for name in self._of[user] if name not in gone]
        self.made -= gone
        return len(self._of[user]) >= most

    async def _ask(self, request: str, body: dict[str, Any] | None = None) -> bytes:
        reply = await self._client.request(
            f"$JS.API.{request}", msgspec.json.encode(body) if body else b"", timeout=_ANSWER_S
        )
        return reply.data

    async def _pass_on(self, message: Msg) -> None:
        user = self._user(message.subject)
        if len(message.data) <= _BEAT and self._beats[user].take(1, asyncio.get_running_loop().time()):
            await self._client.publish(f"wfp.{self._token}.{user}", message.data)

    def _user(self, subject: str) -> str:
        """As it stands in subjects."""
        tokens = subject.split(".")
        return tokens[2] if len(tokens) == 4 else _UNNAMED


def _refusal(why: str) -> bytes:
    return msgspec.json.encode({"error": {"code": 400, "description": why}})
