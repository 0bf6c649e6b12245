"""Catching up: how far it is, and how long it will take.

Every event that a desk lacks is received once and shown once, and each of these is a unit of work. What is done is
counted, what is left is told, and the share of the first is the progress: events that come in meanwhile are work, too,
but progress never falls. An outage in the middle does not begin it anew.
"""

from __future__ import annotations

from collections import deque

WINDOW_S, MARK_S = 10.0, 0.2
LEAST_S = 2.0
"""How long the pace must have been seen before it says anything about the rest."""


class CatchUp:
    """From the beginning to the end. `time` is any clock in seconds that only rises. `progress` is 0 to 1, and None
    until the feed has said for the first time what it lacks.
    """

    def __init__(self, time: float) -> None:
        self.progress: float | None = None
        self._known = False
        self._behind = 0
        self._to_show = 0
        self._done = 0
        self._marks: deque[tuple[float, int]] = deque([(time, 0)])

    @property
    def to_go(self) -> int:
        """Events that the views lack."""
        return self._behind + self._to_show

    def received(self, behind: int) -> None:
        """The feed lacks so many events now."""
        self._done += max(0, self._behind - behind)
        self._behind = behind
        self._known = True

    def away(self) -> None:
        """The feed cannot tell what it lacks; it is what it said last, as far as anybody knows."""
        self._known = True

    def shown(self, taken: int, to_show: int, time: float) -> None:
        """The views took some, and lack so many of those that were received."""
        self._done += taken
        self._to_show = to_show
        if self._known:
            self.progress = max(self.progress or 0.0, self._share())
        if time - self._marks[-1][0] >= MARK_S:
            self._marks.append((time, self._done))
            while time - self._marks[0][0] > WINDOW_S:
                self._marks.popleft()

    def left_s(self, time: float) -> float | None:
        """Seconds to the end at the pace of the last seconds; None where that is not known."""
        since, done = self._marks[0]
        pace = (self._done - done) / max(time - since, 1e-9)
        return self._left() / pace if time - since >= LEAST_S and pace > 0 else None

    def _left(self) -> int:
        return 2 * self._behind + self._to_show

    def _share(self) -> float:
        whole = self._done + self._left()
        return self._done / whole if whole else 0.0
