"""A feed of which nothing comes, and that sends nothing: for the picture of a store as it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from reactivex import Observable, empty, just
from reactivex.subject import BehaviorSubject

from dataflow.feeds.feed import FeedStatus, Refusal
from dataflow.session import Present
from storage.event import Event
from storage.log import EventLog


class StillFeed:
    """`status` is how the desk stood that the store belongs to; None: the log is its own, and complete."""

    def __init__(self, log: EventLog, status: FeedStatus | None = None) -> None:
        self.arrivals: Observable[int] = BehaviorSubject(log.last())
        self.status: Observable[FeedStatus] = BehaviorSubject(status or FeedStatus("live"))
        self.refusals: Observable[Refusal] = empty()
        self.presence: Observable[Sequence[Present]] = just(())

    def introduce(self, shown: Callable[[], int], received: Callable[[str, float], None]) -> None:
        """Nobody else sees this desk."""

    def start(self) -> None:
        """Nothing comes."""

    def publish(self, entries: Sequence[Event]) -> None:
        """What waits goes on waiting, and is shown so."""

    def pause(self, paused: bool) -> None:
        """Nothing moves."""

    def close(self) -> None:
        """Nothing is open."""
