"""Which class keeps the values of a window function's call.

| frame | rows | aggregates | picks and statistics |
| --- | --- | --- | --- |
| whole | the partition | `Whole` | `Entire` |
| peers | from the first row to the row's last peer | `Running` | `ByPeers` |
| tied | the row's peers | `ByPeers` | `ByPeers` |
| onward | from the row's first peer to the last row | `ByPeers` | `ByPeers` |
| rows | from the first row to the row | `Running` | `Framed` |
| sliding | the row and `offset` before it | `Sliding` | `Framed` |
| between | `bounds`, in rows | `Framed` | `Framed` |
| range | `bounds`, in the column `by` | `Ranged` | `Ranged` |

first_value of a frame that begins with the partition is `First`. Ranks and shifts have classes of their own.
"""

from __future__ import annotations

from dataflow.engine.operators.frames import ByPeers, Entire, Framed, Ranged, Share, Tiles
from dataflow.engine.operators.running import First, Known, Rank, RowNumber, Running, Shifted, Sliding, Values, Whole
from dataflow.engine.operators.window_folds import (
    RESULTS,
    STATISTICS,
    Fold,
    make_adder,
    make_aggregate,
    make_nth,
    make_nth_known,
    make_statistic,
)
from dataflow.sql.plan.nodes import WindowCall


def choose_framed(fold: Fold, call: WindowCall) -> Values:
    """The fold over the call's frame."""
    if call.frame in ("peers", "tied", "onward"):
        return ByPeers(fold, here=call.frame != "peers", onward=call.frame == "onward")
    if call.frame == "whole":
        return Entire(fold)
    if call.frame == "range":
        return Ranged(fold, call.by, *call.bounds)
    start, end = _row_bounds(call)
    return Framed(fold, start, end)


def _row_bounds(call: WindowCall) -> tuple[int | None, int | None]:
    """The ends of a frame of rows."""
    if call.frame == "rows":
        return None, 0
    if call.frame == "sliding":
        return -call.offset, 0
    start, end = (None if bound is None else int(bound) for bound in call.bounds)
    return start, end


ENDS = {"first_value": 0, "last_value": -1}


def choose_values(call: WindowCall) -> Values:
    """A fresh partition's values for one call."""
    if call.kind == "ntile":
        return Tiles(call.offset)
    if call.kind in ("percent_rank", "cume_dist"):
        return Share(peers=call.kind == "cume_dist")
    if call.kind in ENDS or call.kind == "nth_value":
        index = ENDS.get(call.kind, int(call.default or 1) - 1)
        if call.known:
            return choose_framed(make_nth_known(call.column, index), call)
        if call.kind == "first_value" and call.frame in ("peers", "rows", "whole", ""):
            return choose_running(call)
        return choose_framed(make_nth(call.column, index), call)
    if call.kind in STATISTICS:
        return choose_framed(make_statistic(call), call)
    if call.frame in ("between", "tied", "onward", "range"):
        return choose_framed(make_aggregate(call), call)
    return choose_running(call)


def choose_running(call: WindowCall) -> Values:
    """A fresh partition's values for a call that `frames.py` does not have."""
    if call.kind == "row_number":
        return RowNumber()
    if call.kind in ("rank", "dense_rank"):
        return Rank(dense=call.kind == "dense_rank")
    if call.kind in ("lag", "lead"):
        kind = Known if call.known and call.offset else Shifted
        return kind(call.column, call.offset if call.kind == "lag" else -call.offset, call.default)
    if call.kind == "first_value":
        return First(call.column)
    add, result = make_adder(call), RESULTS[call.kind]
    if call.frame == "whole":
        return Whole(add, result)
    if call.frame == "sliding":
        return Sliding(add, result, call.offset)
    return Running(add, result, peers=call.frame == "peers")
