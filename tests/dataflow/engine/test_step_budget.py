"""The budget of a step: two clocks, a limit, a memory of a minute; and what is noted against it."""

from __future__ import annotations

import pytest

from dataflow.engine.operators.node import Source
from dataflow.engine.step_budget import LIMIT_S, WITHIN_S, Budget
from dataflow.engine.step_times import StepTimes
from dataflow.engine.troubles import Trouble, Troubles


class Clock:
    """Seconds, moved by hand: the wall's and the thread's own."""

    def __init__(self) -> None:
        self.now = self.own = 100.0

    def budget(self) -> Budget:
        return Budget(lambda: self.now, lambda: self.own)


@pytest.mark.parametrize(("wall", "own", "over"), [
    (LIMIT_S, 9.0, 0.0), (0.3, 0.3, 0.3), (0.3, 9.0, 0.3), (0.3, 0.26, 0.26), (0.3, LIMIT_S, 0.0), (9.0, 0.0, 0.0),
])  # fmt: skip
def test_time_counts_by_the_wall_and_as_far_as_it_was_our_own(wall, own, over):
    clock = Clock()
    budget = clock.budget()
    clock.own += 1000.0
    budget.mark()
    clock.own += own
    assert budget.over(wall) == pytest.approx(over)


def test_what_was_is_forgotten_after_a_minute_and_when_the_operator_goes():
    clock = Clock()
    budget = clock.budget()
    assert [budget.count("a"), budget.count("b"), budget.count("a")] == [1, 1, 2]
    clock.now += WITHIN_S
    assert budget.count("a") == 3
    clock.now += 0.1
    assert budget.count("a") == 2
    budget.forget("a")
    assert (budget.count("a"), budget.count("b")) == (1, 1)
    budget.forget("unknown")


@pytest.mark.parametrize(("took", "noted"), [(LIMIT_S, []), (0.5, [0.5])])
def test_a_timed_call_gives_its_value_and_notes_what_took_too_long(took, noted):
    clock = Clock()

    def call(value):
        clock.now += took
        return value * 2

    seconds: list[float] = []
    assert clock.budget().timed(call, seconds.append)(21) == 42
    assert seconds == pytest.approx(noted)


def test_troubles_are_taken_in_their_order():
    clock, troubles, first, second = Clock(), Troubles(), Source(), Source()
    noted, error = troubles.noted, ValueError("no")
    troubles.note_time(first, 9.0)
    assert not troubles.noted, "without a budget nothing takes too long"
    troubles.keep_to(clock.budget())
    clock.own += 0.3
    troubles.note_time(first, 0.2)
    troubles.note_time(first, 9.0)
    troubles.note_failure(second, error)
    assert noted is troubles.noted
    assert troubles.take() == Trouble(first, None, pytest.approx(0.3))
    assert troubles.take() == Trouble(second, error, 0.0)
    assert not noted


def test_times_add_up_and_the_slowest_stays():
    times, node = StepTimes(), Source()
    assert not times.measuring
    times.start()
    assert times.measuring
    assert (times.total_ms(node), times.slowest_ms(node)) == (0.0, 0.0)
    for seconds in (0.002, 0.005, 0.001):
        times.note(node, seconds)
    assert times.total_ms(node) == pytest.approx(8.0)
    assert times.slowest_ms(node) == pytest.approx(5.0)
