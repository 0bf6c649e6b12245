"""GROUP BY and DISTINCT, after the fold that `sql/codegen/folds.py` generates.

Delta: for every group that a change touches, −(row last emitted) +(row now); nothing if they are equal. Grand
aggregates have one group that always exists.
State: `groups`, by key: the row last emitted and the accumulators, freed when the group's last row has gone. `aside`,
by the group's key: of pending rows, what an accumulator over the log cannot take back. `dirty`: groups to be emitted.
Order: inserts go before retractions, so that a count of rows falls to zero only when the group is truly empty. Rows
come out in no particular order. While no reader listens, groups are folded only, and emitted when `rows` is asked for.
So it is, but for many groups, while a node is `deferred`, that is, while history is fed. Over the log, accumulators
that only fold cannot take a confirmed row back: the caller asks `retracts` first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from dataflow.engine.operators.node import Node, Rows, Source
from dataflow.zset import Change, Row

MOST = 500
"""A node that is `deferred` emits when so many groups are dirty."""

Fold = Callable[[Rows], None]


class Newest:
    """The highest position of the log's rows that an aggregate has folded."""

    __slots__ = ("position",)

    def __init__(self) -> None:
        self.position = -1


class Folds(NamedTuple):
    """One pipeline's functions. Without `hold` pending rows are folded like any other."""

    insert: Fold
    retract: Fold | None
    hold: Fold | None
    release: Fold | None


class Aggregate(Node):
    """`emit` gives the rows that came and the rows that went since it was last called, `changes` both as one list. Both
    take whether that was `plain`: rows only came meanwhile, and none is held aside. `express` makes the functions of
    `sql/codegen/single_row.py`, as far as there are any.
    """

    def __init__(
        self,
        inputs: Sequence[Node],
        folds: Sequence[Folds],
        groups: dict[Any, Any],
        dirty: Sequence[Any],
        aside: Mapping[Any, Any],
        emit: Callable[[bool], tuple[list[Row], list[Row]]],
        changes: Callable[[bool], list[Change]],
        express: Callable[[], Mapping[str, Any]],
        *,
        netted: bool,
    ) -> None:
        super().__init__(inputs)
        self.netted = netted
        self.pairs = list(zip(inputs, folds, strict=True))
        self.groups = groups
        self.dirty = dirty
        self.deferred = False
        self.plain = True
        self.aside = aside
        self.emit = emit
        self.changes = changes
        self.express = express

    def step(self) -> None:
        minus = False
        for node, fold in self.pairs:
            if node.plus:
                self._insert(node, fold)
            if node.minus:
                minus = True
        if minus:
            self.plain = False
            for node, fold in self.pairs:
                if node.minus:
                    self._retract(node, fold)
        if self.deferred and len(self.dirty) < MOST:
            return
        readers = self.readers
        if len(readers) == 1 and readers[0].passes_on():
            readers[0].pass_on(self.changes(self.plain))
            self.plain = not self.aside
            return
        for reader in readers:
            if reader.listens():
                self.plus, self.minus = self._emit()
                return

    def retracts(self) -> bool:
        return all(fold.retract is not None for _, fold in self.pairs)

    def _emit(self) -> tuple[Rows, Rows]:
        emitted = self.emit(self.plain)
        self.plain = not self.aside
        return emitted

    def rows(self) -> Iterable[Row]:
        self._emit()
        return [group.row for group in self.groups.values() if group.row is not None]

    def size(self) -> int:
        return len(self.groups)

    def state(self) -> Iterable[object]:
        return self.groups, self.aside

    def _insert(self, node: Node, fold: Folds) -> None:
        if fold.hold is None or not isinstance(node, Source) or not node.held:
            fold.insert(node.plus)
            return
        if node.confirmed:
            fold.insert(node.confirmed)
        fold.hold(node.held)
        self.plain = False

    def _retract(self, node: Node, fold: Folds) -> None:
        if fold.retract is not None:
            fold.retract(node.minus)
        elif isinstance(node, Source) and fold.release is not None:
            fold.release(node.released)
