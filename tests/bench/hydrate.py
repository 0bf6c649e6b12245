"""A query added to a running board that has a million events: do frames stay short while it reads them?

    uv run python -m tests.bench.hydrate [--json] [--events 1000000] [--rate 500]

The demo board has the year's events in its store, its window is open, and another process appends events to it. Then
an ad-hoc query comes that nobody has asked before: it reads the whole history. A frame is what it is in
`tests.bench.frames`; some seconds of frames without the query tell what the machine gives.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from itertools import islice
from time import perf_counter

from reactivex.scheduler.eventloop import AsyncIOScheduler

from dataflow.feeds.feed import Deliver
from dataflow.feeds.local import LocalFeed
from storage import cloudevents
from tests.bench.frames import Watch, percentile, under
from tests.bench.load import running
from tests.bench.report import Figure, report
from tests.bench.stage import Stage, on_stage
from tests.data.year import year_file

SQL = (
    "SELECT carrier, dest, count(*) AS n, avg(dep_delay) AS delay, max(dep_delay) AS worst FROM \"flight.departed\" "
    "GROUP BY carrier, dest ORDER BY n DESC LIMIT 20"
)
CHUNK = 5000
PATIENCE_S = 600
CONTROL_S = 15


class YearStage(Stage):
    """The stage with the first events of the year in its store, and its clock at the last of them."""

    events = 1_000_000

    def make_feed(self, scheduler: AsyncIOScheduler, deliver: Deliver) -> LocalFeed:
        with year_file().open("rb") as lines:
            chunk = islice(lines, self.events)
            while part := [cloudevents.decode(line) for line in islice(chunk, CHUNK)]:
                self.database.log.append(part).result()
                self.start = part[-1].time
        return LocalFeed(self.database.log, scheduler, deliver)


def measure(events: int, rate: float) -> list[Figure]:
    figures: list[Figure] = []
    YearStage.events = events

    async def run(stage: YearStage) -> None:
        with running(stage.store, rate, stage.start):
            await asyncio.sleep(2)
            watch = Watch(stage)
            await asyncio.sleep(CONTROL_S)
            before = list(watch.frames)
            watch.restart()
            began = perf_counter()
            live = stage.pipeline.live(SQL)
            made = (perf_counter() - began) * 1e3
            rows = []
            live.splices.subscribe(rows.append)
            while not rows and perf_counter() - began < PATIENCE_S:
                await asyncio.sleep(0.01)
            took = perf_counter() - began
            watch.stop()
        assert len(live.rows()) == 20
        figures.extend([
            Figure("events in the store", stage.database.log.last(), "events"),
            Figure("asking for the query", made, "ms"),
            Figure("until its answer is there", took, "s"),
            Figure("history read", events / took, "events/s"),
            Figure("frames before, without it", len(before), "frames"),
            Figure("of them under 16 ms", under(before), "%"),
            Figure("of them the longest", max(before), "ms"),
            Figure("frames meanwhile", len(watch.frames), "frames"),
            Figure("frames under 16 ms", under(watch.frames), "%", 100, "higher"),
            Figure("of the thread's own time", under(watch.own), "%"),
            Figure("the longest of its own time", max(watch.own), "ms"),
            Figure("frame, p50", percentile(watch.frames, 50), "ms"),
            Figure("frame, p99", percentile(watch.frames, 99), "ms", 16),
            Figure("longest frame", max(watch.frames), "ms", 16),
            *(Figure(f"of it {part}, p50", percentile(times, 50), "ms") for part, times in watch.parts.items()),
            *(Figure(f"of it {part}, p99", percentile(times, 99), "ms") for part, times in watch.parts.items()),
            Figure("longest stall", max(watch.gaps), "ms", 50),
        ])

    on_stage(run, YearStage)
    return figures


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--json", action="store_true")
    arguments.add_argument("--events", type=int, default=1_000_000)
    arguments.add_argument("--rate", type=float, default=500)
    given = arguments.parse_args()
    return report(measure(given.events, given.rate), given.json)


if __name__ == "__main__":
    sys.exit(main())
