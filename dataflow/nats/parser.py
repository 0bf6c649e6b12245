"""What comes over a connection, one operation of the NATS protocol after the other, each of them whole.

nats-py takes 11 µs for a message, most of it for headers that nobody reads, and a desk that is far behind gets a
million of them. So the *plain* messages of one subscription, the log's, go a short way of 2 µs: those that JetStream
delivers with an event in structured mode, if that is said first. Every other operation goes to nats-py's own parser,
in its order.
Source: https://docs.nats.io/reference/reference-protocols/nats-protocol
"""

from __future__ import annotations

import asyncio
from typing import Protocol

from nats.aio.msg import Msg
from nats.protocol import parser

_LINE_END = b"\r\n"
_WITH_BODY = (b"HMSG ", b"MSG ")


class Tray(Protocol):
    """Where one subscription's messages are put. It raises nothing: reading would end."""

    def put(self, message: Msg) -> None:
        """Take a message of another kind, from nats-py's parser."""

    def put_plain(self, data: bytes, at: int) -> int:
        """Take the whole plain messages that follow one another from `at` on; where the first other thing begins."""


class Parser(parser.Parser):
    """`tray` is asked first. `heard` is when something last came (loop time): on a slow line the answer to a ping waits
    behind all that was sent before, so whatever comes is a sign of life.
    """

    def __init__(self, client: object) -> None:
        self.tray: Tray | None = None
        self.heard = 0.0
        self._part = bytearray()
        self._needed = 0
        super().__init__(client)

    @property
    def waits(self) -> bool:
        """Whether a part of something has come that is not whole yet."""
        return bool(self._part)

    def reset(self) -> None:
        super().reset()
        self._part.clear()
        self._needed = 0

    async def parse(self, data: bytes = b"") -> None:
        self.heard = asyncio.get_running_loop().time()
        self.nc._pings_outstanding = 0
        if self._part:
            self._part += data
            if len(self._part) < self._needed:
                return
            data = bytes(self._part)
            self._part.clear()
        at = 0
        while at < len(data):
            if self.tray is not None:
                at = self.tray.put_plain(data, at)
            self._needed = _length(data, at)
            if not 0 < self._needed <= len(data) - at:
                self._part += data[at:]
                return
            await super().parse(data[at : at + self._needed])
            at += self._needed


def _length(data: bytes, at: int) -> int:
    """Bytes of the operation that begins there; 0 where its first line is not whole."""
    end = data.find(_LINE_END, at) + len(_LINE_END)
    if end < len(_LINE_END):
        return 0
    if not data.startswith(_WITH_BODY, at):
        return end - at
    body = data[at:end].split()[-1]
    return end - at + (int(body) + len(_LINE_END) if body.isdigit() else 0)
