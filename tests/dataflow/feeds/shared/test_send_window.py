"""How much is on its way at once: few after trouble, then twice as many with every answer, after growing pauses."""

from __future__ import annotations

import asyncio
import random

import pytest

from dataflow.feeds.shared import send_window
from dataflow.feeds.shared.send_window import TICK_S, WIDEST, SendWindow, Tick
from tests.virtual_loop import run


def test_it_is_wide_at_first_and_widens_with_every_answer():
    window = SendWindow()
    assert (window.size, window.is_wide, window.is_paused(0.0)) == (WIDEST, True, False)
    window.widen()
    assert window.size == WIDEST == 64
    window.narrow()
    sizes = []
    for _ in range(7):
        sizes.append((window.size, window.is_wide))
        window.widen()
    assert sizes == [(1, False), (2, False), (4, False), (8, False), (16, False), (32, False), (64, True)]


@pytest.mark.parametrize(("share", "first", "longest"), [(0.5, 0.1, 5.0), (1.0, 0.2, 10.0)])
def test_pauses_double_up_to_a_longest_and_begin_anew_after_an_answer(monkeypatch, share, first, longest):
    monkeypatch.setattr(send_window.random, "uniform", lambda low, high: {0.5: low, 1.0: high}[share])
    window, pauses = SendWindow(), []
    for number in range(14):
        now = 100.0 * number
        window.pause(now)
        assert window.size == 1
        step = first * 2**min(number, 10)
        pause = min(step, longest)
        assert window.is_paused(now + pause - 0.001)
        assert not window.is_paused(now + pause)
        pauses.append(window.failures)
    assert pauses == [*range(1, 11), 10, 10, 10, 10]
    window.widen()
    assert (window.failures, window.size) == (0, 2)
    window.pause(5000.0)
    assert window.is_paused(5000.0 + first - 0.001)
    assert not window.is_paused(5000.0 + first)


def test_a_tick_rings_again_and_again_until_it_is_stopped():
    async def main():
        loop, wake, rung = asyncio.get_running_loop(), asyncio.Event(), []
        begin, tick = loop.time(), Tick(wake)
        for _ in range(3):
            await wake.wait()
            wake.clear()
            rung.append(round(loop.time() - begin, 6))
        tick.stop()
        await asyncio.sleep(10)
        return rung, wake.is_set()

    assert run(main()) == ([TICK_S, 2 * TICK_S, 3 * TICK_S], False)


def test_pauses_differ_from_desk_to_desk():
    random.seed(1)
    ends = set()
    for _ in range(20):
        window = SendWindow()
        window.pause(0.0)
        ends.add(next(at for at in range(1000) if not window.is_paused(at / 1000)))
    assert len(ends) > 5
    assert min(ends) >= 100
    assert max(ends) <= 201
