"""The panel: a card bound to named live queries.

A panel never sees a session. The bridge subscribes each of `queries()`, and brings columns, splices and
the clock; the panel tells by signals what the operator wants. All calls are on Qt's thread, `apply` at
most once a frame.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import QWidget

from dataflow import board
from dataflow.zset import Column, Row, Splice
from gui.panels.card import Card
from gui.text.staleness import Staleness
from gui.theme.theme import Theme
from gui.widgets.painting import RETRY_S, fail, failures_in, forget_failures, run_marked


class Panel(Card):
    """A card that shows live queries. Subclasses implement `set_columns` and `apply`."""

    action = Signal(object, dict)       # (dataflow.board.Action, event field → value): open that entry form
    query_changed = Signal(str, str)    # (query name, new SQL): sorted or filtered; to be subscribed anew
    submitted = Signal(str, dict)       # (event type, field → value or text): only entry forms emit it

    def __init__(
        self, spec: board.Panel, theme: Theme, zone: ZoneInfo, parent: QWidget | None = None
    ) -> None:
        super().__init__(spec.title, theme, parent)
        self.spec = spec
        self.zone = zone
        self.now = 0
        self._waits: dict[str, float | None] = {}
        self._staleness = Staleness(spec)
        self._later: QTimer | None = None       # runs until what could not be drawn is tried again
        if spec.note:
            self.set_note(spec.note)

    def adopt(self, spec: board.Panel) -> None:
        """Be the panel of this section from now on; it differs in id, place and title at most."""
        self.spec = spec
        self.set_title(spec.title)
        if self._body is not None and self._body.accessibleName():
            self._body.setAccessibleName(spec.title)

    def queries(self) -> dict[str, str]:
        """Name → SQL of what this panel shows; the main one is called "main"."""
        return board.queries(self.spec)

    def set_columns(self, name: str, columns: Sequence[Column]) -> None:
        """The columns of query `name`: before its first `apply`, and again whenever the query is another."""

    def apply(self, name: str, splices: Sequence[Splice], rows: Sequence[Row]) -> None:
        """Query `name` has changed. `rows` is the whole result after the splices, and not to be kept."""

    # What the bridge calls: nothing that a panel does with its data ends the desk

    def take_columns(self, name: str, columns: Sequence[Column]) -> bool:
        """Call `set_columns`; before the query's first rows what is shown is not it. False where that failed: the card
        says so.
        """
        self.wait_for(name, None)
        return self._attempt(self._bring_columns, name, columns)

    def take(self, name: str, splices: Sequence[Splice], rows: Sequence[Row], *, ready: bool = True) -> bool:
        """Call `apply`, and try again to draw what could not be drawn. False where that failed: the card says so.
        `ready`: these are the query's rows, not what stands until it has been built anew.
        """
        if self._failure is not None and not (self._later and self._later.isActive()):
            self._retry()
        taken = self._attempt(self._bring, name, splices, rows)
        if ready:
            self.has_come(name)
        return taken

    def _bring_columns(self, name: str, columns: Sequence[Column]) -> None:
        if name == "main":
            self._staleness.set_columns(columns)
        self.set_columns(name, columns)

    def _bring(self, name: str, splices: Sequence[Splice], rows: Sequence[Row]) -> None:
        if name == "main":
            self._staleness.take(splices)
        self.apply(name, splices, rows)

    def wait_for(self, name: str, progress: float | None) -> None:
        """Query `name` is reading history, so far (0 to 1; None: not known)."""
        self._waits[name] = progress
        self.wait(next(iter(self._waits.values())))

    def has_come(self, name: str) -> None:
        """Query `name` waits for nothing, or is not wanted any more."""
        if self._waits.pop(name, self) is not self and not self._waits:
            self.arrive()

    def _attempt(self, call: Callable[..., None], *args: Any) -> bool:
        failure = self.failures.get(call.__name__)
        if failure is not None and failure.rests():
            return False
        try:
            run_marked(self.mark, call, *args)
        except Exception as error:  # noqa: BLE001  the other panels go on
            self.show_failure(fail(self, call.__name__, error).words)
            return False
        return True

    def _retry(self) -> None:
        """At once, or as soon as the last failure is long enough ago."""
        if not any(failure.rests() for failure in failures_in(self)):
            forget_failures(self)
            self.show_failure(None)
            return
        if self._later is None:
            self._later = QTimer(self, singleShot=True)
            self._later.timeout.connect(self._retry)
        self._later.start(round(RETRY_S * 1000))

    def hideEvent(self, event: QHideEvent) -> None:
        """Nothing is tried while nobody sees it; the next data do."""
        super().hideEvent(event)
        if self._later is not None:
            self._later.stop()

    def take_now(self, now: int) -> None:
        """Call `set_now`."""
        self._attempt(self.set_now, now)

    def set_now(self, now: int) -> None:
        """The board's clock, in microseconds since 1970-01-01 UTC."""
        self.now = now

    @property
    def ages(self) -> bool:
        """Whether `set_views_time` makes a difference."""
        return self._staleness.tells

    def set_views_time(self, time: int) -> None:
        """Whose time the values are: by that a row is old or new."""
        self.set_stale("" if self._waits else self._staleness.words(time))

    def show_error(self, message: str | None) -> None:
        """A query of this panel cannot run: say so here, the other panels go on. None: it runs again."""
        self.say(message, "critical")

    def reset_order(self) -> None:
        """Ask the board's own queries, in its own order: what the operator had arranged does not fit a saved board."""

    def trouble(self) -> str | None:
        """Why there is no picture of this panel, if there is none."""
        return self._failure

    def values(self) -> dict[str, Any]:
        """What is selected, column → value; empty where nothing is."""
        return {}
