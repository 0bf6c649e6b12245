"""Twelve queries of the demo board at once, over the year's events, and how long its queries take to compile.

    uv run python -m tests.bench.board [--json] [--events 200000]

The engine gets the events as the board's own rows, in batches of 1,000, and the clock with them, as a desk's intake
gives them; every query has a subscriber to its splices. Rates are of the thread's own time, and medians of five
rounds, since others share the machine. A query is compiled without the plan cache: parsed, checked, planned, its code
generated and its nodes built.
"""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from statistics import median
from time import thread_time

import msgspec

from dataflow.board import queries
from dataflow.boards.check import engine_for
from dataflow.boards.file import LoadedBoard, load
from dataflow.zset import Row
from storage import cloudevents
from tests.bench.report import Figure, report
from tests.data.year import year_file

BOARD = Path(__file__).parents[2] / "assets" / "boards" / "nyc.toml"
BATCH = 1000
TWELVE = 12
ROUNDS = 5


def board_queries(loaded: LoadedBoard) -> list[str]:
    """Each panel's, in the order of the file."""
    return [sql for panel in loaded.board.panels for sql in queries(panel).values()]


def batches(loaded: LoadedBoard, count: int) -> Iterator[tuple[list[Row], int]]:
    """The year's first events as rows, and the time of each batch's last."""
    rows: list[Row] = []
    with year_file().open("rb") as lines:
        for position, line in enumerate(islice(lines, count), 1):
            event = msgspec.structs.replace(cloudevents.decode(line), position=position)
            rows.append(loaded.schema.row(event))
            if len(rows) == BATCH or position == count:
                yield rows, event.time
                rows = []


def together(loaded: LoadedBoard, count: int) -> list[Figure]:
    history = list(batches(loaded, count))
    rounds = [_round(loaded, history) for _ in range(ROUNDS)]
    tenth = max(len(history) // 10, 1)
    return [
        Figure("twelve queries of the demo board", count / median(map(sum, rounds)), "events/s", 150_000, "higher"),
        Figure(
            "the last tenth's rate over the first's",
            median(sum(times[:tenth]) / sum(times[-tenth:]) for times in rounds), "ratio",
        ),
        Figure("the longest batch of 1,000", median(map(max, rounds)) * 1e3, "ms"),
    ]  # fmt: skip


def _round(loaded: LoadedBoard, history: list[tuple[list[Row], int]]) -> list[float]:
    """The seconds that each batch takes a fresh engine."""
    engine = engine_for(loaded, None)
    for sql in board_queries(loaded)[:TWELVE]:
        engine.live(sql).splices.subscribe(lambda _: None)
    times = []
    gc.collect()
    gc.disable()
    for rows, now in history:
        began = thread_time()
        engine.push("events", rows)
        engine.advance(now)
        times.append(thread_time() - began)
    gc.enable()
    return times


def compiling(loaded: LoadedBoard) -> list[Figure]:
    times = []
    for sql in board_queries(loaded):
        engine = engine_for(loaded, None)
        engine.live("SELECT count(*) FROM events")
        gc.collect()
        began = thread_time()
        engine.live(sql)
        times.append((thread_time() - began) * 1e3)
    times.sort()
    return [
        Figure("compile a query of the demo board and the views it uses, p50", times[len(times) // 2], "ms", 10),
        Figure("the same, the longest", times[-1], "ms"),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="tests.bench.board")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--events", type=int, default=200_000)
    given = parser.parse_args(arguments)
    loaded = load(BOARD)
    return report([*together(loaded, given.events), *compiling(loaded)], given.json)


if __name__ == "__main__":
    sys.exit(main())
