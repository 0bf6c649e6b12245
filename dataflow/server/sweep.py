"""Removes consumers that no desk uses: each costs the server work with every message, a thousand lock everybody out.

Only those who may do everything make consumers of their own: admins, and everybody where there are no users. While
they are listened to they stay, up to `MOST`. What is there before anybody could connect is of an earlier run, and goes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from dataflow.nats import subjects

if TYPE_CHECKING:
    from nats.aio.client import Client

MOST = 64
"""Consumers of others, beside those of desks."""
EVERY_S = 2.0
_AT_ONCE = 64
_ANSWER_S = 30.0
"""A server that has thousands of consumers answers late."""


class Sweeper:
    """Of one board's stream. What is idle twice in a row, `EVERY_S` apart, is removed."""

    def __init__(self, client: Client, board: str) -> None:
        self._client, self._stream = client, subjects.stream(board)
        self._idle: set[str] = set()

    async def sweep(self, made: Collection[str]) -> int:
        """Remove what is foreign: not among those `made` for desks, and idle or too many. How many. Raises nats'
        errors.
        """
        foreign = set(await self._names()) - set(made)
        if not foreign:
            self._idle.clear()
            return 0
        infos = {name: info for name, info in (await self._infos()).items() if name in foreign}
        idle = {name for name, info in infos.items() if not info.get("push_bound") and not info.get("num_waiting")}
        crowd = sorted(foreign, key=lambda name: (name not in idle, infos.get(name, {}).get("created", "")))
        excess = crowd[: max(0, len(crowd) - MOST)]
        gone = (idle & self._idle) | set(excess)
        self._idle = idle - gone
        return await self._remove(gone)

    async def clear(self) -> int:
        """Remove all. How many. Raises nats' errors."""
        return await self._remove(await self._names())

    async def other_streams(self) -> list[str]:
        """Streams of others, beside the board's and those of MQTT. Raises nats' errors."""
        names = (await self._ask("STREAM.NAMES", {})).get("streams") or ()
        return [name for name in names if name != self._stream and not name.startswith("$MQTT_")]

    async def _remove(self, names: Collection[str]) -> int:
        listed = list(names)
        for start in range(0, len(listed), _AT_ONCE):
            few = listed[start : start + _AT_ONCE]
            await asyncio.gather(*(self._ask(f"CONSUMER.DELETE.{self._stream}.{name}") for name in few))
        return len(listed)

    async def _names(self) -> list[str]:
        return [name for page in await self._pages("NAMES") for name in page]

    async def _infos(self) -> dict[str, dict[str, Any]]:
        return {info["name"]: info for page in await self._pages("LIST") for info in page}

    async def _pages(self, what: str) -> Sequence[list[Any]]:
        pages: list[list[Any]] = []
        while True:
            answer = await self._ask(f"CONSUMER.{what}.{self._stream}", {"offset": sum(map(len, pages))})
            page = answer.get("consumers") or []
            if page:
                pages.append(page)
            if not page or sum(map(len, pages)) >= answer.get("total", 0):
                return pages

    async def _ask(self, request: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        payload = b"" if body is None else msgspec.json.encode(body)
        reply = await self._client.request(f"$JS.API.{request}", payload, timeout=_ANSWER_S)
        answer: dict[str, Any] = msgspec.json.decode(reply.data)
        return answer
