"""Work run_tasks following the log begins and ends with the connection."""

from __future__ import annotations

import asyncio
import gc
from contextlib import nullcontext

import pytest

from dataflow.feeds.shared.connection_tasks import run_tasks


class Line:
    """As much of a connection as is asked for."""

    def __init__(self):
        self.closed = 0
        self.last_error = None

    async def close(self):
        self.closed += 1


def test_what_is_ended_before_it_began_leaves_nothing(recwarn):
    async def work():
        raise AssertionError

    async def main():
        async with run_tasks(Line(), work(), work()):
            pass

    asyncio.run(main())
    gc.collect()
    assert not list(recwarn)


@pytest.mark.parametrize("wrong", [False, True])
def test_the_connection_is_closed_when_one_ends_and_what_went_wrong_is_raised(wrong):
    line = Line()

    async def work():
        if wrong:
            raise ValueError

    async def main():
        async with run_tasks(line, work()):
            while not line.closed:
                await asyncio.sleep(0)

    with pytest.raises(ValueError) if wrong else nullcontext():  # noqa: PT011  (it is ours)
        asyncio.run(main())
    assert line.closed
