"""What a desk is told of its shared log: how the feed stands, when the log was last heard, and what is wrong."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from reactivex.subject import BehaviorSubject

from dataflow.feeds.feed import FeedStatus
from dataflow.session import CUT_OFF, FeedState
from storage.mirror import Mirror

FAR, NEAR = 10_000, 1_000
"""Events behind that make a live feed catch up again, and that a feed which catches up calls live."""
KEEP_US = 10_000_000
"""So often it is kept when the log was heard: what is kept may be older than what was heard, never newer."""


class StatusReport:
    """Keeps `status` up to date until it is closed. `now` is the desk's clock, in µs.

    `behind` is how many events the log has that the store has not. `mismatch`: the log is not the store's.
    """

    def __init__(self, log_name: str, mirror: Mirror, now: Callable[[], int]) -> None:
        self._mirror, self._now = mirror, now
        self._heard = self._kept = mirror.heard
        self._trouble = ""
        self._warnings: dict[str, str] = {}
        self.closed = False
        self.mismatch = False
        self.behind = 0
        self.status = BehaviorSubject(FeedStatus("catching up", heard=self._heard, log=log_name))

    def set_state(self, state: FeedState, detail: str = "", behind: int = 0) -> None:
        """The feed stands like this from now on."""
        before = self.status.value
        if state == "live" and before.state != "live":
            self._heard = self._now()
        if state == "live" and self._trouble:
            state, detail = "failed", self._trouble
        after = msgspec.structs.replace(
            before, state=state, detail=detail, behind=behind, unfit=self.mismatch, heard=self._heard
        )
        if after != before and not self.closed:
            self.status.on_next(after)
        if state in CUT_OFF:
            self._keep_heard()

    def set_progress(self, behind: int, caught_up: bool) -> None:
        """So many messages are to come. `caught_up`: all that there were at the beginning are on disk."""
        self.behind = behind
        if caught_up and behind <= (FAR if self.status.value.state == "live" else NEAR):
            self.set_state("live")
        else:
            self.set_state("catching up", behind=behind)

    def set_trouble(self, why: str) -> None:
        """Entries are not taken now, though all else goes on; "": they are."""
        before, self._trouble = self._trouble, why
        if self.status.value.state == "live" or self.status.value.detail == before != "":
            self.set_state("live")

    def warn(self, topic: str, words: str) -> None:
        """Something is wrong although the feed works; "": nothing any more. One line a topic."""
        self._warnings[topic] = words
        warning = "; ".join(filter(None, self._warnings.values()))
        if warning != self.status.value.warning and not self.closed:
            self.status.on_next(msgspec.structs.replace(self.status.value, warning=warning))

    def hear(self, time: int) -> None:
        """Up to this time of the desk's clock nothing has happened that has not come, while the log is followed."""
        status = self.status.value
        follows = status.state == "live" or (status.state == "failed" and status.detail == self._trouble)
        if self.closed or not follows:
            return
        self._heard = time
        if time != status.heard:
            self.status.on_next(msgspec.structs.replace(status, heard=time))
        if not 0 <= time - self._kept < KEEP_US:
            self._keep_heard()

    def hear_event(self, time: int) -> None:
        """An event has come that the log took at this time: so far the desk has heard while it catches up."""
        if self.status.value.state != "live":
            self._heard = max(self._heard, min(time, self._now()))

    def close(self) -> None:
        """Tell nothing any more, and keep when the log was heard."""
        self._keep_heard()
        self.closed = True

    def _keep_heard(self) -> None:
        if self._heard != self._kept and not self.closed:
            self._kept = self._heard
            self._mirror.hear(self._heard)
