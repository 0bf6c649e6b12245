"""A bad line: a proxy before a server that can drop what the server says, be slow, or cut every connection."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress


class Proxy:
    """`muted`: what the server says is thrown away. `cut()` ends all connections."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._writers: list[asyncio.StreamWriter] = []
        self.muted = False
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to_server = writer
        with suppress(OSError):
            from_server, to_server = await asyncio.open_connection("127.0.0.1", self._port)
            self._writers += writer, to_server
            await asyncio.gather(self._pump(reader, to_server, False), self._pump(from_server, writer, True))
        for each in (writer, to_server):
            each.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, back: bool) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                if not (back and self.muted):
                    writer.write(data)
                    await writer.drain()
        writer.close()

    def cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()


@asynccontextmanager
async def proxy(port: int):
    between = Proxy(port)
    listening = await asyncio.start_server(between.serve, "127.0.0.1", 0)
    between.url = f"nats://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    try:
        yield between
    finally:
        listening.close()
        between.cut()
        await listening.wait_closed()
