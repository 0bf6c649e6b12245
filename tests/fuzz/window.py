"""Attack a window by all the ways into a desk at once, and see that it neither ends, nor freezes, nor meets a bug.

    uv run python -m tests.fuzz.window [--json] [--minutes 30] [--seed 1]

Half of the time a desk on its own log (events imported and emitted by other processes, garbled files among them), half
of the time one on a real server through a bad line (events, garbage, devices by MQTT, bytes of other protocols, cuts).
All the while its board file is saved anew, good and broken, with costly queries, and a robot presses keys and clicks.
Each few minutes the desk is ended and opened again on what its store holds. Counted: windows that ended by themselves
or by a signal; times that the window did not answer for a quarter of a second of its own computing and said nothing of
it in its log; reports of bugs; commands that ended in one.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sqlite3
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

from tests.bench.report import Figure, report
from tests.faults.proxy import link
from tests.fuzz import fuzz_board, ways
from tests.nats import Server, free_port

ROUND_S = 240
SILENT_S = 20
TOLD_S = 2.0
"""So long before and after a gap its line may stand in the log."""

ROOT = Path(__file__).parents[2]
Way = Callable[[], Awaitable[None]]


class Attack:
    """One folder, what is found in it, and the random choices of one seed."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.random = folder, Random(seed)
        self.board = folder / "fuzz.toml"
        self.board.write_text(fuzz_board.TEXT, "utf-8")
        self.ended: list[str] = []
        self.gaps: list[dict[str, float]] = []
        self.faults: list[str] = []
        self.acts = 0
        self.rounds = 0
        os.environ |= {
            f"XDG_{name}_HOME": str(folder / name.lower()) for name in ("DATA", "CONFIG", "CACHE", "STATE")
        } | {"XDG_RUNTIME_DIR": str(folder)}

    async def round(self, store: Path, url: str | None, attacks: list[Way], seconds: float) -> None:
        """One window from its start to its end, under attack."""
        self.rounds += 1
        self.board.write_text(fuzz_board.TEXT, "utf-8")
        desk = await Desk.open(self, store, url)
        while not desk.painted and desk.fault() is None:
            await asyncio.sleep(0.05)
        until = time.monotonic() + seconds
        workers = [asyncio.create_task(self._attack(attacks, until)) for _ in range(2)]
        while time.monotonic() < until and desk.fault() is None:
            asked = time.monotonic()
            await asyncio.sleep(0.5)
            desk.excuse(time.monotonic() - asked - 0.5)
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
        fault = desk.fault() or await desk.close()
        if fault:
            await desk.ended()
            self.ended.append(fault)
            print(f"\n{fault}\n{desk.errors()}", file=sys.stderr)

    async def _attack(self, attacks: list[Way], until: float) -> None:
        while time.monotonic() < until:
            self.acts += 1
            try:
                await self.random.choice(attacks)()
            except AssertionError as error:
                self.faults.append(str(error))
                print(f"\n{error}", file=sys.stderr)
            await asyncio.sleep(self.random.random() * 0.5)

    def untold(self) -> list[dict[str, float]]:
        """Gaps of the loop's own making of which no line of the log tells."""
        told = self._told()
        return [gap for gap in self.gaps if not any(_near(gap, at) for at in told)]

    def _told(self) -> list[float]:
        """When the log said something of a step that took long (seconds since 1970)."""
        found = []
        for file in self.folder.rglob("*.log*"):
            for line in file.read_text("utf-8", "replace").splitlines():
                if " ms" in line or " took " in line:
                    try:
                        found.append(time.mktime(time.strptime(line[:19].replace("T", " "), "%Y-%m-%d %H:%M:%S")))
                    except ValueError:
                        continue
        return found

    def rows(self, table: str) -> int:
        """How many rows the desks' stores have in a table."""
        count = 0
        for store in self.folder.glob("*.db"):
            with closing(sqlite3.connect(store)) as connection:
                count += connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        return count

    def reports(self) -> list[Path]:
        return sorted(self.folder.rglob("bug-*.txt"))


def _near(gap: dict[str, float], at: float) -> bool:
    return gap["at"] - gap["gap"] / 1000 - TOLD_S <= at <= gap["at"] + TOLD_S


