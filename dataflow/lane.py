"""The shortest way through a circuit, for the commonest push: rows of the log that only come."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dataflow.operators.aggregate import Aggregate
from dataflow.operators.node import Node, Rows, Source
from dataflow.result import Result
from dataflow.zset import Change

Lane = Callable[[Rows], bool]


def lane_for(nodes: Sequence[Node], sources: Sequence[Source], pending_at: int) -> Lane | None:
    """The shortest way for rows that only come, where every query is one aggregate over the log, told as changes. It
    says no, and does nothing, where that does not hold any more, or where a row is pending.
    """
    results = [node for node in nodes if isinstance(node, Result)]
    ways: list[tuple[Callable[[Rows], None], Callable[[], list[Change]], Result]] = []
    for result in results:
        (node,) = result.inputs
        if not (isinstance(node, Aggregate) and result.passes_on() and node.readers == [result]):
            return None
        if len(node.pairs) != 1 or node.pairs[0][0] not in sources:
            return None
        ways.append((node.pairs[0][1].insert, node.changes, result))
    if len(nodes) != 2 * len(ways):
        return None

    def run_one(rows: Rows) -> bool:
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

    def run(rows: Rows) -> bool:
        for result in results:
            if result.sorted is not None or result.changes or not result.changed:
                return False
        if any(row[pending_at] for row in rows):
            return False
        for insert, changes, result in ways:
            insert(rows)
            result.changes = changes()
        for result in results:
            result.deliver()
        return True

    if len(ways) == 1:
        insert, changes, result = ways[0]
        return run_one
    return run
