"""The shortest way through a circuit, for the commonest push: rows of the log that only come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from dataflow.operators.aggregate import Aggregate
from dataflow.operators.node import Node, Rows, Source
from dataflow.result import Result
from dataflow.zset import Change

Lane = Callable[[Rows], bool]


class _Way(NamedTuple):
    """One aggregate's fold, what it tells after that, and the result that it is told to."""

    insert: Callable[[Rows], None]
    changes: Callable[[], list[Change]]
    result: Result


def lane_for(
    nodes: Sequence[Node], results: Sequence[Result], sources: Sequence[Source], pending_at: int
) -> Lane | None:
    """The shortest way for rows that only come, where every query is one aggregate over the log, told as changes. It
    says no, and does nothing, where that does not hold any more, or where a row is pending.
    """
    if len(nodes) != 2 * len(results):
        return None
    ways = [_way(result, sources) for result in results]
    if len(ways) == 1 and ways[0] is not None:
        return _alone(ways[0], pending_at)
    found = [way for way in ways if way is not None]
    return _together(found, pending_at) if len(found) == len(ways) else None


def _way(result: Result, sources: Sequence[Source]) -> _Way | None:
    (node,) = result.inputs
    if not (isinstance(node, Aggregate) and result.passes_on() and node.readers == [result]):
        return None
    if len(node.pairs) != 1 or node.pairs[0][0] not in sources:
        return None
    return _Way(node.pairs[0][1].insert, node.changes, result)


def _alone(way: _Way, pending_at: int) -> Lane:
    """For one query: a call for each thing that must be done, and no more."""
    insert, changes, result = way

    def run(rows: Rows) -> bool:
        if result.sorted is not None or result.changes or not result.changed:
            return False
        for row in rows:
            if row[pending_at]:
                return False
        insert(rows)
        told = changes()
        if told:
            for tell in tuple(result.changed):
                tell(told)
        return True

    return run


def _together(ways: Sequence[_Way], pending_at: int) -> Lane:
    def run(rows: Rows) -> bool:
        for _, _, result in ways:
            if result.sorted is not None or result.changes or not result.changed:
                return False
        if any(row[pending_at] for row in rows):
            return False
        for insert, changes, result in ways:
            insert(rows)
            result.changes = changes()
        for _, _, result in ways:
            result.deliver()
        return True

    return run
