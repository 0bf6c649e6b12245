"""By how much this machine's clock is wrong for certain, in words; and that it is looked at now and then."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from types import SimpleNamespace

import pytest

from dataflow.feeds.shared import clock_skew
from dataflow.nats.errors import StreamSilent
from tests.virtual_loop import run

S = 1_000_000


@pytest.mark.parametrize(
    ("asked", "answered", "theirs", "off"),
    [
        (10, 20, 15, 0), (10, 20, 10, 0), (10, 20, 20, 0), (10, 20, 9, 1), (10, 20, 21, -1), (100, 101, 40, 60),
        (100, 101, 200, -99),
    ],
)
def test_only_what_is_certain_counts(asked, answered, theirs, off):
    assert clock_skew.measure_skew(asked, answered, theirs) == off


@pytest.mark.parametrize(
    ("off", "words"),
    [
        (0, ""), (20 * S - 1, ""), (1 - 20 * S, ""), (20 * S, "20 seconds ahead of"), (-20 * S, "20 seconds behind"),
        (-3600 * S, "1 hour behind"), (90 * 60 * S, "90 minutes ahead of"), (2 * 86_400 * S, "2 days ahead of"),
    ],
)
def test_it_is_told_from_twenty_seconds_on(off, words):
    told = clock_skew.describe_skew(off)
    assert told == (words and f"this desk's clock is {words} the server's; set it right, for entries carry its time")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (1, "1 second"), (59, "1 minute"), (45, "45 seconds"), (62, "1 minute"), (64, "64 seconds"),
        (3600, "1 hour"), (3700, "1 hour"), (5400, "90 minutes"), (86_400, "1 day"), (129_600, "36 hours"),
        (400 * 86_400, "400 days"), (4000 * 86_400, "4,000 days"),
    ],
)
def test_a_span_is_told_in_the_largest_unit_that_fits(seconds, words):
    assert clock_skew.describe_span(seconds * S) == words


def test_the_clock_is_looked_at_now_and_then_as_long_as_the_connection_lasts(monkeypatch):
    answers = [StreamSilent("nobody"), 0, 400 * S, 100 * S]
    told, times = [], []

    async def main():
        loop = asyncio.get_running_loop()
        connection = SimpleNamespace(lost=False, client=object())

        async def clock(client, board):
            times.append(loop.time())
            answer = answers[len(times) - 1]
            connection.lost = len(times) == len(answers)
            if isinstance(answer, Exception):
                raise answer
            return answer

        monkeypatch.setattr("dataflow.nats.streams.clock", clock)
        await clock_skew.watch_clock(connection, "b", lambda: 100 * S, told.append)

    run(main())
    assert told == [clock_skew.describe_skew(-300 * S), ""]
    assert [after - before for before, after in pairwise(times)] == [clock_skew.LOOK_S] * 3
