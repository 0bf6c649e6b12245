"""A live handle: one reader's live query, which survives a saved board.

State: the live query in the views where it is bound; its observers, and whether each has had a snapshot; how many rows
those were told of. From a rebinding until the new query has its rows, also those rows, where they are known.
Order: nothing before the views are open; then a snapshot, then changes; after a rebinding the difference.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import reactivex
from reactivex import Observable
from reactivex import operators as ops
from reactivex.abc import DisposableBase, ObserverBase
from reactivex.disposable import Disposable
from reactivex.subject import BehaviorSubject

from dataflow.engine.live_query import LiveQuery
from dataflow.session import Update
from dataflow.zset import Column, Row, Splice, difference

Observe = Callable[[Update], None]


class Place(Protocol):
    """The views where a query runs. Until they are `open`, history is still being read."""

    @property
    def position(self) -> int: ...

    @property
    def now(self) -> int: ...

    @property
    def open(self) -> bool: ...


class LiveHandle:
    """Implements `session.Live`. Made by `Views.live`, which is told when it is closed."""

    def __init__(
        self, sql: str, reader: str, query: LiveQuery, place: Place, on_close: Callable[[LiveHandle], object]
    ) -> None:
        self.sql, self.reader = sql, reader
        self.columns: Sequence[Column] = query.columns
        self._query: LiveQuery | None = query
        self._place = place
        self._on_close = on_close
        self._observers: dict[Observe, bool] = {}
        self._before: Sequence[Row] | None = None
        self._told = 0
        self._has_snapshot = False
        self._following: DisposableBase = Disposable()
        self._failure = BehaviorSubject("")
        self._watching = query.asides.subscribe(self._failure.on_next)
        self.updates: Observable[Update] = reactivex.create(self._join_for_updates)
        self.splices: Observable[Sequence[Splice]] = reactivex.create(self._join_for_changes)
        self.failures: Observable[str] = self._failure.pipe(ops.skip_while(_is_empty), ops.distinct_until_changed())

    @property
    def ready(self) -> bool:
        return self._query is not None and self._place.open and self._query.ready and self._before is None

    @property
    def progress(self) -> float | None:
        return None if self._query is None else self._query.progress

    @property
    def failure(self) -> str:
        """Why it says nothing more; empty while it goes on."""
        return self._failure.value

    def rows(self) -> Sequence[Row]:
        if self._before is not None or self._query is None:
            return self._before or ()
        return self._query.rows()

    def close(self) -> None:
        self._observers.clear()
        self._release()
        self._before = None
        self._on_close(self)

    def follow(self) -> None:
        """Begin to tell observers: the views are open, or somebody has come."""
        if self._observers and self._query is not None and self._place.open:
            self._following.dispose()
            self._following = self._query.splices.subscribe(self._receive)

    def rebind(self, query: LiveQuery, place: Place, on_close: Callable[[LiveHandle], object]) -> None:
        """Go on with a query of other views: observers are told the difference once it has its rows."""
        self._keep_rows()
        self._release()
        self._query, self._place, self._on_close = query, place, on_close
        if not any(self._observers.values()):
            self.columns = query.columns
        self._failure.on_next("")
        self._watching = query.asides.subscribe(self._failure.on_next)
        self.follow()

    def fail(self, reason: str, place: Place, on_close: Callable[[LiveHandle], object]) -> None:
        """Say why the query cannot run in other views. Its rows stand until views come in which it can."""
        self._keep_rows()
        self._release()
        self._place, self._on_close = place, on_close
        self._failure.on_next(reason)

    def _keep_rows(self) -> None:
        """Keep what observers have been told; the rows of a query that was set aside are gone."""
        if self._has_snapshot and self._query is not None and not self.failure:
            self._before = tuple(self._query.rows())

    def _release(self) -> None:
        self._following.dispose()
        self._watching.dispose()
        self._has_snapshot = False
        if self._query is not None:
            self._query.close()
            self._query = None

    def _join_for_updates(self, observer: ObserverBase[Update], _: object = None) -> DisposableBase:
        return self._join(observer.on_next)

    def _join_for_changes(self, observer: ObserverBase[Sequence[Splice]], _: object = None) -> DisposableBase:
        return self._join(lambda update: observer.on_next(update.changes))

    def _join(self, observe: Observe) -> DisposableBase:
        first = not self._observers
        self._observers[observe] = False
        if first:
            self.follow()
        elif self._before is not None:
            self._show(observe, self._before)
        elif self._has_snapshot and self._query is not None:
            # by a subscription of its own, for what is not told yet is told to the others before it
            self._query.splices.subscribe(lambda splices: self._show(observe, splices[0].rows)).dispose()
        return Disposable(lambda: self._leave(observe))

    def _leave(self, observe: Observe) -> None:
        self._observers.pop(observe, None)
        if not self._observers:
            self._following.dispose()
            self._has_snapshot, self._before, self._told = False, None, 0
            if self._query is not None:
                self.columns = self._query.columns

    def _receive(self, splices: Sequence[Splice]) -> None:
        if not self._has_snapshot:
            self._has_snapshot = True
            self._receive_snapshot(splices[0].rows)
            return
        for _, removed, rows in splices:
            self._told += len(rows) - removed
        update = self._update(splices)
        for observe in tuple(self._observers):
            observe(update)

    def _receive_snapshot(self, rows: tuple[Row, ...]) -> None:
        """Tell a query's first rows: the difference to whoever had some before, all of them to the others."""
        changes = self._compare(rows)
        self._before, self._told = None, len(rows)
        for observe, has_rows in tuple(self._observers.items()):
            if not has_rows:
                self._show(observe, rows)
            elif changes is not None:
                observe(self._update(changes))

    def _compare(self, rows: tuple[Row, ...]) -> Sequence[Splice] | None:
        """Return the changes to what observers were told of last; None where nothing has changed."""
        before, columns = self._before, self.columns
        if self._query is not None and self._query.columns != columns:
            self.columns = self._query.columns
            return [Splice(0, self._told, rows)]
        changes = [Splice(0, self._told, rows)] if before is None else difference(before, rows)
        return changes or None

    def _show(self, observe: Observe, rows: Sequence[Row]) -> None:
        self._observers[observe] = True
        observe(self._update([Splice(0, 0, tuple(rows))]))

    def _update(self, changes: Sequence[Splice]) -> Update:
        return Update(self._place.position, self._place.now, self.columns, changes)


def _is_empty(reason: str) -> bool:
    return not reason
