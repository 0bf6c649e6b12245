"""What the board's sources want and the log does not take: told when it is looked at, which is not too often."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from dataflow.feeds.shared import missing_sources
from dataflow.nats.errors import StreamSilent
from tests.virtual_loop import run


@pytest.mark.parametrize(
    ("wanted", "taken", "missing"),
    [((), (), ""), (("a",), ("a", "b"), ""), (("b", "a", "c"), ("b",), "a, c"), (("a",), (), "a")],
)
def test_what_is_missing_is_told_in_order(wanted, taken, missing):
    way_out = "give `watchfloor serve` this board file, with its sources"
    told = missing_sources.describe_missing(wanted, taken)
    assert told == (missing and f"the server's log does not take {missing}; {way_out}")


class Log:
    """What it takes, or an error, and when it was asked."""

    def __init__(self, monkeypatch):
        self.takes, self.asked, self.told = (), [], []
        monkeypatch.setattr("dataflow.nats.streams.find", self._find)

    async def _find(self, client, board):
        self.asked.append(asyncio.get_running_loop().time() - self.began)
        if isinstance(self.takes, Exception):
            raise self.takes
        return SimpleNamespace(sources=self.takes)

    async def watch(self, seconds, sources):
        self.began = asyncio.get_running_loop().time()
        connection = SimpleNamespace(lost=False, client=object())

        def look():
            after = asyncio.get_running_loop().time() - self.began
            connection.lost = after >= seconds
            return sources(after)

        await missing_sources.watch_sources(connection, "b", look, self.told.append)


def test_what_is_missing_is_asked_for_until_the_log_takes_it(monkeypatch):
    log, board = Log(monkeypatch), SimpleNamespace(subjects=("a",))

    def sources(after):
        log.takes = ("a",) if after > 12 else ()
        return board

    run(log.watch(100, sources))
    assert log.asked == [0, 5, 10, 15, 75]
    missing = missing_sources.describe_missing(("a",), ())
    assert log.told == [missing, missing, missing, "", ""]


def test_another_board_is_looked_at_at_once_and_none_or_no_sources_ask_nobody(monkeypatch):
    log = Log(monkeypatch)
    log.takes = ("a",)
    none, first, second = (SimpleNamespace(subjects=each) for each in ((), ("a",), ("b",)))

    def sources(after):
        return [None, none, none, first, first, second][min(int(after // 5), 5)]

    run(log.watch(27, sources))
    assert log.asked == [15, 25, 30]
    missing = missing_sources.describe_missing(("b",), ("a",))
    assert log.told == ["", "", missing, missing]


def test_a_server_that_does_not_answer_is_asked_again(monkeypatch):
    log, board = Log(monkeypatch), SimpleNamespace(subjects=("a",))

    def sources(after):
        log.takes = ("a",) if after > 12 else StreamSilent("nobody")
        return board

    run(log.watch(40, sources))
    assert log.asked == [0, 5, 10, 15]
    assert log.told == [""]
