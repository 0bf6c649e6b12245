"""Work on what is nested deeper than Python's usual limit allows, on a thread whose stack is made for it.

The parser and the rules follow the nesting of a query by calls. Each takes less than 5 kB of the stack, so that
`FRAMES` of them end in a RecursionError long before the thread's stack does. Other threads keep the stacks that they
have; the limit is raised for them only while this one works, and they wait for it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextvars import copy_context
from threading import Lock, Thread, stack_size
from typing import Any, TypeVar

FRAMES = 40_000
STACK = 256 * 2**20
_ONE_AT_A_TIME = Lock()
_Result = TypeVar("_Result")


def work_deep(work: Callable[[], _Result]) -> _Result:
    """The result of `work`, or what it raises: RecursionError where it is deeper still."""
    done: list[_Result] = []
    failed: list[BaseException] = []

    def attempt() -> None:
        try:
            done.append(work())
        except BaseException as error:  # noqa: BLE001  (raised again by who waits)
            failed.append(error)

    with _ONE_AT_A_TIME:
        _run(attempt)
    if failed:
        raise failed[0]
    return done[0]


def _run(attempt: Callable[[], Any]) -> None:
    usual, stack = sys.getrecursionlimit(), stack_size(STACK)
    thread = Thread(target=copy_context().run, args=[attempt], name="compiler")
    sys.setrecursionlimit(max(usual, FRAMES))
    try:
        thread.start()
        thread.join()
    finally:
        sys.setrecursionlimit(usual)
        stack_size(stack)
