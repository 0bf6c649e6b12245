"""A device that speaks MQTT 3.1.1 over a plain socket: it says hello, publishes, and hears acknowledgements."""

from __future__ import annotations

import socket
import ssl
import struct

TIMEOUT_S = 10


class Refused(Exception):
    """The server does not let the device in."""


class Device:
    """Connected. `with Device(port) as device: device.publish("tele/kitchen/SENSOR", b"{}")`."""

    def __init__(
        self, port: int, id: str = "device", user: str = "", password: str = "", tls: ssl.SSLContext | None = None
    ) -> None:
        """Raises Refused."""
        self._socket = socket.create_connection(("127.0.0.1", port), TIMEOUT_S)
        if tls is not None:
            self._socket = tls.wrap_socket(self._socket, server_hostname="127.0.0.1")
        self._replies = self._socket.makefile("rb")
        flags, who = (0xC2, _text(user) + _text(password)) if user else (0x02, b"")
        if self._ask(0x10, b"\x00\x04MQTT\x04" + bytes([flags]) + b"\x00\x3c" + _text(id) + who) != b"\x20\x02\x00\x00":
            self.__exit__()
            raise Refused

    def __enter__(self) -> Device:
        return self

    def __exit__(self, *_: object) -> None:
        self._replies.close()
        self._socket.close()

    def publish(self, topic: str, body: bytes, *, qos: int = 0, retain: bool = False, again: bool = False) -> None:
        """Returns when the server has it: QoS 1 by its PUBACK, QoS 0 by the answer to a ping that comes after it."""
        number = b"\x00\x07" if qos else b""
        kind = 0x30 | again << 3 | qos << 1 | retain
        self._send(kind, _text(topic) + number + body)
        assert self._read(4) == b"\x40\x02\x00\x07" if qos else self._ask(0xC0, b"", 2) == b"\xd0\x00"

    def _ask(self, kind: int, packet: bytes, answer: int = 4) -> bytes:
        self._send(kind, packet)
        return self._read(answer)

    def _read(self, count: int) -> bytes:
        return self._replies.read(count)

    def _send(self, kind: int, packet: bytes) -> None:
        length, left = b"", len(packet)
        while left >= 128:
            length += bytes([left % 128 | 128])
            left //= 128
        self._socket.sendall(bytes([kind]) + length + bytes([left]) + packet)


def _text(text: str) -> bytes:
    raw = text.encode()
    return struct.pack(">H", len(raw)) + raw
