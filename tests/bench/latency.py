"""From a keypress on one desk to the pixels on another: two desks in two processes, on a real server that fsyncs.

    uv run python -m tests.bench.latency [--json] [--entries 200] [--rate 5000]

Both desks have the demo board in a real window (Qt's offscreen platform). On desk A the form of `incident.opened` is
filled in and Return pressed; *painted* is the end of the first frame on desk B whose table of incidents held the entry.
Stages: *outbox commit*, keypress to durable on A; *publish and log*, from there to the message's receipt on B; *store*,
to B's own disk; *views*, to the engine's result; *paint*, to the end of the frame. Beside it, in the same run: the bare
limit, a publish in one process to its receipt in another, through a stream on the same server, with no window at all.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from contextlib import ExitStack

from tests.bench.frames import percentile
from tests.bench.report import Figure, report
from tests.bench.shared import START, ask, bare, child, fill, serving
from tests.bench.stage import day_until

STAGES = ("outbox commit", "publish and log", "store", "views", "paint", "painted on B", "confirmed on A")
WARM_UP = 10
GOALS = {"quiet": (20, 50), "loaded": (None, 100)}


def measure(entries: int, rate: float) -> list[Figure]:
    figures = []
    for name, load in (("quiet", 0.0), ("loaded", rate)):
        if load or name == "quiet":
            with serving() as url:
                asyncio.run(fill(url, day_until(START)))
                figures += scenario(url, name, entries, load)
    return figures


def scenario(url: str, name: str, entries: int, rate: float) -> list[Figure]:
    """Two fresh desks on a fresh log; the bare limit is taken while they stand idle, under the same load."""
    with ExitStack() as stack:
        desks = [
            stack.enter_context(child("tests.bench.desk", role, url, who))
            for role, who in (("watch", "bob"), ("enter", "amy"))
        ]
        for desk in desks:
            assert desk.stdout.readline().strip() == "ready"
        load = stack.enter_context(child("tests.bench.shared", "load", url, str(rate))) if rate else None
        limit = asyncio.run(bare(url, entries, 0.02))
        entered = json.loads(ask(desks[1], str(entries + WARM_UP)))
        seen = json.loads(ask(desks[0], next(reversed(entered), "")))
        reached = [Figure(f"{name}: events in the background", float(ask(load)), "/s")] if load else []
    missing = [title for title in entered if title not in seen["painted"]]
    times = stages({title: marks for title, marks in entered.items() if title not in missing}, seen)
    figures = [
        *_figures(f"{name}: bare publish to receipt", limit[WARM_UP:]),
        *(figure for stage in STAGES for figure in _figures(f"{name}: {stage}", times[stage], stage, name)),
    ]
    return [
        *reached,
        *figures,
        Figure(f"{name}: not confirmed on A", entries + WARM_UP - len(entered), "entries", 0),
        Figure(f"{name}: not seen on B", len(missing), "entries", 0),
    ]


def stages(entered, seen) -> dict[str, list[float]]:
    """Milliseconds by stage, an entry each; the first ones warm the desks up."""
    received = dict(map(tuple, seen["received"]))
    times: dict[str, list[float]] = {stage: [] for stage in STAGES}
    for title, a in list(entered.items())[WARM_UP:]:
        stored = next(at for position, at in seen["arrivals"] if position >= a["position"])
        marks = [
            a["submitted"], a["durable"], received[a["position"]], stored, seen["views"][title], seen["painted"][title],
        ]  # fmt: skip
        for stage, begin, end in zip(STAGES, marks, marks[1:], strict=False):
            times[stage].append((end - begin) * 1000)
        times["painted on B"].append((marks[-1] - marks[0]) * 1000)
        times["confirmed on A"].append((a["confirmed"] - a["submitted"]) * 1000)
    return times


def _figures(words: str, times: list[float], stage: str = "", name: str = "") -> list[Figure]:
    p50, p99 = GOALS[name] if stage == "painted on B" else (None, None)
    if not times:
        return []
    return [
        Figure(f"{words}, p50", percentile(times, 50), "ms", p50),
        Figure(f"{words}, p99", percentile(times, 99), "ms", p99),
    ]


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--json", action="store_true")
    arguments.add_argument("--entries", type=int, default=200)
    arguments.add_argument("--rate", type=float, default=5000)
    given = arguments.parse_args()
    return report(measure(given.entries, given.rate), given.json)


if __name__ == "__main__":
    sys.exit(main())
