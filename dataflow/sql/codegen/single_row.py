"""The shortest way for single rows, as generated code: through an aggregation, or a temporal filter and it, in one
function.

A function takes a list of one row (or the clock), and gives the changes; None, and nothing has been done, where the
ordinary way must be taken. They hold while nothing is dirty or held aside. They are made when a lane wants them.
"""

from __future__ import annotations

from dataflow.sql.codegen.accumulators import Layout
from dataflow.sql.codegen.assemble import clock_lines
from dataflow.sql.codegen.emit import indented
from dataflow.sql.codegen.expressions import Names
from dataflow.sql.codegen.folds import single_lines
from dataflow.sql.codegen.loops import Loop, Pipe
from dataflow.sql.plan.nodes import Aggregate, Col, Timed


def express_functions(plan: Aggregate, pipe: Pipe, layout: Layout, names: Names, before: Pipe | None) -> list[str]:
    """Source of `came`, for one row that comes to the aggregation; or of `arrive` and `leave`, for one row that comes
    to the temporal filter `timed` before it, and those that leave it at a time. `before` leads there; the filter's
    `future` are `LoggedRows`.
    """
    came = single_lines(plan, pipe, layout, names, "in")
    if not came:
        return []
    if not isinstance(pipe.source, Timed):
        return ["def came(rows):", "    for r0 in rows:", *came, "    return []"]
    went = single_lines(plan, pipe, layout, names, "out")
    return _through(pipe.source, before, came, went, names) if before is not None else []


def _through(timed: Timed, before: Pipe, came: list[str], went: list[str], names: Names) -> list[str]:
    loop = Loop(before, names, before.columns or ())
    if loop.depth > 2 or timed.op[0] != ">" or not isinstance(timed.value, Col):
        return []
    loop.add(f"r0 = {loop.row()}")
    loop.add(
        f"t = r0[{timed.value.index}]", "queue = future.queue",
        "if t is None or t < queue.last or t < timed.limit:", "    return None",
        "if len(queue.tail) < queue.room:", "    queue.tail.append(r0)", "    queue.last = t",
        "else:", "    queue.append(r0, t)",
    )  # fmt: skip
    limit = clock_lines(timed.bound, names, "limit = timed.limit = ", " + timed.beyond")
    return [
        "def arrive(rows):", *loop.lines, *came, "    return []",
        "def leave(now):",
        *indented(limit),
        "    queue = future.queue",
        "    if queue.first >= limit and not future.late:", "        return []",
        "    if future.late or future.gone:", "        return None",
        "    rows = queue.before(limit)",
        "    if len(rows) > 1:", "        retract0(rows)", "        return changes(False)",
        "    for r0 in rows:", *went, "    return []",
    ]  # fmt: skip
