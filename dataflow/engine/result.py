"""A live query's result: who is told of its changes, and in what order its rows stand.

Nothing is kept that nobody asks for: while only `changes` are subscribed to, a result whose node knows its own rows
keeps none; the sorted list is made when `splices` or `rows()` are first asked for, and kept from then on.
A result without ORDER BY is ordered by its columns, left to right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from dataflow.engine.operators.node import NONE, Node, Rows
from dataflow.engine.operators.sorted import Sorted
from dataflow.sql.codegen.sort_keys import sort_key
from dataflow.sql.plan.nodes import Query
from dataflow.zset import Change, Row, Splice, apply_splices

Changed = Callable[[list[Change]], None]
Spliced = Callable[[list[Splice]], None]


class Result(Node):
    """The root of a live query's circuit. Rows of its input have hidden sort columns at the end; those it shows do
    not.
    """

    def __init__(self, plan: Query, node: Node) -> None:
        super().__init__([node])
        self.plan = plan
        self.width = len(plan.names)
        self.hidden = any(order.index >= self.width for order in plan.order)
        self.counts: dict[Row, int] | None = {} if node.rows() is None else None
        self.sorted: Sorted | None = None
        self.shown: list[Row] = []
        self.changed: tuple[Changed, ...] = ()
        self.spliced: tuple[Spliced, ...] = ()
        self.changes: list[Change] = []
        self.splices: list[Splice] = []
        self.failed: list[tuple[Changed | Spliced, Exception]] = []

    def follow_changes(self, *subscribers: Changed) -> None:
        """Add subscribers of changes, after those that there are."""
        self.changed += subscribers

    def follow_splices(self, *subscribers: Spliced) -> None:
        """Add subscribers of splices, after those that there are."""
        self.spliced += subscribers

    def forget(self, subscribers: Sequence[Changed | Spliced]) -> None:
        """Take subscribers away."""
        self.changed = tuple(each for each in self.changed if each not in subscribers)
        self.spliced = tuple(each for each in self.spliced if each not in subscribers)

    def take_failures(self) -> list[tuple[Changed | Spliced, Exception]]:
        """Take out the subscribers that failed, with what they raised."""
        failed, self.failed = self.failed, []
        return failed

    def listens(self) -> bool:
        return bool(self.changed) or self.sorted is not None or self.counts is not None

    def passes_on(self) -> bool:
        return (
            bool(self.changed) and self.sorted is None and self.counts is None
            and self.inputs[0].netted and not self.hidden and not self.changes
        )  # fmt: skip

    def pass_on(self, changes: list[Change]) -> None:
        self.changes = changes

    def step(self) -> None:
        if not self.listens():
            return
        node = self.inputs[0]
        plus, minus = (node.plus, node.minus) if node.netted else net(node.plus, node.minus)
        if not plus and not minus:
            return
        if self.counts is not None:
            self._count(plus, minus)
        if self.changed:
            if node.netted and not self.hidden:
                changes = [(row, -1) for row in minus] + [(row, 1) for row in plus]
            else:
                changes = self._changes(plus, minus)
            self.changes = changes if not self.changes else consolidated([*self.changes, *changes])
        if self.sorted is not None:
            splices = self._shown(self.sorted.change(plus, minus))
            if self.hidden:
                apply_splices(self.shown, splices)
            self.splices += splices

    def deliver(self) -> None:
        """Give subscribers the changes of a step that is over. What they push in turn comes after that.

        A subscriber that raises is in `failed` then; the others are told.
        """
        if self.changes:
            changes, self.changes = self.changes, []
            for tell in self.changed:
                try:
                    tell(changes)
                except Exception as error:  # noqa: BLE001  (whatever a subscriber does, others go on)
                    self.failed.append((tell, error))
        if self.splices:
            splices, self.splices = self.splices, []
            for put in self.spliced:
                try:
                    put(splices)
                except Exception as error:  # noqa: BLE001
                    self.failed.append((put, error))

    def deliver_after(
        self, failed: Changed, subscribers: Sequence[Changed], changes: list[Change], error: Exception
    ) -> None:
        """Give changes to those of the subscribers that come after one that failed on them."""
        self.failed.append((failed, error))
        for tell in subscribers[subscribers.index(failed) + 1 :]:
            try:
                tell(changes)
            except Exception as another:  # noqa: BLE001
                self.failed.append((tell, another))

    def _count(self, plus: Rows, minus: Rows) -> None:
        counts = self.counts
        assert counts is not None
        for row in plus:
            counts[row] = counts.get(row, 0) + 1
        for row in minus:
            if counts[row] == 1:
                del counts[row]
            else:
                counts[row] -= 1

    def _changes(self, plus: Rows, minus: Rows) -> list[Change]:
        if self.hidden:
            plus, minus = net([row[: self.width] for row in plus], [row[: self.width] for row in minus])
        return consolidated([(row, -1) for row in minus] + [(row, 1) for row in plus])

    def _shown(self, splices: list[Splice]) -> list[Splice]:
        if not self.hidden:
            return splices
        return [Splice(at, gone, tuple(row[: self.width] for row in rows)) for at, gone, rows in splices]

    def _whole(self) -> Iterable[Row]:
        if self.counts is not None:
            return [row for row, count in self.counts.items() for _ in range(count)]
        return self.inputs[0].rows() or ()

    def ordered(self) -> Sequence[Row]:
        """The rows in order, as shown. Not to be changed by the caller."""
        if self.sorted is None:
            self.sorted = Sorted(sort_key(self.plan.order))
            self.sorted.change(list(self._whole()), NONE)
            self.shown = [row[: self.width] for row in self.sorted.rows] if self.hidden else []
        return self.shown if self.hidden else self.sorted.rows

    def snapshot(self) -> list[Change]:
        """The rows with their counts."""
        weights: dict[Row, int] = {}
        for row in self._whole():
            shown = row[: self.width] if self.hidden else row
            weights[shown] = weights.get(shown, 0) + 1
        return list(weights.items())

    def size(self) -> int:
        return len(self.counts or ()) + (len(self.sorted.rows) if self.sorted else 0)

    def state(self) -> Iterable[object]:
        return self.counts, self.sorted, self.shown


def consolidated(changes: Iterable[Change]) -> list[Change]:
    """Each row once."""
    weights: dict[Row, int] = {}
    for row, weight in changes:
        weights[row] = weights.get(row, 0) + weight
    return [change for change in weights.items() if change[1]]


def net(plus: Rows, minus: Rows) -> tuple[Rows, Rows]:
    """What remains of a change when rows that stand on both sides are set off against each other."""
    if not plus or not minus:
        return plus, minus
    left: dict[Row, int] = {}
    for row in minus:
        left[row] = left.get(row, 0) + 1
    kept = []
    for row in plus:
        count = left.get(row)
        if count:
            left[row] = count - 1
        else:
            kept.append(row)
    if len(kept) == len(plus):
        return plus, minus
    return kept, [row for row, count in left.items() for _ in range(count)]
