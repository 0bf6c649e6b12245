"""A bad line between a desk and its server: slow, deaf, cut, or one that loses what the server answers.

`Link(port)` listens on a port of its own and hands on to the server's, each way with `latency_s` and at most `rate`
bytes a second (a token bucket; None: no limit). What does not fit through waits at the sender: little is buffered
here, so both ends feel the line. Every fault can be switched while connections are open.
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

CHUNK = 4096
AHEAD = 64
"""Chunks on their way."""

KERNEL = 16 * 1024
"""Bytes that the operating system may keep for us on each side; it takes about twice as many."""

Drops = Callable[[bytes], bool]
Way = asyncio.Queue[tuple[float, bytes | None]]


class Link:
    """`down`: nobody gets through, and who tries is turned away; `held`: nothing passes, but connections stay.

    `fuse`: after so many more bytes from the desk all connections are cut, in the middle of whatever it says.
    `drops` is asked about each message of the server's, as it is on the wire: what it says yes to is thrown away, and
    `dropped` counts those. It needs to see whole messages, so give it (or a function that always says no) from the
    beginning. `garbles` changes the server's bytes on their way.
    """

    def __init__(
        self, port: int, latency_s: float = 0.0, rate: float | None = None, drops: Drops | None = None
    ) -> None:
        self.latency_s, self.rate, self.drops = latency_s, rate, drops
        self.garbles: Callable[[bytes], bytes] | None = None
        self.down = False
        self.fuse: int | None = None
        self.connections = 0
        self.dropped = 0
        self.carried = 0
        self.url = ""
        self._port = port
        self._writers: list[asyncio.StreamWriter] = []
        self._open = asyncio.Event()
        self._open.set()

    @property
    def held(self) -> bool:
        return not self._open.is_set()

    @held.setter
    def held(self, held: bool) -> None:
        if held:
            self._open.clear()
        else:
            self._open.set()

    def cut(self) -> None:
        """End all connections, with no word; what is on its way is gone."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.down:
            writer.transport.abort()
            return
        self.connections += 1
        self._writers.append(writer)
        try:
            from_server, to_server = await _connected(self._port, self._slow)
        except OSError:
            writer.transport.abort()
            return
        self._writers.append(to_server)
        await asyncio.gather(self._carry(reader, to_server, False), self._carry(from_server, writer, True))

    @property
    def _slow(self) -> bool:
        return self.rate is not None

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, back: bool) -> None:
        """One way: as fast as the line is, then as late."""
        way = Way(AHEAD)
        late = asyncio.create_task(_deliver(way, writer, self._open))
        sieve = _Messages(self._kept) if back and self.drops is not None else None
        free = 0.0
        try:
            while data := await reader.read(CHUNK if self._slow else 16 * CHUNK):
                await self._open.wait()
                self.carried += len(data)
                if self.rate is not None:
                    free = max(free, _now()) + len(data) / self.rate
                    await asyncio.sleep(free - _now())
                passed = sieve.feed(data) if sieve else data
                if back and self.garbles is not None:
                    passed = self.garbles(passed)
                if not back and self.fuse is not None:
                    passed, self.fuse = passed[: self.fuse], self.fuse - len(passed)
                await way.put((_now() + self.latency_s, passed))
                if self.fuse is not None and self.fuse <= 0:
                    await self._blow(way)
        except (OSError, asyncio.CancelledError):
            pass
        await way.put((_now() + self.latency_s, None))
        await late
        writer.close()

    async def _blow(self, way: Way) -> None:
        """When the server has got what came before."""
        self.fuse = None
        while not way.empty():
            await asyncio.sleep(0)
        self.cut()

    def _kept(self, message: bytes) -> bool:
        dropped = self.drops is not None and self.drops(message)
        self.dropped += dropped
        return not dropped


async def _deliver(way: Way, writer: asyncio.StreamWriter, passes: asyncio.Event) -> None:
    """Until the end is told; what comes when nobody listens any more goes nowhere."""
    while (item := await way.get())[1] is not None:
        due, data = item
        if due > _now():
            await asyncio.sleep(due - _now())
        await passes.wait()
        with suppress(OSError):
            writer.write(data)
            await writer.drain()


class _Messages:
    """The server's bytes as whole messages of its protocol."""

    def __init__(self, kept: Callable[[bytes], bool]) -> None:
        self._kept = kept
        self._rest = b""

    def feed(self, data: bytes) -> bytes:
        """What is to be handed on of all that is complete now."""
        self._rest += data
        passed: deque[bytes] = deque()
        begin = 0
        while (end := self._end(begin)) is not None:
            if self._kept(self._rest[begin:end]):
                passed.append(self._rest[begin:end])
            begin = end
        self._rest = self._rest[begin:]
        return b"".join(passed)

    def _end(self, begin: int) -> int | None:
        line = self._rest.find(b"\r\n", begin)
        if line < 0:
            return None
        words = self._rest[begin:line].split()
        body = int(words[-1]) + 2 if words and words[0] in (b"MSG", b"HMSG") else 0
        end = line + 2 + body
        return end if end <= len(self._rest) else None


async def _connected(port: int, slow: bool) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    made = socket.socket()
    if slow:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, KERNEL)
    made.setblocking(False)
    try:
        await asyncio.get_running_loop().sock_connect(made, ("127.0.0.1", port))
    except BaseException:
        made.close()
        raise
    return await asyncio.open_connection(sock=made, limit=CHUNK if slow else 64 * 1024)


@asynccontextmanager
async def link(
    port: int, latency_s: float = 0.0, rate: float | None = None, drops: Drops | None = None
) -> AsyncIterator[Link]:
    """A line to the server on this port, for the length of a with block."""
    between = Link(port, latency_s, rate, drops)
    door = socket.socket()
    if rate is not None:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, KERNEL)
    door.bind(("127.0.0.1", 0))
    tasks: set[asyncio.Task[None]] = set()

    def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(between.serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    listening = await asyncio.start_server(serve, sock=door, limit=CHUNK if rate is not None else 64 * 1024)
    between.url = f"nats://127.0.0.1:{door.getsockname()[1]}"
    try:
        yield between
    finally:
        listening.close()
        between.held = False
        between.cut()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await listening.wait_closed()


def _now() -> float:
    return asyncio.get_running_loop().time()
