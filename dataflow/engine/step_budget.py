"""The budget of one step: how long an operator may take before it is told, and how often before its queries go.

Time is told by two clocks, the wall's and this thread's own: a machine that is busy with something else, or asleep,
makes no operator slow.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable
from time import perf_counter, thread_time
from typing import Any, TypeVar

LIMIT_S = 0.25
"""More than this in one operator, in one step, is told."""
TIMES = 3
"""So often within WITHIN_S, and the queries that read the operator are set aside."""
WITHIN_S = 60.0

T = TypeVar("T")


class Budget:
    """`clock` and `own` in seconds: the wall's time, and what this thread has used. `mark` begins a step's account."""

    def __init__(self, clock: Callable[[], float] = perf_counter, own: Callable[[], float] = thread_time) -> None:
        self.clock = clock
        self._own = own
        self._marked = own()
        self._overruns: dict[Hashable, deque[float]] = {}

    def mark(self) -> None:
        """Whoever owns the loop takes up the work again: what was used before counts for nobody."""
        self._marked = self._own()

    def over(self, seconds: float) -> float:
        """How long an operator took that took so many seconds by the wall; 0 where that is within the budget."""
        if seconds <= LIMIT_S:
            return 0.0
        own = min(seconds, self._own() - self._marked)
        return own if own > LIMIT_S else 0.0

    def count(self, key: Hashable) -> int:
        """How often this operator, known by its plan, has been told within the last minute, this time among them."""
        now = self.clock()
        times = self._overruns.setdefault(key, deque())
        times.append(now)
        while times[0] < now - WITHIN_S:
            times.popleft()
        return len(times)

    def forget(self, key: Hashable) -> None:
        """The operator is gone."""
        self._overruns.pop(key, None)

    def timed(self, call: Callable[[Any], T], note: Callable[[float], object]) -> Callable[[Any], T]:
        """Return the call; `note` is given the seconds by the wall where it took too many."""
        clock = self.clock

        def measured(value: Any) -> T:
            began = clock()
            result = call(value)
            took = clock() - began
            if took > LIMIT_S:
                note(took)
            return result

        return measured
