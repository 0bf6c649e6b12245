"""The shortest way through a graph, for the commonest steps: rows of the log that only come, and a move of the clock.

There is a fast path while every query is one aggregate over the log, or over a temporal filter of the log, and its
subscribers take changes. It says no, and does nothing, where a step is not of that kind.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TypeVar

from dataflow.engine.fast_branch import Branch, is_branch
from dataflow.engine.log import Log
from dataflow.engine.operators.node import Node, Rows, Source
from dataflow.engine.operators.temporal_filter import TemporalFilter
from dataflow.engine.result import Result
from dataflow.engine.troubles import Troubles

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class FastPath:
    """`push` takes rows of the log, at least one; `advance` moves the clock. Each says whether it did."""

    push: Callable[[Rows], bool]
    advance: Callable[[int], bool]


class Unsettled(Exception):
    """A step was done, and something went wrong in it: `Troubles` and the results' failures say what."""


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
    for result in results:
        if not is_branch(result, sources):
            return None
    branches = [Branch(result, troubles) for result in results]
    filtered = [branch for branch in branches if branch.timed is not None]
    if len(nodes) != 2 * len(branches) + len(filtered) or {branch.timed for branch in filtered} != set(timed):
        return None
    path = _path_of_one(branches[0], log, troubles) if len(branches) == 1 else _path_of_many(branches, log, troubles)
    return path if troubles.budget is None else _checked(path, troubles)


def _path_of_one(branch: Branch, log: Log, troubles: Troubles) -> FastPath:
    """Make, for one query, a call for each thing that must be done, and no more."""
    return FastPath(_push_one(branch, log, troubles), _advance_one(branch, troubles))


def _push_one(branch: Branch, log: Log, troubles: Troubles) -> Callable[[Rows], bool]:
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


def _advance_one(branch: Branch, troubles: Troubles) -> Callable[[int], bool]:
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


def _path_of_many(branches: Sequence[Branch], log: Log, troubles: Troubles) -> FastPath:
    filtered = [branch for branch in branches if branch.timed is not None]
    pending_at = log.pending_at

    def push(rows: Rows) -> bool:
        if not _are_open(branches):
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
        return _deliver(branches, troubles)

    def advance(now: int) -> bool:
        if not _are_open(filtered):
            return False
        for branch in filtered:
            try:
                branch.result.pass_on(branch.expire(now))
            except Exception as error:  # noqa: BLE001
                troubles.note_failure(branch.aggregate, error)
        return _deliver(filtered, troubles)

    return FastPath(push, advance)


def _are_open(branches: Sequence[Branch]) -> bool:
    """Whether nothing of these waits to be told, and their subscribers take changes."""
    for branch in branches:
        result = branch.result
        if result.changes or result.sorted is not None or not result.changed:
            return False
    return True


def _deliver(branches: Sequence[Branch], troubles: Troubles) -> bool:
    """Tell the subscribers of what has changed. Raises Unsettled where something went wrong in the step; else True."""
    failed = bool(troubles.noted)
    for branch in branches:
        result = branch.result
        if result.changes:
            result.deliver()
            if result.failed:
                failed = True
    if failed:
        raise Unsettled
    return True


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
