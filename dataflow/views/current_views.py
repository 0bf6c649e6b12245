"""The views in use, and a second one only while a saved board is prepared, or the same board is read anew.

State: the present views, which all handles are bound to; the next ones, until they hold what the present ones hold.
Then they take over: entries that wait and handles go on there.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from dataflow.boards.changes import needs_new_views
from dataflow.boards.file import LoadedBoard
from dataflow.engine.plan_cache import Plans
from dataflow.notice import Notice
from dataflow.views.log_reader import ignore
from dataflow.views.views import Views
from storage.log import EventLog


class CurrentViews:
    """`views` are those in use. Nobody keeps them: they are asked for anew."""

    def __init__(
        self, loaded: LoadedBoard, log: EventLog, plans: Plans | None, tell: Callable[[Notice], object] = ignore
    ) -> None:
        self._log, self._plans, self._tell = log, plans, tell
        self.views = Views(loaded, log, plans, tell)
        self._next: Views | None = None

    @property
    def preparing(self) -> bool:
        return self._next is not None

    def take_board(self, loaded: LoadedBoard) -> bool:
        """Take up a saved board: at once where it differs in looks only, else `prepare` does. Return whether at once.

        What is set aside is tried again, as people are told, so views with such a query are built anew.
        """
        newest = self._next or self.views
        if newest.suspended or needs_new_views(newest.loaded, loaded):
            self._begin(loaded)
            return False
        newest.show_board(loaded)
        return self._next is None

    def rebuild(self) -> None:
        """Begin to build the views of the board as it was saved last anew from the log."""
        self._begin((self._next or self.views).loaded)

    def prepare(self, deadline: float, now: int) -> bool:
        """Bring the next views nearer until `perf_counter` says `deadline`, by a part at least. Return whether they
        have taken over, with their clock at `now`.
        """
        following, shown = self._next, self.views.position
        if following is None:
            return False
        deque(following.read_log(shown, deadline), maxlen=0)
        if following.position < shown:
            return False
        self._next, before = None, self.views
        following.advance(now)
        self.views = following
        following.take_over(before)
        before.close()
        return True

    def abandon(self) -> None:
        """Prepare no next views any more."""
        if self._next is not None:
            self._next.close()
            self._next = None

    def close(self) -> None:
        self.abandon()
        self.views.close()

    def _begin(self, loaded: LoadedBoard) -> None:
        self.abandon()
        self._next = Views(loaded, self._log, self._plans, self._tell, self.views.handles())
