"""A live query as its owner holds it: a snapshot, then changes; closed, it gives its state back.

reactivex is imported when somebody first subscribes, not before: `check` and warm starts do without.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from dataflow.engine.operators.node import Rows
from dataflow.engine.result import Result, consolidated
from dataflow.sql.plan.nodes import Query
from dataflow.zset import Change, Column, Row, Splice, difference

if TYPE_CHECKING:
    from reactivex import Observable
    from reactivex.abc import DisposableBase, ObserverBase

Hydrate = Callable[[], Iterable[Rows]]
T = TypeVar("T")


class Owner(Protocol):
    """Who serves live queries."""

    def close(self, live: LiveQuery) -> None:
        """Serve this one no more."""

    def fail_rows(self, live: LiveQuery, error: Exception) -> None:
        """Set aside whoever reads this one's result: its rows cannot be read."""


class LiveQuery:
    """Made by `Engine.live` of `sql`; `owner` serves it.

    `ready` once it has read what was there before it came, and not while it is built anew; until then `progress` is how
    much of that has been read, 0 to 1. `sliced`: whenever it must read history, the owner of the loop calls
    `Engine.work`. `aside`: why it was set aside, if it was; then nothing more comes. `error`: the bug that did it.
    """

    def __init__(self, sql: str, plan: Query, hydrate: Hydrate | None, owner: Owner, *, sliced: bool) -> None:
        self.columns = tuple(Column(*pair) for pair in zip(plan.names, plan.types, strict=True))
        self.sql = sql
        self.plan = plan
        self.hydrate = hydrate
        self.sliced = sliced
        self.ready = False
        self.progress: float | None = None
        self.result: Result | None = None
        self.closed = False
        self.aside = ""
        self.error: Exception | None = None
        self._owner = owner
        self._changed: list[Callable[[list[Change]], None]] = []
        self._spliced: list[Callable[[list[Splice]], None]] = []
        self._on_aside: list[Callable[[str], None]] = []
        self._subscribers: list[Callable[..., None]] = []

    @property
    def changes(self) -> Observable[list[Change]]:
        """On subscribing the snapshot (when it is ready), then a consolidated batch for each push that changed the
        result.
        """
        return _observable(self._changed, self._subscribers, self._follow_changes, self._forget)

    @property
    def splices(self) -> Observable[Sequence[Splice]]:
        """The same as positional changes to the rows in order; the snapshot is one splice at 0."""
        return _observable(self._spliced, self._subscribers, self._follow_splices, self._forget)

    @property
    def asides(self) -> Observable[str]:
        """Why the query was set aside, once it is; on subscribing where it is already."""
        return _observable(self._on_aside, [], lambda tell: tell(self.aside) if self.aside else None, lambda _: None)

    def rows(self) -> Sequence[Row]:
        """Return the result in order, as it stands. Not to be changed by the caller."""
        return self._read(lambda result: result.ordered()) or ()

    def close(self) -> None:
        """Give the state back; nothing more comes."""
        if not self.closed:
            self.closed = True
            self._owner.close(self)

    # for who serves it

    def owns(self, subscriber: Callable[..., None]) -> bool:
        """Say whether that is, or was, one of its subscribers."""
        return any(each == subscriber for each in self._subscribers)

    def set_aside(self, reason: str, error: Exception | None) -> None:
        """Tell why it has been taken off its result."""
        self.aside, self.error = reason, error
        for tell in tuple(self._on_aside):
            tell(reason)

    def wait(self) -> None:
        """Note that it is built anew; until it is ready it shows what it has."""
        self.ready, self.progress = False, None

    def note_progress(self, share: float) -> None:
        """Note how much of history has been read, 0 to 1."""
        self.progress = share

    def attach(self, result: Result) -> None:
        """Take its first result, and give subscribers the snapshot."""
        self.result, self.ready = result, True
        for tell in self._changed:
            self._follow_changes(tell)
        for tell_splices in self._spliced:
            self._follow_splices(tell_splices)

    def detach(self) -> Result | None:
        """Take its subscribers off the result, give that up, and return it."""
        result, self.result = self.result, None
        if result is not None:
            result.forget([*self._changed, *self._spliced])
        return result

    def replace(self, old: Result, result: Result) -> None:
        """Take another result than the one that it was detached from, and give subscribers the difference."""
        self.result, self.ready = result, True
        changes = _between(old.snapshot(), result.snapshot()) if self._changed else []
        splices = difference(old.ordered(), result.ordered()) if self._spliced else []
        result.follow_changes(*self._changed)
        result.follow_splices(*self._spliced)
        for tell in self._changed if changes else ():
            tell(changes)
        for tell_splices in self._spliced if splices else ():
            tell_splices(splices)

    def _follow_changes(self, tell: Callable[[list[Change]], None]) -> None:
        snapshot = self._read(_deliver_snapshot)
        if snapshot is not None and self.result is not None:
            tell(snapshot)
            self.result.follow_changes(tell)

    def _follow_splices(self, tell: Callable[[list[Splice]], None]) -> None:
        rows = self._read(_deliver_rows)
        if rows is not None and self.result is not None:
            tell([Splice(0, 0, rows)])
            self.result.follow_splices(tell)

    def _read(self, read: Callable[[Result], T]) -> T | None:
        """Read the result. None where there is none, or reading fails."""
        result = self.result
        if result is None:
            return None
        try:
            return read(result)
        except Exception as error:  # noqa: BLE001  (an operator that is run when its rows are asked for)
            self._owner.fail_rows(self, error)
            return None

    def _forget(self, subscriber: Callable[..., None]) -> None:
        if self.result is not None:
            self.result.forget([subscriber])


def _deliver_snapshot(result: Result) -> list[Change]:
    """Deliver what is left to be told of a result; return its rows with their counts."""
    result.deliver()
    return result.snapshot()


def _deliver_rows(result: Result) -> tuple[Row, ...]:
    """Deliver what is left to be told of a result; return its rows in order."""
    result.deliver()
    return tuple(result.ordered())


def _between(before: Iterable[Change], after: Iterable[Change]) -> list[Change]:
    return consolidated([*((row, -count) for row, count in before), *after])


def _observable(
    followers: list[Any], subscribers: list[Any], follow: Callable[[Any], None], forget: Callable[[Any], None]
) -> Observable[Any]:
    import reactivex
    from reactivex.disposable import Disposable

    def subscribe(observer: ObserverBase[Any], _: object = None) -> DisposableBase:
        tell = observer.on_next

        def stop() -> None:
            if tell in followers:
                followers.remove(tell)
            forget(tell)

        followers.append(tell)
        subscribers.append(tell)
        follow(tell)
        return Disposable(stop)

    return reactivex.create(subscribe)
