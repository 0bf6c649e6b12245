"""A long time offline: 20,000 entries wait in a desk's outbox; how it starts then, and how fast they go when they can.

    uv run python -m tests.bench.outbox [--json] [--entries 20000] [--runs 5]

The desk follows the demo's board on a real server that fsyncs before it acknowledges; the server is stopped, and the
entries are made as operators make them. Then, with the server still away, `watchfloor open` is run as a new process
with a real window (Qt's offscreen platform): from the process's start to its first painted content, which has all
waiting entries in its views. It has been opened before, so bytecode and compiled plans are there. In the last run the
server comes up: from the connection to the last confirmation, the window in use all the while. What the loop did not
come to in time is what a frame would have waited.

`python -m tests.bench.outbox enter URL STORE COUNT` makes the entries; `… window URL STORE` is the desk with a window.
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import json
import random
import statistics
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from time import monotonic, perf_counter, process_time, time_ns

import msgspec

from dataflow.times import iso, micros
from storage.event import Event
from tests.bench.report import Figure, report
from tests.bench.startup import environment

AUTHOR = "amy"
BOARD = Path(__file__).parents[2] / "assets" / "boards" / "nyc.toml"
PLACES, LEVELS, REASONS = ("EWR", "JFK", "LGA"), ("low", "medium", "high"), ("Crew", "Weather", "De-icing")
GROUP = 100
PROBE_S = 0.002
LONGEST_S = 120


def day() -> list[Event]:
    """The demo's day up to 14:30, as if that were now."""
    from tests.bench.shared import START
    from tests.bench.stage import day_until

    later = time_ns() // 1000 - START
    return [_later(event, later) for event in day_until(START)]


def _later(event: Event, later: int) -> Event:
    data = msgspec.json.decode(event.data)
    for field in ("sched_dep", "sched_arr"):
        if data.get(field):
            data[field] = iso(micros(datetime.fromisoformat(data[field])) + later)
    return msgspec.structs.replace(event, time=event.time + later, data=msgspec.json.encode(data))


def some(count: int, legs: list[str]):
    """Entries of every kind that the board has, in an order that is the same each time."""
    chance = random.Random(count)
    for number in range(count):
        leg = chance.choice(legs)
        yield chance.choices(
            (
                ("incident.opened", {"title": f"Incident {number}", "place": chance.choice(PLACES),
                                     "severity": chance.choice(LEVELS), "note": "Seen from the tower"}),
                ("gate.assigned", {"leg": leg, "gate": f"B{chance.randrange(60)}"}),
                ("flight.held", {"leg": leg, "reason": chance.choice(REASONS), "until": "now"}),
                ("flight.released", {"leg": leg}),
            ), (60, 20, 15, 5),
        )[0]  # fmt: skip


async def enter(url: str, store: Path, count: int) -> None:
    """Follow the log; say `ready`; once the server is away, make the entries; the end when all are on disk."""
    from dataflow.boards.file import load
    from dataflow.desk.desk import DeskBuilder
    from dataflow.engine.plan_cache import default_cache
    from tests.dataflow.desks import until

    desk = DeskBuilder(asyncio.get_running_loop(), AUTHOR, default_cache()).shared(load(BOARD), store, [url])
    desk.pipeline.start()
    await until(desk.pipeline.status, lambda status: status.state == "live", LONGEST_S)
    legs = [event.subject for chunk in desk.database.log.read() for event in chunk if event.type == "flight.scheduled"]
    print("ready", flush=True)
    await until(desk.pipeline.status, lambda status: status.state == "offline", LONGEST_S)
    began = perf_counter()
    entered = []
    for number, (kind, fields) in enumerate(some(count, legs), 1):
        entered.append(desk.pipeline.enter(kind, fields))
        if number % GROUP == 0:
            await entered[-1].durable
    for each in entered:
        await each.durable
    seconds = perf_counter() - began
    await desk.close()
    print(json.dumps({"seconds": seconds, "ids": [each.id for each in entered]}), flush=True)


class Probe:
    """How late the window's loop comes to what is due: milliseconds, one for every 2 ms or so."""

    def __init__(self) -> None:
        self.late: list[float] = []
        self._loop = asyncio.get_running_loop()
        self._due = perf_counter() + PROBE_S
        self._timer = self._loop.call_later(PROBE_S, self._ring)

    def _ring(self) -> None:
        now = perf_counter()
        self.late.append((now - self._due) * 1000)
        self._due = now + PROBE_S
        self._timer = self._loop.call_later(PROBE_S, self._ring)

    def stop(self) -> list[float]:
        self._timer.cancel()
        return self.late


def window(url: str, store: Path) -> None:
    """The real command. Says when the first content is painted and what the views hold; drains when told to."""
    import gui.app
    from gui.cli import run

    desks = []
    opened = gui.app._open

    def open_desk(options):
        desks.append(opened(options))
        return desks[-1]

    def painted() -> None:
        at = monotonic()
        held = desks[0].pipeline.views.shown
        print(json.dumps({"painted": at, "held": held, "processor": process_time()}), flush=True)
        task = asyncio.ensure_future(served(desks[0]))
        desks.append(task)

    gui.app._open = open_desk
    gui.app.run = functools.partial(gui.app.run, on_painted=painted)
    run(["open", str(BOARD), "--server", url, "--store", str(store), "--as", AUTHOR])


async def served(desk) -> None:
    """Until the input ends, or `drain` has been said and done."""
    from PySide6.QtWidgets import QApplication

    line = await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    if line.strip() == "drain":
        print(json.dumps(await drained(desk)), flush=True)
    for widget in QApplication.topLevelWidgets():
        widget.close()


