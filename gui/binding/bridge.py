"""The bridge: the only place that knows both observables and Qt's signals.

Each panel query has a binding: it holds the live query and its rows, and collects splices. All bindings that changed
are brought to their panels together, once a frame (16 ms): at once when the last frame is long over, else when it is.
Where that is more than a frame has room for, the rest waits for the next one. A panel that cannot take its changes says
so itself; the others go on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from math import inf
from time import perf_counter
from typing import Any

from PySide6.QtCore import QElapsedTimer, QMetaObject, QObject, Qt, QTimer, Signal
from reactivex.abc import DisposableBase
from reactivex.disposable import CompositeDisposable, Disposable
from shiboken6 import isValid

from dataflow.session import Entered, EntryRefused, EntryRejected, Live, Session
from dataflow.sql.errors import SqlError
from dataflow.zset import Column, Row, Splice, apply_splices
from gui.panels.base import Panel
from gui.panels.form import Form
from storage.errors import StorageError

FRAME_MS = 16
LOOK_MS = 200
"""So often panels are told how far what they wait for is, and that something has begun to be read anew."""
COMPACTED = 1000
"""So many changes that nobody has seen are put together: the panel is given all rows anew."""
FLUSH_S = 0.001
"""Flushing costs about a third of painting what was flushed. Under load panels take turns: frames stay short.

Those go first that an entry of this window has changed, then those whose last turn is longest ago: what seldom changes
is on the screen with the next frame.
"""


class Binding:
    """One query of one panel."""

    def __init__(self, session: Session, panel: Panel, name: str, changed: Callable[[Binding], None]) -> None:
        self._session = session
        self._panel = panel
        self._name = name
        self._changed = changed
        self._live: Live | None = None
        self._subscription: DisposableBase = Disposable()
        self._failures: DisposableBase = Disposable()
        self._columns: Sequence[Column] = ()
        self._rows: list[Row] = []
        self._splices: list[Splice] = []
        self._behind = False        # the panel could not take what came: it gets all of it the next time
        self._shown = 0             # rows that the panel has
        self._anew = self._begun = self._is_aside = False
        self.flushed = 0.0

    def subscribe(self, sql: str) -> None:
        """Show this query from now on. A query that cannot run is said on the card; what was shown before goes on."""
        try:
            live = self._session.live(sql, self._panel.spec.id)
        except SqlError as error:
            self._panel.show_error(str(error))
            return
        self._show(live)

    @property
    def fails(self) -> bool:
        """Whether the query says nothing, or nothing more."""
        return self._live is None or self._is_aside

    def _show(self, live: Live) -> None:
        """Give the panel a query's columns, then all its rows."""
        self.close()
        self._panel.show_error(None)
        self._rows, self._splices = [], []
        self._shown, self._anew, self._begun, self._is_aside = 0, False, False, False
        self._columns = live.columns
        self._behind = not self._panel.take_columns(self._name, live.columns)
        self._live = live
        self._subscription = live.splices.subscribe(self._collect)
        self._failures = live.failures.subscribe(self._tell_failure)

    def flush(self) -> None:
        """Bring the panel what has changed since the last frame."""
        splices = self._settle()
        if self._live is not None and self._live.columns != self._columns:
            self._columns, self._behind = self._live.columns, True  # a saved board has changed the query
        if self._behind and self._live is not None:
            self._panel.take_columns(self._name, self._live.columns)
            splices, self._anew = [Splice(0, 0, tuple(self._rows))], False
        if self._anew:
            splices, self._anew = [Splice(0, self._shown, tuple(self._rows))], False
        self._shown, self._begun = len(self._rows), True
        self._behind = not self._panel.take(self._name, splices, self._rows, ready=self._ready)
        self.flushed = perf_counter()

    def look(self) -> None:
        """Tell the panel whether what it shows is what it is to show."""
        if self._live is not None and not (self._ready or self._is_aside):
            self._panel.wait_for(self._name, self._live.progress)
        elif self._begun and not self._splices:
            self._panel.has_come(self._name)

    @property
    def _ready(self) -> bool:
        return self._live is not None and self._live.ready

    def _settle(self) -> list[Splice]:
        splices, self._splices = self._splices, []
        apply_splices(self._rows, splices)
        return splices

    def _tell_failure(self, reason: str) -> None:
        """Say why the query says nothing more; empty: it goes on."""
        if self._is_aside and not reason:
            self._anew = True       # what the card says where there are no rows has to be said again
            self._changed(self)
        self._is_aside = bool(reason)
        self._panel.show_error(reason or None)
        self._panel.has_come(self._name)

    def close(self) -> None:
        self._subscription.dispose()
        self._failures.dispose()
        if self._live is not None:
            self._live.close()
            self._live = None

    def _collect(self, splices: Sequence[Splice]) -> None:
        self._splices.extend(splices)
        if len(self._splices) > COMPACTED:
            self._settle()
            self._anew = True
        self._changed(self)


