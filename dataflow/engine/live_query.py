"""A live query as its owner holds it: a snapshot, then changes; closed, it gives its state back.

reactivex is imported when somebody first subscribes, not before: `check` and warm starts do without.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from dataflow.engine.operators.node import Rows
from dataflow.engine.result import Result, consolidated
from dataflow.sql.plan.nodes import Query
from dataflow.zset import Change, Column, Row, Splice, difference

if TYPE_CHECKING:
    from reactivex import Observable
    from reactivex.abc import DisposableBase, ObserverBase

Hydrate = Callable[[], Iterable[Rows]]
T = TypeVar("T")


class LiveQuery:
    """Made by `Engine.live` of `sql`. `ready` once it has read what was there before it came, and not while it is built
    anew; until then `progress` is how much of that has been read, 0 to 1. `sliced`: whenever it must read history, the
    owner of the loop calls `Engine.work`. `aside`: why it was set aside, if it was, and then it says nothing more;
    `error`: the bug that did it.
    """

    def __init__(
        self, sql: str, plan: Query, hydrate: Hydrate | None, close: Callable[[LiveQuery], None],
        fail: Callable[[LiveQuery, Exception], None], *, sliced: bool,
    ) -> None:  # fmt: skip
        """`fail` is called where the result cannot be read; it sets the query aside."""
        self.columns = tuple(Column(*pair) for pair in zip(plan.names, plan.types, strict=True))
        self.sql = sql
        self.plan = plan
        self.hydrate = hydrate
        self.sliced = sliced
        self.ready = False
        self.progress: float | None = None
        self.result: Result | None = None
        self._close, self._fail = close, fail
        self._changed: list[Callable[[list[Change]], None]] = []
        self._spliced: list[Callable[[list[Splice]], None]] = []
        self._told: list[Callable[[str], None]] = []
        self._ever: list[Callable[..., None]] = []
        self.closed = False
        self.aside = ""
        self.error: Exception | None = None

    @property
    def changes(self) -> Observable[list[Change]]:
        """On subscribing the snapshot (when it is ready), then a consolidated batch for each push that changed the
        result.
        """
        return _observable(self._changed, self._ever, self._follow_changes, self.forget)

    @property
    def splices(self) -> Observable[Sequence[Splice]]:
        """The same as positional changes to the rows in order; the snapshot is one splice at 0."""
        return _observable(self._spliced, self._ever, self._follow_splices, self.forget)

    @property
    def asides(self) -> Observable[str]:
        """Why the query was set aside, once it is; on subscribing where it is already."""
        return _observable(self._told, [], lambda tell: tell(self.aside) if self.aside else None, lambda _: None)

    def set_aside(self, reason: str, error: Exception | None) -> None:
        """It has been taken off its result: tell why."""
        self.aside, self.error, self.result = reason, error, None
        for tell in tuple(self._told):
            tell(reason)

    def owns(self, tell: Callable[..., None]) -> bool:
        """Whether that is, or was, one of its subscribers."""
        return any(each == tell for each in self._ever)

    def rows(self) -> Sequence[Row]:
        """The result in order, as it stands. Not to be changed by the caller."""
        return self._read(lambda result: result.ordered()) or ()

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self._close(self)
            self.result = None

    def attach(self, result: Result) -> None:
        """The result is there: tell those who wait."""
        self.result, self.ready = result, True
        for tell in self._changed:
            self._follow_changes(tell)
        for put in self._spliced:
            self._follow_splices(put)

    def wait(self) -> None:
        """It is built anew; until then it shows what it has."""
        self.ready, self.progress = False, None

    def detach(self) -> Result | None:
        """Take the subscribers off the result."""
        result = self.result
        if result is not None:
            result.changed = tuple(tell for tell in result.changed if tell not in self._changed)
            result.spliced = tuple(tell for tell in result.spliced if tell not in self._spliced)
        return result

    def replace(self, result: Result) -> None:
        """Another result takes the place of the one that it was detached from: subscribers are told the difference."""
        old, self.result, self.ready = self.result, result, True
        assert old is not None
        changes = _between(old.snapshot(), result.snapshot()) if self._changed else []
        splices = difference(old.ordered(), result.ordered()) if self._spliced else []
        result.changed += tuple(self._changed)
        result.spliced += tuple(self._spliced)
        for tell in self._changed if changes else ():
            tell(changes)
        for put in self._spliced if splices else ():
            put(splices)

    def _follow_changes(self, tell: Callable[[list[Change]], None]) -> None:
        snapshot = self._read(_told_snapshot)
        if snapshot is not None and self.result is not None:
            tell(snapshot)
            self.result.changed += (tell,)

    def _follow_splices(self, tell: Callable[[list[Splice]], None]) -> None:
        rows = self._read(_told_rows)
        if rows is not None and self.result is not None:
            tell([Splice(0, 0, rows)])
            self.result.spliced += (tell,)

    def _read(self, read: Callable[[Result], T]) -> T | None:
        """Of the result; None where there is none, or reading fails."""
        result = self.result
        if result is None:
            return None
        try:
            return read(result)
        except Exception as error:  # noqa: BLE001  (an operator that is run when its rows are asked for)
            self._fail(self, error)
            return None

    def forget(self, tell: Callable[..., None]) -> None:
        result = self.result
        if result is not None:
            result.changed = tuple(each for each in result.changed if each != tell)
            result.spliced = tuple(each for each in result.spliced if each != tell)


def _told_snapshot(result: Result) -> list[Change]:
    """After everything has been told of it."""
    result.deliver()
    return result.snapshot()


def _told_rows(result: Result) -> tuple[Row, ...]:
    result.deliver()
    return tuple(result.ordered())


def _between(before: Iterable[Change], after: Iterable[Change]) -> list[Change]:
    return consolidated([*((row, -count) for row, count in before), *after])


def _observable(
    mine: list[Any], ever: list[Any], follow: Callable[[Any], None], forget: Callable[[Any], None]
) -> Observable[Any]:
    import reactivex
    from reactivex.disposable import Disposable

    def subscribe(observer: ObserverBase[Any], _: object = None) -> DisposableBase:
        tell = observer.on_next

        def stop() -> None:
            if tell in mine:
                mine.remove(tell)
            forget(tell)

        mine.append(tell)
        ever.append(tell)
        follow(tell)
        return Disposable(stop)

    return reactivex.create(subscribe)