async def drained(desk) -> dict[str, object]:
    """From the connection to the last confirmation."""
    from dataflow.nats import connection
    from tests.dataflow.desks import until

    connect, connected = connection.connect, []

    async def noted(*given):
        made = await connect(*given)
        connected.append(perf_counter())
        return made

    connection.connect = noted
    print(json.dumps("draining"), flush=True)
    probe, busy = Probe(), process_time()
    await until(desk.pipeline.status, lambda status: status.pending == 0, LONGEST_S)
    seconds, busy = perf_counter() - connected[0], process_time() - busy
    return {"processor": busy, "seconds": seconds, "late": probe.stop(), "outbox": desk.database.outbox.count(),
            "refused": desk.database.quarantine.count()}  # fmt: skip


def child(cache: str, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.bench.outbox", *arguments]
    bytecode = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(Path(cache, "bytecode"))}
    return subprocess.Popen(
        command, env=environment(cache) | bytecode, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def ended(process: subprocess.Popen[str]) -> None:
    process.stdin.close()
    process.wait(60)
    process.stdout.close()


def measure(count: int, runs: int) -> list[Figure]:
    from dataflow.server.config import Settings
    from dataflow.server.process import ServerProcess
    from tests.bench.shared import fill
    from tests.nats import free_port

    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        server = ServerProcess(Settings(name="bench", store=Path(folder, "js"), port=free_port()), Path(folder))
        server.start()
        stack.callback(server.stop)
        history = day()
        asyncio.run(fill(server.url, history))
        store, cache = Path(folder, "desk.db"), str(Path(folder, "home"))
        maker = child(cache, "enter", server.url, str(store), str(count))
        assert maker.stdout.readline().strip() == "ready"
        server.stop()
        made = json.loads(maker.stdout.readline())
        ended(maker)
        close(*started(cache, server.url, store))
        starts = [close(*started(cache, server.url, store)) for _ in range(runs - 1)]
        process, *last = started(cache, server.url, store)
        starts.append(tuple(last))
        process.stdin.write("drain\n")
        process.stdin.flush()
        process.stdout.readline()
        server.start()
        drain = json.loads(process.stdout.readline())
        ended(process)
        server.stop()
        starts.append(close(*started(cache, server.url, store)))
        server.start()
        there = asyncio.run(log_of(server.url))[len(history):]
    return figures(count, made, starts, drain, there)


def started(cache: str, url: str, store: Path):
    """A desk with its window, and what it was like at its first content: seconds since it was started, pending rows in
    its views, and seconds of processor time.
    """
    began = monotonic()
    process = child(cache, "window", url, str(store))
    said = json.loads(process.stdout.readline())
    return process, said["painted"] - began, said["held"], said["processor"]


def close(process, *said):
    ended(process)
    return said


async def log_of(url: str) -> list[str]:
    """The ids in the log, in order."""
    import nats
    from nats.js.api import DeliverPolicy

    connection = await nats.connect(url)
    js = connection.jetstream()
    count = (await js.stream_info("WF_nyc")).state.messages
    found: list[str] = []
    done = asyncio.get_running_loop().create_future()

    async def note(message) -> None:
        found.append(json.loads(message.data)["id"])
        if len(found) == count and not done.done():
            done.set_result(None)

    await js.subscribe("wf.nyc.>", cb=note, ordered_consumer=True, deliver_policy=DeliverPolicy.ALL)
    await asyncio.wait_for(done, LONGEST_S)
    await connection.close()
    return found


def figures(count, made, starts, drain, there) -> list[Figure]:
    *starts, after = starts
    seconds, held, busy = zip(*starts, strict=True)
    late = sorted(drain["late"])
    misplaced = sum(mine != found for mine, found in zip(made["ids"], there, strict=False))
    return [
        Figure("entries made offline", count / made["seconds"], "/s"),
        Figure("cold start to first content, median", statistics.median(seconds), "s", 2.0),
        Figure("cold start to first content, processor time", statistics.median(busy), "s"),
        Figure("waiting entries not in its views", count - min(held), "entries", 0),
        Figure("the same desk when all is sent: cold start to first content", after[0], "s"),
        Figure("the same desk when all is sent: processor time", after[2], "s"),
        Figure("drain, connection to last confirmation", drain["seconds"], "s"),
        Figure("drain, processor time of the desk", drain["processor"], "s"),
        Figure("drain rate", count / drain["seconds"], "/s", 2000, "higher"),
        Figure("late in the window's loop while draining, p99", late[int(len(late) * 0.99)], "ms", 16),
        Figure("late in the window's loop while draining, longest", late[-1], "ms"),
        Figure("entries not in the log", len(set(made["ids"]) - set(there)), "entries", 0),
        Figure("entries more than once in the log", len(there) - len(set(there)), "entries", 0),
        Figure("entries out of order in the log", misplaced, "entries", 0),
        Figure("left in the outbox, or refused", drain["outbox"] + drain["refused"], "entries", 0),
    ]


def main() -> int:
    if sys.argv[1:2] == ["enter"]:
        asyncio.run(enter(sys.argv[2], Path(sys.argv[3]), int(sys.argv[4])))
        return 0
    if sys.argv[1:2] == ["window"]:
        window(sys.argv[2], Path(sys.argv[3]))
        return 0
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--json", action="store_true")
    arguments.add_argument("--entries", type=int, default=20_000)
    arguments.add_argument("--runs", type=int, default=5)
    given = arguments.parse_args()
    return report(measure(given.entries, given.runs), given.json)


if __name__ == "__main__":
    sys.exit(main())
