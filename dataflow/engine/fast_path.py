"""The shortest way through a graph, for the commonest steps: rows of the log that only come, and a move of the clock.

There is a fast path while every query is one aggregate over the log, or over a temporal filter of the log, and its
subscribers take changes. It says no, and does nothing, where a step is not of that kind.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from dataflow.engine.log import Log
from dataflow.engine.operators.aggregate import Aggregate
from dataflow.engine.operators.node import Node, Rows, Source
from dataflow.engine.operators.temporal_filter import TemporalFilter
from dataflow.engine.result import Result
from dataflow.engine.step_budget import Budget
from dataflow.engine.troubles import Troubles
from dataflow.zset import Change

T = TypeVar("T")
SingleRow = Callable[[Rows], list[Change] | None]


@dataclass(frozen=True, slots=True)
class FastPath:
    """`push` takes rows of the log, at least one; `advance` moves the clock. Each says whether it did."""

    push: Callable[[Rows], bool]
    advance: Callable[[int], bool]


class Unsettled(Exception):
    """A step was done, and something went wrong in it: `Troubles` and the results' failures say what."""


class _Branch:
    """An aggregate and the result that reads it; before it perhaps a temporal filter."""

    def __init__(self, aggregate: Aggregate, result: Result, timed: TemporalFilter | None, troubles: Troubles) -> None:
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


def find_fast_path(
    nodes: Sequence[Node],
    results: Sequence[Result],
    sources: Sequence[Source],
    timed: Collection[TemporalFilter],
    log: Log,
    troubles: Troubles,
) -> FastPath | None:
    """Return the fast path of `log`, if there is one.

    `nodes` and `results` are those that its rows reach from `sources`; `timed` are all temporal filters of the graph.
    The path raises the log's position and notes what goes wrong in `troubles`.
    """
    branches = []
    for result in results:
        branch = _branch(result, sources, troubles)
        if branch is None:
            return None
        branches.append(branch)
    filtered = [branch for branch in branches if branch.timed is not None]
    if len(nodes) != 2 * len(branches) + len(filtered) or {branch.timed for branch in filtered} != set(timed):
        return None
    path = _path_of_one(branches[0], log, troubles) if len(branches) == 1 else _path_of_many(branches, log, troubles)
    return path if troubles.budget is None else _checked(path, troubles)


def _branch(result: Result, sources: Sequence[Source], troubles: Troubles) -> _Branch | None:
    (node,) = result.inputs
    if not (isinstance(node, Aggregate) and result.passes_on() and node.readers == [result] and len(node.pairs) == 1):
        return None
    below = node.pairs[0][0]
    if isinstance(below, TemporalFilter):
        simple = below.leaving and len(below.inputs) == 1 and below.inputs[0] in sources and below.readers == [node]
        return _Branch(node, result, below, troubles) if simple and node.retracts() else None
    return _Branch(node, result, None, troubles) if below in sources else None


def _path_of_one(branch: _Branch, log: Log, troubles: Troubles) -> FastPath:
    """Make, for one query, a call for each thing that must be done, and no more."""
    return FastPath(_push_one(branch, log, troubles), _advance_one(branch, troubles))


def _push_one(branch: _Branch, log: Log, troubles: Troubles) -> Callable[[Rows], bool]:
    result, aggregate, insert_one, insert_all = branch.result, branch.aggregate, branch.insert_one, branch.insert_all
    pending_at, position_at = log.pending_at, log.position_at

    def push(rows: Rows) -> bool:
        subscribers, changes = result.changed, None
        if result.sorted is not None or result.changes or not subscribers:
            return False
        try:
            if len(rows) == 1:
                row = rows[0]
                if row[pending_at]:
                    return False
                if aggregate.plain:
                    changes = insert_one(rows)
            else:
                for row in rows:
                    if row[pending_at]:
                        return False
            if (last := row[position_at]) > log.position:
                log.position = last
            if changes is None:
                changes = insert_all(rows)
        except Exception as error:
            log.rise(rows)
            troubles.note_failure(aggregate, error)
            raise Unsettled from error
        if changes:
            try:
                for subscriber in subscribers:
                    subscriber(changes)
            except Exception as error:
                result.deliver_after(subscriber, subscribers, changes, error)
                raise Unsettled from error
        return True

    return push


def _advance_one(branch: _Branch, troubles: Troubles) -> Callable[[int], bool]:
    result, aggregate, expire_one, expire_all = branch.result, branch.aggregate, branch.expire_one, branch.expire_all
    still = branch.timed is None

    def advance(now: int) -> bool:
        subscribers = result.changed
        if result.sorted is not None or result.changes or not subscribers:
            return False
        if still:
            return True
        try:
            changes = expire_one(now) if aggregate.plain else None
            if changes is None:
                changes = expire_all(now)
        except Exception as error:
            troubles.note_failure(aggregate, error)
            raise Unsettled from error
        if changes:
            try:
                for subscriber in subscribers:
                    subscriber(changes)
            except Exception as error:
                result.deliver_after(subscriber, subscribers, changes, error)
                raise Unsettled from error
        return True

    return advance


def _path_of_many(branches: Sequence[_Branch], log: Log, troubles: Troubles) -> FastPath:
    filtered = [branch for branch in branches if branch.timed is not None]
    pending_at = log.pending_at

    def push(rows: Rows) -> bool:
        if not are_open(branches):
            return False
        for row in rows:
            if row[pending_at]:
                return False
        log.rise(rows)
        for branch in branches:
            try:
                branch.result.pass_on(branch.insert(rows))
            except Exception as error:  # noqa: BLE001  (whatever a value does to one query, others go on)
                troubles.note_failure(branch.aggregate, error)
        return deliver(branches)

    def advance(now: int) -> bool:
        if not are_open(filtered):
            return False
        for branch in filtered:
            try:
                branch.result.pass_on(branch.expire(now))
            except Exception as error:  # noqa: BLE001
                troubles.note_failure(branch.aggregate, error)
        return deliver(filtered)

    def are_open(moved: Sequence[_Branch]) -> bool:
        for branch in moved:
            result = branch.result
            if result.changes or result.sorted is not None or not result.changed:
                return False
        return True

    def deliver(moved: Sequence[_Branch]) -> bool:
        failed = bool(troubles.noted)
        for branch in moved:
            result = branch.result
            if result.changes:
                result.deliver()
                if result.failed:
                    failed = True
        if failed:
            raise Unsettled
        return True

    return FastPath(push, advance)


def _checked(path: FastPath, troubles: Troubles) -> FastPath:
    """Return the path; a step of it that went over the budget raises `Unsettled`."""
    noted = troubles.noted

    def check(call: Callable[[T], bool]) -> Callable[[T], bool]:
        def checked(given: T) -> bool:
            done = call(given)
            if noted:
                raise Unsettled
            return done

        return checked

    return FastPath(check(path.push), check(path.advance))
