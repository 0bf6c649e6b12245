"""Many desks on one real server: from an entry's submission on one desk to its receipt on all the others.

    uv run python -m tests.bench.fanout [--json] [--desks 200] [--rate 50] [--seconds 20] [--processes 4]

A desk here is headless: the NATS feed and a store of its own, no engine and no window. Several share a process, and all
share this machine with the server, which fsyncs; the desks' stores are in memory where the system has a folder for
that, since 200 desks have 200 disks and not one. Entries are made on one more desk, at random moments, so many a second
on average: durable in its outbox, then published. *Received* is when the message was read by a desk's process,
*stored* when that desk's log held it. The times of all desks are one distribution.

`python -m tests.bench.fanout URL FIRST COUNT FOLDER` is one of the processes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from pathlib import Path
from time import perf_counter, process_time

import nats
import psutil
from reactivex.scheduler.eventloop import AsyncIOScheduler

from dataflow.desk.desk import deliver_on
from dataflow.feeds.shared.feed import NatsFeed
from dataflow.nats import streams
from gui.app import SWITCH_S
from storage.database import Database
from storage.event import Event
from storage.ids import uuid7
from tests.bench.frames import percentile
from tests.bench.report import Figure, report
from tests.bench.shared import child, serving

BOARD = "fan"
GOAL_MS = 500
SETTLE_S = 5
LONGEST_S = 60
MEMORY = Path("/dev/shm")


class Feed(NatsFeed):
    """Notes when each position was read from the connection."""

    def _written(self, received) -> None:
        ahead = perf_counter() - self._loop.time()
        self.read.update((delivered.sequence, delivered.heard + ahead) for delivered in received.batch)
        super()._written(received)


class Desk:
    """A store and a feed. `received` and `stored` tell when each position was."""

    def __init__(self, url: str, name: str, folder: Path) -> None:
        loop = asyncio.get_running_loop()
        self.database = Database.open(folder / f"{name}.db")
        self.feed = Feed([url], BOARD, name, self.database, AsyncIOScheduler(loop), deliver_on(loop), loop)
        self.received: dict[int, float] = {}
        self.stored: dict[int, float] = {}
        self.feed.read = self.received
        self.feed.arrivals.subscribe(self._arrived)

    def _arrived(self, position: int) -> None:
        now = perf_counter()
        self.stored.update((each, now) for each in range(len(self.stored) + 1, position + 1))

    async def reaches(self, position: int) -> None:
        """Or long after."""
        until = perf_counter() + LONGEST_S
        while self.feed.arrivals.value < position and perf_counter() < until:
            await asyncio.sleep(0.02)

    async def close(self) -> None:
        self.feed.close()
        await self.feed.closed()
        self.database.close()


@asynccontextmanager
async def running(url: str, names: Sequence[str], folder: Path) -> AsyncIterator[list[Desk]]:
    """Desks that are live."""
    async with AsyncExitStack() as stack:
        desks = []
        for name in names:
            desks.append(Desk(url, name, folder))
            stack.push_async_callback(desks[-1].close)
            desks[-1].feed.start()
        for desk in desks:
            while desk.feed.status.value.state != "live":
                await asyncio.sleep(0.02)
        yield desks


async def listen(url: str, first: int, count: int, folder: Path) -> None:
    """A process of desks: says `ready`, begins when told, hears when each position was submitted, tells all times."""
    line = sys.stdin.readline

    async def heard() -> str:
        return await asyncio.get_running_loop().run_in_executor(None, line)

    async with running(url, [f"desk{number}" for number in range(first, first + count)], folder) as desks:
        print("ready", flush=True)
        await heard()
        busy = process_time()
        submitted = {int(at): when for at, when in json.loads(await heard()).items()}
        for desk in desks:
            await desk.reaches(max(submitted))
        told = {"busy": process_time() - busy}
        for what in ("received", "stored"):
            times = [getattr(desk, what) for desk in desks]
            told[what] = [(each[at] - when) * 1000 for at, when in submitted.items() for each in times if at in each]
        print(json.dumps(told), flush=True)


async def enter(url: str, rate: float, seconds: float, folder: Path) -> dict[int, float]:
    """Entries on a desk of its own: when each was submitted, by position."""
    submitted: dict[str, float] = {}
    async with running(url, ["amy"], folder) as (amy,):
        began = due = perf_counter()
        while due < began + seconds:
            due += random.expovariate(rate)
            await asyncio.sleep(max(0.0, due - perf_counter()))
            entry = _entry(len(submitted))
            submitted[entry.id] = perf_counter()
            await asyncio.wrap_future(amy.database.outbox.add([entry]))
            amy.feed.publish([entry])
        await amy.reaches(len(submitted))
        events = [event for chunk in amy.database.log.read() for event in chunk]
    return {event.position: submitted[event.id] for event in events}


def _entry(number: int) -> Event:
    time = 1_700_000_000_000_000 + number
    data = b'{"note":"what an operator has to say about it","n":%d}' % number
    subject = f"UA{number % 40}"
    return Event(id=uuid7(time), source="/bench", type="note.made", time=time, subject=subject, data=data, authid="amy")


async def prepare(url: str) -> None:
    connection = await nats.connect(url)
    await streams.ensure(connection, BOARD)
    await connection.close()


def measure(desks: int, rate: float, seconds: float, processes: int) -> list[Figure]:
    with ExitStack() as stack:
        home = tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None)
        folder = Path(stack.enter_context(home))
        url = stack.enter_context(serving())
        asyncio.run(prepare(url))
        shares = [desks * (n + 1) // processes - desks * n // processes for n in range(processes)]
        children = [
            stack.enter_context(child("tests.bench.fanout", url, str(sum(shares[:n])), str(share), str(folder)))
            for n, share in enumerate(shares)
        ]
        for each in children:
            assert each.stdout.readline().strip() == "ready"
        server = next(each for each in psutil.Process().children() if "nats-server" in each.name())
        asyncio.run(asyncio.sleep(SETTLE_S))
        began, served = perf_counter(), sum(server.cpu_times()[:2])
        for each in children:
            each.stdin.write("\n")
            each.stdin.flush()
        submitted = asyncio.run(enter(url, rate, seconds, folder))
        took, served = perf_counter() - began, sum(server.cpu_times()[:2]) - served
        for each in children:
            each.stdin.write(json.dumps(submitted) + "\n")
            each.stdin.flush()
        told = [json.loads(each.stdout.readline()) for each in children]
    return tell(desks, len(submitted), took, served, told)


def tell(desks: int, entries: int, took: float, served: float, told: list[dict]) -> list[Figure]:
    received, stored = ([ms for each in told for ms in each[what]] for what in ("received", "stored"))
    return [
        Figure("desks", desks, "desks"),
        Figure("entries a second", entries / took, "entries/s"),
        Figure("entries not stored on a desk", desks * entries - len(stored), "", 0),
        Figure("submit to received, p50", percentile(received, 50), "ms"),
        Figure("submit to received, p99", percentile(received, 99), "ms", GOAL_MS),
        Figure("submit to received, longest", max(received), "ms"),
        Figure("submit to stored, p50", percentile(stored, 50), "ms"),
        Figure("submit to stored, p99", percentile(stored, 99), "ms"),
        Figure("the desks' processes, of one core", 100 * sum(each["busy"] for each in told) / took, "%"),
        Figure("the server, of one core", 100 * served / took, "%"),
    ]


def main() -> int:
    sys.setswitchinterval(SWITCH_S)
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--json", action="store_true")
    arguments.add_argument("--desks", type=int, default=200)
    arguments.add_argument("--rate", type=float, default=50)
    arguments.add_argument("--seconds", type=float, default=20)
    arguments.add_argument("--processes", type=int, default=4)
    given = arguments.parse_args()
    return report(measure(given.desks, given.rate, given.seconds, given.processes), given.json)


if __name__ == "__main__":
    if len(sys.argv) == 5 and "://" in sys.argv[1]:
        asyncio.run(listen(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4])))
        sys.exit()
    sys.exit(main())
