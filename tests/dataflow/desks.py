"""A small desk for tests: a board of notes, a real store, the running event loop."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from pathlib import Path

from reactivex.scheduler.eventloop import AsyncIOScheduler

from dataflow.boards.file import BoardFile, load
from dataflow.clock import WallClock
from dataflow.desk.desk import Desk, deliver_on
from dataflow.desk.pipeline import Pipeline
from dataflow.feeds.local import LocalFeed
from storage.database import Database
from storage.event import Event
from storage.ids import uuid7

BOARD = """
id = "notes"
title = "Notes"

[events."note.made"]
subject = "place"
entry = true
[events."note.made".fields]
place = { required = true, choices = ["north", "south"] }
weight = { type = "int", min = 0 }

[views.by_place]
sql = "SELECT place, count(*) AS notes, bool_or(pending) AS pending FROM events GROUP BY place"

[[panels]]
kind = "table"
title = "Notes"
at = [0, 0, 1, 1]
sql = "SELECT place, notes, pending FROM by_place ORDER BY place"
"""

QUERY = "SELECT place, notes, pending FROM by_place ORDER BY place"


def note(place: str, weight: object = 1, second: int = 0) -> Event:
    """An event of the board's own type, `second` seconds after some morning."""
    data = f'{{"place":"{place}","weight":{weight}}}'.encode()
    time = 1_700_000_000_000_000 + second * 1_000_000
    return Event(id=uuid7(time), source="/test", type="note.made", time=time, subject=place, data=data)


@asynccontextmanager
async def opened(folder: Path, board: str = BOARD, *, start: bool = True, feed=LocalFeed, clock=None):
    """A running desk on the store in `folder`; by this machine's clock, or another."""
    path = folder / "board.toml"
    path.write_text(board)
    loaded = load(path)
    loop = asyncio.get_running_loop()
    scheduler, deliver = AsyncIOScheduler(loop), deliver_on(loop)
    database = Database.open(folder / "notes.db")
    pipeline = Pipeline(
        BoardFile(path, known=loaded), loaded, database, feed(database.log, scheduler, deliver),
        clock or WallClock(scheduler), scheduler, deliver, loop, author="amy",
    )  # fmt: skip
    if start:
        pipeline.start()
    desk = Desk(database, pipeline)
    try:
        yield desk
    finally:
        await desk.close()


async def until(observable, done, timeout: float = 5):
    """The first value of an observable for which `done` holds."""
    found = asyncio.get_running_loop().create_future()

    def receive(value):
        if not found.done() and done(value):
            found.set_result(value)

    subscription = observable.subscribe(receive)
    try:
        return await asyncio.wait_for(found, timeout)
    finally:
        subscription.dispose()


async def shows(live, rows, timeout: float = 5):
    """Until a live query has these rows."""
    return await until(live.splices, lambda _: list(live.rows()) == rows, timeout)
