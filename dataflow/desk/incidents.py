"""What went wrong in the views, for the window's foot and for the log file: the last of it for a minute."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from reactivex.subject import Subject

from dataflow.notice import Notice

SHOWN_US = 60_000_000
"""So long the foot says that an operator was slow, or a step failed."""


class Incidents:
    """`now` in µs, only rises."""

    def __init__(self, now: Callable[[], int]) -> None:
        self.notices: Subject[Notice] = Subject()
        self._now = now
        self._last, self._since = "", 0

    def take(self, notice: Notice) -> None:
        """Something went wrong. Queries that are set aside stay so: their floor says which."""
        if not notice.aside:
            self._last, self._since = notice.text, self._now()
        self.notices.on_next(notice)

    def line(self, warning: str, asides: Sequence[str]) -> str:
        """One line of a feed's warning, of the queries that are set aside, and of what happened last."""
        last = self._last if self._last and 0 <= self._now() - self._since < SHOWN_US else ""
        more = f" (and {len(asides) - 1} more)" if len(asides) > 1 else ""
        return " · ".join(filter(None, (warning, asides[-1] + more if asides else "", last)))
