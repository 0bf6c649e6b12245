"""Memory of folds: Q1 and Q2 over ten million synthetic events, in batches of 1,000.

    uv run python -m tests.bench.memory [--json] [--events 10000000]

The events are made as they are pushed, and kept nowhere: 48 groups of Q1 and 4,000 of Q2 are there after the first
hundredth, and from then on resident memory should not grow.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from random import Random
from time import perf_counter

import psutil

from dataflow.engine.engine import Engine
from dataflow.zset import Change, Row
from tests.bench.flights import COLUMNS, KINDS
from tests.bench.report import Figure, report
from tests.bench.views import QUERIES

BATCH = 1000
CARRIERS, ORIGINS, TAILS, DESTS = 16, 3, 4000, 100


class Source:
    """Events that never end, the same in every run."""

    def __init__(self) -> None:
        self._random = Random(7)
        self._position = 0

    def batch(self) -> list[Row]:
        pick = self._random.random
        rows = []
        for _ in range(BATCH):
            self._position += 1
            at = self._position
            rows.append((
                at, f"{at:032x}", "/bench", "flight", f"F{int(pick() * 9999)}", at * 1_000_000, None, None, None, False,
                f"C{int(pick() * CARRIERS)}", f"O{int(pick() * ORIGINS)}", f"D{int(pick() * DESTS)}",
                f"N{int(pick() * TAILS)}", float(int(pick() * 90) - 20), None if pick() < 0.02 else pick() * 60 - 10,
            ))  # fmt: skip
        return rows


def measure(events: int) -> list[Figure]:
    engine, source, process = Engine({"events": COLUMNS}, {}, {}, KINDS), Source(), psutil.Process()
    lives = [engine.live(QUERIES[name]) for name in ("Q1", "Q2")]
    told: list[list[Change]] = []
    for live in lives:
        live.changes.subscribe(told.append)
    settled, most, began = 0, 0, perf_counter()
    for at in range(events // BATCH):
        engine.push("events", source.batch())
        told.clear()
        if at == events // BATCH // 100:
            settled = process.memory_info().rss
        if at % 100 == 0:
            most = max(most, process.memory_info().rss)
    took = perf_counter() - began
    groups = sum(len(live.rows()) for live in lives)
    return [
        Figure("groups", groups, "groups"),
        Figure("resident memory when the groups are there", settled / 1e6, "MB"),
        Figure(f"growth over {events:,} events", (max(most, process.memory_info().rss) - settled) / 1e6, "MB", 50),
        Figure("rate, making the events included", events / took, "events/s"),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="tests.bench.memory")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--events", type=int, default=10_000_000)
    given = parser.parse_args(arguments)
    return report(measure(given.events), given.json)


if __name__ == "__main__":
    sys.exit(main())
