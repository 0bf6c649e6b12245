"""An event loop whose time jumps to the next timer when nothing else is to be done: minutes of waiting pass at once."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
LONGEST_S = 24 * 3600.0
"""Of virtual time: whoever waits longer waits for what never comes."""


THREAD_S = 10.0
"""So long another thread may take where nothing else is to come: that time is real."""


class Stuck(Exception):
    """Nothing will ever happen any more, or not in a day."""


class _Jumping(selectors.DefaultSelector):
    """Waits for no timer: what it should have waited is added to `passed`."""

    passed = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        events = super().select(THREAD_S if timeout is None else 0)
        if not events:
            if timeout is None or self.passed > LONGEST_S:
                raise Stuck(f"after {self.passed:,.0f} s")
            self.passed += max(0.0, timeout)
        return events


class VirtualLoop(asyncio.SelectorEventLoop):
    """`time` begins at 1,000 s. What is for a thread is run at once, on the loop's own."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        return 1000.0 + self._jumping.passed

    def run_in_executor(self, executor: object, function: Callable[..., T], *arguments: Any) -> asyncio.Future[T]:
        future = self.create_future()
        try:
            future.set_result(function(*arguments))
        except Exception as error:  # noqa: BLE001 - whoever waits for it is told
            future.set_exception(error)
        return future


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in a loop of its own, in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)
