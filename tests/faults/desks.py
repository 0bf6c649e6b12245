"""Desks of the fault tests: whole pipelines on a shared log, with every query of their board followed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import nats
from reactivex.scheduler.eventloop import AsyncIOScheduler

from dataflow.board import Board, queries
from dataflow.boards.file import load
from dataflow.desk.desk import Desk, DeskBuilder
from dataflow.engine.plan_cache import PlanCache
from dataflow.nats import streams
from dataflow.session import Entered, Status
from tests.dataflow.desks import until
from tests.faults import board


class Shown(msgspec.Struct):
    """What a desk shows at a moment of its own clock (µs): the rows of each query, as its changes have made them."""

    now: int
    rows: dict[str, list[list[Any]]]


class Off(AsyncIOScheduler):
    """A machine whose clock is wrong by so many seconds."""

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        super().__init__(loop)
        self.set(seconds)

    def set(self, seconds: float) -> None:
        """Somebody sets the clock."""
        self._off = timedelta(seconds=seconds)

    @property
    def now(self) -> datetime:
        return super().now + self._off


class SharedDesk:
    """A running desk; `store` is its file."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.pipeline, self.store = desk, desk.pipeline, desk.database.path
        self._lives: dict[str, Any] = {}
        self._told: list[Any] = []
        self._boards = self.pipeline.boards.subscribe(self._show_board)
        self.pipeline.start()

    def _show_board(self, spec: Board) -> None:
        """As a window does it: other queries for another version of the board."""
        self._let_go()
        asked = [sql for panel in spec.panels for sql in queries(panel).values()]
        asked += [f"SELECT * FROM {name}" for name in spec.views]
        self._lives = {sql: self.pipeline.live(sql) for sql in asked}
        self._rows: dict[str, list[Any]] = {sql: [] for sql in asked}
        self._told = [live.splices.subscribe(Splices(self._rows[sql])) for sql, live in self._lives.items()]

    def _let_go(self) -> None:
        for told in self._told:
            told.dispose()
        for live in self._lives.values():
            live.close()

    def enter(self, number: int) -> Entered:
        type, data = board.fields(number)
        return self.pipeline.enter(type, data)

    async def holds(self, position: int, timeout: float = 60) -> Status:
        """Until the views hold the log up to a position, and no entry waits."""
        return await self.until(lambda status: status.position >= position and not status.pending, timeout)

    async def stores(self, position: int, timeout: float = 60) -> None:
        """Until the store, which may be ahead of the views, holds the log up to a position."""
        await until(self.pipeline._feed.arrivals, lambda reached: reached >= position, timeout)

    async def says(self, state: str, words: str = "", timeout: float = 30) -> Status:
        return await self.until(lambda status: status.state == state and words in status.detail, timeout)

    async def until(self, done: Any, timeout: float = 30) -> Status:
        try:
            found: Status = await until(self.pipeline.status, done, timeout)
        except TimeoutError:
            raise AssertionError(f"the desk stands at {self.pipeline.status.value}") from None
        return found

    def shown(self) -> Shown:
        for sql, live in self._lives.items():
            assert self._rows[sql] == list(live.rows()), f"splices and rows differ: {sql}"
        return Shown(self.pipeline.views.now, {sql: list(map(list, rows)) for sql, rows in self._rows.items()})

    async def close(self) -> None:
        self._boards.dispose()
        self._let_go()
        await self.desk.close()


class Splices:
    """Keeps rows as a query's splices say."""

    def __init__(self, rows: list[Any]) -> None:
        self._rows = rows

    def __call__(self, splices: Any) -> None:
        from dataflow.zset import apply_splices

        apply_splices(self._rows, splices)


def opened(folder: Path, url: str, name: str, store: Path | None = None, off_s: float = 0) -> SharedDesk:
    """A desk on the board in `folder`, on a store of its own. `off_s`: how wrong its machine's clock is."""
    loop = asyncio.get_running_loop()
    builder = DeskBuilder(loop, name, PlanCache(folder / "plans"))
    if off_s:
        builder._scheduler = Off(loop, off_s)
    return SharedDesk(builder.shared(load(folder / "board.toml"), store or folder / f"{name}.db", url.split(",")))


@asynccontextmanager
async def desk(
    folder: Path, url: str, name: str, store: Path | None = None, off_s: float = 0
) -> AsyncIterator[SharedDesk]:
    found = opened(folder, url, name, store, off_s)
    try:
        yield found
    finally:
        await found.close()


async def stream(url: str, id: str = board.ID, **changes: Any) -> None:
    """The board's stream; `changes` are those of its configuration when it is made."""
    connection = await nats.connect(url, allow_reconnect=False)
    try:
        if changes:
            await streams._ask(connection, f"STREAM.CREATE.WF_{id}", streams.configuration(id) | changes)
        await streams.ensure(connection, id)
    finally:
        await connection.close()
