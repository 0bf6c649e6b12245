"""A branch of the fast path: one aggregate over the log, or over a temporal filter of the log, and its result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from dataflow.engine.operators.aggregate import Aggregate
from dataflow.engine.operators.node import Rows, Source
from dataflow.engine.operators.temporal_filter import TemporalFilter
from dataflow.engine.result import Result
from dataflow.engine.step_budget import Budget
from dataflow.engine.troubles import Troubles
from dataflow.zset import Change

SingleRow = Callable[[Rows], list[Change] | None]


class Branch:
    """An aggregate and the `result` that reads it; before it perhaps a temporal filter, `timed`. See `is_branch`."""

    def __init__(self, result: Result, troubles: Troubles) -> None:
        aggregate = result.inputs[0]
        assert isinstance(aggregate, Aggregate)
        below = aggregate.pairs[0][0]
        timed = below if isinstance(below, TemporalFilter) else None
        self.aggregate, self.result, self.timed = aggregate, result, timed
        self._insert, self._retract = aggregate.pairs[0][1].insert, aggregate.pairs[0][1].retract
        self._changes = aggregate.changes
        express = aggregate.express()
        self.insert_one: SingleRow = express.get("came" if timed is None else "arrive", _refuse)
        self.expire_one: Callable[[int], list[Change] | None] = express.get("leave", _refuse)
        self.insert_all: Callable[[Rows], list[Change]] = self._insert_all
        self.expire_all: Callable[[int], list[Change]] = self._expire_all
        if troubles.budget is not None:
            self._keep_to(troubles.budget, partial(troubles.note_time, aggregate))

    def _keep_to(self, budget: Budget, note: Callable[[float], None]) -> None:
        self.insert_one, self.expire_one = budget.timed(self.insert_one, note), budget.timed(self.expire_one, note)
        self.insert_all, self.expire_all = budget.timed(self.insert_all, note), budget.timed(self.expire_all, note)

    def insert(self, rows: Rows) -> list[Change]:
        """Return the changes by rows that came."""
        if len(rows) == 1 and self.aggregate.plain and (changes := self.insert_one(rows)) is not None:
            return changes
        return self.insert_all(rows)

    def expire(self, now: int) -> list[Change]:
        """Return the changes by the rows that the clock passes."""
        changes = self.expire_one(now) if self.aggregate.plain else None
        return self.expire_all(now) if changes is None else changes

    def _insert_all(self, rows: Rows) -> list[Change]:
        if self.timed is not None:
            rows = self.timed.take(rows)
            if not rows:
                return []
        self._insert(rows)
        return self._changes(self.aggregate.plain)

    def _expire_all(self, now: int) -> list[Change]:
        if self.timed is None or self._retract is None or not self.timed.due(now):
            return []
        rows = self.timed.passed()
        if not rows:
            return []
        self._retract(rows)
        return self._changes(False)


def _refuse(_: object) -> None:
    """Stand for a shorter way that there is not."""


def is_branch(result: Result, sources: Sequence[Source]) -> bool:
    """Say whether a result reads one aggregate alone, that perhaps a temporal filter, and that one of these sources."""
    (node,) = result.inputs
    if not (isinstance(node, Aggregate) and result.passes_on() and node.readers == [result] and len(node.pairs) == 1):
        return False
    below = node.pairs[0][0]
    if isinstance(below, TemporalFilter):
        simple = below.leaving and len(below.inputs) == 1 and below.inputs[0] in sources and below.readers == [node]
        return simple and node.retracts()
    return below in sources