class Desk:
    """The window's process."""

    def __init__(self, attack: Attack, process: Any, errors: Path) -> None:
        self._attack, self._process, self._errors = attack, process, errors
        self._heard = time.monotonic()
        self.painted = False
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def open(cls, attack: Attack, store: Path, url: str | None) -> Desk:
        errors = attack.folder / f"stderr-{attack.rounds}.txt"
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-X", "faulthandler", "-m", "tests.fuzz.window_desk", str(attack.board), str(store),
            str(attack.random.getrandbits(30)), *([url] if url else []),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=errors.open("wb"), cwd=ROOT,
        )  # fmt: skip
        return cls(attack, process, errors)

    async def _read(self) -> None:
        while line := await self._process.stdout.readline():
            self._heard = time.monotonic()
            said = json.loads(line)
            self.painted |= "painted" in said
            if said.get("own", 0) > 250:
                self._attack.gaps.append(said)

    def excuse(self, seconds: float) -> None:
        """The attacker itself was busy for so long, and heard nothing."""
        self._heard += seconds

    def fault(self) -> str | None:
        """Why it is no good any more; None while all is well."""
        if self._process.returncode is not None or self._reading.done():
            return f"round {self._attack.rounds}: the window ended by itself ({self._process.returncode})"
        if time.monotonic() - self._heard > (SILENT_S if self.painted else 120):
            self._process.send_signal(signal.SIGABRT)  # it says where it stands
            return f"round {self._attack.rounds}: the window stands still"
        return None

    async def close(self) -> str | None:
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), 60)
        except TimeoutError:
            self._process.send_signal(signal.SIGABRT)
            return f"round {self._attack.rounds}: the window did not close"
        finally:
            await self._reading
        return None if self._process.returncode == 0 else f"the window closed with {self._process.returncode}"

    async def ended(self) -> None:
        await self._process.wait()

    def errors(self) -> str:
        return self._errors.read_text("utf-8", "replace")[-3000:]


async def on_its_own(attack: Attack, seconds: float) -> None:
    store, random, folder = attack.folder / "own.db", attack.random, attack.folder
    await attack.round(store, None, [
        lambda: ways.import_file(random, attack.board, store, folder),
        lambda: ways.emit(random, attack.board, store),
        lambda: ways.save_board(random, attack.board),
    ], seconds)  # fmt: skip


async def on_a_server(attack: Attack, server: Server, mqtt: int, seconds: float) -> None:
    from dataflow.nats.connection import connect
    from dataflow.nats.streams import ensure

    random = attack.random
    connection = await connect([server.url], "maker", None, lambda: None, lambda _: None)
    await ensure(connection.client, fuzz_board.ID, sources=("meters.*.state",))
    await connection.close()
    async with link(server.port, drops=lambda _: False) as line:
        await attack.round(attack.folder / "shared.db", line.url, [
            lambda: ways.publish(random, server.url), lambda: ways.publish(random, server.url),
            lambda: ways.speak_mqtt(random, mqtt), lambda: ways.shout(random, server.port),
            lambda: ways.disturb(random, line), lambda: ways.save_board(random, attack.board),
        ], seconds)  # fmt: skip


async def run(folder: Path, minutes: float, seed: int) -> list[Figure]:
    attack, mqtt = Attack(folder, seed), free_port()
    server = Server(folder / "nats", mqtt=mqtt)
    server.start()
    until = time.monotonic() + minutes * 60
    try:
        while (left := until - time.monotonic()) > 1:
            seconds = min(ROUND_S, left / 2)
            await on_its_own(attack, seconds)
            await on_a_server(attack, server, mqtt, min(seconds, max(1, until - time.monotonic())))
    finally:
        server.kill()
    untold = attack.untold()
    for gap in untold[:20]:
        print(f"untold: {gap}", file=sys.stderr)
    for path in attack.reports()[:10]:
        print(path.read_text("utf-8", "replace")[-1500:], file=sys.stderr)
    return [
        Figure("minutes under attack", minutes, "min"),
        Figure("attacks", attack.acts, ""),
        Figure("events in the desks' logs", attack.rows("log"), ""),
        Figure("messages set aside", attack.rows("quarantine"), ""),
        Figure("windows opened", attack.rounds, ""),
        Figure("windows that ended or froze", len(attack.ended), "", 0),
        Figure("steps over 250 ms", len(attack.gaps), ""),
        Figure("steps over 250 ms that are not told", len(untold), "", 0),
        Figure("reports of bugs", len(attack.reports()), "", 0),
        Figure("commands that ended in a bug", len(attack.faults), "", 0),
    ]


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--json", action="store_true")
    arguments.add_argument("--minutes", type=float, default=30)
    arguments.add_argument("--seed", type=int, default=1)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = asyncio.run(run(Path(folder), given.minutes, given.seed))
    return report(figures, given.json)


if __name__ == "__main__":
    sys.exit(main())
