"""How much may be on its way to the shared log at once: after trouble one message at a time, and after a pause; with
every answer twice as many.
"""

from __future__ import annotations

import asyncio
import random

WIDEST = 64
TICK_S = 0.25
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 10.0


class SendWindow:
    """`size` is how many messages. Times are the event loop's."""

    def __init__(self) -> None:
        self.size = WIDEST
        self.failures = 0
        self._paused_until = 0.0

    @property
    def is_wide(self) -> bool:
        """No trouble lately."""
        return self.size == WIDEST

    def is_paused(self, now: float) -> bool:
        """Whether the pause is not over yet."""
        return now < self._paused_until

    def widen(self) -> None:
        """Something was taken."""
        self.failures = 0
        self.size = min(WIDEST, self.size * 2)

    def narrow(self) -> None:
        """From now on one at a time."""
        self.size = 1

    def pause(self, now: float) -> None:
        """Something was not taken, or not answered: nothing for a while, longer each time."""
        self.size = 1
        pause = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2**self.failures)
        self.failures = min(self.failures + 1, 10)
        self._paused_until = now + pause * random.uniform(0.5, 1)


class Tick:
    """Wakes the publisher now and then, to look at deadlines and pauses: one timer, not one for each message."""

    def __init__(self, wake: asyncio.Event) -> None:
        self._wake = wake
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(TICK_S, self._ring)

    def _ring(self) -> None:
        self._wake.set()
        self._timer = self._loop.call_later(TICK_S, self._ring)

    def stop(self) -> None:
        self._timer.cancel()
