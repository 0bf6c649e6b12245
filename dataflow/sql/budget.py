"""What the compiling of one query may cost: characters, parts of its plan, seconds of the processor's time.

A pass over a plan calls `spend`; where no budget runs, that costs nothing and limits nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import get_ident
from time import perf_counter, thread_time

from dataflow.sql.errors import WAYS_OUT, SqlError

TEXT = 1_000_000
PARTS = 500_000
SECONDS = 5.0
_LOOK_EVERY = 512
_UNWATCHED = 0.2
"""Seconds by the clock on the wall before the processor's time is asked, which is dear on some machines."""


class Budget:
    """The parts made so far, and the seconds left: of the processor, so that a busy machine costs none."""

    def __init__(self, parts: int = PARTS, seconds: float = SECONDS) -> None:
        self._parts, self._seconds = parts, seconds
        self._made = self._steps = 0
        self._left = seconds
        self._watched_from = perf_counter() + _UNWATCHED
        self._seen: tuple[int, float] | None = None

    def make(self) -> None:
        """Count a part. Raises SqlError when there are too many."""
        self._made += 1
        if self._made > self._parts:
            raise SqlError(f"the query's plan has more than {self._parts:,} parts", 0, 0, WAYS_OUT)
        self.spend(1)

    def spend(self, steps: int) -> None:
        """Raises SqlError when the time is over."""
        self._steps += steps
        if self._steps >= _LOOK_EVERY:
            self._steps = 0
            self._look()

    def _look(self) -> None:
        """Each thread has a clock of its own."""
        if perf_counter() < self._watched_from:
            return
        thread, now = get_ident(), thread_time()
        if self._seen is not None and self._seen[0] == thread:
            self._left -= now - self._seen[1]
        self._seen = thread, now
        if self._left < 0:
            raise SqlError(f"the query takes more than {self._seconds:g} s to compile", 0, 0, WAYS_OUT)


_RUNNING: ContextVar[Budget | None] = ContextVar("budget", default=None)


def spend(steps: int = 1) -> None:
    """Count steps of a pass. Raises SqlError when the running budget's time is over."""
    budget = _RUNNING.get()
    if budget is not None:
        budget.spend(steps)


def make() -> None:
    """Count a part of a plan. Raises SqlError when the running budget has no room for it."""
    budget = _RUNNING.get()
    if budget is not None:
        budget.make()


@contextmanager
def budgeted(budget: Budget | None = None) -> Iterator[None]:
    """Limit what is done inside, unless it is limited already."""
    if _RUNNING.get() is not None:
        yield
        return
    token = _RUNNING.set(budget or Budget())
    try:
        yield
    finally:
        _RUNNING.reset(token)
