"""One row changed in a sorted live result of 100,000, to the positional change that a table model needs.

    uv run python -m tests.bench.sorted [--json]
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from random import Random
from time import perf_counter

from dataflow.engine.engine import Engine
from dataflow.zset import Row, Splice
from tests.bench.report import Figure, report

ROWS = 100_000
TURNS = 2_000


def measure() -> list[float]:
    """Seconds of each change."""
    random = Random(7)
    engine = Engine({"orders": {"id": "int", "name": "text", "amount": "float"}})
    rows: list[Row] = [(at, f"customer {random.randrange(5000)}", random.random() * 1000) for at in range(ROWS)]
    engine.push("orders", rows)
    live = engine.live("SELECT id, name, amount FROM orders ORDER BY amount DESC, name")
    told: list[Sequence[Splice]] = []
    live.splices.subscribe(told.append)
    times = []
    for _ in range(TURNS):
        at = random.randrange(ROWS)
        old, new = rows[at], (*rows[at][:2], random.random() * 1000)
        told.clear()
        began = perf_counter()
        engine.push("orders", [old, new], [-1, 1])
        times.append(perf_counter() - began)
        assert told
        rows[at] = new
    return sorted(times)


def main(arguments: Sequence[str] | None = None) -> int:
    times = measure()
    return report(
        [
            Figure("a row changed in a sorted result of 100,000, p50", times[TURNS // 2] * 1e3, "ms", 0.1),
            Figure("the same, p99", times[TURNS * 99 // 100] * 1e3, "ms"),
        ],
        json="--json" in (sys.argv if arguments is None else arguments),
    )


if __name__ == "__main__":
    sys.exit(main())
