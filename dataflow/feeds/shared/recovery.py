"""How a feed goes on after a gap: another subscription at once; then after pauses, so that nobody can make a desk
subscribe all the time; and where subscriptions bring nothing, message by message.
"""

from __future__ import annotations

import random

CALM_S = 20.0
"""So long without a gap, and the next one is the first."""
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 5.0


class Recovery:
    """Counts the gaps that follow one another."""

    def __init__(self) -> None:
        self._gaps = self._in_vain = 0
        self._cursor, self._last = -1, 0.0

    def note(self, cursor: int, now: float) -> None:
        """A gap, when all up to `cursor` has been taken, at a time in seconds."""
        calm = self._gaps == 0 or now - self._last > CALM_S
        self._gaps = 1 if calm else self._gaps + 1
        self._in_vain = 0 if calm or cursor > self._cursor else self._in_vain + 1
        self._cursor, self._last = cursor, now

    @property
    def stuck(self) -> bool:
        """Whether the last subscription has brought nothing."""
        return self._in_vain > 0

    @property
    def pause_s(self) -> float:
        """Until the next subscription."""
        if self._gaps == 1:
            return 0.0
        longest: float = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2 ** min(self._gaps, 10))
        return longest * random.uniform(0.5, 1)
