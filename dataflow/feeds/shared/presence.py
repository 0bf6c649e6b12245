"""Who is on the board now: every desk says so every few seconds, beside the log, and nothing of it is kept.

The name is told by the subject, which the server's permissions prove, if the desk has published on it: what a consumer
delivers there comes under another subject, or says by a reply subject or headers who delivers it, and is nobody's. The
rest is what a desk says of itself, also how far behind it is: on a busy board its position is old when it is heard, and
would make everybody seem to lag. Who was not heard for `GONE_S` (10.5 seconds) is gone; a desk that closes says so at
once. A desk that is new is answered soon, so that it need not wait for the next round. One operator at several desks is
shown once: there since the first came, as far as the furthest.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from typing import Annotated
from uuid import uuid4

import msgspec
from msgspec import Meta
from nats.aio.msg import Msg
from reactivex.subject import BehaviorSubject

from dataflow.nats import subjects
from dataflow.nats.connection import Connection, as_coroutine
from dataflow.session import Present
from storage.errors import CloudEventError

BEAT_S = 3.0
GONE_S = 3.5 * BEAT_S
LOOK_S = 0.5
MOST = 1000
"""Desks that are told apart."""
MOST_OF_ONE = 16
"""Desks of one name: nobody can fill all places."""

_Text = Annotated[str, Meta(max_length=64)]
_Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]


class _Beat(msgspec.Struct):
    """What a desk says of itself; `gone` when it closes."""

    desk: _Text
    role: _Text
    position: _Count
    since: _Count
    behind: _Count = 0
    gone: bool = False


_beats = msgspec.json.Decoder(_Beat)


class Presence:
    """`how_far` tells the position that this desk shows and how many events it lacks; `since` when it came, in µs."""

    def __init__(
        self,
        board: str,
        operator: str,
        role: str,
        since: int,
        how_far: Callable[[], tuple[int, int]],
        present: BehaviorSubject[Sequence[Present]],
    ) -> None:
        self._board, self._operator = board, operator
        self._role, self._since, self._how_far = role, since, how_far
        self._present = present
        self._desk = uuid4().hex
        self._heard: dict[tuple[str, str], tuple[float, _Beat]] = {}
        self._due = 0.0

    async def run(self, connection: Connection) -> None:
        """As long as the connection lasts. Nobody is known to be there without one."""
        await connection.client.subscribe(subjects.everybody(self._board), cb=as_coroutine(self._hear))
        self._due = 0.0
        try:
            while not connection.lost:
                if _now() >= self._due:
                    self._due = _now() + BEAT_S
                    await self._say(connection)
                self._show()
                await asyncio.sleep(LOOK_S)
        finally:
            self._heard.clear()
            self._show()
            if not connection.lost:
                await self._say(connection, gone=True)

    async def _say(self, connection: Connection, *, gone: bool = False) -> None:
        position, behind = self._how_far()
        beat = _Beat(self._desk, self._role, position, self._since, behind, gone)
        await connection.client.publish(subjects.presence(self._board, self._operator), msgspec.json.encode(beat))

    def _hear(self, message: Msg) -> None:
        if message.reply or message.headers:
            return
        try:
            name = subjects.operator_of(self._board, message.subject) or subjects.NOBODY
            beat = _beats.decode(message.data)
        except (msgspec.DecodeError, CloudEventError, UnicodeError, RecursionError):
            return
        key = name, beat.desk
        if beat.gone:
            self._heard.pop(key, None)
        elif key in self._heard or self._has_place(name):
            if key not in self._heard:
                self._due = min(self._due, _now() + random.uniform(0, LOOK_S))
            self._heard[key] = _now(), beat

    def _has_place(self, name: str) -> bool:
        return len(self._heard) < MOST and sum(name == other for other, _ in self._heard) < MOST_OF_ONE

    def _show(self) -> None:
        since = _now() - GONE_S
        for key in [key for key, (heard, _) in self._heard.items() if heard < since]:
            del self._heard[key]
        names: dict[str, Present] = {}
        for (name, _), (_, beat) in sorted(self._heard.items()):
            here = Present(name, beat.role, beat.position, beat.since, beat.behind)
            names[name] = _together(names.get(name), here)
        present = tuple(names.values())
        if present != tuple(self._present.value):
            self._present.on_next(present)


def measure_progress(shown: int, reached: int, behind: int) -> tuple[int, int]:
    """Return the position that the views show, and how many events of the log they lack.

    `reached`: how far the store is; `behind`: how many events the log has that the store has not.
    """
    return shown, behind + max(0, reached - shown)


def _together(one: Present | None, other: Present) -> Present:
    if one is None:
        return other
    further = max(one, other, key=lambda each: each.position)
    return Present(one.name, one.role, further.position, min(one.since, other.since), min(one.behind, other.behind))


def _now() -> float:
    return asyncio.get_running_loop().time()
