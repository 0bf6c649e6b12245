"""`watchfloor demo --desks 2`: a real server with the demo's day, and desks on it, each a process of its own.

This process shows nothing itself: it runs the server, tells the recording, and ends what it started, whatever happens:
all windows closed, Ctrl+C, `kill`, or something that goes wrong on the way. The whole of it lives in one temporary
folder.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec

from dataflow.server.binary import find
from gui.commands.boards import load_board
from gui.commands.display import recording
from gui.commands.ending import on_signal
from gui.demo.messages import Begin, Seat
from gui.reporting.terminal import say

if TYPE_CHECKING:
    from dataflow.board import Board
    from dataflow.server.process import ServerProcess

OPERATORS = ("amy", "bob", "eve", "dan")
DESK = "from gui.demo.desk_process import main"
LOOK_S = 0.1
END_S = 5.0
TRIES = 3


class Desk:
    """A desk's process. It sees this process's modules, whatever lies in the folder that it is started in."""

    def __init__(self, seat: Seat) -> None:
        self.operator = seat.operator
        self._has_complained = False
        code = f"import sys; sys.path[:] = {sys.path!r}; {DESK}; sys.exit(main(sys.argv[1]))"
        self._process = subprocess.Popen(
            [sys.executable, "-c", code, msgspec.json.encode(seat).decode()], stdin=subprocess.PIPE,
            start_new_session=True, creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )  # fmt: skip

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def begin(self, log: Begin) -> None:
        """The log is there. One that was closed already does not hear it."""
        with suppress(BrokenPipeError):
            assert self._process.stdin
            self._process.stdin.write(msgspec.json.encode(log) + b"\n")
            self._process.stdin.flush()

    def failure(self) -> str | None:
        """Why it ended, if that was not in order; told once."""
        if self.running or self._has_complained or self._process.returncode == 0:
            return None
        self._has_complained = True
        return f"{self.operator}'s desk ended by itself (exit code {self._process.returncode})"

    def tell_end(self) -> None:
        with suppress(BrokenPipeError):
            assert self._process.stdin
            self._process.stdin.close()

    def end(self, until: float) -> None:
        """In order until a time of the monotonic clock; then at once."""
        try:
            self._process.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def run(desks: int, start: str, speed: float, theme: str | None) -> int:
    """Until the last desk is closed; the exit code. Raises ServerError."""
    return asyncio.run(_demo(desks, start, speed, theme))


async def _demo(count: int, start: str, speed: float, theme: str | None) -> int:
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task
    with ExitStack() as stack:
        stack.enter_context(on_signal(lambda: loop.call_soon_threadsafe(task.cancel)))
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="watchfloor-demo-", ignore_cleanup_errors=True)))
        find()
        desks: list[Desk] = []
        stack.callback(_end, desks)
        _open(desks, OPERATORS[:count], folder, theme)  # before the server: they take longer
        server = stack.enter_context(_server(folder))
        stack.callback(_end, desks)  # before the server, too: then they take their leave
        try:
            return await _replay(server, desks, load_board("demo").board, start, speed)
        except asyncio.CancelledError:
            say("ended")
            return 0


@contextmanager
def _server(folder: Path) -> Iterator[ServerProcess]:
    """On a port that is free: another program may take it before the server does."""
    from dataflow.nats.errors import ServerFailed
    from dataflow.server.config import Settings
    from dataflow.server.process import ServerProcess

    for attempt in range(TRIES):
        name = f"watchfloor-demo-{os.getpid()}-{attempt}"
        server = ServerProcess(Settings(name=name, store=folder / "jetstream", port=_free_port()), folder)
        try:
            server.start()
            break
        except ServerFailed:
            if attempt + 1 == TRIES:
                raise
    try:
        yield server
    finally:
        server.stop()


def _open(desks: list[Desk], operators: Sequence[str], folder: Path, theme: str | None) -> None:
    for number, operator in enumerate(operators):
        desks.append(Desk(Seat(operator, number, len(operators), str(folder / f"{operator}.db"), theme)))


def _end(desks: Sequence[Desk]) -> None:
    for desk in desks:
        desk.tell_end()
    until = time.monotonic() + END_S
    for desk in desks:
        desk.end(until)


async def _replay(server: ServerProcess, desks: list[Desk], board: Board, start: str, speed: float) -> int:
    from dataflow.feeds.recording import read_recording
    from dataflow.feeds.shared.replayer import Replayer
    from dataflow.feeds.shared_clock import Replay, moment

    events = read_recording(recording())
    begin = moment(start, ZoneInfo(board.timezone))
    replayer = Replayer(server.url, board.id, events)
    await replayer.write_history(begin)
    replay = Replay(begin, max(begin, events[-1].time), speed, time.time_ns() // 1000)
    for desk in desks:
        desk.begin(Begin(server.url, replay))
    _introduce(server, desks)
    telling = asyncio.create_task(replayer.replay(replay))
    try:
        return await _watch(server, desks, telling)
    finally:
        telling.cancel()
        await asyncio.wait({telling})


async def _watch(server: ServerProcess, desks: list[Desk], telling: asyncio.Task[None]) -> int:
    """Until no desk is left; 1 if something went wrong meanwhile, which is said at once."""
    wrong: dict[str, None] = {}
    while True:
        running = any(desk.running for desk in desks)
        for problem in _problems(server, desks, telling):
            if problem not in wrong:
                say(problem, err=True)
            wrong[problem] = None
        if not running:
            return 1 if wrong else 0
        await asyncio.sleep(LOOK_S)


def _problems(server: ServerProcess, desks: list[Desk], telling: asyncio.Task[None]) -> Iterator[str]:
    yield from filter(None, (desk.failure() for desk in desks))
    if (code := server.wait(0)) is not None:
        words = f": {server.last_words()}" if code > 0 else ""
        yield f"nats-server ended by itself (exit code {code}); the desks go on without it{words}"
    if telling.done() and (error := telling.exception()) is not None:
        yield f"the recording is not told any more: {error}"


def _introduce(server: ServerProcess, desks: list[Desk]) -> None:
    names = [desk.operator for desk in desks]
    say(f"Desks of {', '.join(names[:-1])} and {names[-1]} on one log, at {server.url}")
    say("What is entered on one is on the others. Ctrl+C ends it, or closing all the windows")
    if sys.platform != "win32":
        say(f"Cut them off for a while: kill -STOP {server.pid}, and kill -CONT {server.pid}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