class Bridge(QObject):
    """Binds panels to a session. `flushed` tells, after each frame's changes, how many bindings had some; `shown`, that
    the panels have all there is to see of this desk's entries up to that number, which the next frame shows. `entered`
    tells of each entry that a form made, `lost` of one that was not taken after all, by its id.
    """

    flushed = Signal(int)
    shown = Signal(int)
    entered = Signal(object)
    lost = Signal(str)

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._bindings: dict[tuple[Panel, str], Binding] = {}
        self._connections: dict[Panel, list[QMetaObject.Connection]] = {}
        self._dirty: dict[Binding, None] = {}
        self._entering = False
        self._entries: set[asyncio.Task[None]] = set()
        self._unshown: dict[int, set[Binding]] = {}
        self._noted = 0
        self._on_hold = False
        self._subscriptions = CompositeDisposable()
        self._since = QElapsedTimer()
        self._since.start()
        self._frame = QTimer(self, singleShot=True, timerType=Qt.TimerType.PreciseTimer)
        self._frame.timeout.connect(self.flush)
        self._looks = QTimer(self, interval=LOOK_MS)
        self._looks.timeout.connect(self._look)

    def follow(self, observable: Any, receive: Callable[[Any], None]) -> None:
        """Call `receive` with everything that an observable of the session says, until the bridge is closed."""
        self._subscriptions.add(observable.subscribe(receive))

    def bind(self, panels: Sequence[Panel]) -> None:
        """Show these panels' queries, and no others from now on. Those of panels that were bound before go on: a saved
        board tells them what differs.
        """
        for panel in [panel for panel in self._connections if panel not in panels]:
            self._release(panel)
        for panel in panels:
            if panel in self._connections:
                self._renew(panel)
            else:
                self.add(panel)
        self._looks.start()

    def add(self, panel: Panel) -> None:
        """Show this panel's queries, too."""
        for name, sql in panel.queries().items():
            self._show(panel, name, sql)
        connections = [panel.query_changed.connect(partial(self._show, panel))]
        if isinstance(panel, Form):
            connections.append(panel.submitted.connect(partial(self._enter, panel)))
        self._connections[panel] = connections

    def close(self) -> None:
        self._looks.stop()
        self._subscriptions.dispose()
        for panel in list(self._connections):
            self._release(panel)
        self._unshown.clear()
        self._frame.stop()
        for task in self._entries:
            task.cancel()

    def _bound_to(self, panel: Panel) -> dict[str, Binding]:
        """A panel's bindings by their queries' names."""
        return {name: binding for (owner, name), binding in self._bindings.items() if owner is panel}

    def _release(self, panel: Panel) -> None:
        """Let go of a panel: it may be deleted, or bound to another session."""
        for connection in self._connections.pop(panel):
            QObject.disconnect(connection)
        for name, binding in self._bound_to(panel).items():
            self._drop(panel, name, binding)

    def _drop(self, panel: Panel, name: str, binding: Binding) -> None:
        del self._bindings[panel, name]
        self._dirty.pop(binding, None)
        binding.close()

    def _renew(self, panel: Panel) -> None:
        """Show a panel in the board's own order where its own cannot be any more."""
        if any(binding.fails for binding in self._bound_to(panel).values()):
            panel.reset_order()
            for name, sql in panel.queries().items():
                self._show(panel, name, sql)

    def _show(self, panel: Panel, name: str, sql: str) -> None:
        """Bind a panel to a query from now on; an empty one is not wanted any more."""
        binding = self._bindings.get((panel, name))
        if sql:
            if binding is None:
                binding = self._bindings[panel, name] = Binding(self._session, panel, name, self._changed)
            binding.subscribe(sql)
        elif binding is not None:
            self._drop(panel, name, binding)
            panel.has_come(name)

    def hold(self, on: bool) -> None:
        """While numbers are not final they are not shown: what panels have stands. Then they get all that came, in one
        frame.
        """
        if on != self._on_hold:
            self._on_hold = on
            while self._dirty and not on:
                self.flush()

    def _look(self) -> None:
        for binding in self._bindings.values():
            binding.look()

    def _changed(self, binding: Binding) -> None:
        self._dirty[binding] = None
        if self._entering:
            binding.flushed = -inf      # its turn is the next
        if not self._frame.isActive() and not self._on_hold:
            self._frame.start(max(0, FRAME_MS - self._since.elapsed()))

    def flush(self) -> None:
        """Bring panels up to date until this frame's share of time is over; first those that seldom change."""
        if self._on_hold:
            return
        self._since.restart()
        self._note_unshown()
        until = perf_counter() + FLUSH_S
        done = 0
        while self._dirty and (done == 0 or perf_counter() < until):
            binding = min(self._dirty, key=_flushed)
            del self._dirty[binding]
            binding.flush()
            done += 1
        if self._dirty:
            self._frame.start(FRAME_MS)
        else:
            self._frame.stop()
        if self._unshown:
            self._tell_shown()
        self.flushed.emit(done)

    def _note_unshown(self) -> None:
        """An entry of this desk was confirmed: the panels that wait for their turn now may have to show it."""
        number = self._session.unpainted()
        if number > self._noted:
            self._noted = number
            self._unshown[number] = set(self._dirty)

    def _tell_shown(self) -> None:
        for number, waiting in list(self._unshown.items()):
            waiting.intersection_update(self._dirty)
            if not waiting:
                del self._unshown[number]
                self.shown.emit(number)

    def settle(self) -> None:
        """Bring all panels up to date now."""
        self.hold(False)
        while self._dirty:
            self.flush()

    def _enter(self, form: Form, type: str, fields: dict[str, Any]) -> None:
        self._entering = True
        try:
            entered = self._session.enter(type, fields)
        except EntryRefused as refused:
            form.refused(refused.problems)
            return
        finally:
            self._entering = False
        form.accepted()
        self.entered.emit(entered)
        task = asyncio.ensure_future(self._watch(form, entered, perf_counter()))
        self._entries.add(task)
        task.add_done_callback(self._entries.discard)

    async def _watch(self, form: Form, entered: Entered, since: float) -> None:
        """Tell the form what became of its entry, unless a saved board has taken the form away meanwhile."""
        try:
            await entered.durable
            position = await entered.confirmed
            if isValid(form):
                form.confirmed(position, (perf_counter() - since) * 1000)
        except StorageError as error:
            self.lost.emit(entered.id)
            if isValid(form):
                form.failed(str(error))
        except EntryRejected as rejected:
            self.lost.emit(entered.id)
            if isValid(form):
                form.rejected(str(rejected))


def _flushed(binding: Binding) -> float:
    return binding.flushed
