"""A live query as a session gives it: held back until history has been read, then the snapshot, then changes."""

from __future__ import annotations

from collections.abc import Sequence

from reactivex import Observable
from reactivex import operators as ops
from reactivex.subject import BehaviorSubject

from dataflow.engine.engine import LiveQuery
from dataflow.zset import Column, Row, Splice


class HeldLive:
    """`caught_up` turns true once, when history has been read."""

    def __init__(self, query: LiveQuery, caught_up: BehaviorSubject[bool]) -> None:
        self._query = query
        self._caught_up = caught_up
        self.columns: Sequence[Column] = query.columns
        first = caught_up.pipe(ops.filter(bool), ops.take(1))
        self.splices: Observable[Sequence[Splice]] = first.pipe(ops.flat_map(lambda _: query.splices))
        self.asides: Observable[str] = query.asides

    @property
    def ready(self) -> bool:
        return self._caught_up.value and self._query.ready

    @property
    def progress(self) -> float | None:
        return self._query.progress

    def rows(self) -> Sequence[Row]:
        return self._query.rows()

    def close(self) -> None:
        self._query.close()
