"""The sync status: what its feed says, and how far its views are, in one state.

While history is read, or the feed or the views are far behind, it is catching up, whatever else is true: numbers on the
screen are those of another time then. Cut off, a board that has caught up with what it holds says that it is cut off.

The views' clock moves no further than to what was last heard: what has not come by a time that nobody has heard of is
not late. It stands while the desk catches up, for then what has happened by its time is still to come.
"""

from __future__ import annotations

from collections.abc import Callable

from dataflow.desk.catch_up import CatchUp
from dataflow.feeds.feed import FeedStatus
from dataflow.session import CUT_OFF, FeedState

_GOING = frozenset({"live", "replaying"})
FAR = 10_000
"""Events behind that make it catch up, even where the feed is live: some seconds of a very busy board."""


class SyncStatus:
    """`since` is when `state` began, in µs of the board's clock; `feed` is what the feed said last."""

    def __init__(self, now: Callable[[], int], time: Callable[[], float]) -> None:
        """`time` in seconds, only rises."""
        self.feed = FeedStatus("catching up")
        self._now, self._time = now, time
        self._feed_since = self._views_since = now()
        self._ready = False
        self._to_show = 0
        self._catch_up: CatchUp | None = CatchUp(time())

    @property
    def state(self) -> FeedState:
        going = self.feed.state in _GOING or self._to_show > 0
        if not self._ready or (self._catch_up is not None and going):
            return "catching up"
        return self.feed.state

    @property
    def detail(self) -> str:
        return self.feed.detail if self.state == self.feed.state else ""

    @property
    def since(self) -> int:
        return self._feed_since if self.state == self.feed.state else self._views_since

    @property
    def connected(self) -> bool:
        """Whether an entry that is made now goes on its way at once."""
        return self._ready and self.feed.state not in CUT_OFF and self.feed.state != "catching up"

    @property
    def catching_up(self) -> CatchUp | None:
        """How far it is, while it is catching up."""
        return self._catch_up if self.state == "catching up" else None

    @property
    def connecting(self) -> bool:
        """Whether what the store holds has been read, and the log has not answered yet."""
        return self._ready and self.unanswered

    @property
    def unanswered(self) -> bool:
        """Whether the log has not said yet what it has."""
        return self.feed.state == "catching up" and not (self.feed.behind or self.feed.detail)

    def views_time(self, now: int) -> int | None:
        """What the views are to call now; None: what they call so already. `now` is the board's clock."""
        if self._ready and self.state == "catching up":
            return None
        if self.feed.heard is not None:
            return min(now, self.feed.heard) if self.feed.heard else now
        return now if self.feed.state not in CUT_OFF else min(now, self.since)

    def left_s(self) -> float | None:
        """Seconds until it has caught up; None where that is not known."""
        return None if self.catching_up is None else self.catching_up.left_s(self._time())

    def receive_feed(self, status: FeedStatus) -> None:
        """Take what the feed says of itself."""
        if status.state != self.feed.state:
            self._feed_since = self._now()
        self.feed = status
        if status.state == "catching up":
            self._begin()
        if self._catch_up is None:
            return
        if status.state in CUT_OFF:
            self._catch_up.away()
        elif status.behind or status.state != "catching up":
            self._catch_up.received(status.behind if status.state == "catching up" else 0)

    def note_step(self, taken: int, to_show: int) -> None:
        """Note that the views took some events, and lack so many of those that are in the store."""
        self._to_show = to_show
        if to_show > FAR:
            self._begin()
        if self._catch_up is None:
            return
        self._catch_up.shown(taken, to_show, self._time())
        if self._ready and to_show == 0 and self._received():
            self._catch_up = None

    def note_ready(self) -> None:
        """Note that history has been read."""
        self._ready = True
        self.note_step(0, 0)

    def _received(self) -> bool:
        """Nothing is to come, or nothing that anybody knows of."""
        return self.feed.state != "catching up" and (self.feed.state not in CUT_OFF or self._catch_up_idle())

    def _catch_up_idle(self) -> bool:
        return self._catch_up is None or self._catch_up.to_go == 0

    def _begin(self) -> None:
        if self._catch_up is None:
            self._catch_up = CatchUp(self._time())
            self._views_since = self._now()
