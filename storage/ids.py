"""Event ids: UUIDs that sort by time (RFC 9562), so that the log's index grows at its end, which is fast."""

from __future__ import annotations

import os
import time as clock

_BELOW_MILLISECOND = 4096  # 12 bits: the sub-millisecond part, RFC 9562 section 6.2, method 3


def uuid7(time_us: int | None = None, entropy: bytes | None = None) -> str:
    """A fresh id. `time_us`: microseconds since 1970 (None: now); `entropy`: eight bytes (None: random)."""
    now = clock.time_ns() // 1000 if time_us is None else time_us
    return _layout(7, now, int.from_bytes(entropy or os.urandom(8), "big"))


def uuid8(time_us: int, digest: bytes) -> str:
    """The same layout as `uuid7`, for ids that are told from content: the same input gives the same id."""
    return _layout(8, time_us, int.from_bytes(digest[:8], "big"))


def _layout(version: int, time_us: int, low: int) -> str:
    milliseconds, micros = divmod(max(time_us, 0), 1000)
    fraction = micros * _BELOW_MILLISECOND // 1000
    high = f"{(milliseconds & 0xFFFFFFFFFFFF):012x}"
    tail = f"{(low & 0x3FFFFFFFFFFFFFFF) | 0x8000000000000000:016x}"
    return f"{high[:8]}-{high[8:]}-{version}{fraction:03x}-{tail[:4]}-{tail[4:]}"
