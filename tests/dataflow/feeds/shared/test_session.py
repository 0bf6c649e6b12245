"""How a session with a shared log ends, and what is said of it; without a server."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest
from nats.errors import Error

from dataflow.feeds.shared import session
from dataflow.feeds.shared.log_match import LogMismatch
from dataflow.feeds.shared.session import Desk, Sessions
from dataflow.feeds.shared.subscription import Lost
from dataflow.nats.connection import NotAdmitted, Unreachable
from dataflow.nats.errors import StreamRefused, StreamSilent
from storage.errors import PositionTaken, StoreClosed

DENIED = Error("nats: permissions violation for publish to x")


class Line:
    """A connection that knows of another server, and ends with an error that the server told."""

    def __init__(self, last_error=None):
        self.last_error, self.others, self.closed = last_error, ["nats://other"], False

    async def close(self):
        self.closed = True


class Stage:
    """Sessions of a desk whose follower ends with an error; what `connect` is asked for."""

    def __init__(self, monkeypatch, error, last_error=None, refused=None):
        self.line, self.error, self.refused, self.asked = Line(last_error), error, refused, []
        self.report = SimpleNamespace(mismatch=True)
        monkeypatch.setattr(session, "connect", self.connect)
        self.sessions = Sessions(
            Desk(("nats://a", "nats://b"), "b", "amy"), self, SimpleNamespace(deny=None), None, self.report, None, None
        )
        self.followed = True

    async def connect(self, urls, name, identity, lost, denied, ca, others):
        self.asked.append((urls, name, tuple(others)))
        if self.refused is not None:
            raise self.refused
        return self.line

    async def check_log(self, connection):
        raise self.error


@pytest.mark.parametrize(
    ("error", "last_error", "end", "mismatch"),
    [
        (LogMismatch("made anew"), None, ("refused", "made anew"), True),
        (PositionTaken("x"), None, ("refused", str(PositionTaken("x"))), True),
        (StreamRefused("no stream"), None, ("refused", "no stream"), False),
        (StreamSilent("silent"), None, ("offline", "silent"), False),
        (StreamSilent("silent"), DENIED, ("refused", "silent: this identity may not ask"), False),
        (StreamSilent("silent"), Error("nats: other"), ("offline", "silent"), False),
        (Lost("fell silent"), None, ("offline", "the connection was lost (fell silent)"), False),
        (Lost(), None, ("offline", "the connection was lost (closed)"), False),
        (OSError("broken"), Error("told"), ("offline", "the connection was lost (told)"), False),
    ],
)
def test_why_it_ended_is_said_and_the_connection_is_closed(monkeypatch, error, last_error, end, mismatch):
    stage = Stage(monkeypatch, error, last_error)
    assert asyncio.run(stage.sessions.run_one()) == end
    assert (stage.report.mismatch, stage.line.closed, stage.sessions.followed) == (mismatch, True, False)


def test_a_store_that_was_closed_and_errors_of_our_own_are_raised_and_the_connection_is_closed(monkeypatch):
    for error in (StoreClosed(None), ZeroDivisionError()):
        stage = Stage(monkeypatch, error)
        with pytest.raises(type(error)):
            asyncio.run(stage.sessions.run_one())
        assert stage.line.closed


@pytest.mark.parametrize(
    ("refused", "end"), [(Unreachable("nobody"), ("offline", "nobody")), (NotAdmitted("no"), ("refused", "no"))]
)
def test_who_is_not_let_in_says_why(monkeypatch, refused, end):
    stage = Stage(monkeypatch, None, refused=refused)
    assert asyncio.run(stage.sessions.run_one()) == end
    assert (stage.report.mismatch, stage.sessions.followed) == (False, False)


def test_the_next_session_knows_the_other_servers_of_the_cluster(monkeypatch):
    stage = Stage(monkeypatch, Lost("x"))
    for _ in range(2):
        asyncio.run(stage.sessions.run_one())
    urls = "nats://a", "nats://b"
    assert stage.asked == [(urls, "watchfloor amy", ()), (urls, "watchfloor amy", ("nats://other",))]
