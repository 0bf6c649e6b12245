"""What the compiling of one query may cost: characters, parts of its plan, seconds of the processor's time.

A pass over a plan calls `spend`; where no budget runs, that costs nothing and limits nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import thread_time

from dataflow.sql.errors import SqlError

TEXT = 1_000_000
PARTS = 1_000_000
SECONDS = 5.0
WAYS_OUT = "make views of its parts, or nest it less"
_LOOK_EVERY = 512


class Budget:
    """The parts made and looked at so far, and the time at which compiling ends."""

    def __init__(self, parts: int = PARTS, seconds: float = SECONDS) -> None:
        self._parts, self._seconds = parts, seconds
        self._spent = 0
        self._look_at = _LOOK_EVERY
        self._end = thread_time() + seconds

    def spend(self, count: int) -> None:
        """Raises SqlError when too much has been spent."""
        self._spent += count
        if self._spent < self._look_at:
            return
        self._look_at = self._spent + _LOOK_EVERY
        if self._spent > self._parts:
            raise SqlError(f"the query's plan has more than {self._parts:,} parts", 0, 0, WAYS_OUT)
        if thread_time() > self._end:
            raise SqlError(f"the query takes more than {self._seconds:g} s to compile", 0, 0, WAYS_OUT)


_RUNNING: ContextVar[Budget | None] = ContextVar("budget", default=None)


def spend(count: int = 1) -> None:
    """Count steps of a pass. Raises SqlError when the running budget is used up."""
    budget = _RUNNING.get()
    if budget is not None:
        budget.spend(count)


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
