"""History is read by a process beside where there is much of it: the same rows, whatever becomes of that process."""

from __future__ import annotations

import asyncio
from itertools import islice
from time import sleep

import msgspec
import pytest

from dataflow.boards.file import load
from dataflow.views import history
from dataflow.views.history import History
from dataflow.views.log_reader import LogReader
from storage.database import Database
from tests.dataflow.desks import note, opened, until

BOARD = """
id = "notes"
title = "Notes"
[events."note.made"]
subject = "place"
fields.place = {}
fields.weight = { type = "float" }
fields.at = { type = "timestamp" }
fields.more = { type = "json" }
[[panels]]
kind = "value"
title = "Notes"
at = [0, 0, 1, 1]
sql = "SELECT count(*) AS value FROM events"
"""
DATA = b'{"place":"north","weight":%d.5,"at":"2013-02-08T12:00:00Z","more":{"deep":[1,%d,"\xc3\xa9"]}}'
EVENTS = 1500


@pytest.fixture
def stage(tmp_path, monkeypatch):
    """A store, the schema of its board, and history that is read beside from some hundred events on."""
    path = tmp_path / "board.toml"
    path.write_text(BOARD)
    monkeypatch.setattr(history, "MANY", 100)
    with Database.open(tmp_path / "notes.db") as database:
        wrong = b'{"weight":"heavy"}'
        made = [
            msgspec.structs.replace(note("north"), id=f"e{n}", data=wrong if n == 700 else DATA % (n, 2**70 + n))
            for n in range(1, EVENTS + 1)
        ]
        database.log.append(made).result(5)
        yield database, load(path).schema


def chunks(reading):
    """What it gives, without the empty chunks that say that nothing is there yet."""
    for chunk in reading:
        if chunk:
            yield chunk
        else:
            sleep(0.001)


def rows(reading):
    return [row for chunk in chunks(reading) for row in chunk]


def here(stage, without=frozenset(), until=EVENTS):
    database, schema = stage
    return [row for _, part in LogReader(schema).read(database.log, 0, until, without) for row in part]


def test_beside_are_the_same_rows_as_here(stage):
    without = frozenset({("e3", "/test", None), ("e900", "/test", None)})
    found = rows(History(stage[0].log, stage[1]).read(1400, without))
    assert found == here(stage, without, 1400)
    assert len(found) == 1400 - 3


@pytest.mark.parametrize("after", [0, 1, 4])
def test_a_process_that_ends_too_early_leaves_the_rest_to_be_read_here(stage, after):
    reading = History(stage[0].log, stage[1]).read(EVENTS, frozenset())
    next(reading)
    found = [row for chunk in islice(chunks(reading), after) for row in chunk]
    reading.gi_frame.f_locals["process"]._process.kill()
    assert found + rows(reading) == here(stage)


def test_a_store_that_the_process_cannot_read_is_read_here(stage, monkeypatch):
    monkeypatch.setattr(history.sys, "executable", "/bin/false")
    assert rows(History(stage[0].log, stage[1]).read(EVENTS, frozenset())) == here(stage)


def test_closed_early_the_process_ends(stage):
    reading = History(stage[0].log, stage[1]).read(EVENTS, frozenset())
    next(chunks(reading))
    process = reading.gi_frame.f_locals["process"]._process
    reading.close()
    assert process.poll() is not None


def test_a_desk_asks_it_for_late_queries_and_ends_it_when_it_closes(tmp_path, monkeypatch):
    monkeypatch.setattr(history, "MANY", 100)

    async def run():
        async with opened(tmp_path) as desk:
            desk.database.log.append([note("north", n) for n in range(500)]).result(5)
            await until(desk.pipeline.status, lambda status: status.position == 500 and status.state == "live")
            told = []
            live = desk.pipeline.live("SELECT max(weight) FROM events")
            live.splices.subscribe(told.append)
            async with asyncio.timeout(10):
                while not told:
                    await asyncio.sleep(0.01)
            assert list(live.rows()) == [(499,)]
            late = desk.pipeline.live("SELECT min(weight) FROM events")
            while late.progress is None:
                await asyncio.sleep(0)
            assert not late.ready

    asyncio.run(run())
