"""What runs beside a served board as long as its server does, in a thread with a loop of its own.

It makes consumers for desks, removes those of nobody, marks how far the log reaches, counts what each user sends, and
notices a log that can't be written any more: nats-server says nothing of it to anybody, and takes no message until it
is started again, room or not.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from dataflow.nats import streams
from dataflow.nats.errors import ServerError, ServerFailed
from dataflow.nats.tasks import cancel_until_done
from dataflow.server import high_water
from dataflow.server.desks import Desks
from dataflow.server.high_water import Mark
from dataflow.server.quotas import Sent
from dataflow.server.sweep import EVERY_S as SWEEP_S
from dataflow.server.sweep import Sweeper

if TYPE_CHECKING:
    from nats.aio.client import Client

COUNT_S = 0.25
MARK_S = 1.0
HEALTH_S = 1.0
_AGAIN_S = 0.2
_FAILED_S = 2.0
_READY_S = 20.0
_ANSWER_S = 10.0
_SYSTEM = "$SYS.REQ"


class Keeper:
    """`connect` makes a connection to the account of the log, `connect_system` one to the server's own account.
    `counted` is told what each account has sent since the server was started; `say` what is worth a line.
    """

    def __init__(
        self, board: str, folder: Path, connect: Callable[[], Awaitable[Client]],
        connect_system: Callable[[], Awaitable[Client]], counted: Callable[[Mapping[str, Sent]], None],
        say: Callable[[str], object],
    ) -> None:  # fmt: skip
        self.trouble = ""
        """Why the log can't be written; "": it can, as far as is known."""
        self._board, self._folder = board, folder
        self._connect, self._connect_system = connect, connect_system
        self._counted, self._say = counted, say
        self._desks = Desks(board)
        self._marked: Mark | None = None
        self._ready = threading.Event()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Returns when desks can be served. Raises ServerFailed."""
        self._ready.clear()
        self.trouble = ""
        self._thread = threading.Thread(target=self._run, name="watchfloor serve", daemon=True)
        self._thread.start()
        if not self._ready.wait(_READY_S):
            self.stop()
            raise ServerFailed("the server that was just started does not answer")

    def stop(self) -> None:
        """On Python 3.11 `wait_for` may lose a cancellation, so it is said again."""
        while self._thread is not None and self._thread.is_alive():
            if self._loop is not None and self._task is not None:
                with suppress(RuntimeError):
                    self._loop.call_soon_threadsafe(self._task.cancel)
            self._thread.join(_AGAIN_S)
        self._thread = None

    def _run(self) -> None:
        with suppress(asyncio.CancelledError):
            asyncio.run(self._keep())

    async def _keep(self) -> None:
        from nats.errors import Error

        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        self._loop.set_default_executor(ThreadPoolExecutor(1, "watchfloor serve"))
        await asyncio.to_thread(bool)  # the one thread for what takes its time is there from now on
        while True:
            try:
                await self._serve()
            except (OSError, Error, ServerError):
                await asyncio.sleep(_AGAIN_S)
            except Exception as error:
                logging.getLogger(__name__).exception("what serves desks failed; it begins again")
                self._say(f"An error in Watchfloor itself ({error!r}); desks are served again")
                await asyncio.sleep(_FAILED_S)

    async def _serve(self) -> None:
        """Over one pair of connections, until one is lost."""
        log = await self._connect()
        try:
            system = await self._connect_system()
            try:
                await self._desks.begin(log)
                self._ready.set()
                await _run_until_first(
                    self._mark(log), self._sweep(log), self._count(system), self._watch_health(system)
                )
            finally:
                await _close(system)
        finally:
            await self._desks.end()
            await _close(log)

    async def _mark(self, log: Client) -> None:
        seen: Mark | None = None
        try:
            while True:
                with suppress(ServerError):
                    stream = await streams.find(log, self._board)
                    await asyncio.to_thread(self._write, seen)
                    seen = Mark(stream.log, stream.last)
                await asyncio.sleep(MARK_S)
        finally:
            self._write(seen)

    def _write(self, mark: Mark | None) -> None:
        """A disk that can't take it has been told of by then."""
        if mark is not None and mark != self._marked:
            with suppress(OSError):
                high_water.write(self._folder, mark)
                self._marked = mark

    async def _sweep(self, log: Client) -> None:
        sweeper = Sweeper(log, self._board)
        while True:
            if removed := await sweeper.sweep(self._desks.made):
                self._say(f"Removed {removed:,} consumers of the log that no desk uses")
            await asyncio.sleep(SWEEP_S)

    async def _count(self, system: Client) -> None:
        while True:
            answer = await _ask(system, "ACCOUNT.PING.STATZ", {"include_unused": True})
            received = {each["acc"]: each.get("received", {}) for each in answer.get("account_statz") or ()}
            sent = {name: Sent(each.get("msgs", 0), each.get("bytes", 0)) for name, each in received.items()}
            await asyncio.to_thread(self._counted, sent)
            await asyncio.sleep(COUNT_S)

    async def _watch_health(self, system: Client) -> None:
        """Is there a stream that can't be written?"""
        while True:
            answer = await _ask(system, "SERVER.PING.HEALTHZ", {})
            error = str(answer.get("error", ""))
            self.trouble = error.partition("write error: ")[2].rpartition(": ")[2]
            await asyncio.sleep(HEALTH_S)


async def _ask(system: Client, request: str, body: Mapping[str, Any]) -> dict[str, Any]:
    reply = await system.request(f"{_SYSTEM}.{request}", msgspec.json.encode(body), timeout=_ANSWER_S)
    data: dict[str, Any] = msgspec.json.decode(reply.data).get("data") or {}
    return data


async def _run_until_first(*works: Awaitable[None]) -> None:
    """Until one ends, by what went wrong; the others are ended."""
    tasks = {asyncio.ensure_future(work) for work in works}
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await cancel_until_done(tasks)
    for task in done:
        task.result()


async def _close(client: Client) -> None:
    from nats.errors import Error

    with suppress(OSError, Error, TimeoutError):
        async with asyncio.timeout(1):
            await client.close()
