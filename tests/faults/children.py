"""The parent's side of `tests.faults.desk`, and another producer beside it."""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
from nats.errors import Error

from dataflow.feeds.shared.producer import Producer
from dataflow.nats.connection import Unreachable, connect
from tests.faults import board
from tests.faults.desks import Shown

ROOT = Path(__file__).parents[2]
LINE = 64 * 2**20


class Child:
    """A desk's process, one incarnation. What it said before it was killed counts."""

    def __init__(self, process: Any) -> None:
        self._process = process
        self.durable: list[str] = []
        self.confirmed: dict[str, int] = {}
        self.states: list[str] = []
        self._shown: asyncio.Future[Shown]
        self._said = asyncio.Event()
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def start(cls, folder: Path, url: str, name: str, rate: float, seed: int, off_s: float = 0) -> Child:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.faults.desk", folder, url, name, str(rate), str(seed), str(off_s),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=LINE, cwd=ROOT,
        )  # fmt: skip
        return cls(process)

    async def _read(self) -> None:
        while line := (await self._process.stdout.readline()).decode():
            word, _, rest = line.rstrip("\n").partition(" ")
            if not line.endswith("\n"):
                break  # half a line: it was killed while it spoke
            if word == "durable":
                self.durable.append(rest)
            elif word == "confirmed":
                id, _, position = rest.partition(" ")
                self.confirmed[id] = int(position)
            elif word == "shown":
                self._shown.set_result(msgspec.json.decode(rest, type=Shown))
            elif word == "state":
                self.states.append(rest)
            else:
                assert word == "open", line
                self.states.append("")
            self._said.set()

    async def until(self, done: Any, timeout: float = 60) -> None:
        """Until what it has said is enough; it must not end before."""
        async with asyncio.timeout(timeout):
            while not done(self):
                assert not self._reading.done(), f"the desk's process ended: {self._process.returncode}"
                self._said.clear()
                await self._said.wait()

    async def kill(self) -> None:
        """SIGKILL, at this very moment."""
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        await self._reading
        self._process._transport.close()

    async def rest(self, position: int, timeout: float = 180) -> Shown:
        """It enters nothing more; what it shows when it holds the log up to a position and nothing waits."""
        self._shown = asyncio.get_running_loop().create_future()
        self._process.stdin.write(f"{position}\n".encode())
        waiting = {self._reading, self._shown}
        await asyncio.wait(waiting, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        assert self._shown.done(), f"the desk did not come to rest: {self.states[-3:]}"
        return self._shown.result()

    async def end(self) -> None:
        """In order."""
        self._process.stdin.close()
        await asyncio.wait_for(self._process.wait(), 30)
        await self._reading
        self._process._transport.close()
        assert self._process.returncode == 0


class Other:
    """Another producer: sends bursts until the log has taken them, whatever happens to the server meanwhile."""

    def __init__(self, url: str) -> None:
        self._urls = url.split(",")
        self._number = 0
        self.acknowledged: list[str] = []

    async def send(self, count: int, span_us: int = 1000) -> None:
        """So many events, `span_us` apart, the last one of now."""
        now = time.time_ns() // 1000
        events = [board.event(self._number + n, now - (count - n) * span_us) for n in range(count)]
        self._number += count
        while True:
            try:
                connection = await connect(self._urls, "other", None, lambda: None, lambda _: None)
                try:
                    await Producer(connection.client, board.ID, "other").send(events)
                finally:
                    await connection.close()
                break
            except (Unreachable, Error, OSError):
                await asyncio.sleep(0.05)  # between two tries, while there is no server
        self.acknowledged += [event.id for event in events]
