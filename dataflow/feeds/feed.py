"""The contract of a feed.

A feed writes what it receives to the store's log before it says so, and says only how far the log reaches: the
pipeline then reads the log at its own pace. So a burst waits on disk, never in a queue in memory, and the pipeline
reads live events and history by the same few lines. Everything is called and delivered on the event loop's thread.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import msgspec
from reactivex import Observable

from dataflow.session import FeedState, Present
from storage.event import Event

OnReturn = Callable[[str, float], None]
"""`on_return(id, at)`: this entry of this desk came back, at this time on `perf_counter`."""
Deliver = Callable[..., Any]
"""`deliver(function, *arguments)` runs the function on the event loop's thread soon; callable from any thread."""


class FeedStatus(msgspec.Struct, frozen=True):
    """How the feed stands; `detail` is one line for people, `behind` how many events the log has that it has not.

    `warning` tells, in one line, what is wrong although the feed works. `unfit`: refused since the log is not the one
    that the store holds, so that only a new store can follow it. `heard` is when the log was last heard, in µs of this
    desk's clock; while the desk catches up, the time of the newest event that it has, as the log gave it; 0: never;
    None: the log is the store's own. `log` names a shared log: "nats://tower:4222".
    """

    state: FeedState
    detail: str = ""
    behind: int = 0
    warning: str = ""
    unfit: bool = False
    heard: int | None = None
    log: str = ""


class Refusal(msgspec.Struct, frozen=True):
    """An entry that the log will not take, ever. `stale`: its entity has changed since the operator saw it."""

    id: str
    reason: str
    stale: bool = False

    @classmethod
    def changed(cls, entry: Event) -> Refusal:
        """Refuse a guarded entry whose entity others have added to."""
        return cls(entry.id, f"{entry.subject or 'what it is about'} has changed since you saw it", stale=True)


class Feed(Protocol):
    """Where confirmed events come from and entries go to."""

    @property
    def arrivals(self) -> Observable[int]:
        """The last position in the log: the present one on subscribing, then each advance."""

    @property
    def status(self) -> Observable[FeedStatus]:
        """The present one on subscribing, then each change."""

    @property
    def refusals(self) -> Observable[Refusal]:
        """Entries that were refused."""

    @property
    def presence(self) -> Observable[Sequence[Present]]:
        """Who is on this board now: the present ones on subscribing, then each change. Empty where nobody can be."""

    def start(self, shown: Callable[[], int] | None = None, on_return: OnReturn | None = None) -> None:
        """Begin. Nothing is delivered before.

        `shown` tells how far the views are, for others to see where anybody can. `on_return` is called for each entry
        of this desk that comes back, before `arrivals` says so. A feed whose log is the store itself calls neither.
        """

    def publish(self, entries: Sequence[Event]) -> None:
        """Send entries on their way, in order. Each comes back by `arrivals`, or waits in the outbox."""

    def pause(self, paused: bool) -> None:
        """Hold or resume, where the feed can be held."""

    def close(self) -> None:
        """Stop delivering. What is in the log stays there."""
