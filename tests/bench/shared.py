"""A real server for benches, the demo's day on it, a load on it, and the bare limit of what NATS does.

`python -m tests.bench.shared load URL RATE` publishes events of the demo's days until its standard input is closed.
`python -m tests.bench.shared receive URL` notes when each message of the bare stream is there, and tells when asked.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
from contextlib import contextmanager, suppress
from itertools import cycle, islice
from pathlib import Path
from time import perf_counter
from zoneinfo import ZoneInfo

import msgspec
import nats
from nats.js.api import DeliverPolicy

from dataflow.feeds.recording import read_recording
from dataflow.feeds.shared.producer import Producer
from dataflow.feeds.shared_clock import moment
from dataflow.nats import streams
from dataflow.server.config import Settings
from dataflow.server.process import ServerProcess
from storage.ids import uuid7
from tests.bench.load import RECORDING, TICK_S
from tests.nats import free_port

BOARD = "nyc"
BARE = "bare"
START = moment("14:30", ZoneInfo("America/New_York"))


@contextmanager
def serving():
    """A fresh server that fsyncs before it acknowledges, for the length of a with block; its address."""
    with tempfile.TemporaryDirectory() as folder:
        process = ServerProcess(Settings(name="bench", store=Path(folder) / "js", port=free_port()), Path(folder))
        process.start()
        try:
            yield process.url
        finally:
            process.stop()


@contextmanager
def child(module: str, *arguments: str):
    """A process of ours that is spoken with a line at a time; it ends when its input does."""
    command = [sys.executable, "-m", module, *arguments]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        with suppress(BrokenPipeError):
            process.stdin.close()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


def ask(process, line: str = "") -> str:
    """Say a line, and hear one."""
    process.stdin.write(line + "\n")
    process.stdin.flush()
    return process.stdout.readline().strip()


async def fill(url: str, events) -> None:
    """Make the board's stream with these events in it."""
    connection = await nats.connect(url)
    await streams.ensure(connection, BOARD)
    await Producer(connection, BOARD, "feed").send(events)
    await connection.close()


async def load(url: str, rate: float, stop: asyncio.Future) -> float:
    """Publish until told to stop, what is due each tick as one batch; how many events a second it came to.

    One message at a time is not a rate that a server reaches that fsyncs each: about 4,500/s here, when it is idle.
    """
    connection = await nats.connect(url)
    producer = Producer(connection, BOARD, "feed")
    events, began, sent = cycle(read_recording(RECORDING)), perf_counter(), 0
    while not stop.done():
        elapsed = perf_counter() - began
        now = START + int(elapsed * 1e6)
        due = [
            msgspec.structs.replace(event, id=uuid7(now), time=now, authid=None)
            for event in islice(events, int(elapsed * rate) - sent)
        ]
        await producer.send(due)
        sent += len(due)
        await asyncio.sleep(TICK_S)
    elapsed = perf_counter() - began
    await connection.close()
    return sent / elapsed


async def bare(url: str, count: int, pause_s: float) -> list[float]:
    """Milliseconds from a publish here to its receipt in another process, through a stream like a board's."""
    connection = await nats.connect(url)
    await streams.ensure(connection, BARE)
    with child("tests.bench.shared", "receive", url) as receiver:
        receiver.stdout.readline()
        sent = []
        for number in range(count):
            await asyncio.sleep(pause_s)
            sent.append(perf_counter())
            await connection.request(f"wf.{BARE}._.x.{number}", b"x" * 300, timeout=10)
        received = json.loads(ask(receiver, str(count)))
    await connection.close()
    return [(there - here) * 1000 for here, there in zip(sent, received, strict=True)]


async def receive(url: str, stop: asyncio.Future) -> list[float]:
    connection = await nats.connect(url)
    received: list[float] = []

    async def note(_) -> None:
        received.append(perf_counter())

    new = DeliverPolicy.NEW
    await connection.jetstream().subscribe(f"wf.{BARE}.>", cb=note, ordered_consumer=True, deliver_policy=new)
    print("ready", flush=True)
    count = int(await stop)
    while len(received) < count:
        await asyncio.sleep(0.01)
    await connection.close()
    return received


async def main() -> None:
    role, url, *more = sys.argv[1:]
    stop = asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    if role == "load":
        print(await load(url, float(more[0]), stop))
    else:
        print(json.dumps(await receive(url, stop)))


if __name__ == "__main__":
    asyncio.run(main())
