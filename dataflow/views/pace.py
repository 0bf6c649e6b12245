"""The pace of reading: how many events a part has, so that its push takes about `PUSH_S`."""

from __future__ import annotations

MOST = 1000
LEAST = 16
FIRST = 64
PUSH_S = 0.0025


class Pace:
    """`size` is how many events the next part has."""

    def __init__(self, size: int = FIRST) -> None:
        self.size = size

    def adapt(self, events: int, seconds: float) -> None:
        """Note how long a part of so many events took.

        Where other processes hold this one up, a push takes long that is not long: the size falls by a half at most.
        """
        fitting = int(events * PUSH_S / max(seconds, 1e-6))
        self.size = max(LEAST, self.size // 2, min(MOST, fitting, self.size * 2))
